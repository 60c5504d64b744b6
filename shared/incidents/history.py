"""A line of a history, of an incident's or of an exception's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

SYSTEM: Final = "system"  # `by` of a line where the app itself did it


class IncidentAction(StrEnum):
    """What a line of an incident's history says that was done: by findings and time, then by people."""

    OPENED = "opened"
    RAISED = "raised"
    LOWERED = "lowered"
    WOKEN = "woken"
    REOPENED = "reopened"
    SILENCED = "silenced"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    SNOOZE_ENDED = "snooze-ended"
    ACKNOWLEDGEMENT_ENDED = "acknowledgement-ended"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    COMMENTED = "commented"
    ASSIGNED = "assigned"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a history, as it was written. `at` is UTC; `action` may be one that only a newer version knows."""

    number: int
    at: datetime
    by: str
    action: str
    detail: str
