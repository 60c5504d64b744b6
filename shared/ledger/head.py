"""What the coverage ledger knows of a slice: its head. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from shared.ledger.slices import OVERDUE_GRACE, Slice, next_age

MAX_ATTEMPTS: Final = 10
_RULES_VERSION: Final = re.compile(r"\brules ([0-9]+)")


class SliceState(StrEnum):
    """What is being done with a slice."""

    IDLE = "idle"  # waits for its next read
    CLAIMED = "claimed"  # a worker reads it until its lease ends
    PARKED = "parked"  # given up after MAX_ATTEMPTS; an operator releases it
    SPLIT = "split"  # its halves stand in its place
    FOREIGN = "foreign"  # written by a newer version of the app: left alone


@dataclass(frozen=True, slots=True)
class Head:
    """What the ledger knows of a slice. Times are UTC.

    `settled` is the greatest age it was read at (None: never), `next_due` when it is read next (None: it is sealed).
    `whole` says that the last read was written to its end, `consistent` that it showed no sign of a log that shrank.
    `counts_mark` changes with `counts` alone. `accepted_quarantine` says with how many of the quarantined records an
    operator put up.
    """

    slice: Slice
    state: SliceState = SliceState.IDLE
    owner: str = ""
    send_id: str = ""
    generation: str = ""
    batch: int = 0
    lease_until: datetime | None = None
    attempts: int = 0
    settled: timedelta | None = None
    next_due: datetime | None = None
    whole: bool = False
    consistent: bool = True
    records: int = 0
    quarantined: int = 0
    requests: int = 0
    problem: str = ""
    versions: str = ""
    counts: dict[str, Any] = field(default_factory=dict)
    counts_mark: str = ""
    accepted_quarantine: int = 0

    @property
    def rules_version(self) -> str:
        """The version of the rules it was judged by; "" where it was never read."""
        found = _RULES_VERSION.search(self.versions)
        return found[1] if found else ""

    @property
    def idle_log(self) -> bool:
        """Whether the slice held no record at all: it is re-read less often."""
        return self.records == 0 and self.consistent

    def next_age(self, ages: Sequence[timedelta]) -> timedelta | None:
        """The age at which it is due next; None when all are settled."""
        return next_age(self.settled, ages, idle=self.idle_log)

    @property
    def is_whole(self) -> bool:
        """Whether it was read, written to its end, consistent, and nobody gave up on it."""
        given_up = self.state in (SliceState.SPLIT, SliceState.PARKED)
        return self.settled is not None and self.whole and self.consistent and not given_up

    def overdue_from(self, ages: Sequence[timedelta]) -> datetime | None:
        """When the lack of its next read begins to count against coverage; None when all ages are settled."""
        age = self.next_age(ages)
        return None if age is None else self.slice.end + age + OVERDUE_GRACE

    def is_held(self, now: datetime) -> bool:
        """Whether a worker reads it now: its claim has not run out."""
        return self.state is SliceState.CLAIMED and self.lease_until is not None and self.lease_until > now

    def is_due(self, now: datetime) -> bool:
        """Whether the plan should send it now: due, or left behind by a worker that died."""
        if self.state is SliceState.CLAIMED:
            return not self.is_held(now)
        return self.state is SliceState.IDLE and self.next_due is not None and self.next_due <= now
