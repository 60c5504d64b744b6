"""Structured values in the columns of a row: JSON, squeezed, in as many binary columns as it takes."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final

import msgspec

from shared.store.tables import Row

_CHUNK: Final = 60_000
_MAX_CHUNKS: Final = 14
ROOM: Final = _CHUNK * _MAX_CHUNKS


def packed_columns(name: str) -> list[str]:
    """The columns that a packed value may have: for reading it without the rest of its row."""
    return [f"{name}{i}" for i in range(_MAX_CHUNKS)]


class TooLong(ValueError):  # noqa: N818 - it says what the value is
    """A value does not fit into the room it has, even squeezed to `size` bytes."""

    def __init__(self, why: str, size: int = 0) -> None:
        super().__init__(why)
        self.size = size


def pack_bytes(name: str, data: bytes, room: int = ROOM) -> dict[str, bytes]:
    """Columns name0, name1, …, of at most `room` bytes together. Raises TooLong. The last columns of a longer value may
    stay behind: reading passes over them."""
    squeezed = zlib.compress(data, 6)
    if len(squeezed) > room:
        raise TooLong(f"{name} does not fit into {room} bytes of a row", len(squeezed))
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


def pack(name: str, value: object, room: int = ROOM) -> dict[str, bytes]:
    """A JSON value as columns, of at most `room` bytes together. Raises TooLong."""
    return pack_bytes(name, _json(value), room)


def _json(value: object) -> bytes:
    """The JSON of a value, the same for equal ones."""
    try:
        return msgspec.json.encode(value, order="sorted")  # several times as quick
    except (msgspec.MsgspecError, TypeError, UnicodeEncodeError):
        return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()  # as text that is no Unicode


def pack_first(name: str, values: Iterable[object], room: int) -> dict[str, bytes]:
    """The first of the values, each shorter than the one before, that fits into the room. Raises TooLong."""
    for value in values:
        try:
            return pack(name, value, room)
        except TooLong:
            continue
    raise TooLong(f"{name} does not fit into {room} bytes of a row, however short")


@cache
def _decoder(form: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(form)


def unpack(name: str, row: Row, form: Any = Any) -> Any:
    """The JSON value in the columns, as a type that msgspec knows; None where there is none."""
    data = unpack_bytes(name, row)
    if data is None:
        return None
    try:
        return _decoder(form).decode(data)  # several times as quick
    except msgspec.DecodeError:
        return msgspec.convert(json.loads(data), form)  # text that is no Unicode, from before such was replaced


def pack_fitting(name: str, shape: Callable[[int], object], most: int, room: int) -> dict[str, bytes]:
    """As many lines of a value as fit into the room: `shape` gives the value with at most so many. Raises TooLong where
    not even one does."""
    while True:
        try:
            return pack_bytes(name, _json(shape(most)), room)
        except TooLong as too_long:
            if most <= 1:
                raise
            most = max(1, min(most - 1, most * room * 9 // (too_long.size * 10)))
