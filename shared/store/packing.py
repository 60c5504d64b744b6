"""Structured values in the columns of a row: JSON, squeezed, in as many binary columns as it takes."""

from __future__ import annotations

import json
import zlib
from typing import Any, Final

from shared.store.tables import Row

_CHUNK: Final = 60_000
_MAX_CHUNKS: Final = 14
ROOM: Final = _CHUNK * _MAX_CHUNKS


def packed_columns(name: str) -> list[str]:
    """The columns that a packed value may have: for reading it without the rest of its row."""
    return [f"{name}{i}" for i in range(_MAX_CHUNKS)]


def pack_bytes(name: str, data: bytes) -> dict[str, bytes]:
    """Columns name0, name1, …; ValueError when the data does not fit into one row. Write with upsert, so that no
    column of a longer value stays behind, or see `cleared`."""
    squeezed = zlib.compress(data, 6)
    if len(squeezed) > ROOM:
        raise ValueError(f"{name} does not fit into one row")
    return {f"{name}{i}": squeezed[at : at + _CHUNK] for i, at in enumerate(range(0, len(squeezed), _CHUNK))}


def unpack_bytes(name: str, row: Row) -> bytes | None:
    """What pack_bytes put there, or None."""
    parts: list[bytes] = []
    while isinstance(part := row.get(f"{name}{len(parts)}"), bytes):
        parts.append(part)
    if not parts:
        return None
    unpacker = zlib.decompressobj()  # a longer value's last columns may stand behind: the stream knows its own end
    return unpacker.decompress(b"".join(parts))


def pack(name: str, value: object) -> dict[str, bytes]:
    """A JSON value as columns."""
    return pack_bytes(name, json.dumps(value, separators=(",", ":"), sort_keys=True).encode())


def unpack(name: str, row: Row) -> Any:
    """The JSON value in the columns, or None."""
    data = unpack_bytes(name, row)
    return None if data is None else json.loads(data)
