"""How an incident's facts follow from what its slices contribute. Pure.

An incident is the sum of its contributions. As long as they only grow, the sum is counted on; when one shrinks, it is
added up anew from all of them, which the caller has to read for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.incidents.model import Facts, adds, counted_on, only_grew, total


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one slice contributes to an incident: `old` by what stands, `new` by the read at hand (None: nothing)."""

    old: Facts | None
    new: Facts | None


@dataclass(frozen=True, slots=True)
class Sum:
    """The facts of an incident after its contributions changed.

    `facts` is None where nothing is left. `added` are the contributions that say something new. Where `needs_all` is
    true one of them shrank: `facts` says nothing then, and `summed` has to be asked with all contributions that stand.
    """

    facts: Facts | None
    added: list[Facts] = field(default_factory=list)
    needs_all: bool = False


def counted(before: Facts | None, changes: Iterable[Contribution], since: datetime | None = None) -> Sum:
    """Count an incident on by its changed contributions. Only sign-ins after `since` may be announced."""
    facts, added, needs_all = before, [], False
    for change in changes:
        new = change.new
        if new and adds(change.old, new):
            added.append(new)
        if not only_grew(change.old, new):
            needs_all = True
        elif new:
            facts = counted_on(facts, change.old, new, since)
    if facts is not None and facts.count == 0:
        facts = None
    return Sum(None if needs_all else facts, added, needs_all)


def summed(standing: Mapping[str, Facts], replaced: Mapping[str, Facts], since: datetime | None = None) -> Facts | None:
    """The facts of all contributions, by row: those that stand, with the replaced ones in their place."""
    return total({**standing, **replaced}.values(), since)


def nothing(at: datetime) -> Facts:
    """A contribution of no findings. It is kept as a row too: an older worker that is half-way must not bring an old
    one back."""
    return Facts(0, at, at, frozenset(), 0, 0, frozenset())
