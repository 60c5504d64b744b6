"""Whether the days before the installation were read to their end, so that their summary is whole."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from shared.app.app import App
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice, closed_slices, days_between, near_retention_end, uncovered
from shared.store.flights import read_flight
from shared.store.ledger import heads_of_day
from shared.store.tables import Tables


async def first_scan_is_over(app: App, tables: Tables) -> bool:
    """Whether every tenant's old slices were read once. A tenant that cannot be read now is not waited for."""
    return all(await asyncio.gather(*(_of_tenant(app, tables, tenant) for tenant in app.settings.tenants)))


async def _of_tenant(app: App, tables: Tables, tenant: str) -> bool:
    now = app.clock()
    flight = await read_flight(tables.control, tenant)
    if flight.problem:
        return True
    if flight.first_seen is None:
        return False
    first = now - timedelta(days=app.settings.lookback_days)
    days = [*days_between(first, now)]
    heads = [h for of_day in await asyncio.gather(*(_heads(tables, tenant, day) for day in days)) for h in of_day]
    grid = closed_slices(tenant, first, flight.first_seen, app.settings.slice_width)
    return not unread([s for s in grid if not near_retention_end(s, now, app.retention)], heads)


async def _heads(tables: Tables, tenant: str, day: datetime) -> list[Head]:
    return [head async for head in heads_of_day(tables.slices, tenant, day)]


def unread(grid: Sequence[Slice], heads: Sequence[Head]) -> list[Slice]:
    """The slices that nobody read yet nor gave up. Pure."""
    done = [
        h
        for h in heads
        if h.state != SliceState.SPLIT and (h.settled is not None or h.state in (SliceState.PARKED, SliceState.FOREIGN))
    ]
    return uncovered(grid, [(head.slice.start, head.slice.end) for head in done])
