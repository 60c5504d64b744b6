"""A sign-in log in a file, read as a stream: in any shape, from any source, in little memory.

JSON lines are read line by line, so that a broken line harms nothing else; CSV row by row (`csv_log`). Everything else
is read as one text of JSON values (`json_records`). What a file is, is told by how it begins.
"""

from __future__ import annotations

import codecs
import sys
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

from local.commands.csv_log import CsvReader, Table, delimiter_of, is_auth_details
from local.commands.json_records import RecordReader, is_page
from local.commands.json_text import LARGEST, open_brackets
from local.commands.shapes import Intake, foreign
from local.commands.shapes.auth_details import Steps
from local.commands.unread import Fault, Refusal, Unread
from shared.signin.decoding import decode_plain
from shared.signin.model import SignIn

STANDARD_INPUT: Final = "-"
_CHUNK: Final = 1 << 20
# A file that begins with so many lines without a JSON object is no log.
_PATIENCE: Final = 1000
_GZIP: Final = b"\x1f\x8b"
_MAGIC: Final = {b"Obj\x01": foreign.AVRO, b"PAR1": foreign.PARQUET, b"PK\x03\x04": foreign.ARCHIVE}
_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def read_log(
    path: str, on_bytes: Callable[[int], object] = lambda _: None, steps: Steps | None = None
) -> Iterator[SignIn | Unread | Refusal]:
    """Read the records of a file in order; `-` is the standard input, and a pipe will do.

    What cannot be read is given as an Unread in its place: a record of a wrong kind, a line that is not JSON, and, as
    the last, the end of a file that is cut off or broken. A Refusal is the last of a file that is no log of sign-ins,
    or one that cannot be graded: nothing that came before it counts. `on_bytes` hears how many bytes of the file were
    taken; `steps` has those of the portal's AuthDetails files. Never raises for what is in the file; a disk error too
    is an Unread.
    """
    intake = Intake()
    last = ""  # why the last thing that was no object could not be read
    for item in _items(path, on_bytes, intake, steps):
        if isinstance(item, Unread) and not item.is_object:
            intake.note_other()
            last = item.reason
        yield item
    if reason := intake.refusal():
        yield Refusal(f"{last}; {reason}" if last and reason == foreign.NOTHING else reason)


def _items(
    path: str, on_bytes: Callable[[int], object], intake: Intake, steps: Steps | None
) -> Iterator[SignIn | Unread]:
    head, chunks = _beginning(_text(_bytes(path, on_bytes)))
    if sentence := _kind_of_bytes(head):
        intake.note_other(sentence)
        return iter(())
    text = chain([head], chunks)
    if delimiter := delimiter_of(head):
        return CsvReader(intake, Path(path).name, steps).read(text, delimiter)
    reader = RecordReader(intake)
    return _if_json(_by_lines(reader, intake, text)) if _is_lines(head) else reader.read(text)


def _kind_of_bytes(head: bytes) -> str | None:
    """What a file is that is no text; None for any other."""
    return next((sentence for magic, sentence in _MAGIC.items() if head.startswith(magic)), None)


def steps_in(paths: Iterable[str], steps: Steps) -> set[str]:
    """Find the AuthDetails files among the paths, take their steps, and say which they are. A pipe is none: it can be
    read only once."""
    found: set[str] = set()
    for path in paths:
        if path == STANDARD_INPUT or not Path(path).is_file():
            continue
        head, chunks = _beginning(_text(_bytes(path, lambda _: None)))
        if is_auth_details(head) and (delimiter := delimiter_of(head)):
            found.add(path)
            steps.add(row for row in Table(chain([head], chunks), delimiter) if isinstance(row, dict))
    return found


def read_text(path: str) -> bytes:
    """All of a small file as UTF-8, unpacked, without a byte-order mark. Raises Fault when it cannot be read."""
    return b"".join(_text(_bytes(path, lambda _: None)))


# --- bytes ------------------------------------------------------------------------------------------------------------


