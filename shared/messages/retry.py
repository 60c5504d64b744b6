"""When a delivery is tried again, and when it is given up. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

# How long a channel is tried before its message is given up.
DEADLINE: Final = timedelta(days=1)
_FIRST: Final = timedelta(seconds=30)
_LONGEST: Final = timedelta(hours=4)
# A receiver that asks to wait for longer is asked once more after this: an absurd number must not lose an alert.
_MOST_PATIENCE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Failed:
    """What follows a try in vain: the next one, or None and the reason to give up."""

    next_due: datetime | None
    reason: str = ""


def after_failure(
    *, id_: str, attempts: int, now: datetime, deadline: datetime, gone: bool, retry_after: timedelta | None
) -> Failed:
    """Decide after try number `attempts` (from 1). Never sooner than the receiver asks, up to a day; the last try is at
    the deadline or, where the receiver asks for a later time, then."""
    if gone:
        return Failed(None, "the receiver says that it is gone")
    if now >= deadline:
        return Failed(None, f"tried for {_spoken(DEADLINE)} in vain")
    due = min(now + backoff(id_, attempts), deadline)
    return Failed(due if retry_after is None else max(due, now + min(retry_after, _MOST_PATIENCE)))


def _spoken(time: timedelta) -> str:
    days, rest = divmod(time, timedelta(days=1))
    if rest:
        return f"{time / timedelta(hours=1):g} hours"
    return "a day" if days == 1 else f"{days} days"


def backoff(id_: str, attempts: int) -> timedelta:
    """Doubling from half a minute to four hours, spread between half and all of it. The same try of the same delivery
    waits the same each time it is worked out."""
    whole = min(_FIRST * (1 << min(max(attempts, 1) - 1, 20)), _LONGEST)
    spread = int.from_bytes(sha256(f"{id_} {attempts}".encode()).digest()[:4]) / 2**32
    return whole / 2 + whole / 2 * spread
