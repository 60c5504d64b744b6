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
from uuid import uuid4

from shared.store.once import forget_reads, made_once
from shared.store.packing import pack, unpack
from shared.store.swap import swap
from shared.store.tables import MAX_BATCH, SCHEMA, Conflict, Row, Table, delete, etag_of, keys, upsert, utc

_PARTITION: Final = "people"
_PER_ROW: Final = 500
_TRIES: Final = 5
_DIGITS: Final = 20  # of a version: microseconds, or one more than the version before

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
    """Replace a list. Raises Conflict where another one took its place meanwhile; what this one wrote goes then with
    the next."""
    stands = await table.get(_PARTITION, f"{name}-.")
    number = max(int(now.timestamp() * 1_000_000), int(str(stands["version"])[:_DIGITS]) + 1 if stands else 0)
    version = f"{number:0{_DIGITS}d}{uuid4().hex[:8]}"  # no two writers have the same, whatever their clocks say
    for place, part in enumerate(batched(entries, _PER_ROW, strict=False)):
        row = {**keys(_PARTITION, f"{name}-{version}-{place:06d}"), "v": SCHEMA, **pack("entries", part)}
        await table.write(upsert(row))
    head = {"v": SCHEMA, "version": version, "count": len(entries), "at": now, **pack("facts", facts)}
    await swap(
        table,
        {**keys(_PARTITION, f"{name}-."), **head},
        etag_of(stands) if stands else None,
        is_mine=lambda row: bool(row["version"] == version),
    )
    # No later ones: somebody may be writing them.
    old = table.range(_PARTITION, f"{name}-0", f"{name}-{number + 1:0{_DIGITS}d}", select=["PartitionKey", "RowKey"])
    gone = [delete(row) async for row in old if not str(row["RowKey"]).startswith(f"{name}-{version}-")]
    for batch in batched(gone, MAX_BATCH, strict=False):
        try:
            await table.transact(batch)
        except Conflict:
            continue  # somebody else removes them, or our own answer was lost; what is left goes next time


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
            return [await _made_of(table, rows, name) for name in names]
        except _Changing:
            forget_reads()
    raise Conflict(f"the lists {', '.join(names)} change all the time")


async def _made_of(table: Table, rows: Sequence[Row], name: str) -> Kept | None:
    """A list, made of its rows once a page: thousands of entries take a while."""

    async def make() -> Kept | None:
        return _kept(rows, name)

    return await made_once(("list", id(table), name), make)


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
