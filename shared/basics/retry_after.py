"""The header Retry-After of any HTTP answer (RFC 9110, 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_MOST_SECONDS: Final = 10**9


def retry_after(value: str | None, now: datetime | None = None) -> timedelta | None:
    """How long the other side asks to wait, in seconds or until a date; None when it does not say. Never negative."""
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:12]), _MOST_SECONDS))
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - (now or datetime.now(UTC))
    return max(wait, timedelta(0))
