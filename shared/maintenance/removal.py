"""Removing many rows, batch by batch, a limited number in one run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from shared.store.removing import remove_rows
from shared.store.tables import MAX_BATCH, Row, Table, is_newer


class Allowance:
    """How many rows a run may look at and remove; what is left is done by the next run."""

    def __init__(self, rows: int) -> None:
        self._left = rows
        self.removed = 0

    @property
    def is_used_up(self) -> bool:
        """Whether the run has done enough."""
        return self._left <= 0

    def took(self, rows: int) -> None:
        """Note rows that were looked at."""
        self._left -= rows


async def remove(table: Table, rows: AsyncIterator[Row], allowance: Allowance) -> None:
    """Remove rows as they come, in the order of their keys, until the allowance is used up. Rows of a newer version of
    the app are left to it."""
    batch: list[dict[str, Any]] = []
    async for row in rows:
        allowance.took(1)
        if not is_newer(row):
            if batch and (len(batch) == MAX_BATCH or batch[0]["PartitionKey"] != row["PartitionKey"]):
                await remove_batch(table, batch, allowance)
                batch = []
            batch.append({"PartitionKey": row["PartitionKey"], "RowKey": row["RowKey"]})
        if allowance.is_used_up:
            break
    if batch:
        await remove_batch(table, batch, allowance)


async def remove_batch(table: Table, rows: Sequence[Row], allowance: Allowance) -> None:
    """Remove up to 100 rows of a partition, and count them."""
    await remove_rows(table, rows)
    allowance.removed += len(rows)
