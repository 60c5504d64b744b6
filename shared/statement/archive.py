"""The zip of an evidence pack, byte by byte: written as a stream in little memory, and read strictly.

Every byte of a pack is either content, whose hash stands in the signed manifest, or follows from it: names, sizes and
checksums, and constants. So one changed byte is found wherever it is, and nothing that another program could put into a
zip (paths, a second file of the same name, bytes before, between or behind) is ever taken. Pure; no zip64: a pack stays
below 4 GiB.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, Final

LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
DESCRIPTOR: Final = struct.Struct("<4sIII")
CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
END: Final = struct.Struct("<4sHHHHIIH")

_LOCAL_SIGN: Final = b"PK\x03\x04"
_DESCRIPTOR_SIGN: Final = b"PK\x07\x08"
_CENTRAL_SIGN: Final = b"PK\x01\x02"
_END_SIGN: Final = b"PK\x05\x06"
_NEEDS: Final = 20  # version 2.0 of the format: deflate
_UNIX: Final = 0x0314
_FILE_MODE: Final = 0o100644 << 16
_UTF8: Final = 0x0800
_STREAMED: Final = 0x0008  # sizes and checksum follow the content
_DATE: Final = 0x0021  # 1 January 1980: times of files say nothing here
_DEFLATED: Final = 8
_STORED: Final = 0
_LIMIT: Final = 2**32 - 1
_CHUNK: Final = 1 << 20
NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_MOST_FILES: Final = 1_000
_MOST_STORED: Final = 4 << 20
# Findings as JSON lines shrink to about a thirtieth; beyond this somebody wants to fill a disk or an hour.
_MOST_SWELLING: Final = 250
_ALWAYS: Final = 64 << 20


class PackTooLarge(Exception):  # noqa: N818 - what it is
    """A pack would not fit into 4 GiB."""


class ChangedFile(Exception):  # noqa: N818 - what happened to the pack
    """A pack is not as it was written. `name` is the file in it, or a part of the archive."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a pack: its content's size and SHA-256, and the SHA-256 of all bytes that the archive has for it."""

    name: str
    size: int
    sha256: str
    packed_sha256: str
    crc: int
    packed: int
    offset: int
    streamed: bool = True

    @property
    def head(self) -> bytes:
        """What stands before its content."""
        name = self.name.encode()
        flags, method = (_UTF8 | _STREAMED, _DEFLATED) if self.streamed else (_UTF8, _STORED)
        known = (0, 0, 0) if self.streamed else (self.crc, self.packed, self.size)
        return LOCAL.pack(_LOCAL_SIGN, _NEEDS, flags, method, 0, _DATE, *known, len(name), 0) + name

    @property
    def central(self) -> bytes:
        """Its line in the list at the end."""
        name = self.name.encode()
        flags, method = (_UTF8 | _STREAMED, _DEFLATED) if self.streamed else (_UTF8, _STORED)
        return (
            CENTRAL.pack(
                _CENTRAL_SIGN,
                *(_UNIX, _NEEDS, flags, method, 0, _DATE),
                *(self.crc, self.packed, self.size, len(name), 0, 0, 0, 0, _FILE_MODE, self.offset),
            )
            + name
        )


def ending(entries: list[Entry], offset: int) -> bytes:
    """The list of files at the end, which begins at that offset."""
    lines = b"".join(entry.central for entry in entries)
    return lines + END.pack(_END_SIGN, 0, 0, len(entries), len(entries), len(lines), offset, 0)


class Writer:
    """Writes a pack as chunks of bytes, file after file."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._offset = 0
        self._whole = sha256()

    @property
    def sha256(self) -> str:
        """Of all that was written so far."""
        return self._whole.hexdigest()

    @property
    def size(self) -> int:
        """Of all that was written so far."""
        return self._offset

    async def file(self, name: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A file, squeezed; its content comes in chunks. Raises PackTooLarge."""
        begins = self._offset
        head = Entry(name, 0, "", "", 0, 0, begins).head
        content, packed_hash, squeeze = sha256(), sha256(head), zlib.compressobj(6, zlib.DEFLATED, -15)
        size = crc = packed = 0
        yield self._took(head)
        async for chunk in chunks:
            content.update(chunk)
            crc = zlib.crc32(chunk, crc)
            size += len(chunk)
            if squeezed := squeeze.compress(chunk):
                packed += len(squeezed)
                packed_hash.update(squeezed)
                yield self._took(squeezed)
        rest = squeeze.flush()
        packed += len(rest)
        if size > _LIMIT or self._offset > _LIMIT:
            raise PackTooLarge("the pack would be larger than 4 GiB: ask for one customer after the other")
        rest += DESCRIPTOR.pack(_DESCRIPTOR_SIGN, crc, packed, size)
        packed_hash.update(rest)
        yield self._took(rest)
        self.entries.append(Entry(name, size, content.hexdigest(), packed_hash.hexdigest(), crc, packed, begins))

    def stored(self, name: str, content: bytes) -> bytes:
        """A small file as it is."""
        digest = sha256(content).hexdigest()
        entry = Entry(name, len(content), digest, "", zlib.crc32(content), len(content), self._offset, streamed=False)
        self.entries.append(entry)
        return self._took(entry.head + content)

    def end(self) -> bytes:
        """What ends the pack. Raises PackTooLarge."""
        if self._offset > _LIMIT:
            raise PackTooLarge("the pack would be larger than 4 GiB: ask for one customer after the other")
        return self._took(ending(self.entries, self._offset))

    def _took(self, data: bytes) -> bytes:
        self._offset += len(data)
        self._whole.update(data)
        return data


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Read:
    """What a pack holds: every file, and the content of those that are stored as they are."""

    entries: list[Entry]
    stored: dict[str, bytes]


