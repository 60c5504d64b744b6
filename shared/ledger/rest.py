"""How long a day of the ledger can be left alone, and under which settings that holds. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from shared.ledger.head import Head, SliceState
from shared.ledger.slices import DAY


def rest_until(day: datetime, heads: Iterable[Head], *, now: datetime, width: timedelta) -> datetime | None:
    """Until when nothing of a day is due by itself; None when something is due now, or a worker is at it.

    Every day is looked at again after a day or two, at an hour of its own: what was lost heals then, and not all days
    at once.
    """
    until = now + DAY + timedelta(hours=day.toordinal() % 24)
    if now < day + DAY:  # slices of this day go on closing
        until = min(until, day + (max(now - day, timedelta(0)) // width + 1) * width)
    for head in heads:
        if head.state is SliceState.CLAIMED or head.is_due(now):
            return None
        until = min(until, head.due_from or until)
    return until


def named_terms(width: timedelta, ages: Sequence[timedelta], since: datetime) -> str:
    """A name for the settings under which a day rests. `since` is the first instant that the plan reads: where it
    moves, its own day alone is another."""
    said = f"{width} {[str(age) for age in ages]} {since:%Y-%m-%dT%H:%M}"
    return sha256(said.encode()).hexdigest()[:16]
