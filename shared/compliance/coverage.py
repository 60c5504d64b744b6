"""How much of a period was read, and how far. Pure.

Expected is every closed slice of the period at the width that is set today, also before the installation; complete is
what slices that are done, consistent, not overdue and without unaccepted quarantine cover wholly (docs/architecture.md,
rule 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pydantic import Field

from shared.basics.spelling import id_key
from shared.ledger.days import Day, Reach
from shared.ledger.flight import Flight
from shared.ledger.slices import DAY, Slice, closed_slices, midnight, near_retention_end, uncovered
from shared.wire.models import Answer


class Coverage(Answer):
    """How much of the period was read. Of several tenants the one that is furthest behind counts."""

    expected_slices: int = Field(description="The closed slices of the period, also those before the installation.")
    complete_slices: int = Field(description="Those read to their end, not overdue, with nothing left in quarantine.")
    percent: float | None = Field(description="Complete of expected; null where none was expected.")
    oldest_gap: datetime | None = Field(
        description="Start of the oldest slice that is not complete, the time before the installation left out."
    )
    lag_seconds: int | None = Field(
        description="Since the end of the newest complete slice; null while a tenant has none in the period."
    )
    measured_until: datetime | None = Field(
        description="Up to here the period has no unread slice, the time before the installation left out; null where "
        "the period lies before it."
    )
    newest_read: datetime | None = Field(description="End of the newest slice read; null while a tenant has none.")
    final_until: datetime | None = Field(description="Before this no re-read is due any more.")
    quarantined: int = Field(description="Records that could not be read.")
    accepted_quarantine: int = Field(description="Those of them that an operator accepted.")
    before_installation: int = Field(description="Slices of the time before the log was read for the first time.")


@dataclass(frozen=True, slots=True)
class Window:
    """The period that is measured, from `start` to `end` (UTC, excluded), as it is known at `now`.

    `width` is that of slices today. `read_from` says by tenant key from when on its log was read at all; `retention`
    how long the log keeps what it has (None: for ever).
    """

    start: datetime
    end: datetime
    now: datetime
    width: timedelta
    read_from: Mapping[str, datetime] = field(default_factory=dict)
    retention: timedelta | None = None

    def is_gone(self, slice_: Slice) -> bool:
        """Whether the log no longer surely holds all of a slice, so that nobody reads it again."""
        return self.retention is not None and near_retention_end(slice_, self.now, self.retention)

    def is_before_installation(self, slice_: Slice) -> bool:
        """Whether a slice began before the tenant's log was read at all: the first scan reads none of which it would
        see a part only."""
        first = self.read_from.get(id_key(slice_.tenant))
        return first is not None and slice_.start < first


@dataclass(frozen=True, slots=True)
class Measured:
    """One tenant's period, each in order of time: the slices that are expected; those not complete; those not read, or
    whose re-read is overdue, whatever stands in quarantine; those never read to their end; those that may still be read
    again. `before_installation` are missing ones of before the log was read at all; the last two lists are without."""

    tenant: str
    window: Window
    expected: Sequence[Slice]
    missing: Sequence[Slice]
    behind: Sequence[Slice]
    unread: Sequence[Slice]
    unsettled: Sequence[Slice]
    before_installation: Sequence[Slice]
    reach: Sequence[Reach]


def percent(part: int, rest: int) -> float | None:
    """100 × part / (part + rest), to two decimals, halves up; None where both are zero. Never 100 while there is a
    rest, and never 0 while there is a part."""
    whole = part + rest
    if whole == 0:
        return None
    hundredths = (20_000 * part + whole) // (2 * whole)
    if rest:
        hundredths = min(hundredths, 9_999)
    if part:
        hundredths = max(hundredths, 1)
    return hundredths / 100


def read_from(flights: Iterable[Flight], look_back: timedelta) -> dict[str, datetime]:
    """From when on each tenant's log is read: so long before the installation as the first scan looks back."""
    return {id_key(f.tenant): f.first_seen - look_back for f in flights if f.first_seen}


def measure(tenants: Iterable[str], days: Iterable[Day], window: Window) -> list[Measured]:
    """What is expected of each tenant in the window, and what of it is not complete."""
    by_tenant: dict[str, list[Reach]] = {}
    for day in days:
        for reach in day.reach:
            by_tenant.setdefault(reach.tenant, []).append(reach)
    return [_measured(tenant, by_tenant.get(id_key(tenant), []), window) for tenant in tenants]


