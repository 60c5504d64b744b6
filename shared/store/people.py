"""Lists about the partner's people that answers show: technicians, customers, accounts with findings.

Each list lies in a few packed rows of one partition, so that one request reads it. Its first row (`.`, which sorts
before the rows of entries) names the version that holds; it is written last, so that a reader sees the old list or the
new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any, Final

from shared.store.once import forget_reads
from shared.store.packing import pack, unpack
from shared.store.tables import MAX_BATCH, SCHEMA, Conflict, Operation, Row, Table, delete, keys, upsert, utc

_PARTITION: Final = "people"
_PER_ROW: Final = 500
_TRIES: Final = 5

TECHNICIANS: Final = "technicians"
CUSTOMERS: Final = "customers"
ACCOUNTS: Final = "accounts"

type Entry = Any  # an object by name; version 1 of the app kept lists of values


@dataclass(frozen=True, slots=True)
class Kept:
    """A list as it stands: its entries, what is said of it as a whole, and when it was made (UTC)."""

    at: datetime
    facts: dict[str, Any]
    entries: list[Entry]


async def save_list(table: Table, name: str, entries: Sequence[Entry], facts: dict[str, Any], now: datetime) -> None:
    """Replace a list. `now` names its version: two writers at the same instant write the same."""
    version = f"{int(now.timestamp() * 1_000_000):020d}"
    for place, part in enumerate(batched(entries, _PER_ROW, strict=False)):
        row = {**keys(_PARTITION, f"{name}-{version}-{place:06d}"), "v": SCHEMA, **pack("entries", part)}
        await table.write(upsert(row))
    head = {"v": SCHEMA, "version": version, "count": len(entries), "at": now, **pack("facts", facts)}
    await table.write(upsert({**keys(_PARTITION, f"{name}-."), **head}))
    old: list[Operation] = [
        delete(row)
        async for row in table.prefixed(_PARTITION, f"{name}-", select=["PartitionKey", "RowKey"])
        if not str(row["RowKey"]).startswith((f"{name}-{version}-", f"{name}-."))
    ]
    for batch in batched(old, MAX_BATCH, strict=False):
        await table.transact(batch)


async def load_list(table: Table, name: str) -> Kept | None:
    """A list; None while there is none. One request for thousands of entries. Raises Conflict when it changes each time
    that it is read."""
    (kept,) = await load_lists(table, name)
    return kept


async def load_lists(table: Table, *names: str) -> list[Kept | None]:
    """Several lists by one request, which reads those between them in the order of names too. Raises Conflict."""
    for _ in range(_TRIES):
        rows = [row async for row in table.range(_PARTITION, f"{min(names)}-", f"{max(names)}-~")]
        try:
            return [_kept(rows, name) for name in names]
        except _Changing:
            forget_reads()
    raise Conflict(f"the lists {', '.join(names)} change all the time")


class _Changing(Exception):  # noqa: N818
    """A list was replaced while it was read."""


def _kept(rows: Sequence[Row], name: str) -> Kept | None:
    head = next((row for row in rows if row["RowKey"] == f"{name}-."), None)
    if head is None:
        return None
    prefix = f"{name}-{head['version']}-"
    chunks: list[list[Entry]] = [unpack("entries", row) for row in rows if str(row["RowKey"]).startswith(prefix)]
    entries = [entry for chunk in chunks for entry in chunk]
    if len(entries) != head["count"]:
        raise _Changing
    return Kept(utc(head["at"]), unpack("facts", head) or {}, entries)


async def list_facts(table: Table, name: str) -> tuple[datetime, dict[str, Any]] | None:
    """When a list was made and what is said of it as a whole, without its entries; None while there is none."""
    row = await table.get(_PARTITION, f"{name}-.")
    return (utc(row["at"]), unpack("facts", row) or {}) if row else None
