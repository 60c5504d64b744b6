"""Sign-ins out of a stream of JSON text, one at a time, however the text is built.

Pages, arrays and `{"records": […]}` may be nested in one another, follow one another and be of any size: memory holds
one chunk and one record. Brackets are counted only where they must be. Mostly the end of a record is guessed: it is the
last closing brace before the key with which the next one begins. What parses there as one whole JSON text is that
record and nothing else, because JSON has only one reading from the left; what does not is measured bracket by bracket.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

from shared.signin.decoding import NotJson, Quarantined, decode_plain, decode_value, load
from shared.signin.model import SignIn

# An object of more bytes is no record; it may be a page, whose members are read as they come.
LARGEST: Final = 8 << 20
_DEEPEST: Final = 50  # lists of pages of records are three deep

_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SCALAR: Final = rb'[^\s,:"{}\[\]]++'
_SPACE: Final = re.compile(rb"[ \t\r\n]*+")
_TEXT: Final = re.compile(_STRING, re.DOTALL)
_REST_OF_TEXT: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_WORD: Final = re.compile(_SCALAR)
_TO_BRACKET: Final = re.compile(rb'[^"{}\[\]]*+(?:' + _STRING + rb'[^"{}\[\]]*+)*+', re.DOTALL)
_KEY: Final = re.compile(_STRING + rb"(?=\s*:)", re.DOTALL)
_LISTS: Final = (b'"value"', b'"records"')
_LIST: Final = re.compile(rb'"(?:value|records)"\s*:\s*\[')
# The usual page: members named @odata.…, then its list.
_PAGE: Final = re.compile(
    rb'\s*\{\s*(?:"@[^"\\]*+"\s*:\s*(?:' + _STRING + rb"|" + _SCALAR + rb')\s*,\s*)*+"(?:value|records)"\s*:\s*\[',
    re.DOTALL,
)

_BOM: Final = b"\xef\xbb\xbf"
_END: Final = -1
_QUOTE, _COLON, _COMMA = b'":,'
_OPEN_LIST, _CLOSE_LIST, _OPEN, _CLOSE = b"[]{}"


class Unread(NamedTuple):
    """Something in the place of a record that could not be read: why, and whether it was a JSON object at least."""

    reason: str
    is_object: bool = True


class Fault(Exception):  # noqa: N818 - of the file, raised by the source of the chunks
    """The bytes cannot be had: a corrupt archive, a disk error. Its text says so in a sentence."""


def is_page(text: bytes) -> bool:
    """Whether a text begins as pages usually do."""
    return _PAGE.match(text) is not None


def open_brackets(text: bytes) -> tuple[bytes, bool]:
    """The brackets that a text leaves open, outermost first, and whether it ends within a string. A closing bracket
    that closes nothing is among them."""
    opened = bytearray()
    at = 0
    while (at := _end(_TO_BRACKET, text, at)) < len(text):
        if text[at] == _QUOTE:
            return bytes(opened), True
        if text[at] in (_CLOSE, _CLOSE_LIST) and opened and opened[-1] in (_OPEN, _OPEN_LIST):
            opened.pop()
        else:
            opened.append(text[at])
        at += 1
    return bytes(opened), False


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Where a pattern that may match nothing stops matching."""
    match = pattern.match(text, at)
    return match.end() if match else at


