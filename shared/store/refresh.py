"""Where a refresh stands: one row a source, the pages that it fetched so far, and the lease of who works on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any, Final, NamedTuple

from shared.store.codec import Codec
from shared.store.packing import pack_bytes, unpack_bytes
from shared.store.removing import remove_rows
from shared.store.swap import swap
from shared.store.tables import (
    MAX_BATCH,
    SCHEMA,
    Conflict,
    Row,
    Table,
    etag_of,
    keys,
    upsert,
    utc,
)

_PARTITION: Final = "refresh"
_WORK: Final = "work"
_SOURCE: Final = "source-"
_RUN: Final = "run-"
_NONE: Final = datetime(1970, 1, 1, tzinfo=UTC)  # version 1 knows no other time as none
# A row of pages holds at most so many bytes before packing, so that it fits also where packing gains nothing.
_ROOM: Final = 400_000


class LeaseLost(Exception):  # noqa: N818 - what happened to the lease
    """Another worker refreshes now: this one must publish nothing more."""


@dataclass(frozen=True, slots=True)
class RefreshState:
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


_TIMES: Final = ("began", "last_began", "last_completed", "since", "not_before", "due_since")
_CODEC: Final = Codec(
    RefreshState,
    names={"since": "problemSince"},
    leaves=("source",),
    none=dict.fromkeys(_TIMES, _NONE),
    longest={"problem": 1000},
)


async def read_state(table: Table, source: str) -> RefreshState:
    """How a source stands."""
    row = await table.get(_PARTITION, _SOURCE + source)
    return _state(row) if row else RefreshState(source)


async def all_states(table: Table) -> list[RefreshState]:
    """How every source stands that a refresh ever began with: for coverage, one request."""
    return [_state(row) async for row in table.prefixed(_PARTITION, _SOURCE)]


async def write_state(table: Table, state: RefreshState) -> None:
    """Note how a source stands. Only who holds the lease does."""
    kept = replace(state, notes=tuple(note[:500] for note in state.notes[:20]))
    row = {**keys(_PARTITION, _SOURCE + state.source), "v": SCHEMA, **_CODEC.columns(kept)}
    await table.write(upsert(row))


def _state(row: Row) -> RefreshState:
    return _CODEC.value(row, source=str(row["RowKey"]).removeprefix(_SOURCE))


# --- the pages fetched so far -----------------------------------------------------------------------------------------


class Piece(NamedTuple):
    """A page as it is kept: of which question, its number among that question's pages, its text."""

    kind: str
    of: str
    number: int
    text: str


async def keep_pieces(table: Table, run: str, owner: str, first: int, pieces: Iterable[Piece]) -> int:
    """Keep pages of a run, in rows numbered from `first` on. Returns the next number.

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
        data = json.dumps([piece._asdict() for piece in row], separators=(",", ":")).encode()
        try:
            operation = upsert(
                {**keys(_RUN + run, f"{first:06d}-{owner[:8]}"), "v": SCHEMA, **pack_bytes("pieces", data)}
            )
        except ValueError:
            continue
        await table.write(operation)
        first += 1
    return first


async def kept_pieces(table: Table, run: str) -> AsyncIterator[tuple[int, list[Piece]]]:
    """The pages of a run, row by row in the order in which they were kept, each row with its number."""
    async for row in table.prefixed(_RUN + run, ""):
        number = int(str(row["RowKey"]).partition("-")[0])
        yield number, [_piece(kept) for kept in json.loads(unpack_bytes("pieces", row) or b"[]")]


def _piece(kept: dict[str, Any] | list[Any]) -> Piece:
    return Piece(*kept) if isinstance(kept, list) else Piece(**kept)  # version 1 kept them by position


async def remove_pieces(table: Table, run: str) -> None:
    """Forget the pages of a run. Whoever erases a person removes some of them too."""
    rows = [row async for row in table.prefixed(_RUN + run, "", select=["PartitionKey", "RowKey"])]
    for batch in batched(rows, MAX_BATCH, strict=False):
        await remove_rows(table, batch)


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
        try:
            etag = await _take(table, owner, now + length, etag_of(row) if row else None)
        except Conflict:
            return None
        return cls(table, owner, etag, length)

    async def renew(self, now: datetime) -> None:
        """Show that the work goes on. Raises LeaseLost."""
        await self._write(now + self._length)

    async def give_back(self) -> None:
        """Let others work. Raises LeaseLost."""
        await self._write(_NONE)

    async def _write(self, until: datetime) -> None:
        async with self._turn:
            try:
                self._etag = await _take(self._table, self.owner, until, self._etag)
            except Conflict:
                raise LeaseLost("another worker refreshes the directory now") from None


async def _take(table: Table, owner: str, until: datetime, etag: str | None) -> str:
    row = {**keys(_PARTITION, _WORK), "v": SCHEMA, "owner": owner, "until": until}
    return await swap(table, row, etag, is_mine=lambda stands: bool(stands["owner"] == owner))


def all_pieces(table: Table) -> AsyncIterator[Row]:
    """The rows of pages that any refresh keeps."""
    return table.between("run-", "run-~", "", "~")