class _Source:
    """Bytes of a file in order, some of which may be given back."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._kept = b""
        self.offset = 0

    def exactly(self, n: int, name: str) -> bytes:
        while len(self._kept) < n:
            more = self._file.read(max(_CHUNK, n - len(self._kept)))
            if not more:
                raise ChangedFile(name, "the archive is cut off there")
            self._kept += more
        found, self._kept = self._kept[:n], self._kept[n:]
        self.offset += n
        return found

    def some(self) -> bytes:
        found = self._kept or self._file.read(_CHUNK)
        self._kept = b""
        self.offset += len(found)
        return found

    def give_back(self, data: bytes) -> None:
        self._kept = data + self._kept
        self.offset -= len(data)

    def rest(self, most: int) -> bytes:
        """All that is left, or one byte more than `most` of it."""
        while len(self._kept) <= most and (more := self._file.read(_CHUNK)):
            self._kept += more
        return self._kept[: most + 1]


def read_archive(file: BinaryIO) -> Read:
    """Read a pack from its beginning, in little memory. Raises Changed for whatever a pack as this app writes it could
    not be."""
    source = _Source(file)
    entries: list[Entry] = []
    stored: dict[str, bytes] = {}
    while (sign := source.exactly(4, "the archive")) == _LOCAL_SIGN:
        entry, content = _entry(source, {e.name for e in entries})
        entries.append(entry)
        if content is not None:
            stored[entry.name] = content
        if len(entries) > _MOST_FILES:
            raise ChangedFile("the archive", f"it holds more than {_MOST_FILES} files")
    begins = source.offset - 4
    expected = ending(entries, begins)
    if not entries or sign + source.rest(len(expected)) != expected:
        raise ChangedFile("the list of files at the end", "it is not the one that belongs to the files")
    return Read(entries, stored)


def _entry(source: _Source, known: set[str]) -> tuple[Entry, bytes | None]:
    begins = source.offset - 4
    fields = LOCAL.unpack(_LOCAL_SIGN + source.exactly(LOCAL.size - 4, "the archive"))
    length, streamed = fields[9], fields[3] == _DEFLATED
    raw = source.exactly(length, "the archive") if length <= 100 else b""
    name = raw.decode("ascii", "replace")
    if not NAME.fullmatch(name):
        raise ChangedFile("the archive", "a file in it has a name that no file of a pack has")
    if name in known:
        raise ChangedFile(name, "there are two files of that name")
    crc, packed, size = fields[6:9]
    head = Entry(name, size, "", "", crc, packed, begins, streamed).head
    if head != LOCAL.pack(*fields) + raw:
        raise ChangedFile(name, "what stands before its content is not as it was written")
    return _streamed(source, name, begins, head) if streamed else _stored(source, name, begins, (crc, packed, size))


def _stored(source: _Source, name: str, begins: int, told: tuple[int, int, int]) -> tuple[Entry, bytes]:
    crc, packed, size = told
    if size > _MOST_STORED or packed != size:
        raise ChangedFile(name, "it is larger than such a file can be")
    content = source.exactly(size, name)
    if zlib.crc32(content) != crc:
        raise ChangedFile(name, "its content was changed")
    return Entry(name, size, sha256(content).hexdigest(), "", crc, packed, begins, streamed=False), content


def _streamed(source: _Source, name: str, begins: int, head: bytes) -> tuple[Entry, None]:
    content, packed_hash = sha256(), sha256(head)
    size = crc = packed = 0
    for chunk, used in _unsqueezed(source, name):
        packed_hash.update(used)
        packed += len(used)
        content.update(chunk)
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
        if size > max(_ALWAYS, _MOST_SWELLING * packed):
            raise ChangedFile(name, "it swells to far more than the content of a pack")
    tail = source.exactly(DESCRIPTOR.size, name)
    if tail != DESCRIPTOR.pack(_DESCRIPTOR_SIGN, crc, packed, size & _LIMIT):
        raise ChangedFile(name, "its content was changed")
    packed_hash.update(tail)
    return Entry(name, size, content.hexdigest(), packed_hash.hexdigest(), crc, packed, begins), None


def _unsqueezed(source: _Source, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Pieces of the content, each with the squeezed bytes that it took."""
    stream = zlib.decompressobj(-15)
    while not stream.eof:
        squeezed = source.some()
        if not squeezed:
            raise ChangedFile(name, "the archive is cut off there")
        used = squeezed
        try:
            piece = stream.decompress(squeezed, _CHUNK)
            while not stream.eof and stream.unconsumed_tail:
                yield piece, b""
                piece = stream.decompress(stream.unconsumed_tail, _CHUNK)
        except zlib.error:
            raise ChangedFile(name, "its content was changed") from None
        if stream.eof:
            left = stream.unused_data
            source.give_back(left)
            used = squeezed[: len(squeezed) - len(left)]
        yield piece, used
