"""Where a refresh stands: one row a source, the pages that it fetched so far, and the lease of who works on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final, NamedTuple

from shared.store.packing import pack_bytes, unpack_bytes
from shared.store.tables import (
    MAX_BATCH,
    SCHEMA,
    Conflict,
    Operation,
    Row,
    Table,
    delete,
    etag_of,
    insert,
    keys,
    merge,
    upsert,
    utc,
)

_PARTITION: Final = "refresh"
_WORK: Final = "work"
_NONE: Final = datetime(1970, 1, 1, tzinfo=UTC)
# A row of pages holds at most so many bytes before packing, so that it fits also where packing gains nothing.
_ROOM: Final = 400_000


class LeaseLost(Exception):  # noqa: N818 - what happened to the lease
    """Another worker refreshes now: this one must publish nothing more."""


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a source. Times are UTC; None where it never was.

    `began` and `run` are of the refresh under way (run "": none is). `last_began` and `last_completed` are of the last
    complete one. `problem` says why the refresh under way does not get on, `since` since when; it is tried again after
    `not_before`. `due_since` is from when on slices are still to be made due by what was published. `notes` are what a
    complete refresh could not find out.
    """

    source: str
    run: str = ""
    began: datetime | None = None
    last_began: datetime | None = None
    last_completed: datetime | None = None
    problem: str = ""
    since: datetime | None = None
    not_before: datetime | None = None
    due_since: datetime | None = None
    requests: int = 0
    notes: tuple[str, ...] = ()


async def read_state(table: Table, source: str) -> State:
    """How a source stands."""
    row = await table.get(_PARTITION, f"source-{source}")
    return _state(row) if row else State(source)


async def all_states(table: Table) -> list[State]:
    """How every source stands that a refresh ever began with: for coverage, one request."""
    return [_state(row) async for row in table.prefixed(_PARTITION, "source-")]


async def write_state(table: Table, state: State) -> None:
    """Note how a source stands. Only who holds the lease does."""
    times = {
        "began": state.began,
        "lastBegan": state.last_began,
        "lastCompleted": state.last_completed,
        "problemSince": state.since,
        "notBefore": state.not_before,
        "dueSince": state.due_since,
    }
    row: dict[str, Any] = {
        **keys(_PARTITION, f"source-{state.source}"),
        "v": SCHEMA,
        "run": state.run,
        "problem": state.problem[:1000],
        "requests": state.requests,
        "notes": json.dumps([note[:500] for note in state.notes[:20]]),
        **{name: at or _NONE for name, at in times.items()},  # a column cannot be emptied by leaving it out
    }
    await table.write(upsert(row))


def _state(row: Row) -> State:
    def time(name: str) -> datetime | None:
        at = utc(row[name])
        return None if at == _NONE else at

    return State(
        source=str(row["RowKey"]).removeprefix("source-"),
        run=row["run"],
        began=time("began"),
        last_began=time("lastBegan"),
        last_completed=time("lastCompleted"),
        problem=row["problem"],
        since=time("problemSince"),
        not_before=time("notBefore"),
        due_since=time("dueSince"),
        requests=row["requests"],
        notes=tuple(json.loads(row["notes"])),
    )


# --- the pages fetched so far -----------------------------------------------------------------------------------------


class Piece(NamedTuple):
    """A page as it is kept: of which question, its number among that question's pages, its text."""

    kind: str
    of: str
    number: int
    text: str


async def keep_pieces(table: Table, run: str, owner: str, first: int, pieces: Iterable[Piece]) -> int:
    """Keep pages of a run, in rows numbered from `first` on; gives the next number.

    The owner is part of a row's key, so that a worker that lost its lease overwrites nobody's rows. A page that is too
    large for a row is not kept: who goes on asks for it again.
    """
    rows: list[list[Piece]] = []
    size = _ROOM
    for piece in pieces:
        length = len(piece.text) + 200
        if size + length > _ROOM:
            rows.append([])
            size = 0
        rows[-1].append(piece)
        size += length
    for row in rows:
        data = json.dumps(row, separators=(",", ":")).encode()
        try:
            operation = upsert(
                {**keys(f"run-{run}", f"{first:06d}-{owner[:8]}"), "v": SCHEMA, **pack_bytes("pieces", data)}
            )
        except ValueError:
            continue
        await table.write(operation)
        first += 1
    return first


async def kept_pieces(table: Table, run: str) -> AsyncIterator[tuple[int, list[Piece]]]:
    """The pages of a run, row by row in the order in which they were kept, each row with its number."""
    async for row in table.prefixed(f"run-{run}", ""):
        number = int(str(row["RowKey"]).partition("-")[0])
        yield number, [Piece(*piece) for piece in json.loads(unpack_bytes("pieces", row) or b"[]")]


async def remove_pieces(table: Table, run: str) -> None:
    """Forget the pages of a run."""
    rows: list[Operation] = [
        delete(row) async for row in table.prefixed(f"run-{run}", "", select=["PartitionKey", "RowKey"])
    ]
    for batch in batched(rows, MAX_BATCH, strict=False):
        await table.transact(batch)


# --- who works on it --------------------------------------------------------------------------------------------------


class Lease:
    """The right to refresh, until somebody takes it over after its end."""

    def __init__(self, table: Table, owner: str, etag: str, length: timedelta) -> None:
        self._table = table
        self._etag = etag
        self._length = length
        self._turn = asyncio.Lock()
        self.owner = owner

    @classmethod
    async def take(cls, table: Table, owner: str, now: datetime, length: timedelta) -> Lease | None:
        """Take it; None while another worker has it."""
        row = await table.get(_PARTITION, _WORK)
        if row and utc(row["until"]) > now:
            return None
        columns = _work(owner, now + length)
        try:
            etag = await table.write(merge(columns, etag_of(row)) if row else insert(columns))
        except Conflict:
            mine = await _own_etag(table, owner)
            if mine is None:
                return None
            etag = mine
        return cls(table, owner, etag, length)

    async def renew(self, now: datetime) -> None:
        """Show that the work goes on. Raises LeaseLost."""
        await self._write(_work(self.owner, now + self._length))

    async def give_back(self) -> None:
        """Let others work. Raises LeaseLost."""
        await self._write(_work(self.owner, _NONE))

    async def _write(self, columns: Mapping[str, Any]) -> None:
        async with self._turn:
            try:
                self._etag = await self._table.write(merge(columns, self._etag))
            except Conflict:
                mine = await _own_etag(self._table, self.owner)
                if mine is None:
                    raise LeaseLost("another worker refreshes the directory now") from None
                self._etag = mine


def _work(owner: str, until: datetime) -> dict[str, Any]:
    return {**keys(_PARTITION, _WORK), "v": SCHEMA, "owner": owner, "until": until}


async def _own_etag(table: Table, owner: str) -> str | None:
    """The lease's etag where it is this owner's: our own success can come back as a conflict."""
    row = await table.get(_PARTITION, _WORK)
    return etag_of(row) if row and row["owner"] == owner else None
