"""One row a tenant, its flight (shared/ledger/flight.py): key of the tenant, `flight`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final

from shared.basics.spelling import id_key
from shared.ledger.flight import Flight
from shared.store.codec import NEVER, Codec
from shared.store.notes import AppNote
from shared.store.swap import swap
from shared.store.tables import SCHEMA, Conflict, Operation, Row, Table, etag_of, is_newer, keys

FLIGHT: Final = "flight"  # the row's key
_CODEC: Final = Codec(Flight, names={"slice_id": "slice"}, leaves=("tenant", "etag"), longest={"problem": 1000})


async def read_flight(table: Table, tenant: str) -> Flight:
    """The tenant's row; one that says nothing where there is none."""
    row = await table.get(id_key(tenant), FLIGHT)
    return flight_of(tenant, row) if row else Flight(tenant)


async def all_flights(table: Table) -> AsyncIterator[Flight]:
    """The rows of all tenants, whether or not they are still watched; `tenant` is the tenant's key."""
    async for row in table.everything():
        if row["RowKey"] == FLIGHT:
            yield flight_of(str(row["PartitionKey"]), row)


async def flights_and_note(table: Table, note: AppNote) -> tuple[list[Flight], Row | None]:
    """The rows of all tenants, and that of a note of the same table (None: nothing was noted), in one request."""
    flights: list[Flight] = []
    noted: Row | None = None
    async for row in table.everything():
        if row["RowKey"] == FLIGHT:
            flights.append(flight_of(str(row["PartitionKey"]), row))
        elif (row["PartitionKey"], row["RowKey"]) == note.value:
            noted = row
    return flights, noted


async def change_flight(
    table: Table, flight: Flight, *, beside: Sequence[Operation] = (), **changes: Any
) -> Flight | None:
    """Change a flight that is still as it was read, with other rows of its partition. Returns it as it stands now; None
    if somebody else was first."""
    changed = replace(flight, **changes)
    row = {**keys(id_key(changed.tenant), FLIGHT), "v": SCHEMA, **_CODEC.columns(changed)}

    def is_mine(stands: Row) -> bool:
        return bool(changed.send_id) and replace(flight_of(flight.tenant, stands), etag=None) == replace(
            changed, etag=None
        )

    try:
        return replace(changed, etag=await swap(table, row, flight.etag, is_mine=is_mine, beside=beside))
    except Conflict:
        return None


def flight_of(tenant: str, row: Row) -> Flight:
    """The flight a row holds; one of a newer version of the app is not free."""
    if is_newer(row):
        return Flight(tenant, send_id="newer", until=NEVER)
    return _CODEC.value(row, tenant=tenant, etag=etag_of(row))
