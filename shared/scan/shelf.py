"""Where what a read found waits in little room: squeezed in blocks, and looked through block by block.

A finding takes some two kilobytes as an object, and a hundred bytes here, since most of what it says others say too.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

PARTS: Final = 32
MANY: Final = 4_000  # values that are held as objects; more of them wait on shelves
_QUICK: Final = 1  # of zlib's levels


class Shelf[T]:
    """Values in the order in which they were put; nothing is ever taken out."""

    __slots__ = ("_blocks",)

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def put(self, values: Sequence[T]) -> None:
        """Put some values there, as one block: a thousand squeeze well."""
        if values:
            self._blocks.append(zlib.compress(pickle.dumps(values, pickle.HIGHEST_PROTOCOL), _QUICK))

    def __iter__(self) -> Iterator[T]:
        for block in self._blocks:
            yield from pickle.loads(zlib.decompress(block))  # noqa: S301 - this process pickled it, and nobody else has it


class Parted[T]:
    """Values by the record that each is of, in PARTS parts.

    What two of these have of one record is in the same part of both, so that to compare them no more than a part need
    be held as objects. Of many values most wait on shelves, one for each part.
    """

    __slots__ = ("_loose", "_shelves")

    def __init__(self) -> None:
        self._loose: list[tuple[str, T]] = []
        self._shelves = [Shelf[tuple[str, T]]() for _ in range(PARTS)]

    def put(self, record: str, value: T) -> None:
        """Put a value there; nothing is ever taken out."""
        self._loose.append((record, value))
        if len(self._loose) > MANY:
            for part, shelf in enumerate(self._shelves):
                shelf.put([entry for entry in self._loose if part_of(entry[0]) == part])
            self._loose.clear()

    def part(self, part: int) -> Iterator[tuple[str, T]]:
        """The values of a part, each with its record."""
        yield from self._shelves[part]
        yield from (entry for entry in self._loose if part_of(entry[0]) == part)

    def __iter__(self) -> Iterator[tuple[str, T]]:
        for shelf in self._shelves:
            yield from shelf
        yield from self._loose


def part_of(record: str) -> int:
    """The part in which everything of a record is."""
    return zlib.crc32(record.encode("utf-8", "surrogatepass")) % PARTS
