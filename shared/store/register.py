"""The register's rows: one partition of the table `control`, the newest first, each written once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from shared.ledger.register import Act, ActKind
from shared.store.packing import pack, unpack
from shared.store.tables import SCHEMA, Conflict, Row, Table, insert, is_newer, keys, utc

PARTITION: Final = "register"
_ACT: Final = "act-"
_LAST: Final = 10**17  # microseconds far ahead: a key counts down from there, so that the newest comes first


async def write_act(table: Table, act: Act) -> None:
    """Add an entry. One that is there already, because this was tried before, stays as it is."""
    row = {
        **keys(PARTITION, f"{_key(act.at)}-{act.id}"),
        "v": SCHEMA,
        "at": act.at,
        "kind": act.kind,
        "by": act.by,
        "byId": act.by_id,
        **pack("detail", dict(act.detail)),
    }
    try:
        await table.write(insert(row))
    except Conflict:
        return


async def page_of_acts(table: Table, before: str | None = None) -> tuple[list[tuple[str, Act]], bool]:
    """What one request gives of the entries, the newest first, each with its place; and whether there may be more.
    `before` is the place of the last one that was seen."""
    first = f"{before}." if before else _ACT
    rows, more = await table.page(PARTITION, first, f"{_ACT}~")
    return [(str(row["RowKey"]), _act(row)) for row in rows if _is_known(row)], more


def acts_until(at: datetime) -> tuple[str, str]:
    """The range of keys of the entries of that time and older: for retention."""
    return _key(at), f"{_ACT}~"


def _key(at: datetime) -> str:
    return f"{_ACT}{_LAST - int(at.timestamp() * 1_000_000):017d}"


def _is_known(row: Mapping[str, Any]) -> bool:
    return not is_newer(row) and row["kind"] in ActKind


def _act(row: Row) -> Act:
    return Act(
        id=str(row["RowKey"]).rpartition("-")[2],
        at=utc(row["at"]),
        kind=ActKind(row["kind"]),
        by=row["by"],
        by_id=row["byId"],
        detail=unpack("detail", row) or {},
    )
