"""The summary: how compliant the partner is over a period, and how much of it that rests on. Pure.

Every member is always present, null where there is nothing to say. Unknown is never counted as compliant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Literal

from pydantic import Field

from shared.basics.spelling import id_key
from shared.compliance.beside import ExceptionNumbers, Posture
from shared.compliance.coverage import Coverage, DayCoverage, Measured, coverage, coverage_by_day
from shared.compliance.figures import Figures
from shared.compliance.incident_counts import IncidentCounts
from shared.compliance.numbers import (
    Attempts,
    DelegatedSignIns,
    SignIns,
    all_keys,
    all_rules,
    attempts_of,
    by_evidence,
    delegated,
    sign_ins,
)
from shared.incidents.model import IncidentState
from shared.ledger.slices import DAY, days_between
from shared.ledger.tops import TopLine, worst_first
from shared.rules.rule import Severity
from shared.signin.evidence import Strength, Why
from shared.signin.traits import WATCHED
from shared.wire.models import Answer, shown_id

_MOST_TOP: Final = 10
_NOT_READ: Final = DayCoverage(None, partial=True, settled=False)


class Period(Answer):
    """From `from` (a UTC midnight) to `to`, excluded."""

    from_: datetime = Field(alias="from")
    to: datetime


class TrendDay(Answer):
    """One UTC day. `coverage_percent` is 0 for a day that was not read, null while none of its slices has closed.
    `partial`: it is not over, or some of it was not read. `settled`: it is over, and no re-read is due any more.
    `before_installation`: it lies before the log was read for the first time, so that nothing of it was lost."""

    date: date
    compliant: int
    non_compliant: int
    unknown: int
    compliance_percent: float | None
    coverage_percent: float | None
    partial: bool
    settled: bool
    before_installation: bool


class Top(Answer):
    """Sign-ins of a user, to a customer or with an application. Names are as the log or the directory gives them:
    hostile text. `at_least`: on some days there were more than a day's summary holds, so that the numbers may be too
    low; the lists are exact."""

    compliant: int
    non_compliant: int
    unknown: int
    at_least: bool


class TopUser(Top):
    """A person."""

    user_id: str
    user_principal_name: str | None


class TopCustomer(Top):
    """A customer."""

    customer_id: str
    customer_name: str | None


class TopApplication(Top):
    """An application."""

    app_id: str
    app_name: str | None


class BySeverity(Answer):
    """How many of each severity."""

    critical: int
    high: int
    medium: int
    low: int


class IncidentNumbers(Answer):
    """Incidents with findings of the scopes; the severity is that of all their findings. `by_severity` is of the open
    ones, `open_all` counts the open ones of every scope."""

    open: int
    acknowledged: int
    snoozed: int
    silenced: int
    resolved: int
    still_happening: int
    open_all: int = Field(description="How many are open in all scopes together.")
    by_severity: BySeverity
    by_state: dict[str, BySeverity]
    still_happening_by_severity: BySeverity = Field(description="Those still happening, by severity.")


class AlertState(Answer):
    """Whether channels are told anything."""

    state: Literal["on", "paused"]
    paused_until: datetime | None
    paused_by: str | None


class Summary(Answer):
    """Every number is of `scopes`, but for byScope, which has all of them, and for coverage, which has none.

    byEvidence adds up to the total, byWhy to unknown, byStrength to compliant; "not-recorded" is what an older version
    of the app counted without. What was not recorded at all is null, and never 0.
    """

    generated_at: datetime
    period: Period
    partner_tenant_id: str
    scopes: list[str]
    rules_versions: list[str] = Field(description="Versions of the rules that judged the period; two ask for a rescan.")
    coverage: Coverage
    delegated_sign_ins: DelegatedSignIns
    by_scope: dict[str, SignIns]
    by_evidence: dict[str, int] | None
    attempts: Attempts | None
    by_why: dict[str, int] | None
    by_strength: dict[str, int] | None
    by_rule: dict[str, int] | None
    trend: list[TrendDay]
    top_users: list[TopUser]
    top_customers: list[TopCustomer]
    top_applications: list[TopApplication]
    incidents: IncidentNumbers
    alerts: AlertState | None
    exceptions: ExceptionNumbers
    posture: Posture


@dataclass(frozen=True, slots=True)
class SummaryOf:
    """What a summary is of, from `start` (a UTC midnight) to `end`, excluded. `scopes` are in the order of WATCHED."""

    start: datetime
    end: datetime
    now: datetime
    scopes: Sequence[str]
    partner_tenant: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What a summary says beside the sign-ins: incidents; display names of tenants by key; exceptions; the figures of
    the tenant-wide requirement; whether alerts go out."""

    incidents: IncidentCounts = field(default_factory=IncidentCounts)
    tenant_names: Mapping[str, str] = field(default_factory=dict)
    exceptions: ExceptionNumbers = field(default_factory=ExceptionNumbers)
    posture: Posture = field(default_factory=Posture)
    rules_versions: Sequence[str] = ()
    alerts: AlertState | None = None


