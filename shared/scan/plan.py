"""What is due: worked out from the ledger each time, so that after an outage nothing has to be remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from shared.app.app import App
from shared.basics.events import log_event
from shared.ledger.flight import Flight
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import (
    Slice,
    alternate,
    closed_slices,
    days_between,
    gaps_in,
    in_turn,
    midnight,
    near_retention_end,
)
from shared.scan.messages import SliceMessage
from shared.store.customer_months import write_customer_months
from shared.store.flights import change_flight, read_flight
from shared.store.ledger import clear_due, due_marks, heads_of_day, make_due
from shared.store.rollups import NO_DAY, DayMarks, block_marks, day_marks, roll_up
from shared.store.tables import Tables

# Graph allows an app 122 requests in 10 seconds over all tenants and 5 for each (docs/entra-facts.md).
MOST_TENANTS_IN_FLIGHT: Final = 122 // 5
# How many slices one flight goes on with by itself; a newly closed slice waits no longer than these take.
LONGEST_CHAIN: Final = 100
# How many days of an older format one plan recomputes beside those that it reads.
OLD_DAYS_A_PLAN: Final = 10


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the ledger says of a tenant's last days."""

    heads: Mapping[Slice, Head]
    marked: Mapping[Slice, str]  # those that something made due, each with the mark's etag


async def plan_scans(app: App) -> list[str]:
    """The messages to send now: for each tenant with nothing in flight, its next slice. Also mends roll-ups that a
    crash left behind."""
    tables = await app.tables()
    now = app.clock()
    flights = {tenant: await _noticed(tables, tenant, now) for tenant in app.settings.tenants}
    since = {tenant: _since(app, flight, now) for tenant, flight in flights.items()}
    days = [*days_between(min(since.values()), now)]
    known = await day_marks(tables.rollups)
    messages: list[str] = []
    flying = 0
    for tenant, flight in flights.items():
        ledger = await _read_ledger(tables, tenant, days)
        await _pass_marks_on(tables, ledger)
        await _mend_roll_ups(app, tables, tenant, ledger, {day: known.get(day, NO_DAY) for day in days})
        if flight is None or not flight.is_free(now):
            flying += 1
            continue
        if flying >= MOST_TENANTS_IN_FLIGHT or flight.must_wait(now):
            continue
        due = due_slices(
            ledger,
            closed_slices(tenant, since[tenant], now, app.settings.slice_width),
            now=now,
            installed=flight.first_seen,
            retention=app.retention,
        )
        if due and (message := await launch(app, tables, flight, due[:LONGEST_CHAIN])):
            messages.append(message)
            flying += 1
            log_event("slices_due", tenant=tenant, due=len(due), first=due[0].id)
    await _renew_old_days(app, tables, known, since=days[0])
    await _write_customer_months(tables)
    return messages


def _since(app: App, flight: Flight | None, now: datetime) -> datetime:
    """From when on a tenant's log is read: as long before the installation as the first run goes, and all since then
    that the log may still hold, however short that first look back was."""
    look_back = timedelta(days=app.settings.lookback_days)
    installed = (flight.first_seen if flight is not None else None) or now
    return min(now - look_back, max(now - app.retention, installed - look_back))


async def launch(app: App, tables: Tables, flight: Flight, slices: Sequence[Slice]) -> str | None:
    """Take the tenant's flight for the first of the slices; the message to send, or None when somebody was first."""
    send_id = uuid4().hex
    taken = await change_flight(
        tables.control,
        flight,
        send_id=send_id,
        slice_id=slices[0].id,
        until=app.clock() + app.lease,
    )
    return SliceMessage.of([*slices], send_id).model_dump_json(by_alias=True) if taken else None