def _measured(tenant: str, reaches: Iterable[Reach], window: Window) -> Measured:
    now = window.now
    reached = sorted(reaches, key=lambda r: (r.start, r.end))
    expected = closed_slices(tenant, window.start, min(window.end, now), window.width)
    missing = uncovered(expected, ((r.start, r.end) for r in reached if r.is_complete(now)))
    behind = uncovered(missing, ((r.start, r.end) for r in reached if r.is_read(now)))
    unread = uncovered(behind, ((r.start, r.end) for r in reached if r.whole))
    unsettled = uncovered(expected, ((r.start, r.end) for r in reached if r.due is None and not r.parked))
    before = [s for s in unread if window.is_before_installation(s)]
    return Measured(
        tenant=tenant,
        window=window,
        expected=expected,
        missing=missing,
        behind=behind,
        unread=[s for s in unread if not window.is_before_installation(s)],
        unsettled=[s for s in unsettled if not (window.is_gone(s) or window.is_before_installation(s))],
        before_installation=before,
        reach=reached,
    )


def coverage(measured: Sequence[Measured]) -> Coverage:
    """The totals: a gap of one tenant is a gap of all."""
    expected = sum(len(m.expected) for m in measured)
    missing = sum(len(m.missing) for m in measured)
    gaps = [first for m in measured if (first := _first_gap(m))]
    return Coverage(
        expected_slices=expected,
        complete_slices=expected - missing,
        percent=percent(expected - missing, missing),
        oldest_gap=min(gaps, default=None),
        lag_seconds=_worst([_lag(m) for m in measured], max),
        measured_until=_worst([_until(m, m.unread) for m in measured], min),
        newest_read=_worst([_newest_read(m) for m in measured], min),
        final_until=_worst([_until(m, m.unsettled) for m in measured], min),
        quarantined=sum(r.quarantined for m in measured for r in m.reach),
        accepted_quarantine=sum(min(r.quarantined, r.accepted) for m in measured for r in m.reach),
        before_installation=sum(len(m.before_installation) for m in measured),
    )


def read_percent(measured: Sequence[Measured]) -> float | None:
    """How much was read, whatever stands in quarantine: what an operator's target is about, since that has an alarm of
    its own."""
    expected = sum(len(m.expected) for m in measured)
    behind = sum(len(m.behind) for m in measured)
    return percent(expected - behind, behind)


@dataclass(frozen=True, slots=True)
class DayCoverage:
    """One UTC day. `percent` is null while none of its slices has closed. `partial`: it is not over, or some of it was
    not read; `settled`: it is over, and no re-read is due any more; `before_installation`: none of it was ever read,
    since it lies before the log was."""

    percent: float | None
    partial: bool
    settled: bool
    before_installation: bool = False


def coverage_by_day(measured: Sequence[Measured]) -> dict[datetime, DayCoverage]:
    """Each day (a UTC midnight) that has expected slices."""
    expected, missing = _by_day(m.expected for m in measured), _by_day(m.missing for m in measured)
    unread = _by_day([*m.unread, *m.before_installation] for m in measured)
    unsettled = _by_day(m.unsettled for m in measured)
    before = _by_day(m.before_installation for m in measured)
    now = measured[0].window.now if measured else None
    return {
        day: DayCoverage(
            percent=percent(n - missing[day], missing[day]),
            partial=now is None or day + DAY > now or unread[day] > 0,
            settled=now is not None and day + DAY <= now and not unsettled[day],
            before_installation=before[day] == n,
        )
        for day, n in expected.items()
    }


def _by_day(of_tenants: Iterable[Iterable[Slice]]) -> Counter[datetime]:
    return Counter(midnight(slice_.start) for of_tenant in of_tenants for slice_ in of_tenant)


def _worst[T](values: Sequence[T | None], of: Callable[[Iterable[T]], T]) -> T | None:
    """The worst of all tenants; None where there is none, or one has none."""
    known = [value for value in values if value is not None]
    return of(known) if known and len(known) == len(values) else None


def _first_gap(measured: Measured) -> datetime | None:
    before = len(measured.before_installation)
    if not before:
        return measured.missing[0].start if measured.missing else None
    gone = {*measured.before_installation}
    return next((s.start for s in measured.missing if s not in gone), None)


def _until(measured: Measured, lacking: Sequence[Slice]) -> datetime | None:
    """The start of the first slice that lacks, else the end of the last one expected; None where none is, or all lie
    before the installation, of which nothing was measured."""
    if lacking:
        return lacking[0].start
    return measured.expected[-1].end if len(measured.expected) > len(measured.before_installation) else None


def _newest_read(measured: Measured) -> datetime | None:
    return max((r.end for r in measured.reach if r.whole), default=None)


def _lag(measured: Measured) -> int | None:
    missing = set(measured.missing)
    newest = next((s for s in reversed(measured.expected) if s not in missing), None)
    return None if newest is None else int((measured.window.now - newest.end).total_seconds())
