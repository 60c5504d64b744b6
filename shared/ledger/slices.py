"""Slices of time: which there are, when each is due, in which order, and how much of a period is covered. Pure.

A slice is a fixed, aligned, half-open piece of one tenant's log. It is read when it closes and again at growing ages,
because records and their details arrive late (docs/architecture.md, "A slice and its ledger").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest
from typing import Final

from shared.basics.spelling import id_key

DAY: Final = timedelta(days=1)
# The log gives up its oldest hours while one reads them: what is this close to the end of retention is left as it is.
RETENTION_MARGIN: Final = timedelta(hours=1)
# How late a re-read may be before coverage says so: the plan runs every few minutes.
OVERDUE_GRACE: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, order=True)
class Slice:
    """One piece of one tenant's log: start <= createdDateTime < end. `start` is UTC; never crosses midnight."""

    tenant: str
    start: datetime
    width: timedelta

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return self.start + self.width

    @property
    def partition(self) -> str:
        """The partition of its rows: one tenant's day."""
        return partition_of(self.tenant, self.start)

    @property
    def name(self) -> str:
        """Its name within the day; in the order of time."""
        return f"{self.start:%H%M%S}-{int(self.width.total_seconds()):05d}"

    @property
    def id(self) -> str:
        """Its name among all slices."""
        return f"{self.partition}-{self.name}"

    def halves(self) -> tuple[Slice, Slice] | None:
        """Two aligned slices in its place; None when a second cannot be cut."""
        half = self.width / 2
        if half % timedelta(seconds=1):
            return None
        return Slice(self.tenant, self.start, half), Slice(self.tenant, self.start + half, half)


def partitions_from(tenant: str) -> str:
    """What every partition of a tenant's slices begins with, so that the oldest sorts behind it."""
    return f"{id_key(tenant)}-"


def partition_of(tenant: str, at: datetime) -> str:
    """The partition that holds a tenant's day."""
    return f"{id_key(tenant)}-{at:%Y%m%d}"


def slice_named(tenant: str, day: datetime, name: str) -> Slice:
    """The slice of that name in that day (a UTC midnight)."""
    start, _, width = name.partition("-")
    at = day + timedelta(hours=int(start[:2]), minutes=int(start[2:4]), seconds=int(start[4:6]))
    return Slice(tenant, at, timedelta(seconds=int(width)))


def day_named(name: str) -> datetime:
    """The UTC midnight of a day that is called YYYYMMDD."""
    return datetime.strptime(name, "%Y%m%d").replace(tzinfo=UTC)


def slice_with_id(id_: str) -> Slice:
    """The slice of that id; its tenant is spelled as a key."""
    tenant, day, start, width = id_.split("-")
    return slice_named(tenant, day_named(day), f"{start}-{width}")


def midnight(at: datetime) -> datetime:
    """The UTC midnight before or at that time."""
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def days_between(first: datetime, last: datetime) -> Iterator[datetime]:
    """The UTC midnights of every day from that of `first` to that of `last`, both included."""
    day = midnight(first)
    while day <= last:
        yield day
        day += DAY


def first_start_from(at: datetime, width: timedelta) -> datetime:
    """When the first slice begins that begins at that time or later."""
    start = midnight(at)
    return start - ((start - at) // width) * width


def closed_slices(tenant: str, first: datetime, now: datetime, width: timedelta) -> list[Slice]:
    """The slices that lie wholly between `first` and `now`, oldest first."""
    start = first_start_from(first, width)
    count = max(0, (now - start) // width)
    return [Slice(tenant, start + i * width, width) for i in range(count)]


def next_age(settled: timedelta | None, ages: Sequence[timedelta], *, idle: bool) -> timedelta | None:
    """The age at which a slice is due next; None when it is sealed.

    `settled` is the greatest age it was read at (None: never). One read settles all the ages that have passed. A slice
    that held no record at all is asked again at every second age only, and at the last.
    """
    if settled is None:
        return ages[0]
    wanted = (*ages[::2], ages[-1]) if idle and settled >= ages[0] else ages
    return next((age for age in wanted if age > settled), None)


def ages_kept(ages: Sequence[timedelta], width: timedelta, retention: timedelta) -> tuple[timedelta, ...]:
    """Those of the ages at which the log still surely holds all of a slice; the first stays in any case.

    A later one would never be settled, so that its slices counted as overdue for good.
    """
    last = retention - RETENTION_MARGIN - OVERDUE_GRACE - width
    return tuple(age for place, age in enumerate(ages) if place == 0 or age <= last)


def near_retention_end(slice_: Slice, now: datetime, retention: timedelta) -> bool:
    """Whether the log no longer surely holds all of the slice."""
    return slice_.start < now - retention + RETENTION_MARGIN


def in_turn[T](newest_first: Sequence[T]) -> list[T]:
    """Newest and oldest in turn, so that neither starves."""
    half = (len(newest_first) + 1) // 2
    return alternate(newest_first[:half], newest_first[half:][::-1])


def alternate[T](first: Iterable[T], second: Iterable[T]) -> list[T]:
    """One of each in turn until both are used up."""
    nothing = object()
    pairs = zip_longest(first, second, fillvalue=nothing)
    return [item for item in chain.from_iterable(pairs) if item is not nothing]  # type: ignore[misc]


def uncovered(wanted: Sequence[Slice], have: Iterable[tuple[datetime, datetime]]) -> list[Slice]:
    """Those of the wanted slices, in order of time, that the given intervals do not cover wholly."""
    return [slice_ for slice_, gaps in _gaps(wanted, have) if gaps]


def gaps_in(wanted: Sequence[Slice], have: Iterable[tuple[datetime, datetime]]) -> list[Slice]:
    """The pieces of the wanted slices, in order of time, that the given intervals do not cover: whole slices, but where
    one was lost in part or slices had another width."""
    return [gap for _, gaps in _gaps(wanted, have) for gap in gaps]


def _gaps(wanted: Sequence[Slice], have: Iterable[tuple[datetime, datetime]]) -> Iterator[tuple[Slice, list[Slice]]]:
    intervals = sorted(have)
    at = 0
    for slice_ in sorted(wanted):
        while at < len(intervals) and intervals[at][1] <= slice_.start:
            at += 1
        gaps: list[Slice] = []
        reached, look = slice_.start, at
        while look < len(intervals) and intervals[look][0] < slice_.end:
            start, end = intervals[look]
            if start > reached:
                gaps.append(Slice(slice_.tenant, reached, start - reached))
            reached = max(reached, end)
            look += 1
        if reached < slice_.end:
            gaps.append(Slice(slice_.tenant, reached, slice_.end - reached))
        yield slice_, gaps
