"""The nightly export of all tables: one blob a table and day, written once.

Table Storage has no snapshot, so a table is read while the app works on it. A restore knows when the export began and
has every slice read again that was at work since (shared/maintenance/restore.py), and so it does with those that were
claimed while the other tables were exported.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from shared.app.app import App
from shared.basics.events import log_event
from shared.ledger.slices import midnight
from shared.maintenance.lines import written
from shared.store.agenda import mark_row
from shared.store.exports import Exports
from shared.store.ledger import slices_claimed_since
from shared.store.tables import NAMES, Table


def blob_name(day: str, table: str) -> str:
    """The blob of a table and day (YYYY-MM-DD)."""
    return f"{day}/{table}.jsonl.gz"


async def export_tables(app: App, exports: Exports) -> dict[str, int]:
    """Export every table that today (UTC) has no blob yet, and so goes on where a crash stopped. Returns the rows of
    each one that was written."""
    await exports.create()
    tables = (await app.tables()).by_name
    began = app.clock()
    done: dict[str, int] = {}
    for name in NAMES:
        blob = blob_name(f"{began:%Y-%m-%d}", name)
        if await exports.holds(blob):
            continue
        counted = _Counted(_control(tables, began) if name == "control" else tables[name].everything())
        if await exports.put(blob, written(name, app.clock(), counted.rows())):
            done[name] = counted.count
    log_event("tables_exported", day=f"{began:%Y-%m-%d}", tables=len(done), rows=sum(done.values()))
    return done


async def _control(tables: Mapping[str, Table], began: datetime) -> AsyncIterator[Mapping[str, Any]]:
    """The table `control`, and marks on the slices that were claimed since midnight: whatever asked for that read is
    served and gone, and the rows of the slice may have been exported before it. A restore has them read again."""
    known: set[tuple[str, str]] = set()
    async for row in tables["control"].everything():
        known.add((row["PartitionKey"], row["RowKey"]))
        yield row
    async for slice_ in slices_claimed_since(tables["slices"], midnight(began)):
        mark = mark_row(slice_, "export")
        if (mark["PartitionKey"], mark["RowKey"]) not in known:
            yield mark


class _Counted:
    def __init__(self, rows: AsyncIterator[Mapping[str, Any]]) -> None:
        self._rows = rows
        self.count = 0

    async def rows(self) -> AsyncIterator[Mapping[str, Any]]:
        async for row in self._rows:
            self.count += 1
            yield row
