"""Sign-ins out of a stream of JSON text, one at a time, however the text is built.

Pages, arrays and `{"records": […]}` may be nested in one another, follow one another and be of any size: memory holds
one chunk and one record. Brackets are counted only where they must be. Mostly the end of a record is guessed: it is the
last closing brace before the key with which the next one begins. What parses there as one whole JSON text is that
record and nothing else, because JSON has only one reading from the left; what does not is measured bracket by bracket.

A streaming parser (ijson) would do with less code, but it stops for good at the first record that is broken: here that
one is told in its place, and the others count.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from local.commands.json_text import (
    CLOSE,
    CLOSE_LIST,
    COLON,
    COMMA,
    END,
    LARGEST,
    OPEN,
    OPEN_LIST,
    QUOTE,
    SCALAR,
    STRING,
    JsonText,
)
from local.commands.shapes import Intake, read_values
from local.commands.unread import Fault, Unread
from shared.signin.careful import NotJson, load
from shared.signin.decoding import decode_plain
from shared.signin.model import SignIn

_DEEPEST: Final = 50  # lists of pages of records are three deep

_KEY: Final = re.compile(STRING + rb"(?=\s*:)", re.DOTALL)
# Lists of records, and of what holds such lists; members that hold one; Log Analytics' tables of rows.
_LISTS: Final = rb"value|records|results|signins|events|items|hits|responses|tables"
_HOLDERS: Final = rb"d|data|body|result|response|hits"
_COLUMNS, _ROWS = b'"columns"', b'"rows"'
_IS_LIST: Final = re.compile(rb'"(?:' + _LISTS + rb')"', re.IGNORECASE)
_IS_HOLDER: Final = re.compile(rb'"(?:' + _HOLDERS + rb')"', re.IGNORECASE)
_LIST: Final = re.compile(rb'"(?:' + _LISTS + rb'|rows)"\s*:\s*\[', re.IGNORECASE)
# The usual page: members named @odata.…, then its list.
_PAGE: Final = re.compile(
    rb'\s*\{\s*(?:"@[^"\\]*+"\s*:\s*(?:' + STRING + rb"|" + SCALAR + rb')\s*,\s*)*+"(?:value|records)"\s*:\s*\[',
    re.DOTALL,
)

_CONTEXT: Final = b'"@odata.context"'
_BOM: Final = b"\xef\xbb\xbf"


def is_page(text: bytes) -> bool:
    """Whether a text begins as pages usually do."""
    return _PAGE.match(text) is not None


@dataclass(slots=True)
class _Page:
    """What was seen of an object that may be a page."""

    count: int = 0
    lists: int = 0
    like_a_record: bool = False
    columns: list[str] = field(default_factory=list)

    @property
    def was_one(self) -> bool:
        """Whether it held records, or might have."""
        return bool(self.count or (self.lists and not self.like_a_record))


def _column_names(columns: Any) -> list[str]:
    """The names of a table's columns, in the spelling of either version of the API."""
    named = [{name.lower(): value for name, value in one.items()} for one in columns if isinstance(one, dict)]
    return [str(one.get("name", one.get("columnname", ""))) for one in named]


