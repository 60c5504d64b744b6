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
_FIRST_BACKOFF: Final = timedelta(seconds=30)
_LONGEST_BACKOFF: Final = timedelta(hours=1)
_RULES_VERSION: Final = re.compile(r"\brules ([0-9]+)")


class SliceState(StrEnum):
    """What is being done with a slice."""

    IDLE = "idle"  # waits for its next read
    CLAIMED = "claimed"  # a worker reads it until its lease ends
    PARKED = "parked"  # given up after MAX_ATTEMPTS; an operator releases it
    SPLIT = "split"  # its halves stand in its place
    FOREIGN = "foreign"  # written by a newer version of the app: left alone


def backoff(attempts: int) -> timedelta:
    """How long a slice waits after so many reads in vain."""
    doubled: int = 2 ** min(attempts, 10)
    return min(_FIRST_BACKOFF * doubled, _LONGEST_BACKOFF)


@dataclass(frozen=True, slots=True)
class Head:
    """What the ledger knows of a slice. Times are UTC.

    `settled` is the greatest age it was read at (None: never), `next_due` when it is read next (None: it is sealed).
    `whole` says that the last read was written to its end, `consistent` that it showed no sign of a log that shrank.
    `records` are all that were served, `quarantined` those of them that could not be read, `accepted_quarantine` those
    of these that an operator accepted. `counts_mark` changes with `counts` alone.
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
    accepted_quarantine: int = 0
    requests: int = 0
    problem: str = ""
    versions: str = ""
    counts: dict[str, Any] = field(default_factory=dict)
    counts_mark: str = ""

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

    @property
    def due_from(self) -> datetime | None:
        """From when on it is to be read by itself; None where it is not. One whose worker died waits until its lease
        has run out, and from the second time on longer, so that a slice that kills its workers holds nobody up."""
        if self.state is SliceState.CLAIMED and self.lease_until is not None:
            return self.lease_until + (backoff(self.attempts) if self.attempts > 1 else timedelta(0))
        return self.next_due if self.state is SliceState.IDLE else None

    def is_due(self, now: datetime) -> bool:
        """Whether the plan should send it now: due, or left behind by a worker that died."""
        return self.due_from is not None and self.due_from <= now

    def may_be_read(self, now: datetime) -> bool:
        """Whether it may be read if somebody asks for it: nobody gave it up or is at it, and after a read in vain its
        time of waiting is over."""
        if self.state is SliceState.CLAIMED:
            return self.is_due(now)
        waits = self.attempts > 0 and self.next_due is not None and self.next_due > now
        return self.state is SliceState.IDLE and not waits

    @property
    def good_records(self) -> int:
        """How many of its records could be read."""
        return self.records - self.quarantined
