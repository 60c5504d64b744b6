"""Text of the log and of receivers, made fit to be shown. Pure."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Final

from shared.wire.models import shown_id

_LONGEST: Final = 200


def clean(text: str, longest: int = _LONGEST) -> str:
    """One line, without control and format characters (some of which turn text around), and not too long."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(kept.split())[:longest]


def hyphenated(key: str) -> str:
    """A GUID in its usual form; other text as it is, cleaned."""
    return clean(shown_id(key))


def minute(at: datetime) -> str:
    """A time as people read it. `at` is UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
