"""JSON lines: each is read for itself, so that a broken one harms no other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from local.commands.json_records import RecordReader, is_page
from local.commands.json_text import LARGEST, open_brackets
from local.commands.shapes import Intake
from local.commands.sources import failing
from local.commands.unread import Fault, Unread
from shared.signin.decoding import decode_plain
from shared.signin.lines import decode_lines
from shared.signin.model import SignIn

# A file that begins with so many lines without a JSON object is no log.
_PATIENCE: Final = 1000


def is_lines(head: bytes) -> bool:
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


def read_lines(reader: RecordReader, intake: Intake, chunks: Iterator[bytes]) -> Iterator[SignIn | Unread]:
    """Read each line for itself; many plain ones at once."""
    for block in _blocks(chunks):
        if not isinstance(block, bytes):
            yield from _read_long(reader, block)
        elif intake.is_of_beta and (sign_ins := decode_lines(block)):
            intake.note_more(len(sign_ins))
            yield from sign_ins
        else:
            for line in block.split(b"\n"):
                yield from _read_line(reader, intake, line)


def _read_line(reader: RecordReader, intake: Intake, line: bytes) -> Iterator[SignIn | Unread]:
    if not is_page(line) and (sign_in := decode_plain(line)):
        intake.note_plain(line)
        return iter((sign_in,))
    return reader.read(iter((line,)))


def _read_long(reader: RecordReader, line: Iterator[bytes]) -> Iterator[SignIn | Unread]:
    """Read a line that comes in chunks."""
    yield from reader.read(line)
    try:
        for _ in line:  # of one that broke: go to its end
            pass
    except Fault as fault:
        yield Unread(str(fault), is_object=False)


def if_json(items: Iterator[SignIn | Unread]) -> Iterator[SignIn | Unread]:
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


def _blocks(chunks: Iterator[bytes]) -> Iterator[bytes | Iterator[bytes]]:
    """The lines of a text, many at once and without the last one's end. A line that is very long, and a last one that a
    Fault cut, come alone and as chunks."""
    begun: list[bytes] = []  # of a line whose end was not seen yet
    size = 0
    try:
        for chunk in chunks:
            whole, newline, rest = chunk.rpartition(b"\n")
            if newline:
                yield b"".join((*begun, whole))
                begun, size = [rest], len(rest)
                continue
            begun.append(chunk)
            size += len(chunk)
            if size > LARGEST:
                following: list[bytes] = []
                yield _long_line(begun, chunks, following)
                whole, newline, rest = b"".join(following).rpartition(b"\n")
                if newline:
                    yield whole
                begun, size = [rest], len(rest)
    except Fault as fault:
        yield chain(begun, failing(fault))
        return
    yield b"".join(begun)


def _long_line(begun: list[bytes], chunks: Iterator[bytes], following: list[bytes]) -> Iterator[bytes]:
    """A line of which only the beginning was read; puts the beginning of the next into `following`."""
    yield from begun
    for chunk in chunks:
        part, newline, after = chunk.partition(b"\n")
        yield part
        if newline:
            following.append(after)
            return
