"""Where what a read found waits in little room: squeezed in blocks, and looked through block by block.

A finding takes some two kilobytes as an object, and a hundred bytes here, since most of what it says others say too.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

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
