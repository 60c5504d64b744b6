"""What was said of a log, waiting on disk until all of it was read: then what asked its session is decided.

A frame is a letter, its length, and lines that are whole, a record that waits, something that could not be read, or a
part: its frames follow it, or stand in the file of the process that judged it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from struct import Struct
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Final, Self

import msgspec

from local.commands.lines import refusal_line, unread_line
from shared.signin.sessions import Session, SessionKey

_LINES, _WAITS, _UNREAD, _PART, _REFUSED = b"L", b"W", b"U", b"P", b"R"
_HEAD: Final = Struct("<cI")
_IN_MEMORY: Final = 16 << 20
_BLOCK: Final = 256 << 10  # bytes handed on at once

# In the order of the middles of a record that waits.
ANSWERS: Final = (Session.SATISFIED, Session.MISSING, Session.MIXED, Session.UNSEEN)

type Proved = Callable[[SessionKey, datetime], Session]


class Waits(msgspec.Struct, array_like=True):
    """A record that asks its session: which, when, and its line with a middle for each answer."""

    session: tuple[str, str]
    at: datetime
    before: bytes
    middles: list[bytes]
    after: bytes


class _Unread(msgspec.Struct, array_like=True):
    reason: str
    index: int  # in its part


class Elsewhere(msgspec.Struct, array_like=True):
    """Frames that another process wrote into a file of its own."""

    path: str
    start: int
    size: int


class _Part(msgspec.Struct, array_like=True):
    file: bytes
    index: int  # of the part's first record
    frames: Elsewhere | int  # where they are; a number: so many bytes that follow


_encode: Final = msgspec.msgpack.Encoder().encode
_waits: Final = msgspec.msgpack.Decoder(Waits).decode
_unread: Final = msgspec.msgpack.Decoder(_Unread).decode
_part: Final = msgspec.msgpack.Decoder(_Part).decode


def _frame(kind: bytes, payload: bytes) -> bytes:
    return _HEAD.pack(kind, len(payload)) + payload


class Frames:
    """Puts frames together, in memory."""

    def __init__(self) -> None:
        """Start without any."""
        self._frames: list[bytes] = []
        self._lines: list[bytes] = []

    def add_line(self, line: bytes) -> None:
        """A record of which all is said."""
        self._lines.append(line)

    def add_waiting(self, record: Waits) -> None:
        """A record that asks its session."""
        self._close_lines()
        self._frames.append(_frame(_WAITS, _encode(record)))

    def add_unread(self, reason: str, index: int) -> None:
        """Something that could not be read."""
        self._close_lines()
        self._frames.append(_frame(_UNREAD, _encode(_Unread(_readable(reason), index))))

    def _close_lines(self) -> None:
        if self._lines:
            self._frames.append(_frame(_LINES, b"\n".join(self._lines) + b"\n"))
            self._lines.clear()

    def taken(self) -> bytes:
        """All frames since the last time."""
        self._close_lines()
        frames = b"".join(self._frames)
        self._frames.clear()
        return frames


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


class Outbox:
    """The frames of a process that judges for another: what goes through a pipe is copied four times."""

    def __init__(self, folder: str) -> None:
        """Begin a file of this process in that folder."""
        self._file = Path(folder, str(os.getpid())).open("wb", buffering=0)  # noqa: SIM115 - it ends with the process

    def put(self, frames: bytes) -> Elsewhere:
        """Keep the frames of a part."""
        start = self._file.tell()
        rest = memoryview(frames)
        while rest:
            rest = rest[self._file.write(rest) :]
        return Elsewhere(self._file.name, start, len(frames))


class Spool:
    """The frames of all files."""

    def __init__(self) -> None:
        """Start empty."""
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - `__exit__` closes it
        self._start_of_file = 0
        self._others: dict[str, BinaryIO] = {}
        self.unread = False  # whether something of what was handed on could not be read

    def __enter__(self) -> Self:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Lets all go."""
        self._file.close()
        for other in self._others.values():
            other.close()

    def begin_file(self) -> None:
        """What follows is of another file."""
        self._start_of_file = self._file.tell()

    def add_part(self, file: str, index: int, frames: bytes | Elsewhere) -> None:
        """Keep the frames of a part, whose first record is that one of its file."""
        part = _Part(_bytes_of(file), index, len(frames) if isinstance(frames, bytes) else frames)
        self._file.write(_frame(_PART, _encode(part)))
        if isinstance(frames, bytes):
            self._file.write(frames)
        elif frames.path not in self._others:
            self._others[frames.path] = Path(frames.path).open("rb", buffering=0)  # noqa: SIM115 - `__exit__` closes it
            with suppress(PermissionError):  # Windows keeps what is open
                Path(frames.path).unlink()  # so that nothing stays where this process is killed

    def refuse_file(self, file: str, reason: str) -> None:
        """Forget what was said of the file; say why in its place."""
        self._file.seek(self._start_of_file)
        self._file.truncate()
        self._file.write(_frame(_REFUSED, refusal_line(reason, file) + b"\n"))

    def hand_on(self, proved: Proved) -> Iterator[bytes]:
        """Give all lines, many at once, with what waits decided; the spool is empty then."""
        self._file.seek(0)
        block: list[bytes] = []
        size = 0
        for text in self._texts(proved):
            block.append(text)
            size += len(text)
            if size > _BLOCK:
                yield b"".join(block)
                block.clear()
                size = 0
        yield b"".join(block)
        self._file.seek(0)
        self._file.truncate()

    def _texts(self, proved: Proved) -> Iterator[bytes]:
        while head := self._file.read(_HEAD.size):
            kind, length = _HEAD.unpack(head)
            payload = self._file.read(length)
            if kind == _PART:
                part = _part(payload)
                yield from self._texts_of(part, self._frames_of(part), proved)
            else:
                self.unread = True
                yield payload

    def _frames_of(self, part: _Part) -> bytes:
        """All frames of a part: no more than a process had in its memory."""
        if isinstance(part.frames, int):
            return self._file.read(part.frames)
        other = self._others[part.frames.path]
        other.seek(part.frames.start)
        return other.read(part.frames.size)

    def _texts_of(self, part: _Part, frames: bytes, proved: Proved) -> Iterator[bytes]:
        at = 0
        while at < len(frames):
            kind, length = _HEAD.unpack_from(frames, at)
            at += _HEAD.size + length
            payload = frames[at - length : at]
            if kind == _LINES:
                yield payload
            elif kind == _WAITS:
                waits = _waits(payload)
                answer = proved(waits.session, waits.at)
                yield b"%b%b%b\n" % (waits.before, waits.middles[ANSWERS.index(answer)], waits.after)
            else:
                self.unread = True
                yield _line_of(_unread(payload), part)


def _bytes_of(file: str) -> bytes:
    return file.encode("utf-8", "surrogateescape")


def _line_of(unread: _Unread, part: _Part) -> bytes:
    return unread_line(unread.reason, part.file.decode("utf-8", "surrogateescape"), part.index + unread.index) + b"\n"
