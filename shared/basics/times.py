"""Times as ISO 8601 writes them, in UTC, cut to microseconds and never rounded.

A rounded 08:59:59.9999995 would leave the slice it belongs to, and would be in no other one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

MICROSECOND: Final = timedelta(microseconds=1)  # between two times there is nothing shorter
OLDEST: Final = datetime(2000, 1, 1, tzinfo=UTC)  # nothing that is kept, and nothing that can be asked for, is older
_EXAMPLE: Final = "such as 2026-11-02T09:00:00Z"
_WRITTEN: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?([Zz]|[+-]\d{2}:?\d{2})?", re.ASCII)
_USUAL_LENGTH: Final = len("2026-11-02T09:00:00Z")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)", re.ASCII)
# Times that no time zone can push out of what a datetime holds, as they are written.
_FIRST: Final = "1900"
_BEYOND: Final = "9000"


def instant_of(text: str) -> datetime:
    """A date with a time of day, in UTC; one without a zone is UTC. Raises ValueError for anything else, a date alone
    too: midnight would be a guess."""
    usual = len(text) >= _USUAL_LENGTH and text[10] == "T" and text[7] == "-" and text[-1] == "Z"
    if not usual and not _WRITTEN.fullmatch(text):
        raise ValueError(f"must be a date and time {_EXAMPLE}")
    try:
        at = datetime.fromisoformat(text if usual else text.upper())
    except ValueError:
        raise ValueError(f"must be a date and time {_EXAMPLE}") from None
    if not _FIRST <= text < _BEYOND:
        raise ValueError(f"must lie in the years {_FIRST} to {int(_BEYOND) - 1}")
    return at if usual else in_utc(at)


def in_utc(at: datetime) -> datetime:
    """The same time in UTC; one without a zone is UTC. Raises ValueError where UTC cannot hold it."""
    if at.tzinfo is UTC:
        return at
    try:
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from None


def _instant(value: object) -> object:
    """Pydantic alone reads a number, and text of digits, as Unix seconds."""
    if isinstance(value, datetime):
        return in_utc(value)
    if not isinstance(value, str) or not _DATE.match(value):
        raise ValueError(f"must be a date, or a date and time {_EXAMPLE}")
    try:
        at = datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("is not a valid time") from None
    return in_utc(at)


# A time in a pydantic model, in UTC: written as a date (its midnight) or a date and time; one without a zone is UTC.
Instant = Annotated[datetime, BeforeValidator(_instant)]
