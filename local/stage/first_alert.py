"""What the first scan's alert says, to be compared with what there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

FIRST_SCAN: Final = "incidents.first-scan"


def told_by_first_scan(bodies: Iterable[Mapping[str, Any]]) -> int | None:
    """How many incidents the summary of the first scan is about; None when none came yet.

    The messages are in the order in which they came; those of other kinds of channels are passed over. What was certain
    at once came ahead of the summary, which counts it too (`toldBefore`). A summary that has no room for all says how
    many the next one tells (`toFollow`); later summaries are about what came later.

    >>> told_by_first_scan([{"type": "incidents.first-scan", "idempotencyKey": "m", "data": {"total": 42}}])
    42
    """
    first = (body["data"] for body in bodies if body.get("type") == FIRST_SCAN)
    return next((int(data["total"]) + int(data.get("toFollow", 0)) for data in first), None)


def is_right(told: int | None, open_all: int) -> bool:
    """Whether the first alert told as many incidents as are open. That none came is wrong too, unless there was nothing
    to tell.

    >>> is_right(42, 42), is_right(76, 42), is_right(None, 42), is_right(None, 0)
    (True, False, False, True)
    """
    return open_all == 0 if told is None else told == open_all
