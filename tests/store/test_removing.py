"""Removing rows that somebody else may have removed: what is there goes, what is gone is no failure."""

from __future__ import annotations

from shared.store.removing import remove_row, remove_rows
from shared.store.tables import Tables, keys, upsert

ROWS = [keys("a", f"row-{number}") for number in range(3)]


async def test_what_is_there_goes_and_what_is_gone_is_no_failure(tables: Tables) -> None:
    table = tables.control
    await table.transact([upsert(row) for row in ROWS])
    await remove_row(table, ROWS[1])
    await remove_row(table, ROWS[1])
    assert [row["RowKey"] async for row in table.prefixed("a", "")] == ["row-0", "row-2"]
    await remove_rows(table, ROWS)
    assert [row async for row in table.prefixed("a", "")] == []
    await remove_rows(table, ROWS)
