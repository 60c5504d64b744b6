"""The last line of each key, of more lines than fit in memory: each key's lines meet in one of many small files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import Final
from zlib import crc32

_PARTS: Final = 64  # macOS lets a process open 256 files
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

    def take(self, key: str, line: str) -> None:
        """Keep a line, which holds no line end; neither may the key hold a tab or one."""
        name = key.encode("utf-8", "backslashreplace")
        self._parts[crc32(name) % _PARTS].write(b"%s\t%s\n" % (name, line.encode("utf-8", "backslashreplace")))

    def __iter__(self) -> Iterator[str]:
        """The last line of each key, in no order."""
        for part in self._parts:
            part.seek(0)
            last = dict(line.rstrip(b"\n").split(b"\t", 1) for line in part)
            for line in last.values():
                yield line.decode()

    def close(self) -> None:
        """Let the lines go."""
        self._files.close()
