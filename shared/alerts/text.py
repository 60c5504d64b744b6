"""Text of the log and of receivers, made fit to be shown. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final
from uuid import UUID

_LONGEST: Final = 200


def clean(text: str, longest: int = _LONGEST) -> str:
    """One line, without control and format characters (some of which turn text around), and not too long."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(kept.split())[:longest]


def hyphenated(key: str) -> str:
    """A GUID in its usual form; other text as it is, cleaned."""
    try:
        return str(UUID(hex=key))
    except ValueError:
        return clean(key)
