"""Which slices are to be read now, in which order. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice, alternate, gaps_in, in_turn, near_retention_end


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the ledger says of some days of a tenant, and the slices of these days that something made due, each with
    its mark's etag."""

    heads: Mapping[Slice, Head] = field(default_factory=dict)
    marked: Mapping[Slice, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Terms:
    """What due slices are worked out by. `now` is UTC; `installed` is when the tenant was first seen."""

    now: datetime
    retention: timedelta
    installed: datetime | None = None


def due_slices(ledger: Ledger, grid: Sequence[Slice], terms: Terms) -> list[Slice]:
    """The slices to read, in order.

    What was never read and is older than the installation comes newest first; the rest newest and oldest in turn, and
    the two of them in turn, so that no part starves. What is near the end of retention is left as it is.
    """
    heads, now = ledger.heads, terms.now
    never = [s for s in unread(grid, heads) if s not in heads]
    again = [s for s, head in heads.items() if head.is_due(now)]
    marked = [s for s in standing_for(ledger.marked, heads) if s not in heads or heads[s].may_be_read(now)]
    wanted = {s for s in (*never, *again, *marked) if not near_retention_end(s, now, terms.retention)}
    old = terms.installed
    unsettled = {s for s in wanted if s not in heads or heads[s].settled is None}
    backlog = {s for s in unsettled if old is not None and s.end <= old}
    return alternate(
        in_turn(sorted(wanted - backlog, key=lambda s: s.start, reverse=True)),
        sorted(backlog, key=lambda s: s.start, reverse=True),
    )


def unread(grid: Sequence[Slice], heads: Mapping[Slice, Head]) -> list[Slice]:
    """The pieces of the grid, and of the halves of split slices, that no head stands for."""
    standing = [(s.start, s.end) for s, head in heads.items() if head.state is not SliceState.SPLIT]
    halves = [half for s, head in heads.items() if head.state is SliceState.SPLIT for half in s.halves() or ()]
    return gaps_in((*grid, *halves), standing)


def standing_for(marked: Iterable[Slice], heads: Mapping[Slice, Head]) -> list[Slice]:
    """The marked slices, with the halves in the place of those that were split since."""
    standing: list[Slice] = []
    rest = [*marked]
    while rest:
        slice_ = rest.pop()
        if slice_ in heads and heads[slice_].state is SliceState.SPLIT:
            rest.extend(slice_.halves() or ())
        else:
            standing.append(slice_)
    return standing
