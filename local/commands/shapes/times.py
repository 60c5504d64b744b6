"""Times as exports write them, made ISO 8601 with UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What PowerShell 5.1 makes of a date: milliseconds since 1970 in UTC, whatever zone stands behind them.
_JSON_DATE: Final = re.compile(r"\\?/Date\((-?\d{1,15})(?:[+-]\d{4})?\)\\?/", re.ASCII)
# "10/5/2026, 8:01:00.123 AM": Log Analytics' CSV, and what Excel makes of a CSV in the United States.
_US: Final = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}),?\s+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?\s*([AP]M)?",
    re.ASCII | re.IGNORECASE,
)


def iso_time(text: str) -> str:
    """The time in ISO 8601 where it is one of the known forms; any other text comes back as it is, for the decoder to
    refuse. Forms without a zone are UTC.

    >>> iso_time("10/5/2026, 8:01:00.123 PM")
    '2026-10-05T20:01:00.123000Z'
    >>> iso_time("/Date(1791187260000)/")
    '2026-10-05T08:01:00Z'
    """
    stripped = text.strip()
    try:
        if match := _JSON_DATE.fullmatch(stripped):
            return _written(_EPOCH + timedelta(milliseconds=int(match[1])))
        if match := _US.fullmatch(stripped):
            return _written(_us_time(match))
    except (ValueError, OverflowError):
        pass
    return text


def _us_time(match: re.Match[str]) -> datetime:
    month, day, year, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if half := match[8]:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of a clock with AM and PM")
        hour = hour % 12 + (12 if half.upper() == "PM" else 0)
    micros = int((match[7] or "0").ljust(6, "0")[:6])
    return datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
