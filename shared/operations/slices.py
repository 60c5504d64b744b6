"""What operators do to the ledger: release what was parked, have a period read again, accept what cannot be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import uuid4

from shared.app.app import App
from shared.basics.events import log_event
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice, days_between, near_retention_end
from shared.store.agenda import make_due, stir_days
from shared.store.findings import accept_quarantine
from shared.store.ledger import change_idle_head, heads_of_day
from shared.store.rollups import roll_up
from shared.store.tables import Conflict


async def release(app: App, tenant: str, first: datetime, end: datetime) -> int:
    """Have the parked slices of a period tried again, with their attempts forgotten. Returns how many."""
    tables = await app.tables()
    now = app.clock()
    released = 0
    async for head in _heads(app, tenant, first, end):
        if head.state is SliceState.PARKED:
            idle = replace(head, state=SliceState.IDLE, attempts=0, next_due=now)
            released += await change_idle_head(tables.slices, head, idle)
    # Also where none was parked any more: a release that was cut off is finished by the next one.
    await stir_days(tables.control, tenant, days_between(*_kept(app, first, end)))
    log_event("slices_released", tenant=tenant, slices=released)
    return released


async def rescan(app: App, tenant: str, first: datetime, end: datetime) -> int:
    """Have the slices of a period read again, sealed or not, by today's rules and directory. Returns how many.

    Slices near the end of the log's retention are left as they are: what is read anew might be less than was seen.
    """
    marked = await _read_again(app, tenant, first, end, lambda _: True)
    log_event("slices_rescanned", tenant=tenant, slices=marked)
    return marked


async def replay(app: App, tenant: str, first: datetime, end: datetime) -> int:
    """Have the slices of a period that hold quarantined records read again, after the decoder was mended. Returns how
    many. The log itself is asked: it still holds the records, and what is near the end of its retention stays."""
    marked = await _read_again(app, tenant, first, end, lambda head: head.quarantined > 0)
    log_event("quarantine_replayed", tenant=tenant, slices=marked)
    return marked


@dataclass(frozen=True, slots=True)
class Accepted:
    """How many slices and records were accepted. `busy` slices were left out, since a worker read them."""

    slices: int
    records: int
    busy: int


async def accept(app: App, tenant: str, first: datetime, end: datetime) -> Accepted:
    """Accept that the quarantined records of a period cannot be read: its slices count as complete, and the records
    stay visible as accepted. What is quarantined later is not accepted with them."""
    tables = await app.tables()
    slices, records, busy = 0, 0, 0
    async for head in _heads(app, tenant, first, end):
        if head.quarantined <= head.accepted_quarantine:
            continue
        if head.state is not SliceState.IDLE:
            busy += 1
            continue
        try:
            accepted = await accept_quarantine(tables.slices, head.slice)
        except Conflict:
            busy += 1
            continue
        if not await change_idle_head(tables.slices, head, replace(head, accepted_quarantine=accepted)):
            busy += 1
            continue
        slices, records = slices + 1, records + accepted - head.accepted_quarantine
        await roll_up(tables.slices, tables.rollups, tenant, head.slice.start, app.settings.read_ages)
    log_event("quarantine_accepted", tenant=tenant, slices=slices, records=records)
    return Accepted(slices, records, busy)


async def _read_again(app: App, tenant: str, first: datetime, end: datetime, is_wanted: Callable[[Head], bool]) -> int:
    tables = await app.tables()
    wanted = [
        head.slice async for head in _heads(app, tenant, first, end) if is_wanted(head) and _may_be_read(app, head)
    ]
    await make_due(tables.control, wanted, uuid4().hex)
    return len(wanted)


def _may_be_read(app: App, head: Head) -> bool:
    given_up = head.state in (SliceState.SPLIT, SliceState.FOREIGN, SliceState.PARKED)
    return not given_up and not near_retention_end(head.slice, app.clock(), app.retention)


async def _heads(app: App, tenant: str, first: datetime, end: datetime) -> AsyncIterator[Head]:
    """The heads of the slices that lie in a period or reach into it."""
    tables = await app.tables()
    for day in days_between(*_kept(app, first, end)):
        async for head in heads_of_day(tables.slices, tenant, day):
            if overlaps(head.slice, first, end):
                yield head


def _kept(app: App, first: datetime, end: datetime) -> tuple[datetime, datetime]:
    """The part of a period of which anything can be kept."""
    now = app.clock()
    return max(first, now - timedelta(days=app.settings.finding_retention_days + 1)), min(end, now)


def overlaps(slice_: Slice, first: datetime, end: datetime) -> bool:
    """Whether a slice and a period have an instant in common."""
    return slice_.start < end and first < slice_.end
