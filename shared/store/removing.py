"""Removing rows that somebody else may have removed already, which is as good."""

from __future__ import annotations

from collections.abc import Sequence

from shared.store.tables import Conflict, Row, Table, delete


async def remove_row(table: Table, row: Row) -> None:
    """Remove a row, unless it is gone already."""
    try:
        await table.write(delete(row))
    except Conflict:
        return


async def remove_rows(table: Table, rows: Sequence[Row]) -> None:
    """Remove up to MAX_BATCH rows of one partition, those that are still there."""
    try:
        await table.transact([delete(row) for row in rows])
    except Conflict:  # one that is gone fails the whole batch
        for row in rows:
            await remove_row(table, row)