def summarise(asked: SummaryOf, figures: Figures, measured: Sequence[Measured], beside: Beside) -> Summary:
    """The summary of a period."""
    whole = figures.of_scopes(asked.scopes)
    tops = figures.tops
    customers = {key: line for key, line in tops.customers.items() if key != id_key(asked.partner_tenant)}
    return Summary(
        generated_at=asked.now,
        period=Period(from_=asked.start, to=min(asked.end, asked.now)),
        partner_tenant_id=asked.partner_tenant,
        scopes=[*asked.scopes],
        rules_versions=sorted(beside.rules_versions, key=lambda version: (len(version), version)),
        coverage=coverage(measured),
        delegated_sign_ins=delegated(whole, beside.exceptions.accepted_sign_ins),
        by_scope={str(scope): sign_ins(figures.of_scopes([scope])) for scope in WATCHED},
        by_evidence=by_evidence(whole) if figures.is_graded else None,
        attempts=attempts_of(whole) if figures.is_graded else None,
        by_why=all_keys(Why, whole.why, whole.by_verdict.unknown) if figures.is_graded else None,
        by_strength=all_keys(Strength, whole.strength, whole.by_verdict.compliant) if figures.has_strength else None,
        by_rule=all_rules(whole.rules) if figures.is_graded else None,
        trend=_trend(asked, figures, measured),
        top_users=[
            TopUser(user_id=shown_id(key), user_principal_name=tops.users[key].name or None, **of_top)
            for key, of_top in _top(tops.users, asked.scopes, at_least=bool(tops.left_out.get("users")))
        ],
        top_customers=[
            TopCustomer(customer_id=shown_id(key), customer_name=beside.tenant_names.get(key), **of_top)
            for key, of_top in _top(customers, asked.scopes, at_least=bool(tops.left_out.get("customers")))
        ],
        top_applications=[
            TopApplication(app_id=shown_id(key), app_name=tops.apps[key].name or None, **of_top)
            for key, of_top in _top(tops.apps, asked.scopes, at_least=bool(tops.left_out.get("apps")))
        ],
        incidents=_incident_numbers(beside.incidents),
        alerts=beside.alerts,
        exceptions=beside.exceptions,
        posture=beside.posture,
    )


def _trend(asked: SummaryOf, figures: Figures, measured: Sequence[Measured]) -> list[TrendDay]:
    covered = coverage_by_day(measured)
    trend = []
    for day in days_between(asked.start, min(asked.end, asked.now)):
        if day >= asked.end:
            break
        numbers = sign_ins(figures.of_day(day, asked.scopes))
        of_day = covered.get(day, _NOT_READ)
        trend.append(
            TrendDay(
                date=day.date(),
                compliant=numbers.compliant,
                non_compliant=numbers.non_compliant,
                unknown=numbers.unknown,
                compliance_percent=numbers.compliance_percent,
                coverage_percent=of_day.percent,
                partial=of_day.partial or day + DAY > asked.now,
                settled=of_day.settled,
                before_installation=of_day.before_installation,
            )
        )
    return trend


def _top(lines: Mapping[str, TopLine], scopes: Sequence[str], *, at_least: bool) -> list[tuple[str, dict[str, Any]]]:
    """The worst first, by key: by non-compliant, then unknown sign-ins."""
    verdicts = {key: numbers for key, line in lines.items() if (numbers := line.of_scopes(scopes)).total}
    return [
        (
            key,
            {
                "compliant": verdicts[key].compliant,
                "non_compliant": verdicts[key].non_compliant,
                "unknown": verdicts[key].unknown,
                "at_least": at_least,
            },
        )
        for key in worst_first(verdicts)[:_MOST_TOP]
    ]


def _incident_numbers(counts: IncidentCounts) -> IncidentNumbers:
    totals = {state: counts.of(state).total() for state in IncidentState}
    return IncidentNumbers(
        open=totals[IncidentState.OPEN],
        acknowledged=totals[IncidentState.ACKNOWLEDGED],
        snoozed=totals[IncidentState.SNOOZED],
        silenced=totals[IncidentState.SILENCED],
        resolved=totals[IncidentState.RESOLVED],
        still_happening=counts.still_happening.total(),
        open_all=counts.open_all,
        by_severity=by_severity(counts.of(IncidentState.OPEN)),
        by_state={str(state): by_severity(counts.of(state)) for state in IncidentState},
        still_happening_by_severity=by_severity(counts.still_happening),
    )


def by_severity(counts: Mapping[int, int]) -> BySeverity:
    """Numbers by severity as an answer has them."""
    return BySeverity(**{severity.label: counts.get(int(severity), 0) for severity in Severity})
