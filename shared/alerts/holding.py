"""Whether what an incident rests on was read, so that it can be told as it stays.

A finding that rests on evidence may still fall: its own slice may be read again, or a slice that holds a root of its
session, which says that MFA was done. Nothing is waited for that nobody is going to read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.app.app import App
from shared.incidents.model import Incident
from shared.ledger.flight import Flight
from shared.ledger.head import Head, SliceState
from shared.ledger.rest import named_terms
from shared.ledger.slices import Slice, closed_slices, days_between, midnight, near_retention_end, uncovered
from shared.store.agenda import read_agenda
from shared.store.contributions import slices_of
from shared.store.ledger import heads_of_day
from shared.store.sessions import slices_asked
from shared.store.tables import Tables

_GIVEN_UP = (SliceState.PARKED, SliceState.FOREIGN)


@dataclass(frozen=True, slots=True)
class PendingSlices:
    """The slices whose next read may change what is known: `unread` were never read, `again` were, and are marked, half
    written or being read. `of_old_days` says how many lie before the installation. Pure."""

    unread: Mapping[str, Slice]
    again: frozenset[str]
    of_old_days: int

    def number(self, own: Iterable[str], roots: Iterable[str], asked_until: datetime | None) -> int:
        """How many slices an incident waits for. `own` are the slices with its findings, `roots` those with roots of
        the sessions that they asked for; before `asked_until` any slice that was never read may hold another root."""
        rests_on = {*own, *roots}
        waits = {id_ for id_ in rests_on if id_ in self.unread or id_ in self.again}
        if asked_until is not None:
            waits |= {id_ for id_, slice_ in self.unread.items() if slice_.start <= asked_until}
        return len(waits)

    @property
    def total(self) -> int:
        """How many there are."""
        return len(self.unread.keys() | self.again)


@dataclass(frozen=True, slots=True)
class TenantLog:
    """What the ledger says of the days of one tenant that are read."""

    flight: Flight
    grid: Sequence[Slice]
    heads: Sequence[Head]
    marked: frozenset[Slice]


def pending_slices(logs: Iterable[TenantLog], now: datetime, retention: timedelta) -> PendingSlices:
    """What is still to be read. A tenant that refuses its log holds nothing, nor does a slice that was given up, is
    about to expire, or showed less than before."""
    unread: dict[str, Slice] = {}
    again: set[str] = set()
    old = 0
    for log in logs:
        if log.flight.refused:
            continue
        never = [s for s in _never_read(log) if not near_retention_end(s, now, retention)]
        busy = [h.slice for h in log.heads if _is_read_again(h, h.slice in log.marked)]
        busy += [h.slice for h in log.heads if h.state is SliceState.SPLIT and h.slice in log.marked]
        busy = [s for s in busy if not near_retention_end(s, now, retention)]
        unread |= {s.id: s for s in never}
        again |= {s.id for s in busy}
        installed = log.flight.first_seen or now
        old += len({s.id for s in (*never, *busy) if s.end <= installed})
    return PendingSlices(unread, frozenset(again), old)


def _never_read(log: TenantLog) -> list[Slice]:
    known = [h for h in log.heads if h.state is not SliceState.SPLIT and (h.settled is not None or _is_given_up(h))]
    return uncovered(log.grid, [(head.slice.start, head.slice.end) for head in known])


def _is_given_up(head: Head) -> bool:
    return head.state in _GIVEN_UP or not head.consistent


def _is_read_again(head: Head, marked: bool) -> bool:
    if _is_given_up(head) or head.state is SliceState.SPLIT or head.settled is None:
        return False
    return marked or head.state is SliceState.CLAIMED or not head.whole


async def read_pending_slices(app: App, tables: Tables) -> PendingSlices:
    """What is still to be read of all tenants' logs, as far back as they are read."""
    logs = await asyncio.gather(*(_log_of(app, tables, tenant) for tenant in app.settings.tenants))
    return pending_slices(logs, app.clock(), app.retention)


async def _log_of(app: App, tables: Tables, tenant: str) -> TenantLog:
    now = app.clock()
    agenda = await read_agenda(tables.control, tenant)
    width, ages = app.settings.slice_width, app.settings.read_ages
    look_back = timedelta(days=app.settings.lookback_days)
    first = max(now - app.retention, (agenda.flight.first_seen or now) - look_back)
    marked = {midnight(slice_.start) for slice_ in agenda.marked}
    # Of a day at rest nothing is unread, marked or being read.
    days = [
        day
        for day in days_between(first, now)
        if day in marked or not agenda.is_at_rest(day, now, named_terms(width, ages, max(day, first)))
    ]
    heads = await asyncio.gather(*(_heads(tables, tenant, day) for day in days))
    # The newest slices are read by the next plan: nothing that was found rests on them.
    grid = [slice_ for slice_ in closed_slices(tenant, first, now, width) if midnight(slice_.start) in days]
    return TenantLog(agenda.flight, grid, [head for of_day in heads for head in of_day], frozenset(agenda.marked))


async def _heads(tables: Tables, tenant: str, day: datetime) -> list[Head]:
    return [head async for head in heads_of_day(tables.slices, tenant, day)]


async def unread_of(tables: Tables, incident: Incident, pending: PendingSlices) -> int:
    """How many slices that an incident rests on are still to be read."""
    if not pending.total:
        return 0
    own = await slices_of(tables.incidents, incident.key)
    roots = await slices_asked(tables.sessions, incident.who.user, own)
    return pending.number(own, roots or (), None if roots is None else incident.facts.last)
