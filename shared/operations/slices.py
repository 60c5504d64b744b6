"""What operators do to the ledger: release what was parked, have a period read again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import uuid4

from shared.app.app import App
from shared.basics.events import log_event
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import days_between, near_retention_end
from shared.store.ledger import heads_of_day, make_due, release_parked


async def release(app: App, tenant: str, first: datetime, end: datetime) -> int:
    """Have the parked slices of a period tried again, with their attempts forgotten; gives how many."""
    tables = await app.tables()
    released = 0
    async for head in _heads(app, tenant, first, end):
        if head.state == SliceState.PARKED:
            released += await release_parked(tables.slices, head.slice, app.clock())
    log_event("slices_released", tenant=tenant, slices=released)
    return released


async def rescan(app: App, tenant: str, first: datetime, end: datetime) -> int:
    """Have the slices of a period read again, sealed or not, by today's rules and directory; gives how many.

    Slices near the end of the log's retention are left as they are: what is read anew might be less than was seen.
    """
    tables = await app.tables()
    marked = 0
    async for head in _heads(app, tenant, first, end):
        readable = head.state not in (SliceState.SPLIT, SliceState.FOREIGN, SliceState.PARKED)
        if readable and not near_retention_end(head.slice, app.clock(), app.retention):
            await make_due(tables.slices, head.slice, uuid4().hex)
            marked += 1
    log_event("slices_rescanned", tenant=tenant, slices=marked)
    return marked


async def replay(app: App, tenant: str, first: datetime, end: datetime) -> int:
    """Have the slices of a period that hold quarantined records read again, after the decoder was mended; gives how
    many. The log itself is asked: it still holds the records, and what is near the end of its retention stays."""
    tables = await app.tables()
    marked = 0
    async for head in _heads(app, tenant, first, end):
        readable = head.state not in (SliceState.SPLIT, SliceState.FOREIGN, SliceState.PARKED)
        if head.quarantined and readable and not near_retention_end(head.slice, app.clock(), app.retention):
            await make_due(tables.slices, head.slice, uuid4().hex)
            marked += 1
    log_event("quarantine_replayed", tenant=tenant, slices=marked)
    return marked


async def _heads(app: App, tenant: str, first: datetime, end: datetime) -> AsyncIterator[Head]:
    tables = await app.tables()
    for day in days_between(first, end):
        async for head in heads_of_day(tables.slices, tenant, day):
            if head.slice.start < end and first < head.slice.end:
                yield head
