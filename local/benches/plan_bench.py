"""What a plan asks of storage, and what it computes, when nothing is due: with a month and a quarter of slices kept.

Each slice's head says that it was read for good; so the first plan lays the days to rest, and the second is measured.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from local.benches.filling import Filling
from local.benches.sent import counted_requests
from local.stage.azurite import azurite
from shared.app.app import App
from shared.app.settings import load_settings
from shared.ledger.counts import Counts
from shared.ledger.flight import Flight
from shared.ledger.head import Head
from shared.ledger.slices import DAY, Slice, closed_slices
from shared.rules.rule import PARTNER
from shared.scan.plan import plan_scans
from shared.store.flights import change_flight
from shared.store.ledger import Claim, head_row, new_head
from shared.store.tables import Tables

DAYS: Final = (30, 90)
_NOW: Final = datetime(2026, 11, 2, tzinfo=UTC)
_WIDTH: Final = timedelta(minutes=15)
_TIMES: Final = 20


@dataclass(frozen=True, slots=True)
class Planned:
    """An idle plan over so many days: requests to tables, and milliseconds of processor time (a mean)."""

    days: int
    requests: int
    processor_ms: float


def measure_plan(days: Sequence[int] = DAYS) -> list[Planned]:
    """Plan over each number of days. Raises RuntimeError where something is due."""
    return [asyncio.run(_planned(number)) for number in days]


async def _planned(days: int) -> Planned:
    async with azurite() as connection:
        usual = {"auth_mode": "local", "partner_tenant_id": PARTNER, "AzureWebJobsStorage": connection}
        app = App(load_settings(**usual, LOOKBACK_DAYS=days), clock=lambda: _NOW)
        try:
            tables = await app.tables()
            await _fill(tables, connection, app.settings.read_ages[-1], days)
            await change_flight(tables.control, Flight(app.settings.partner_tenant_id), first_seen=_NOW - DAY)
            for _ in range(2):  # the first reads every head, mends the roll-ups and lays the days to rest
                if await plan_scans(app):
                    raise RuntimeError("a slice is due, though all were read")
            busy = time.process_time()
            with counted_requests() as sent:
                for _ in range(_TIMES):
                    await plan_scans(app)
            return Planned(days, sent.total() // _TIMES, round(1000 * (time.process_time() - busy) / _TIMES, 2))
        finally:
            await app.close()


async def _fill(tables: Tables, connection: str, oldest_age: timedelta, days: int) -> None:
    """Have the ledger say of every slice that it was read for good."""
    slices = closed_slices(PARTNER.replace("-", ""), _NOW - days * DAY, _NOW, _WIDTH)
    first = await _read_for_good(tables, slices[0], oldest_age)
    async with Filling(connection) as filling:
        await filling.write(f"{tables.prefix}slices", ({**first, **head_row(slice_)} for slice_ in slices))


async def _read_for_good(tables: Tables, slice_: Slice, age: timedelta) -> dict[str, object]:
    """The row of a head after its last read."""
    await tables.slices.write(new_head(slice_, _NOW, "0" * 20))
    claim = await Claim.take(tables.slices, slice_, owner="o", send_id="s", now=_NOW, lease=_WIDTH)
    if claim is None:
        raise RuntimeError("the slice is taken")
    counts = Counts().to_json()
    head = Head(slice_, settled=age, whole=True, counts=counts, owner="o", generation=claim.head.generation)
    await claim.write([], _NOW, replace(head, next_due=None))
    row = await tables.slices.get(slice_.partition, str(head_row(slice_)["RowKey"]))
    if row is None:
        raise RuntimeError("the head is gone")
    return dict(row)
