"""Tables from an export: into empty ones, checked before the first row is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from azure.data.tables import UpdateMode

from shared.ledger.head import SliceState
from shared.maintenance.export import blob_name
from shared.maintenance.lines import Damaged, read_head, read_rows
from shared.store.agenda import is_rest
from shared.store.exports import Exports
from shared.store.ledger import is_head
from shared.store.sizes import wire_bytes
from shared.store.tables import MAX_BATCH, MAX_BATCH_BYTES, NAMES, Operation, Table, Tables, is_newer

# How long before an export a worker may have claimed a slice and have worked on it while it was exported: the longest
# lease (shared/app/settings.py).
_AT_WORK: Final = timedelta(hours=1)


class NotEmpty(Exception):  # noqa: N818 - what is wrong with the target
    """A table has rows already: a restore would mix two histories."""


async def fetch(exports: Exports, day: str, folder: Path) -> None:
    """Copy an export of the container to a folder. Raises LookupError."""
    for name in NAMES:
        with (folder / f"{name}.jsonl.gz").open("wb") as file:
            async for chunk in exports.get(blob_name(day, name)):
                file.write(chunk)


async def restore(folder: Path, tables: Tables) -> dict[str, int]:
    """Fill empty tables with the export in a folder. Returns the rows of each table.

    Slices that were at work during the export are due again, since their rows may be of two moments. All files are
    checked first. Raises Damaged, NotEmpty, LookupError.
    """
    heads: dict[str, datetime] = {}
    for name in NAMES:
        path = folder / f"{name}.jsonl.gz"
        if not path.is_file():
            raise LookupError(f"{path} is missing: an export has one file for each of {', '.join(NAMES)}")
        table, heads[name] = read_head(path)
        if table != name:
            raise Damaged(f"{path.name} holds the table {table}")
    began = min(heads.values()) - _AT_WORK
    await tables.create()
    targets = tables.by_name
    for name in NAMES:
        if await _has_rows(targets[name]):
            raise NotEmpty(f"the table {name} has rows already; restore into empty tables")
    return {name: await _fill(targets[name], _rows(folder / f"{name}.jsonl.gz", began, name)) for name in NAMES}


async def _has_rows(table: Table) -> bool:
    rows: AsyncIterator[object] = table.everything()
    return await anext(rows, None) is not None


def _rows(path: Path, began: datetime, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a table to restore. That a day is at rest was said of other heads: the plan looks at all of them."""
    rows = read_rows(path)
    if table == "slices":
        return (_due_again(row, began) for row in rows)
    return (row for row in rows if table != "control" or not is_rest(row))


def _due_again(row: dict[str, Any], began: datetime) -> dict[str, Any]:
    """A head as it is restored. A generation is the time of its claim in microseconds (shared/store/ledger.py)."""
    if not is_head(row) or is_newer(row) or row["state"] in (SliceState.PARKED, SliceState.SPLIT):
        return row
    if int(row["generation"] or 0) < began.timestamp() * 1_000_000:
        return row
    return {**row, "state": SliceState.IDLE, "whole": False, "nextDue": began, "attempts": 0}


async def _fill(table: Table, rows: Iterable[Mapping[str, Any]]) -> int:
    count = 0
    for batch in _batches(rows):
        await table.transact(batch)
        count += len(batch)
    return count


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Operation]]:
    """As they come, which is in the order of keys: as many of a partition as fit."""
    batch: list[Operation] = []
    room = 0
    for row in rows:
        operation: Operation = ("upsert", dict(row), {"mode": UpdateMode.REPLACE})
        size = wire_bytes(operation)
        other = bool(batch) and batch[0][1]["PartitionKey"] != row["PartitionKey"]
        if other or len(batch) == MAX_BATCH or (batch and room + size > MAX_BATCH_BYTES):
            yield batch
            batch, room = [], 0
        batch.append(operation)
        room += size
    if batch:
        yield batch
