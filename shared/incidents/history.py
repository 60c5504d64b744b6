"""A line of an incident's history. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an incident's history, as it was written. `at` is UTC."""

    number: int
    at: datetime
    by: str
    action: str
    detail: str
