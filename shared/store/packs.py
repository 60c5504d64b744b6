"""The evidence packs that were asked for: a row each in the table `control`. The packs themselves are blobs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.basics.spelling import is_key
from shared.store.codec import Codec
from shared.store.swap import swap
from shared.store.tables import SCHEMA, Conflict, Row, Table, delete, etag_of, is_newer, keys

_PARTITION: Final = "evidence-packs"


class PackState(StrEnum):
    """How far a pack is."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack: of which month (its first midnight, UTC), of which customer (a tenant key, "" for all), when it was asked
    for and when it was ready. `blob` is where it lies; each try has a name of its own, so that two never mix. `size` in
    KiB, rounded up; `sha256` of the zip; `problem` why there is none."""

    id: str
    month: datetime
    customer: str
    requested_at: datetime
    state: PackState = PackState.WAITING
    ready_at: datetime | None = None
    blob: str = ""
    size: int = 0
    sha256: str = ""
    problem: str = ""


_CODEC: Final = Codec(Pack, leaves=("id",), longest={"problem": 500})


async def write_pack(control: Table, pack: Pack, etag: str | None) -> str:
    """Write how far a pack is, while its row is still the one with that etag (None: new). Raises Conflict."""
    row = {**keys(_PARTITION, pack.id), "v": SCHEMA, **_CODEC.columns(pack)}
    return await swap(control, row, etag, is_mine=lambda stands: _pack(stands) == pack)


async def read_pack(control: Table, id_: str) -> tuple[Pack, str] | None:
    """A pack and its row's etag; None when there is none of that id."""
    row = await control.get(_PARTITION, id_) if is_key(id_) else None
    return None if row is None or is_newer(row) else (_pack(row), etag_of(row))


async def all_packs(control: Table) -> AsyncIterator[tuple[Pack, str]]:
    """Every pack, with its row's etag."""
    async for row in control.prefixed(_PARTITION, ""):
        if not is_newer(row):
            yield _pack(row), etag_of(row)


async def forget_pack(control: Table, pack: Pack, etag: str) -> None:
    """Remove a pack's row; one that somebody removed is gone."""
    try:
        await control.write(delete(keys(_PARTITION, pack.id), etag))
    except Conflict:
        return


def _pack(row: Row) -> Pack:
    return _CODEC.value(row, id=str(row["RowKey"]))