class RecordReader:
    """Reads the records of a text. One reader may read many texts, one after the other, and learns how they look."""

    def __init__(self) -> None:
        """Start without a text."""
        self._chunks: Iterator[bytes] = iter(())
        self._data = b""
        self._at = 0
        self._depth = 0
        self._spoilt = False  # the last element was no JSON object: what breaks right after it is the same trouble
        self._marker = b""  # a key near the beginning of each record, once in a record
        self._misses = 0

    def read(self, chunks: Iterator[bytes]) -> Iterator[SignIn | Unread]:
        """Give what each record of the text became, in order. A text that is cut off or breaks gives what could be read
        and, as the last, one Unread that is no object; so does a Fault of the chunks."""
        self._chunks, self._data, self._at = chunks, b"", 0
        self._depth, self._spoilt = 0, False
        try:
            while self._peek() != _END:
                if self._data.startswith(_BOM, self._at):  # files that were put one after the other
                    self._at += len(_BOM)
                else:
                    yield from self._value()
        except NotJson as error:
            if not self._spoilt:
                yield Unread(str(error), is_object=False)
        except Fault as fault:
            yield Unread(str(fault), is_object=False)

    # --- the text ---

    def _more(self) -> bool:
        """Take one more chunk; forget what was read. Positions in the data begin at 0 again."""
        for chunk in self._chunks:
            if chunk:
                self._data = self._data[self._at :] + chunk
                self._at = 0
                return True
        return False

    def _peek(self) -> int:
        """Go to the next character that is not white space; _END at the end of the text."""
        while True:
            self._at = _end(_SPACE, self._data, self._at)
            if self._at < len(self._data):
                return self._data[self._at]
            if not self._more():
                return _END

    def _broken(self) -> NotJson:
        if self._peek() == _END:
            return NotJson("cut off, or not JSON: the text ends too early")
        return NotJson("not JSON: a character that cannot stand there")

    # --- values that hold records ---

    def _value(self) -> Generator[SignIn | Unread]:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise NotJson("not JSON that can be read: nested too deeply")
        char = self._peek()
        if char == _OPEN_LIST:
            yield from self._list()
        elif char == _OPEN:
            yield from self._object()
        else:
            yield self._careful(self._text() if char == _QUOTE else self._word())
        self._depth -= 1

    def _list(self) -> Generator[SignIn | Unread, None, int]:
        """Read the elements of a list; returns how many things came out of it."""
        count = 0
        self._at += 1
        if self._peek() == _CLOSE_LIST:
            self._at += 1
            return count
        while True:
            if self._peek() == _OPEN and (sign_in := self._guessed()):
                self._spoilt = False
                count += 1
                yield sign_in
            else:
                for item in self._value():
                    count += 1
                    yield item
            char = self._peek()
            if char not in (_COMMA, _CLOSE_LIST):
                raise self._broken()
            self._at += 1
            if char == _CLOSE_LIST:
                return count

    def _object(self) -> Generator[SignIn | Unread]:
        """Read a record, or what a page holds."""
        length = 0 if _PAGE.match(self._data, self._at) else self._length()
        whole = self._data[self._at : self._at + length]
        if whole and (sign_in := decode_plain(whole)):
            self._at += length
            self._spoilt = False
            self._learn(whole)
            yield sign_in
        elif whole and not _LIST.search(whole):
            self._at += length
            yield self._careful(whole)
        elif (yield from self._members()):
            pass
        elif whole:
            yield self._careful(whole)
        else:
            yield Unread(f"neither a page nor a record of at most {LARGEST >> 20} MiB")

    def _members(self) -> Generator[SignIn | Unread, None, bool]:
        """Read the lists of a page and pass over its other members, however big. Returns whether it was a page: what
        has the members of a record, and nothing in its lists, is none."""
        count, lists, like_a_record = 0, 0, False
        self._at += 1
        if self._peek() == _CLOSE:
            self._at += 1
            return False
        while True:
            if self._peek() != _QUOTE:
                raise self._broken()
            name = self._text()
            if self._peek() != _COLON:
                raise self._broken()
            self._at += 1
            if self._peek() == _OPEN_LIST and name in _LISTS:
                lists += 1
                count += yield from self._list()
            else:
                self._skip()
                like_a_record |= name in (b'"id"', b'"createdDateTime"')
            char = self._peek()
            if char not in (_COMMA, _CLOSE):
                raise self._broken()
            self._at += 1
            if char == _CLOSE:
                return bool(count or (lists and not like_a_record))

    # --- one record ---

    def _careful(self, raw: bytes) -> SignIn | Unread:
        """Read one record that is not plain, or say what is wrong with it."""
        try:
            found = decode_value(load(raw), 0)
        except NotJson as error:
            self._spoilt = True
            return Unread(str(error), is_object=False)
        except RecursionError:  # JSON text within a member, just deeper than can be written again
            return Unread("nested too deeply")
        self._spoilt = not raw.startswith(b"{")
        return Unread(found.reason, is_object=not self._spoilt) if isinstance(found, Quarantined) else found

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

    def _length(self) -> int:
        """How long the object at this place is; 0 when the text ends first or it is longer than LARGEST."""
        depth = at = 0
        while True:
            at = _end(_TO_BRACKET, self._data, self._at + at) - self._at
            here = self._at + at
            if here < len(self._data) and self._data[here] != _QUOTE:
                depth += 1 if self._data[here] in (_OPEN, _OPEN_LIST) else -1
                at += 1
                if not depth:
                    return at
            elif len(self._data) - self._at > LARGEST or not self._more():
                return 0

    # --- other values ---

    def _text(self) -> bytes:
        """A string, in its quotes."""
        length = self._text_length()
        if not length:
            raise NotJson("cut off, or not JSON: a string does not end")
        text = self._data[self._at : self._at + length]
        load(text)
        self._at += length
        return text

    def _text_length(self) -> int:
        """How long the string at this place is; 0 when the text ends first or it is longer than LARGEST."""
        while not (match := _TEXT.match(self._data, self._at)):
            if len(self._data) - self._at > LARGEST or not self._more():
                return 0
        return match.end() - self._at

    def _word(self) -> bytes:
        """A number or a literal; what is none is not JSON."""
        while (end := _end(_WORD, self._data, self._at)) == len(self._data):
            if end - self._at > LARGEST or not self._more():
                break
        word = self._data[self._at : end]
        load(word)
        self._at = end
        return word

    def _skip(self) -> None:
        """Pass over a value of any size; one of a usual size must be JSON."""
        char = self._peek()
        if char not in (_OPEN, _OPEN_LIST, _QUOTE):
            self._word()
        elif length := self._text_length() if char == _QUOTE else self._length():
            load(self._data[self._at : self._at + length])
            self._at += length
        else:
            self._skip_big()

    def _skip_big(self) -> None:
        depth = 0
        char = self._peek()
        while True:
            if char == _QUOTE:
                self._skip_text()
            elif char in (_OPEN, _OPEN_LIST, _CLOSE, _CLOSE_LIST):
                depth += 1 if char in (_OPEN, _OPEN_LIST) else -1
                self._at += 1
            if not depth:
                return
            self._at = _end(_TO_BRACKET, self._data, self._at)
            char = self._peek()
            if char == _END:
                raise self._broken()

    def _skip_text(self) -> None:
        self._at += 1
        while True:
            self._at = _end(_REST_OF_TEXT, self._data, self._at)
            if self._at < len(self._data) and self._data[self._at] == _QUOTE:
                self._at += 1
                return
            if not self._more():
                raise self._broken()
