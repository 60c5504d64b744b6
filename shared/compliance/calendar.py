"""How each day of a long period was read, without looking at every slice of days that need no look. Pure.

A year has tens of thousands of slices. A day that is sealed as it should be, and one of which nothing was read for one
reason alone, are told as a whole; every other day is measured slice by slice, as coverage is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from shared.basics.spelling import id_key
from shared.compliance.coverage import DayCoverage, Window, coverage_by_day, measure
from shared.compliance.gaps import GapKind, kinds_of
from shared.ledger.days import Day, DayReach
from shared.ledger.slices import DAY, Slice, days_between


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A UTC day: how much of it was read, what keeps the rest from being complete, and its sign-ins without MFA. `read`
    is None while none of its slices has closed."""

    day: date
    read: DayCoverage | None
    kinds: Collection[GapKind] = ()
    non_compliant: int = 0


_SEALED = DayCoverage(100.0, partial=False, settled=True)


def calendar_days(tenants: Sequence[str], days: Iterable[DayReach], window: Window) -> list[CalendarDay]:
    """Every day of a window that begins at a midnight, in order of time."""
    known = {day.day: day for day in days}
    return [_told(tenants, known.get(at) or DayReach(at), window) for at in days_between(window.start, window.now)]


def _told(tenants: Sequence[str], day: DayReach, window: Window) -> CalendarDay:
    if day.is_sealed and day.day + DAY <= window.now:
        return CalendarDay(day.day.date(), _SEALED, (), day.non_compliant)
    kind = None if day.reach or day.is_sealed else _of_nothing(tenants, day.day, window)
    if kind is not None:
        before = kind is GapKind.BEFORE_INSTALLATION
        settled = kind is not GapKind.UNREAD
        read = DayCoverage(0.0, partial=True, settled=settled, before_installation=before)
        return CalendarDay(day.day.date(), read, (kind,), day.non_compliant)
    of_day = replace(window, start=day.day, end=day.day + DAY)
    measured = measure(tenants, [Day(day.day, counts=day.counts, reach=day.reach)], of_day)
    read_ = coverage_by_day(measured).get(day.day)
    return CalendarDay(day.day.date(), read_, kinds_of(measured), day.non_compliant)


def _of_nothing(tenants: Iterable[str], day: datetime, window: Window) -> GapKind | None:
    """Why nothing of a day that is over was read, where all of its slices lack for the same reason."""
    if day + DAY > window.now:
        return None
    kinds = set()
    for tenant in tenants:
        for start in (day, day + DAY - window.width):
            slice_ = Slice(id_key(tenant), start, window.width)
            gone = window.is_gone(slice_)
            kind = GapKind.EXPIRED if gone else GapKind.UNREAD
            kinds.add(GapKind.BEFORE_INSTALLATION if window.is_before_installation(slice_) else kind)
    return kinds.pop() if len(kinds) == 1 else None
