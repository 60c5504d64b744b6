"""Text of the log and of receivers, made fit to be shown. Pure."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final

from shared.wire.models import shown_id

_LONGEST: Final = 200
# Letters and a symbol that fonts show as nothing: fillers of Hangul, and Braille without a dot.
_INVISIBLE: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800")


def clean(text: str, longest: int = _LONGEST) -> str:
    """One line, without control and format characters (some of which turn text around), and not too long. Letters
    that nobody sees are blanks."""
    spaced = (" " if c.isspace() or c in _INVISIBLE else c for c in text)
    kept = "".join(c for c in spaced if c == " " or unicodedata.category(c)[0] != "C")
    return " ".join(kept.split())[:longest]


def hyphenated(key: str) -> str:
    """A GUID in its usual form; other text as it is, cleaned."""
    return clean(shown_id(key))


def percentage(value: float) -> str:
    """A percentage as people read it: two digits at most, and never apart from its sign."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "\u202f%"


def minute(at: datetime) -> str:
    """A time as people read it. `at` is UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
