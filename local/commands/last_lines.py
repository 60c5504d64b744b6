"""The last line of each key, of more lines than fit in memory: each key's lines meet in one of many small files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import Final

_PARTS: Final = 64  # macOS lets a process open 256 files
_NAME: Final = 32  # hexadecimal digits of a key's hash
_IN_MEMORY: Final = 256 << 10


class LastLines:
    """Takes lines under keys, and gives the last of each key."""

    def __init__(self) -> None:
        """Start without lines."""
        self._files = ExitStack()
        self._parts = [
            self._files.enter_context(SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - `close` does
            for _ in range(_PARTS)
        ]

    def take(self, key: str, line: bytes) -> None:
        """Keep a line, which holds no line end."""
        name = sha256(key.encode("utf-8", "surrogatepass")).digest()[:16].hex().encode()
        self._parts[int(name[:2], 16) % _PARTS].write(b"%b%b\n" % (name, line))

    def __iter__(self) -> Iterator[bytes]:
        """The last line of each key, in no order."""
        for part in self._parts:
            part.seek(0)
            last = {line[:_NAME]: line[_NAME:] for line in part}
            yield from last.values()

    def close(self) -> None:
        """Let the lines go."""
        self._files.close()
