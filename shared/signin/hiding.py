"""What JSON may spell, more or less, and the fast parser refuses, so that it refuses the whole page.

Above all lone surrogates (`\\ud800` without its other half), which no text can hold, and NaN and Infinity, which
JavaScript and Python write. With each of them hidden behind something that the page has nowhere, the page can be split,
and only the records that hold one are read with care, as they came.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Final

# Escapes one after the other, so that an escaped backslash before "ud800" is none, and both halves of a pair are one.
_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|(?P<taken>u[eE]0[0-9]{2})|.)",
    re.DOTALL,
)
_NO_NUMBERS: Final = (b"NaN", b"Infinity")
# Characters of private use, which hardly any text has; few, so that a page that has them all costs little.
_MARKS: Final = tuple(f"e0{n:02}" for n in range(64))


class TooMany(ValueError):  # noqa: N818 - said of a page
    """The page leaves no character to hide behind."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A page without what the parser refuses; `stands_for` has what stands in its place, and what for."""

    page: bytes
    stands_for: dict[bytes, bytes] = field(default_factory=dict)

    def is_in(self, part: bytes) -> bool:
        """Whether that part of the page, or its text, has any of it."""
        return any(mark in part for mark in self.stands_for)

    def restored(self, part: bytes) -> bytes:
        """That part of the page as it came."""
        for mark, escape in self.stands_for.items():
            part = part.replace(mark, escape)
        return part


def hide(raw: bytes) -> Hidden:
    """The page with lone surrogates and numbers that are none hidden. Raises TooMany where it cannot be done."""
    page, stands_for = raw, dict[bytes, bytes]()
    for word in _NO_NUMBERS:
        if word in page:  # in a text too, which costs no more than that its record is read with care
            mark = next(number for number in _numbers() if number not in page)
            page, stands_for[mark] = page.replace(word, mark), word
    return _without_surrogates(page, stands_for)


def _numbers() -> Iterator[bytes]:
    """Numbers of which no two can overlap."""
    return (b"7%s9" % (b"0" * zeros) for zeros in count(16))


def _without_surrogates(raw: bytes, stands_for: dict[bytes, bytes]) -> Hidden:
    lone: list[tuple[int, int]] = []
    taken: set[bytes] = set()
    for found in _ESCAPE.finditer(raw):
        if found["lone"]:
            lone.append(found.span())
        elif found["taken"]:
            taken.add(found["taken"].lower())
    marks = _free_marks(raw, taken)
    of_escape: dict[bytes, bytes] = {}
    parts: list[bytes] = []
    done = 0
    for begin, end in lone:
        escape = raw[begin:end]
        if escape not in of_escape:
            of_escape[escape] = next(marks, b"")
        parts += (raw[done:begin], of_escape[escape])
        done = end
    if b"" in of_escape.values():
        raise TooMany
    return Hidden(b"".join((*parts, raw[done:])), {mark: escape for escape, mark in of_escape.items()} | stands_for)


def _free_marks(raw: bytes, taken: Container[bytes]) -> Iterator[bytes]:
    """Characters that the page has neither as such nor as an escape, which are those taken."""
    for code in _MARKS:
        mark = chr(int(code, 16)).encode()
        if f"u{code}".encode() not in taken and (mark[:1] not in raw or mark not in raw):
            yield mark


def is_text(text: str) -> bool:
    """Whether every character is Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def cleaned(text: str) -> str:
    """The text with U+FFFD for each character that is not Unicode."""
    return text if is_text(text) else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
