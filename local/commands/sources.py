"""The text of a file, as a stream of UTF-8: unpacked, from any source, in little memory."""

from __future__ import annotations

import codecs
import sys
import zlib
from collections.abc import Callable, Generator, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from local.commands.json_text import LARGEST
from local.commands.unread import Fault

STANDARD_INPUT: Final = "-"
_CHUNK: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def read_text(path: str) -> bytes:
    """All of a small file as UTF-8, unpacked, without a byte-order mark. Raises Fault when it cannot be read."""
    return b"".join(text_of(file_bytes(path)))


def file_bytes(path: str, on_bytes: Callable[[int], object] = lambda _: None) -> Iterator[bytes]:
    """The bytes of a file as they are, in chunks. `on_bytes` hears how many were taken. Raises Fault."""
    try:
        with (
            open(sys.stdin.fileno(), "rb", buffering=0, closefd=False)
            if path == STANDARD_INPUT
            else Path(path).open("rb", buffering=0)
        ) as file:
            while chunk := file.read(_CHUNK):
                on_bytes(len(chunk))
                yield chunk
    except OSError as error:
        raise Fault(f"the file cannot be read: {error.strerror}") from None


def text_of(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The text of a file as UTF-8, unpacked, without a byte-order mark."""
    head, chunks = _sniffed(chunks)
    if head.startswith(_GZIP):
        head, chunks = _sniffed(_unpacked(chunks))
    if encoding := _UTF16.get(head[:2]):
        return _as_utf8(chunks, encoding)
    if head.startswith(codecs.BOM_UTF8):
        next(chunks)
        return chain([head.removeprefix(codecs.BOM_UTF8)], chunks)
    return chunks


def _sniffed(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first bytes, at least four if there are so many, and all chunks from the first."""
    head = b""
    try:
        for chunk in chunks:
            head += chunk
            if len(head) >= 4:
                break
    except Fault as fault:
        chunks = failing(fault)
    return head, chain([head], chunks)


def failing(fault: Fault) -> Generator[bytes]:
    """A stream that breaks at once."""
    yield b""
    raise fault


def _unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What a gzip file holds, member after member. Raises Fault after all that could be had of a bad one."""
    member = zlib.decompressobj(zlib.MAX_WBITS | 16)
    for packed in chunks:
        rest = packed
        while rest:
            if member.eof:
                rest = rest.lstrip(b"\0")  # padding after the last member
                member = zlib.decompressobj(zlib.MAX_WBITS | 16) if rest else member
                continue
            before = member.copy()
            try:
                out = member.decompress(rest, _CHUNK)
            except zlib.error:
                yield from _last_words(before, rest)
                raise Fault("the gzip data is corrupt here") from None
            yield out
            rest = member.unused_data if member.eof else member.unconsumed_tail
    yield member.flush()
    if not member.eof:
        raise Fault("the gzip data is cut off here")


def _last_words(member: zlib._Decompress, packed: bytes, size: int = 4096) -> Iterator[bytes]:
    """What comes before the corrupt place: zlib gives nothing of a piece with an error in it, so the pieces shrink."""
    for at in range(0, len(packed), size):
        piece, before = packed[at : at + size], member.copy()
        try:
            yield member.decompress(piece)
        except zlib.error:
            if size > 1:
                yield from _last_words(before, piece, size // 64)
            return


def _as_utf8(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """UTF-16, which PowerShell writes, as UTF-8 and without its byte-order mark."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in chunks:
        yield decoder.decode(chunk).removeprefix("\ufeff").encode()
    yield decoder.decode(b"", final=True).encode()


def beginning(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The beginning of a text, with two lines if it has them and they are not too long, and what follows it."""
    head = b""
    try:
        for chunk in chunks:
            head += chunk
            if len(head) > LARGEST or b"\n" in head.lstrip().partition(b"\n")[2].lstrip():
                break
    except Fault as fault:
        return head, failing(fault)
    return head, chunks
