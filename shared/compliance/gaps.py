"""Where a period was not read, why, and what to do about it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Final

from pydantic import Field

from shared.basics.spelling import id_key
from shared.compliance.coverage import Coverage, Measured, coverage
from shared.ledger.days import Reach
from shared.ledger.flight import Flight
from shared.ledger.slices import Slice
from shared.wire.models import Answer, shown_id


class TenantCoverage(Coverage):
    """How much was read of one tenant's log, and how many of its slices have which trouble."""

    tenant_id: str
    problem: str | None
    problem_since: datetime | None
    gaps: dict[str, int]


class GapKind(StrEnum):
    """What keeps a piece of a log from being complete; the first that fits names it."""

    PARKED = "parked"
    INCONSISTENT = "inconsistent"
    FAILING = "failing"
    UNFINISHED = "unfinished"
    OVERDUE = "overdue"
    UNREAD = "unread"
    EXPIRED = "expired"
    BEFORE_INSTALLATION = "before-installation"
    QUARANTINED = "quarantined"
    # This one lowers nothing by itself: a whole tenant that cannot be read.
    TENANT = "tenant"


class CoverageItem(Answer):
    """One gap or problem: of which tenant, from when to when, and what it is and what to do in a sentence. `to` is null
    while it lasts."""

    tenant_id: str
    from_: datetime = Field(alias="from")
    to: datetime | None
    kind: GapKind
    slices: int
    detail: str


_ADVICE: Final[Mapping[GapKind, str]] = {
    GapKind.PARKED: "Reading failed too often and was given up. Remove the cause, then release it (python -m local ops "
    "release).",
    GapKind.INCONSISTENT: "The log served less than before; what it had shown stands. Look whether its retention, "
    "licence or consent changed; it is read again by itself until its last re-read.",
    GapKind.FAILING: "Reading failed and is tried again by itself.",
    GapKind.UNFINISHED: "A read has begun and is not finished; it goes on by itself.",
    GapKind.OVERDUE: "A re-read is overdue, so late records or details may be missing; it follows by itself once the "
    "scan has caught up.",
    GapKind.UNREAD: "Not read yet; it follows by itself while the scan catches up. If it stays, look whether the plan "
    "runs and whether LOOKBACK_DAYS reaches so far.",
    GapKind.EXPIRED: "Not read, or not to the end, while the log still held it, and gone now: nobody can say what it "
    "held. Look for another copy of the log if it must be known.",
    GapKind.BEFORE_INSTALLATION: "Of the time before the log was read for the first time: nothing was lost, and "
    "nothing is known. For the days that the log still holds raise LOOKBACK_DAYS.",
    GapKind.QUARANTINED: "Some of its records could not be read.",
}
_ORDER: Final = {kind: place for place, kind in enumerate(GapKind)}


def tenant_coverage(measured: Measured, flight: Flight | None) -> TenantCoverage:
    """One tenant's totals and troubles."""
    kinds = Counter(str(kind) for _, kind, _ in _classified(measured))
    troubled = flight if flight and flight.problem else None
    return TenantCoverage(
        **dict(coverage([measured])),
        tenant_id=measured.tenant,
        problem=troubled.problem if troubled else None,
        problem_since=troubled.problem_since if troubled else None,
        gaps=dict(sorted(kinds.items())),
    )


def gaps(measured: Measured, flight: Flight | None) -> list[CoverageItem]:
    """One tenant's gaps and problems, in no order; neighbours that have the same trouble are one."""
    tenant = shown_id(id_key(measured.tenant))
    items: list[CoverageItem] = []
    for slice_, kind, detail in _classified(measured):
        if kind is GapKind.QUARANTINED:
            continue  # told by slice below, with the number
        last = items[-1] if items else None
        if last and (last.kind, last.to, last.detail) == (kind, slice_.start, detail):
            items[-1] = last.model_copy(update={"to": slice_.end, "slices": last.slices + 1})
        else:
            items.append(_item(tenant, (slice_.start, slice_.end), kind, 1, detail))
    items += [
        _item(tenant, (reach.start, reach.end), GapKind.QUARANTINED, 1, _kept(reach))
        for reach in measured.reach
        if reach.quarantined
    ]
    if flight and flight.problem and flight.problem_since:
        why = f"The tenant's log cannot be read. {flight.problem}"
        items.append(_item(tenant, (flight.problem_since, None), GapKind.TENANT, 0, why))
    return items


def kinds_of(measured: Sequence[Measured]) -> frozenset[GapKind]:
    """What keeps anything of a period from being complete, or stands in quarantine, of whichever tenant."""
    quarantined = any(reach.quarantined for m in measured for reach in m.reach)
    found = {kind for m in measured for _, kind, _ in _classified(m)}
    return frozenset(found | ({GapKind.QUARANTINED} if quarantined else set()))


def counted_gaps(measured: Sequence[Measured]) -> dict[GapKind, int]:
    """The slices that are not complete by what keeps them, of all tenants, what asks for the most first."""
    counts = Counter(kind for m in measured for _, kind, _ in _classified(m))
    return {kind: counts[kind] for kind in GapKind if counts[kind]}


def _item(tenant: str, span: tuple[datetime, datetime | None], kind: GapKind, slices: int, detail: str) -> CoverageItem:
    return CoverageItem(tenant_id=tenant, from_=span[0], to=span[1], kind=kind, slices=slices, detail=detail)


def _kept(reach: Reach) -> str:
    told = f"Records that could not be read: {reach.quarantined}. They are kept in quarantine with the reasons."
    if not reach.lacks_quarantined:
        return f"{told} An operator accepted that."
    return f"{told} Look at them; what cannot be mended can be accepted (python -m local ops accept-quarantine)."


def _classified(measured: Measured) -> Iterator[tuple[Slice, GapKind, str]]:
    """Each missing slice with what keeps it from being complete."""
    now = measured.window.now
    incomplete = [r for r in measured.reach if not r.is_complete(now)]
    before = {*measured.before_installation}
    at = 0
    for slice_ in measured.missing:
        while at < len(incomplete) and incomplete[at].end <= slice_.start:
            at += 1
        gone = measured.window.is_gone(slice_)
        nothing = GapKind.EXPIRED if gone else GapKind.UNREAD
        if slice_ in before:
            nothing = GapKind.BEFORE_INSTALLATION
        troubles = [_trouble(reach, gone=gone, now=now) for reach in _overlapping(incomplete, at, slice_)]
        kind, said = min(troubles, key=lambda trouble: _ORDER[trouble[0]], default=(nothing, ""))
        yield slice_, kind, f"{_ADVICE[kind]} {said}".strip()


def _overlapping(reaches: Sequence[Reach], first: int, slice_: Slice) -> Iterator[Reach]:
    """Those from the first on, in order of their start, that hold a part of the slice."""
    for reach in islice(reaches, first, None):
        if reach.start >= slice_.end:
            return
        if reach.end > slice_.start:
            yield reach


def _trouble(reach: Reach, *, gone: bool, now: datetime) -> tuple[GapKind, str]:
    if not reach.consistent:
        return GapKind.INCONSISTENT, ""
    if reach.is_read(now):
        return GapKind.QUARANTINED, ""
    if gone:
        return GapKind.EXPIRED, ""
    if reach.parked:
        return GapKind.PARKED, reach.problem
    if reach.whole:
        return GapKind.OVERDUE, reach.problem
    return (GapKind.FAILING, reach.problem) if reach.problem else (GapKind.UNFINISHED, "")