def due_slices(
    ledger: Ledger, grid: Sequence[Slice], *, now: datetime, installed: datetime | None, retention: timedelta
) -> list[Slice]:
    """The slices to read, in order. Pure.

    What was never read and is older than the installation comes newest first; the rest newest and oldest in turn, and
    the two of them in turn, so that no part starves. What is near the end of retention is left as it is.
    """
    heads = ledger.heads
    standing = [(s.start, s.end) for s, head in heads.items() if head.state != SliceState.SPLIT]
    halves = [half for s, head in heads.items() if head.state == SliceState.SPLIT for half in s.halves() or ()]
    never = [s for s in gaps_in((*grid, *halves), standing) if s not in heads]
    again = [s for s, head in heads.items() if head.is_due(now)]
    marked = [s for s in _standing_for(ledger.marked, heads) if _may_be_read(heads.get(s), now)]
    wanted = {s for s in (*never, *again, *marked) if not near_retention_end(s, now, retention)}
    unread = {s for s in wanted if s not in heads or heads[s].settled is None}
    backlog = {s for s in unread if installed is not None and s.end <= installed}
    return alternate(
        in_turn(sorted(wanted - backlog, key=lambda s: s.start, reverse=True)),
        sorted(backlog, key=lambda s: s.start, reverse=True),
    )


def _may_be_read(head: Head | None, now: datetime) -> bool:
    if head is None:
        return True
    return head.state not in (SliceState.PARKED, SliceState.FOREIGN) and not head.is_held(now)


def _standing_for(marked: Iterable[Slice], heads: Mapping[Slice, Head]) -> list[Slice]:
    """The marked slices, with the halves in the place of those that were split since."""
    standing: list[Slice] = []
    rest = [*marked]
    while rest:
        slice_ = rest.pop()
        if slice_ in heads and heads[slice_].state == SliceState.SPLIT:
            rest.extend(slice_.halves() or ())
        else:
            standing.append(slice_)
    return standing


async def _read_ledger(tables: Tables, tenant: str, days: Sequence[datetime]) -> Ledger:
    async def of_day(day: datetime) -> tuple[list[Head], dict[Slice, str]]:
        return [h async for h in heads_of_day(tables.slices, tenant, day)], await due_marks(tables.slices, tenant, day)

    parts = await asyncio.gather(*(of_day(day) for day in days))
    return Ledger(
        {h.slice: h for heads, _ in parts for h in heads}, {s: e for _, marks in parts for s, e in marks.items()}
    )


async def _pass_marks_on(tables: Tables, ledger: Ledger) -> None:
    """Give the marks of slices that were split to their halves: nobody reads a split slice again, so that its own would
    stay and make the halves due for ever."""
    for slice_, etag in ledger.marked.items():
        head = ledger.heads.get(slice_)
        if head is not None and head.state == SliceState.SPLIT:
            for half in _standing_for([slice_], ledger.heads):
                await make_due(tables.slices, half, "of the whole")
            await clear_due(tables.slices, slice_, etag)


async def _mend_roll_ups(
    app: App, tables: Tables, tenant: str, ledger: Ledger, known: Mapping[datetime, DayMarks]
) -> None:
    """Recompute the days whose roll-up is missing or stale."""
    by_day: dict[datetime, list[Head]] = {}
    for slice_, head in ledger.heads.items():
        by_day.setdefault(midnight(slice_.start), []).append(head)
    now = app.clock()
    for day, marks in known.items():
        heads = by_day.get(day, [])
        busy = any(head.is_held(now) for head in heads)
        if not busy and not marks.is_of(block_marks(heads), tenant):
            await roll_up(tables.slices, tables.rollups, tenant, day, app.settings.read_ages)


async def _renew_old_days(app: App, tables: Tables, known: Mapping[datetime, DayMarks], since: datetime) -> None:
    """Recompute days that an older version of the app added up and that the plan no longer reads, a few at a time,
    newest first."""
    old = sorted((day for day, marks in known.items() if marks.is_old and day < since), reverse=True)
    for day in old[:OLD_DAYS_A_PLAN]:
        for tenant in app.settings.tenants:
            await roll_up(tables.slices, tables.rollups, tenant, day, app.settings.read_ages)


async def _write_customer_months(tables: Tables) -> None:
    """Once a plan, and not after each read: the rows of customers and months whose day changed."""
    for day, marks in (await day_marks(tables.rollups)).items():
        if marks.months_due and not marks.is_foreign and not marks.is_old:
            await write_customer_months(tables.rollups, day)


async def _noticed(tables: Tables, tenant: str, now: datetime) -> Flight | None:
    """The tenant's flight, with the time the tenant was first seen noted; None when somebody else notes it now."""
    flight = await read_flight(tables.control, tenant)
    if flight.first_seen is not None or flight.send_id:
        return flight
    return await change_flight(tables.control, flight, first_seen=now)
