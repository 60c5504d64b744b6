"""Each question to the tables once: a page asks several answers, and these ask the tables for much the same rows.

Within `reading_once`, rows of a partition that were read whole serve every narrower question to it, in this task and
in those that begin within. A write forgets them all. Nothing is kept beyond: two pages share no row.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from azure.data.tables import TableEntity

type Rows = list[TableEntity]

EVERY: Final = "*"  # no partition is called so: all of a table's


class ReadPlace(NamedTuple):
    """A partition of a table, or EVERY one."""

    table: str
    partition: str


@dataclass(frozen=True, slots=True)
class _Read:
    """The rows of a partition with first <= RowKey < end; `columns` None: with all of them."""

    first: str
    end: str
    columns: frozenset[str] | None
    rows: asyncio.Future[Rows]

    @property
    def has_keys(self) -> bool:
        """Whether its rows can be told apart."""
        return self.columns is None or "RowKey" in self.columns

    def serves(self, first: str, end: str, columns: frozenset[str] | None) -> bool:
        """Whether a question's rows and columns are among these, and their reading has not failed."""
        if self.rows.done() and (self.rows.cancelled() or self.rows.exception() is not None):
            return False
        if self.columns is not None and (columns is None or not columns <= self.columns):
            return False
        if not self.has_keys:
            return (first, end) == (self.first, self.end)
        return self.first <= first and end <= self.end

    async def of(self, first: str, end: str) -> Rows:
        """The rows asked for."""
        rows = await asyncio.shield(self.rows)
        return [row for row in rows if first <= row["RowKey"] < end] if self.has_keys else rows


@dataclass(slots=True)
class Reads:
    """What was read so far, by table and partition."""

    _known: dict[ReadPlace, list[_Read]] = field(default_factory=dict)
    _made: dict[tuple[object, ...], asyncio.Future[Any]] = field(default_factory=dict)

    async def known(self, place: ReadPlace, first: str, end: str, select: Sequence[str] | None = None) -> Rows | None:
        """The rows, where what was read has them all; waits for a read that is under way."""
        columns = None if select is None else frozenset(select)
        read = next((r for r in self._known.get(place, ()) if r.serves(first, end, columns)), None)
        if read is not None:
            return await read.of(first, end)
        if place.partition == EVERY:
            return None
        rows = await self.known(ReadPlace(place.table, EVERY), first, end)
        return None if rows is None else [row for row in rows if row["PartitionKey"] == place.partition]

    async def read(
        self,
        place: ReadPlace,
        ranges: Sequence[tuple[str, str]],
        fetch: Callable[[], Awaitable[Rows]],
        select: Sequence[str] | None = None,
    ) -> Rows:
        """Fetch the rows of some ranges, and know them from now on."""
        task = asyncio.ensure_future(fetch())
        columns = None if select is None else frozenset(select)
        self._known.setdefault(place, []).extend(_Read(first, end, columns, task) for first, end in ranges)
        return await task

    def forget(self) -> None:
        """Know nothing any more."""
        self._known.clear()
        self._made.clear()

    async def made[T](self, key: tuple[object, ...], make: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What was made of such reads under this key, made now where it was not yet."""
        task = self._made.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._made[key] = asyncio.ensure_future(make())
        made: T = await asyncio.shield(task)
        return made


_reads: Final[ContextVar[Reads | None]] = ContextVar("reads", default=None)


@contextmanager
def reading_once() -> Iterator[None]:
    """Have each question asked once, until the end of the block."""
    token = _reads.set(Reads())
    try:
        yield
    finally:
        _reads.reset(token)


def forget_reads() -> None:
    """Ask anew: something was written, or what was read does not fit together."""
    reads = _reads.get()
    if reads is not None:
        reads.forget()


async def each_once(
    place: ReadPlace, ranges: Sequence[tuple[str, str]], select: Sequence[str] | None, rows: AsyncIterable[TableEntity]
) -> AsyncIterator[TableEntity]:
    """The rows of an answer; where that was asked before, those of then, and `rows` is never begun."""
    reads = _reads.get()
    if reads is None:
        async for row in rows:
            yield row
        return

    async def fetch() -> Rows:
        return [row async for row in rows]

    known = await reads.known(place, *ranges[0], select) if len(ranges) == 1 else None
    for row in known if known is not None else await reads.read(place, ranges, fetch, select):
        yield row


def is_sharing() -> bool:
    """Whether this runs within `reading_once`."""
    return _reads.get() is not None


async def made_once[T](key: tuple[object, ...], make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What several answers make of the same rows: within the block it is made once, and nobody may change it."""
    reads = _reads.get()
    return await (make() if reads is None else reads.made(key, make))


async def known_rows(place: ReadPlace, first: str, end: str, select: Sequence[str] | None) -> Rows | None:
    """The rows with first <= RowKey < end, where a page has read them all; None elsewhere: ask the table."""
    reads = _reads.get()
    return None if reads is None else await reads.known(place, first, end, select)


async def one_once(place: ReadPlace, key: str, get: Callable[[], Awaitable[TableEntity | None]]) -> TableEntity | None:
    """One row; where it was asked for before, that of then."""
    reads = _reads.get()
    if reads is None:
        return await get()

    async def fetch() -> Rows:
        found = await get()
        return [] if found is None else [found]

    first, end = key, key + "\0"
    known = await reads.known(place, first, end)
    rows = known if known is not None else await reads.read(place, [(first, end)], fetch)
    return rows[0] if rows else None


async def page_once(
    place: ReadPlace,
    first: str,
    end: str,
    select: Sequence[str] | None,
    ask: Callable[[], Awaitable[tuple[Rows, bool]]],
) -> tuple[Rows, bool]:
    """What one request gives, and whether there may be more. A whole range is known from then on."""
    reads = _reads.get()
    if reads is None:
        return await ask()
    known = await reads.known(place, first, end, select)
    if known is not None:
        return known, False
    rows, more = await ask()
    if not more:

        async def fetch() -> Rows:
            return rows

        await reads.read(place, [(first, end)], fetch, select)
    return rows, more
