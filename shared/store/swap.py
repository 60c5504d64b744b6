"""Compare-and-swap: a row changes only while it is still the one that was read.

A write whose answer was lost is sent again by the SDK or by shared/store/tables.py, and then conflicts with itself
(docs/platform-facts.md, "Table Storage"). So each caller says how it knows its own row again, and nobody loses to
itself. What comes back as a Conflict is then somebody else's change: read again and try again (`until_settled`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from shared.store.tables import Conflict, Operation, Row, Table, etag_of, insert, merge

_TRIES: Final = 20


async def swap(
    table: Table,
    row: Row,
    etag: str | None,
    *,
    is_mine: Callable[[Row], bool],
    beside: Sequence[Operation] = (),
) -> str:
    """Write a row that is still the one with that etag, or that is not there yet (None). Returns its new etag.

    `beside` are writes of the same transaction. `is_mine` is asked of the row that stands after a conflict: whether it
    is the one that this call wrote. Raises Conflict where somebody else was first.

    >>> await swap(table, {**key, "owner": me}, None, is_mine=lambda stands: stands["owner"] == me)
    """
    write = merge(row, etag) if etag else insert(row)
    try:
        if beside:
            return (await table.transact([*beside, write]))[-1]
        return await table.write(write)
    except Conflict:
        stands = await table.get(row["PartitionKey"], row["RowKey"])
        if stands is None or not is_mine(stands):
            raise
        return etag_of(stands)


async def until_settled[T](what: str, attempt: Callable[[], Awaitable[T]], *, tries: int = _TRIES) -> T:
    """Read, change and write again while others are first. Returns what the attempt that went through returned.

    Raises Conflict, which names `what`, when others change it all the time.
    """
    for _ in range(tries):
        try:
            return await attempt()
        except Conflict:
            continue
    raise Conflict(f"{what} changes all the time")
