"""One row a tenant: which slice is in flight, and when the tenant may be asked again.

At most one slice of a tenant is in flight, so that its throttling budget is never fought over and the queue never holds
the backlog. The row also says what keeps a whole tenant from being read: throttling, a missing licence or consent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from shared.basics.spelling import id_key
from shared.ledger.flight import Flight
from shared.store.tables import SCHEMA, Conflict, Row, Table, etag_of, insert, is_newer, keys, merge, utc

_ROW: Final = "flight"


async def read_flight(table: Table, tenant: str) -> Flight:
    """The tenant's row; one that says nothing where there is none."""
    row = await table.get(id_key(tenant), _ROW)
    return _flight(tenant, row) if row else Flight(tenant)


async def all_flights(table: Table) -> AsyncIterator[Flight]:
    """The rows of all tenants, whether or not they are still watched; `tenant` is the tenant's key."""
    async for row in table.everything():
        if row["RowKey"] == _ROW:
            yield _flight(str(row["PartitionKey"]), row)


async def change_flight(table: Table, flight: Flight, **columns: Any) -> Flight | None:
    """Compare-and-swap; None when somebody else was first (our own success that came back as a conflict counts)."""
    changed = replace(flight, **columns)
    row = {
        **keys(id_key(changed.tenant), _ROW),
        "v": SCHEMA,
        "sendId": changed.send_id,
        "slice": changed.slice_id,
        "until": changed.until,
        "notBefore": changed.not_before,
        "problem": changed.problem[:1000],
        "problemSince": changed.problem_since,
        "firstSeen": changed.first_seen,
    }
    try:
        return replace(changed, etag=await table.write(merge(row, flight.etag) if flight.etag else insert(row)))
    except Conflict:
        current = await read_flight(table, flight.tenant)
        return current if replace(current, etag=None) == replace(changed, etag=None) and changed.send_id else None


def _flight(tenant: str, row: Row) -> Flight:
    if is_newer(row):
        return Flight(tenant, send_id="newer", until=datetime(9999, 12, 31, tzinfo=UTC))
    return Flight(
        tenant,
        send_id=row["sendId"],
        slice_id=row["slice"],
        until=utc(row["until"]),
        not_before=utc(row["notBefore"]),
        problem=row["problem"],
        problem_since=utc(row["problemSince"]),
        first_seen=utc(row["firstSeen"]),
        etag=etag_of(row),
    )
