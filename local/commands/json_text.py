"""JSON text that comes in chunks: going through it without holding more than one chunk and one value.

Brackets are counted, strings passed over; nothing is parsed that nobody asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from shared.signin.careful import NotJson, load

# An object of more bytes is no record; it may be a page, whose members are read as they come.
LARGEST: Final = 8 << 20

STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
SCALAR: Final = rb'[^\s,:"{}\[\]]++'
_SPACE: Final = re.compile(rb"[ \t\r\n]*+")
_TEXT: Final = re.compile(STRING, re.DOTALL)
_REST_OF_TEXT: Final = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_WORD: Final = re.compile(SCALAR)
_TO_BRACKET: Final = re.compile(rb'[^"{}\[\]]*+(?:' + STRING + rb'[^"{}\[\]]*+)*+', re.DOTALL)

END: Final = -1
QUOTE, COLON, COMMA = b'":,'
OPEN_LIST, CLOSE_LIST, OPEN, CLOSE = b"[]{}"


def open_brackets(text: bytes) -> tuple[bytes, bool]:
    """The brackets that a text leaves open, outermost first, and whether it ends within a string. A closing bracket
    that closes nothing is among them."""
    opened = bytearray()
    at = 0
    while (at := _end(_TO_BRACKET, text, at)) < len(text):
        if text[at] == QUOTE:
            return bytes(opened), True
        if text[at] in (CLOSE, CLOSE_LIST) and opened and opened[-1] in (OPEN, OPEN_LIST):
            opened.pop()
        else:
            opened.append(text[at])
        at += 1
    return bytes(opened), False


def _end(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Where a pattern that may match nothing stops matching."""
    match = pattern.match(text, at)
    return match.end() if match else at


class JsonText:
    """A place in a text that is going on: what of it is at hand (`_data`), and where in that (`_at`)."""

    def __init__(self) -> None:
        """Start without a text."""
        self._start(iter(()))

    def _start(self, chunks: Iterator[bytes]) -> None:
        """Begin with another text."""
        self._chunks = chunks
        self._data = b""
        self._at = 0

    def _more(self) -> bool:
        """Take one more chunk; forget what was read. Positions in the data begin at 0 again."""
        for chunk in self._chunks:
            if chunk:
                self._data = self._data[self._at :] + chunk
                self._at = 0
                return True
        return False

    def _peek(self) -> int:
        """Go to the next character that is not white space; END at the end of the text."""
        while True:
            self._at = _end(_SPACE, self._data, self._at)
            if self._at < len(self._data):
                return self._data[self._at]
            if not self._more():
                return END

    def _broken(self) -> NotJson:
        if self._peek() == END:
            return NotJson("cut off, or not JSON: the text ends too early")
        return NotJson("not JSON: a character that cannot stand there")

    def _length(self) -> int:
        """How long the object at this place is; 0 when the text ends first or it is longer than LARGEST."""
        depth = at = 0
        while True:
            at = _end(_TO_BRACKET, self._data, self._at + at) - self._at
            here = self._at + at
            if here < len(self._data) and self._data[here] != QUOTE:
                depth += 1 if self._data[here] in (OPEN, OPEN_LIST) else -1
                at += 1
                if not depth:
                    return at
            elif len(self._data) - self._at > LARGEST or not self._more():
                return 0

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
        if char not in (OPEN, OPEN_LIST, QUOTE):
            self._word()
        elif length := self._text_length() if char == QUOTE else self._length():
            load(self._data[self._at : self._at + length])
            self._at += length
        else:
            self._skip_big()

    def _skip_big(self) -> None:
        depth = 0
        char = self._peek()
        while True:
            if char == QUOTE:
                self._skip_text()
            elif char in (OPEN, OPEN_LIST, CLOSE, CLOSE_LIST):
                depth += 1 if char in (OPEN, OPEN_LIST) else -1
                self._at += 1
            if not depth:
                return
            self._at = _end(_TO_BRACKET, self._data, self._at)
            char = self._peek()
            if char == END:
                raise self._broken()

    def _skip_text(self) -> None:
        self._at += 1
        while True:
            self._at = _end(_REST_OF_TEXT, self._data, self._at)
            if self._at < len(self._data) and self._data[self._at] == QUOTE:
                self._at += 1
                return
            if not self._more():
                raise self._broken()

    def _whole(self) -> Any:
        """A list, parsed; it must not be longer than LARGEST."""
        length = self._length() if self._peek() == OPEN_LIST else 0
        if not length:
            raise self._broken()
        raw = self._data[self._at : self._at + length]
        self._at += length
        return load(raw)
