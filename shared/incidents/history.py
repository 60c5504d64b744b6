"""A line of a history, of an incident's or of an exception's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

SYSTEM: Final = "system"  # `by` of a line where the app itself did it


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a history, as it was written. `at` is UTC."""

    number: int
    at: datetime
    by: str
    action: str
    detail: str
