"""How much of a period was read, where it was not, and what to do about it. Pure.

Expected is every closed slice of the period at the width that is set today, also before the installation; complete is
what slices that are done, consistent and not overdue cover wholly (design.md, invariant 2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import Final

from pydantic import Field

from shared.basics.spelling import id_key
from shared.ledger.days import Day, Reach
from shared.ledger.flight import Flight
from shared.ledger.slices import Slice, closed_slices, midnight, near_retention_end, uncovered
from shared.wire.models import Answer, shown_id


class Coverage(Answer):
    """How much was read. `percent` is null where nothing was expected. `oldest_gap` is the start of the oldest slice
    that is not complete. `lag_seconds` is the time since the end of the newest complete slice (of the tenant that is
    furthest behind); null while a tenant has none in the period."""

    expected_slices: int
    complete_slices: int
    percent: float | None
    oldest_gap: datetime | None
    lag_seconds: int | None


class TenantCoverage(Coverage):
    """How much was read of one tenant's log, and how many of its slices have which trouble."""

    tenant_id: str
    problem: str | None
    problem_since: datetime | None
    gaps: dict[str, int]
    quarantined_records: int


class GapKind(StrEnum):
    """What keeps a piece of a log from being complete; the first that fits names it."""

    PARKED = "parked"
    INCONSISTENT = "inconsistent"
    FAILING = "failing"
    UNFINISHED = "unfinished"
    OVERDUE = "overdue"
    UNREAD = "unread"
    EXPIRED = "expired"
    # These two lower nothing by themselves: whole tenants that cannot be read, and records that could not.
    TENANT = "tenant"
    QUARANTINED = "quarantined"


Kind = GapKind


class CoverageItem(Answer):
    """One gap or problem: of which tenant, from when to when, and what it is and what to do in a sentence. `to` is null
    while it lasts."""

    tenant_id: str
    from_: datetime = Field(alias="from")
    to: datetime | None
    kind: Kind
    slices: int
    detail: str


_ADVICE: Final[Mapping[Kind, str]] = {
    Kind.PARKED: "Reading failed too often and was given up. Remove the cause, then release it "
    "(python -m local ops release).",
    Kind.INCONSISTENT: "The log served less than before; what it had shown stands. Look whether its retention, licence "
    "or consent changed; it is read again by itself until its last re-read.",
    Kind.FAILING: "Reading failed and is tried again by itself.",
    Kind.UNFINISHED: "A read has begun and is not finished; it goes on by itself.",
    Kind.OVERDUE: "A re-read is overdue, so late records or details may be missing; it follows by itself once the scan "
    "has caught up.",
    Kind.UNREAD: "Not read yet; it follows by itself while the scan catches up. If it stays, look whether the plan "
    "runs and whether LOOKBACK_DAYS reaches so far.",
    Kind.EXPIRED: "Not read, or not to the end, while the log still held it, and gone now: nobody can say what it "
    "held. Look for another copy of the log if it must be known.",
}
_ORDER: Final = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Measured:
    """One tenant's period: the slices that are expected, those not complete, and how far each one was read."""

    tenant: str
    expected: Sequence[Slice]
    missing: Sequence[Slice]
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


def measure(
    tenants: Iterable[str], days: Iterable[Day], start: datetime, now: datetime, width: timedelta
) -> list[Measured]:
    """What is expected of each tenant between `start` and `now` (UTC), and what of it is not complete."""
    by_tenant: dict[str, list[Reach]] = {}
    for day in days:
        for reach in day.reach:
            by_tenant.setdefault(reach.tenant, []).append(reach)
    measured = []
    for tenant in tenants:
        reached = sorted(by_tenant.get(id_key(tenant), []), key=lambda r: (r.start, r.end))
        expected = closed_slices(tenant, start, now, width)
        missing = uncovered(expected, ((r.start, r.end) for r in reached if r.is_complete(now)))
        measured.append(Measured(tenant, expected, missing, reached))
    return measured


def coverage(measured: Sequence[Measured], now: datetime) -> Coverage:
    """The totals: a gap of one tenant is a gap of all."""
    expected = sum(len(m.expected) for m in measured)
    missing = sum(len(m.missing) for m in measured)
    lags = [_lag(m, now) for m in measured]
    return Coverage(
        expected_slices=expected,
        complete_slices=expected - missing,
        percent=percent(expected - missing, missing),
        oldest_gap=min((m.missing[0].start for m in measured if m.missing), default=None),
        lag_seconds=max((lag for lag in lags if lag is not None), default=None) if None not in lags else None,
    )


