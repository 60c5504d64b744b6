"""The nightly export of all tables: one blob a table and day, written once.

Table Storage has no snapshot, so a table is read while the app works on it. A restore knows when the export began and
has every slice read again that was at work since (shared/maintenance/restore.py).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from shared.app.app import App
from shared.basics.events import log_event
from shared.maintenance.lines import written
from shared.store.exports import Exports
from shared.store.tables import NAMES, Table


def blob_name(day: str, table: str) -> str:
    """The blob of a table and day (YYYY-MM-DD)."""
    return f"{day}/{table}.jsonl.gz"


async def export_tables(app: App, exports: Exports) -> dict[str, int]:
    """Export every table that today (UTC) has no blob yet, and so goes on where a crash stopped; gives the rows of each
    one that was written."""
    await exports.create()
    tables = (await app.tables()).by_name
    began = app.clock()
    done: dict[str, int] = {}
    for name in NAMES:
        blob = blob_name(f"{began:%Y-%m-%d}", name)
        if await exports.holds(blob):
            continue
        counted = _Counted(tables[name])
        if await exports.put(blob, written(name, app.clock(), counted.rows())):
            done[name] = counted.count
    log_event("tables_exported", day=f"{began:%Y-%m-%d}", tables=len(done), rows=sum(done.values()))
    return done


class _Counted:
    def __init__(self, table: Table) -> None:
        self._table = table
        self.count = 0

    async def rows(self) -> AsyncIterator[Mapping[str, Any]]:
        async for row in self._table.everything():
            self.count += 1
            yield row