class RecordReader(JsonText):
    """Reads the records of a text. One reader may read many texts, one after the other, and learns how they look."""

    def __init__(self, intake: Intake | None = None) -> None:
        """Start without a text; `intake` hears what the texts hold."""
        super().__init__()
        self._intake = intake or Intake()
        self._depth = 0
        self._spoilt = False  # the last element was no JSON object: what breaks right after it is the same trouble
        self._marker = b""  # a key near the beginning of each record, once in a record
        self._misses = 0

    def read(self, chunks: Iterator[bytes]) -> Iterator[SignIn | Unread]:
        """Give what each record of the text became, in order. A text that is cut off or breaks gives what could be read
        and, as the last, one Unread that is no object; so does a Fault of the chunks."""
        self._start(chunks)
        self._depth, self._spoilt = 0, False
        try:
            while self._peek() != END:
                if self._data.startswith(_BOM, self._at):  # files that were put one after the other
                    self._at += len(_BOM)
                else:
                    yield from self._value()
        except NotJson as error:
            if not self._spoilt:
                yield Unread(str(error), is_object=False)
        except Fault as fault:
            yield Unread(str(fault), is_object=False)

    # --- values that hold records ---

    def _value(self) -> Generator[SignIn | Unread]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotJson("not JSON that can be read: nested too deeply")
        char = self._peek()
        if char == OPEN_LIST:
            yield from self._list()
        elif char == OPEN:
            yield from self._object()
        else:
            yield from self._careful(self._text() if char == QUOTE else self._word())
        self._depth -= 1

    def _list(self) -> Generator[SignIn | Unread, None, int]:
        """Read the elements of a list; returns how many things came out of it."""
        count = 0
        self._at += 1
        if self._peek() == CLOSE_LIST:
            self._at += 1
            return count
        while True:
            if self._peek() == OPEN and (sign_in := self._guessed()):
                self._spoilt = False
                count += 1
                yield sign_in
            else:
                for item in self._value():
                    count += 1
                    yield item
            char = self._peek()
            if char not in (COMMA, CLOSE_LIST):
                raise self._broken()
            self._at += 1
            if char == CLOSE_LIST:
                return count

    def _object(self) -> Generator[SignIn | Unread]:
        """Read a record, or what a page holds."""
        length = 0 if _PAGE.match(self._data, self._at) else self._length()
        whole = self._data[self._at : self._at + length]
        if whole and (sign_in := decode_plain(whole)):
            self._at += length
            self._spoilt = False
            self._learn(whole)
            self._intake.note_plain(whole)
            yield sign_in
        elif whole and not _LIST.search(whole):
            self._at += length
            yield from self._careful(whole)
        elif (yield from self._members()):
            pass
        elif whole:
            yield from self._careful(whole)
        else:
            yield Unread(f"neither a page nor a record of at most {LARGEST >> 20} MiB")

    def _members(self, page: _Page | None = None) -> Generator[SignIn | Unread, None, bool]:
        """Read the lists of a page and pass over its other members, however big. Returns whether it was a page: what
        has the members of a record, and nothing in its lists, is none. `page` is the page that this object is a part
        of."""
        page = page or _Page()
        self._at += 1
        if self._peek() == CLOSE:
            self._at += 1
            return page.was_one
        while True:
            if self._peek() != QUOTE:
                raise self._broken()
            name = self._text()
            if self._peek() != COLON:
                raise self._broken()
            self._at += 1
            yield from self._member(name, page)
            char = self._peek()
            if char not in (COMMA, CLOSE):
                raise self._broken()
            self._at += 1
            if char == CLOSE:
                return page.was_one

    def _member(self, name: bytes, page: _Page) -> Generator[SignIn | Unread]:
        """Read one member of a page."""
        char = self._peek()
        if char == OPEN_LIST and _IS_LIST.fullmatch(name):
            page.lists += 1
            page.count += yield from self._list()
        elif char == OPEN_LIST and page.columns and name.lower() == _ROWS:
            page.lists += 1
            page.count += yield from self._rows(page.columns)
        elif char == OPEN and _IS_HOLDER.fullmatch(name):
            yield from self._members(page)
        elif char == OPEN_LIST and name.lower() == _COLUMNS:
            page.columns = _column_names(self._whole())
        else:
            if name == _CONTEXT:
                self._intake.note_page(name + b":" + self._data[self._at : self._at + 1000])
            self._skip()
            page.like_a_record |= name in (b'"id"', b'"createdDateTime"')

    def _rows(self, columns: list[str]) -> Generator[SignIn | Unread, None, int]:
        """Read the rows of a table of Log Analytics' query API: lists without names."""
        count = 0
        self._at += 1
        while self._peek() != CLOSE_LIST:
            row = self._whole()
            if not isinstance(row, list):
                raise NotJson("not JSON of a table: a row must be a list")
            for item in read_values(dict(zip(columns, row, strict=False)), self._intake):
                count += 1
                yield item
            if self._peek() == COMMA:
                self._at += 1
            elif self._peek() != CLOSE_LIST:
                raise self._broken()
        self._at += 1
        return count

    # --- one record ---

    def _careful(self, raw: bytes) -> Iterator[SignIn | Unread]:
        """Read one record that is not plain, or say what is wrong with it."""
        try:
            value = load(raw)
        except NotJson as error:
            self._spoilt = True
            yield Unread(str(error), is_object=False)
            return
        self._spoilt = not raw.startswith(b"{")
        yield from read_values(value, self._intake)

    def _guessed(self) -> SignIn | None:
        """Read the object at this place if its end can be guessed and it is plain."""
        if not self._marker:
            return None
        data, at = self._data, self._at
        own = data.find(self._marker, at)
        following = data.find(self._marker, own + 1) if own >= 0 else -1
        if following < 0:  # the last of the data
            return None
        end = data.rfind(b"}", own, following) + 1
        sign_in = decode_plain(data[at:end])
        if sign_in:
            self._intake.note_plain(data[at:end])
            self._at = end
            self._misses = 0
        else:
            self._misses += 1
            if self._misses == 20:  # these records do not look alike
                self._marker = b""
        return sign_in

    def _learn(self, record: bytes) -> None:
        """Choose the marker: a key before the first nested object, where no brace can stand between it and the record
        before."""
        if self._marker or self._misses >= 20:
            return
        head = record[: record.find(b"{", 1)]
        self._marker = next((key for key in _KEY.findall(head) if record.count(key) == 1), b"")