def _bytes(path: str, on_bytes: Callable[[int], object]) -> Iterator[bytes]:
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


def _text(chunks: Iterator[bytes]) -> Iterator[bytes]:
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
        chunks = _failing(fault)
    return head, chain([head], chunks)


def _failing(fault: Fault) -> Generator[bytes]:
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


# --- lines or one text ------------------------------------------------------------------------------------------------


def _beginning(chunks: Iterator[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The beginning of a text, with two lines if it has them and they are not too long, and what follows it."""
    head = b""
    try:
        for chunk in chunks:
            head += chunk
            if len(head) > LARGEST or b"\n" in head.lstrip().partition(b"\n")[2].lstrip():
                break
    except Fault as fault:
        return head, _failing(fault)
    return head, chunks


def _is_lines(head: bytes) -> bool:
    """Whether each line is a JSON text of its own. A first line that leaves brackets open is either a broken line or
    the beginning of a longer text; what the next line begins with tells which."""
    first, _, rest = head.lstrip().partition(b"\n")
    first, second = first.rstrip(), rest.strip().partition(b"\n")[0].strip()
    if not second:  # one line is one text, also where it is cut off
        return False
    if not first.endswith((b"[", b"{", b",", b":")) and not second.startswith((b"]", b"}", b",", b":")):
        return True  # two values with nothing between them
    opened, in_string = open_brackets(first)
    if not opened or in_string or opened[0] in b"]}":
        return True
    if first.startswith(b"["):
        return False
    if opened == b"{[" and is_page(first):
        return is_page(second)
    if second.startswith(b"{") and second.endswith(b"}") and open_brackets(second) == (b"", False):
        return True
    return opened.endswith(b"{") and not first.endswith(b":") and second.startswith((b"{", b"["))


def _by_lines(reader: RecordReader, intake: Intake, chunks: Iterator[bytes]) -> Iterator[SignIn | Unread]:
    """Read each line for itself."""
    for line in _lines(chunks):
        if isinstance(line, bytes):
            if not is_page(line) and (sign_in := decode_plain(line)):
                intake.note_plain(line)
                yield sign_in
                continue
            line = iter((line,))
        yield from reader.read(line)
        try:
            for _ in line:  # of a long line that broke: go to its end
                pass
        except Fault as fault:
            yield Unread(str(fault), is_object=False)


def _if_json(items: Iterator[SignIn | Unread]) -> Iterator[SignIn | Unread]:
    """Lines that hold no JSON object count one by one as soon as one line does; if none does, the file is something
    else and gives one Unread."""
    strange: list[Unread] = []
    for item in items:
        if isinstance(item, SignIn) or item.is_object:
            yield from strange
            yield item
            yield from items
            return
        strange.append(item)
        if len(strange) == _PATIENCE:
            break
    yield from strange[:1]


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes | Iterator[bytes]]:
    """The lines of a text. One that is very long, and a last one that a Fault cut, come as chunks."""
    begun: list[bytes] = []  # of a line whose end was not seen yet
    size = 0
    try:
        for chunk in chunks:
            first, *others = chunk.split(b"\n")
            begun.append(first)
            size += len(first)
            if others:
                yield b"".join(begun)
                yield from others[:-1]
                begun, size = others[-1:], len(others[-1])
            elif size > LARGEST:
                following: list[bytes] = []
                yield _long_line(begun, chunks, following)
                *others, last = b"".join(following).split(b"\n")
                yield from others
                begun, size = [last], len(last)
    except Fault as fault:
        yield chain(begun, _failing(fault))
        return
    yield from b"".join(begun).split(b"\n")


def _long_line(begun: list[bytes], chunks: Iterator[bytes], following: list[bytes]) -> Iterator[bytes]:
    """A line of which only the beginning was read; puts the beginning of the next into `following`."""
    yield from begun
    for chunk in chunks:
        part, newline, after = chunk.partition(b"\n")
        yield part
        if newline:
            following.append(after)
            return
