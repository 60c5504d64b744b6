"""The summary: how compliant the partner is over a period, and how much of it that rests on. Pure.

Its members are fixed in design.md ("Interfaces"); every one is always present. Unknown is never counted as compliant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from pydantic import Field, JsonValue

from shared.basics.spelling import id_key
from shared.compliance.coverage import Coverage, Measured, coverage, coverage_by_day, percent
from shared.ledger.counts import REST, Counts, Lines, ScopeCounts, Tally, total
from shared.ledger.days import Day
from shared.ledger.lacking import Lacking, lacking_of
from shared.ledger.slices import days_between
from shared.rules.assess import Verdict
from shared.rules.rule import Severity
from shared.signin.traits import WATCHED
from shared.wire.models import Answer, shown_id

_MOST_TOP: Final = 10


class Period(Answer):
    """From `from` (a UTC midnight) to `to`."""

    from_: datetime = Field(alias="from")
    to: datetime


class SignIns(Answer):
    """total = compliant + nonCompliant + unknown. The percentage is compliant / (compliant + nonCompliant); null where
    nothing can be divided."""

    total: int
    compliant: int
    non_compliant: int
    unknown: int
    compliance_percent: float | None


class DelegatedSignIns(SignIns):
    """The second percentage leaves out the non-compliant sign-ins that an approved exception accepts."""

    compliance_percent_after_exceptions: float | None


class TrendDay(Answer):
    """One UTC day. `coverage_percent` is 0 for a day that was not read, null while none of its slices has closed."""

    date: date
    compliant: int
    non_compliant: int
    unknown: int
    coverage_percent: float | None


class Top(Answer):
    """A user, customer or application. `name` is as the log or the directory gives it: hostile text."""

    id: str
    name: str | None
    compliant: int
    non_compliant: int
    unknown: int


class OpenIncidents(Answer):
    """Incidents in the state open that have findings of the scopes; the severity is that of all their findings."""

    open: int
    by_severity: dict[str, int]


class Summary(Answer):
    """Every number is of `scopes`, but for byScope, which has all three, and for coverage, which has none."""

    generated_at: datetime
    period: Period
    partner_tenant_id: str
    scopes: list[str]
    coverage: Coverage
    delegated_sign_ins: DelegatedSignIns
    by_scope: dict[str, SignIns]
    by_evidence: dict[str, int]
    by_rule: dict[str, int]
    trend: list[TrendDay]
    top_users: list[Top]
    top_customers: list[Top]
    top_applications: list[Top]
    incidents: OpenIncidents
    exceptions: dict[str, JsonValue]
    posture: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a summary is of. `start` is a UTC midnight, `scopes` in the order of WATCHED."""

    start: datetime
    now: datetime
    scopes: Sequence[str]
    partner_tenant: str


def summarise(
    asked: Asked,
    days: Sequence[Day],
    measured: Sequence[Measured],
    open_incidents: Mapping[int, int],
    *,
    customers: Mapping[str, str],
    accepts: Callable[[Lacking], bool] | None = None,
    exceptions: Mapping[str, JsonValue] | None = None,
    posture: Mapping[str, JsonValue] | None = None,
) -> Summary:
    """The summary of the partner's days.

    `open_incidents` counts by severity, `customers` are display names by tenant key, `accepts` says whether an approved
    exception covers a non-compliant sign-in (None: there is none), `exceptions` what there is to say of them, `posture`
    the figures of the tenant-wide requirement, which stay apart from the sign-ins.
    """
    whole = total(day.counts for day in days)
    of_scopes = _of_scopes(whole, asked.scopes)
    numbers = _numbers(of_scopes.verdicts)
    accepted = _accepted(days, asked.scopes, accepts) if accepts else 0
    partner = id_key(asked.partner_tenant)
    return Summary(
        generated_at=asked.now,
        period=Period(from_=asked.start, to=asked.now),
        partner_tenant_id=asked.partner_tenant,
        scopes=[*asked.scopes],
        coverage=coverage(measured, asked.now),
        delegated_sign_ins=DelegatedSignIns(
            **dict(numbers),
            compliance_percent_after_exceptions=percent(numbers.compliant, numbers.non_compliant - accepted),
        ),
        by_scope={str(s): _numbers(_of_scopes(whole, [s]).verdicts) for s in WATCHED},
        by_evidence=dict(sorted(of_scopes.evidence.items())),
        by_rule=dict(sorted(of_scopes.rules.items())),
        trend=_trend(asked, days, measured),
        top_users=_top(of_scopes.users, whole.names),
        top_customers=_top({key: n for key, n in of_scopes.customers.items() if key != partner}, customers),
        top_applications=_top(of_scopes.apps, whole.names),
        incidents=OpenIncidents(
            open=sum(open_incidents.values()),
            by_severity={s.label: open_incidents.get(int(s), 0) for s in sorted(Severity, reverse=True)},
        ),
        exceptions={**(exceptions or {}), "acceptedSignIns": accepted},
        posture={**(posture or {})},
    )


def _of_scopes(counts: Counts, scopes: Iterable[str]) -> ScopeCounts:
    sum_ = ScopeCounts()
    for scope in scopes:
        if scope in counts.scopes:
            sum_.merge(counts.scopes[scope])
    return sum_


def _numbers(verdicts: Tally) -> SignIns:
    good, bad, unknown = (verdicts.get(v, 0) for v in (Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN))
    return SignIns(
        total=good + bad + unknown,
        compliant=good,
        non_compliant=bad,
        unknown=unknown,
        compliance_percent=percent(good, bad),
    )


def _accepted(days: Iterable[Day], scopes: Iterable[str], accepts: Callable[[Lacking], bool]) -> int:
    return sum(n for day in days for lacking, n in lacking_of(day) if lacking.scope in scopes and accepts(lacking))


def _trend(asked: Asked, days: Iterable[Day], measured: Sequence[Measured]) -> list[TrendDay]:
    counted = {day.day: _numbers(_of_scopes(day.counts, asked.scopes).verdicts) for day in days}
    covered = coverage_by_day(measured)
    trend = []
    for day in days_between(asked.start, asked.now):
        numbers = counted.get(day) or _numbers({})
        trend.append(
            TrendDay(
                date=day.date(),
                compliant=numbers.compliant,
                non_compliant=numbers.non_compliant,
                unknown=numbers.unknown,
                coverage_percent=covered.get(day),
            )
        )
    return trend


def _top(lines: Lines, names: Mapping[str, str]) -> list[Top]:
    """The worst first: by non-compliant, then unknown sign-ins. What was trimmed into one line is left out."""
    named = [key for key in lines if key != REST]
    worst = sorted(named, key=lambda key: (-lines[key][1], -lines[key][2], -lines[key][0], key))
    return [
        Top(id=shown_id(key), name=names.get(key), compliant=good, non_compliant=bad, unknown=unknown)
        for key in worst[:_MOST_TOP]
        for good, bad, unknown in [lines[key]]
    ]