def coverage_by_day(measured: Iterable[Measured]) -> dict[datetime, float | None]:
    """The percentage of each day (a UTC midnight) that has expected slices."""
    expected: Counter[datetime] = Counter()
    missing: Counter[datetime] = Counter()
    for tenant in measured:
        expected.update(midnight(s.start) for s in tenant.expected)
        missing.update(midnight(s.start) for s in tenant.missing)
    return {day: percent(n - missing[day], missing[day]) for day, n in expected.items()}


def tenant_coverage(measured: Measured, flight: Flight | None, now: datetime, retention: timedelta) -> TenantCoverage:
    """One tenant's totals and troubles."""
    kinds = Counter(str(kind) for _, kind, _ in _classified(measured, now, retention))
    troubled = flight if flight and flight.problem else None
    return TenantCoverage(
        **dict(coverage([measured], now)),
        tenant_id=measured.tenant,
        problem=troubled.problem if troubled else None,
        problem_since=troubled.problem_since if troubled else None,
        gaps=dict(sorted(kinds.items())),
        quarantined_records=sum(r.quarantined for r in measured.reach),
    )


def gaps(measured: Measured, flight: Flight | None, now: datetime, retention: timedelta) -> list[CoverageItem]:
    """One tenant's gaps and problems, in no order; neighbours that have the same trouble are one."""
    tenant = shown_id(id_key(measured.tenant))
    items: list[CoverageItem] = []
    for slice_, kind, detail in _classified(measured, now, retention):
        last = items[-1] if items else None
        if last and (last.kind, last.to, last.detail) == (kind, slice_.start, detail):
            items[-1] = last.model_copy(update={"to": slice_.end, "slices": last.slices + 1})
        else:
            items.append(_item(tenant, slice_.start, slice_.end, kind, 1, detail))
    for reach in measured.reach:
        if reach.quarantined:
            kept = f"Records that could not be read: {reach.quarantined}. They are kept in quarantine with the reasons."
            items.append(_item(tenant, reach.start, reach.end, Kind.QUARANTINED, 1, kept))
    if flight and flight.problem and flight.problem_since:
        why = f"The tenant's log cannot be read. {flight.problem}"
        items.append(_item(tenant, flight.problem_since, None, Kind.TENANT, 0, why))
    return items


def _item(tenant: str, start: datetime, end: datetime | None, kind: Kind, slices: int, detail: str) -> CoverageItem:
    return CoverageItem(tenant_id=tenant, from_=start, to=end, kind=kind, slices=slices, detail=detail)


def _lag(measured: Measured, now: datetime) -> int | None:
    missing = set(measured.missing)
    newest = next((s for s in reversed(measured.expected) if s not in missing), None)
    return None if newest is None else int((now - newest.end).total_seconds())


def _classified(measured: Measured, now: datetime, retention: timedelta) -> Iterator[tuple[Slice, Kind, str]]:
    """Each missing slice with what keeps it from being complete."""
    incomplete = [r for r in measured.reach if not r.is_complete(now)]
    at = 0
    for slice_ in measured.missing:
        while at < len(incomplete) and incomplete[at].end <= slice_.start:
            at += 1
        gone = near_retention_end(slice_, now, retention)
        troubles = [_trouble(reach, gone=gone) for reach in _overlapping(incomplete, at, slice_)]
        nothing = Kind.EXPIRED if gone else Kind.UNREAD
        kind, said = min(troubles, key=lambda trouble: _ORDER[trouble[0]], default=(nothing, ""))
        yield slice_, kind, f"{_ADVICE[kind]} {said}".strip()


def _overlapping(reaches: Sequence[Reach], first: int, slice_: Slice) -> Iterator[Reach]:
    """Those from the first on, in order of their start, that hold a part of the slice."""
    for reach in islice(reaches, first, None):
        if reach.start >= slice_.end:
            return
        if reach.end > slice_.start:
            yield reach


def _trouble(reach: Reach, *, gone: bool) -> tuple[Kind, str]:
    if not reach.consistent:
        return Kind.INCONSISTENT, ""
    if gone:
        return Kind.EXPIRED, ""
    if reach.parked:
        return Kind.PARKED, reach.problem
    if reach.whole:
        return Kind.OVERDUE, reach.problem
    return (Kind.FAILING, reach.problem) if reach.problem else (Kind.UNFINISHED, "")
