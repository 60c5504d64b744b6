"""What the plan goes by, beside a tenant's flight in its partition of `control`, so that one request reads all of it.

| key | says |
|---|---|
| `flight` | which slice is being read (shared/store/flights.py) |
| `due-<day>-<slice>` | somebody had this slice made due: its roots changed, a rescan, a new roster |
| `rest-<day>` | nothing of this day is due before `until`, and its roll-up is of the heads that stand |

A day's rest ends in the transaction that takes the flight for one of its slices, so that a day that is being worked on
is looked at again. The plan writes it only over the row that it read before the day's heads. A row says under which
`terms` (the settings of the plan) it was written; under others it counts for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any, Final

from shared.basics.spelling import id_key
from shared.ledger.flight import Flight
from shared.ledger.slices import Slice, day_named, midnight, slice_named
from shared.store.codec import PAST
from shared.store.flights import FLIGHT, flight_of
from shared.store.tables import (
    MAX_BATCH,
    SCHEMA,
    Conflict,
    Operation,
    Row,
    Table,
    delete,
    etag_of,
    insert,
    keys,
    merge,
    upsert,
    utc,
)

_DUE: Final = "due-"
_REST: Final = "rest-"


@dataclass(frozen=True, slots=True)
class Rest:
    """That nothing of a day is due before `until` (UTC), by these terms."""

    until: datetime
    terms: str
    etag: str


@dataclass(frozen=True, slots=True)
class Agenda:
    """A tenant's flight, the slices that something made due, each with the mark's etag, and its days at rest."""

    flight: Flight
    marked: Mapping[Slice, str]
    rests: Mapping[datetime, Rest]

    def is_at_rest(self, day: datetime, now: datetime, terms: str) -> bool:
        """Whether nothing of a day (a UTC midnight) needs to be looked at."""
        rest = self.rests.get(day)
        return rest is not None and rest.terms == terms and now < rest.until


async def read_agenda(table: Table, tenant: str) -> Agenda:
    """All that the plan goes by for a tenant."""
    flight, marked, rests = Flight(tenant), {}, {}
    async for row in table.range(id_key(tenant), "a", "z"):
        key = str(row["RowKey"])
        if key == FLIGHT:
            flight = flight_of(tenant, row)
        elif key.startswith(_DUE):
            marked[_slice_of(tenant, key)] = etag_of(row)
        elif key.startswith(_REST):
            until, terms = utc(row["until"]), str(row["terms"])
            rests[day_named(key.removeprefix(_REST))] = Rest(until, terms, etag_of(row))
    return Agenda(flight, marked, rests)


# --- slices that something made due -----------------------------------------------------------------------------------


async def make_due(table: Table, slices: Iterable[Slice], mark: str) -> None:
    """Have slices read again, sealed or not. Rows of their own, so that a worker at a slice keeps its claim."""
    of_tenants: dict[str, list[Operation]] = {}
    for slice_ in slices:
        row = mark_row(slice_, mark)
        of_tenants.setdefault(id_key(slice_.tenant), []).append(upsert(row))
    for rows in of_tenants.values():
        for batch in batched(rows, MAX_BATCH, strict=False):
            await table.transact(batch)


def mark_row(slice_: Slice, mark: str) -> dict[str, Any]:
    """The row that says that a slice is due."""
    return {**_mark_keys(slice_), "v": SCHEMA, "mark": mark}


async def due_mark(table: Table, slice_: Slice) -> str | None:
    """The etag of a slice's mark; None if nobody made it due."""
    key = _mark_keys(slice_)
    row = await table.get(key["PartitionKey"], key["RowKey"])
    return etag_of(row) if row else None


async def clear_due(table: Table, slice_: Slice, etag: str) -> None:
    """Remove a mark that was served; a newer one stays."""
    try:
        await table.write(delete(_mark_keys(slice_), etag))
    except Conflict:
        return  # marked again since, or cleared already: either is as it should be


def _mark_keys(slice_: Slice) -> dict[str, Any]:
    return keys(id_key(slice_.tenant), f"{_DUE}{slice_.start:%Y%m%d}-{slice_.name}")


def _slice_of(tenant: str, row_key: str) -> Slice:
    day, _, name = row_key.removeprefix(_DUE).partition("-")
    return slice_named(tenant, day_named(day), name)


# --- days at rest -----------------------------------------------------------------------------------------------------


def is_rest(row: Row) -> bool:
    """Whether a row says that a day is at rest."""
    return str(row["RowKey"]).startswith(_REST)


def stir(tenant: str, at: datetime) -> Operation:
    """End the rest of a day: a write for the transaction of what stirs it."""
    return upsert({**_rest_keys(tenant, at), "v": SCHEMA, "until": PAST, "terms": ""})


async def stir_days(table: Table, tenant: str, days: Iterable[datetime]) -> None:
    """End the rest of days whose heads an operator changes."""
    for batch in batched(sorted({midnight(day) for day in days}), MAX_BATCH, strict=False):
        await table.transact([stir(tenant, day) for day in batch])


async def lay_to_rest(table: Table, agenda: Agenda, days: Mapping[datetime, datetime], terms: str) -> None:
    """Note until when days rest, over the rows that the agenda was read with; a day that was stirred since is left."""
    writes: list[Operation] = []
    for day, until in days.items():
        known = agenda.rests.get(day)
        row = {**_rest_keys(agenda.flight.tenant, day), "v": SCHEMA, "until": until, "terms": terms}
        writes.append(merge(row, known.etag) if known else insert(row))
    for batch in batched(writes, MAX_BATCH, strict=False):
        try:
            await table.transact(batch)
        except Conflict:
            await _each(table, batch)


async def _each(table: Table, writes: Iterable[Operation]) -> None:
    for write in writes:
        try:
            await table.write(write)
        except Conflict:
            continue  # stirred since: the next plan looks


async def forget_rests(table: Table, agenda: Agenda, before: datetime) -> None:
    """Remove the rows of days that the plan no longer reads."""
    tenant = agenda.flight.tenant
    old = [delete(_rest_keys(tenant, day), rest.etag) for day, rest in agenda.rests.items() if day < before]
    await _each(table, old)


def _rest_keys(tenant: str, day: datetime) -> dict[str, Any]:
    return keys(id_key(tenant), f"{_REST}{day:%Y%m%d}")
