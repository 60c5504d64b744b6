"""A month's statement out of what the tables say of it. Pure: everything that was read is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from shared.answers.directories import tenant_names
from shared.answers.period import Standing
from shared.basics.spelling import id_key
from shared.basics.times import MICROSECOND
from shared.compliance.coverage import DayCoverage, coverage_by_day
from shared.compliance.figures import ByScope, figures_of_days
from shared.compliance.gaps import CoverageItem, gaps
from shared.compliance.numbers import judged, sign_ins
from shared.exceptions.model import TechnicalException
from shared.incidents.model import Ending, Incident, IncidentState
from shared.ledger.days import Day, DayGroups
from shared.ledger.slices import DAY, days_between, midnight
from shared.ledger.tallies import ScopeCounts, Tally, add
from shared.signin.traits import HEADLINE, WATCHED
from shared.statement.causes import statement_causes
from shared.statement.model import (
    FORMAT,
    CustomerFigures,
    PreviousMonth,
    Sealed,
    StatementDay,
    StatementDirectory,
    StatementException,
    StatementIncident,
    StatementRoster,
    StatementTrend,
    StateName,
)
from shared.statement.people import Numbering
from shared.statement.texts import GRADES, LIMITS, MEANING, STRENGTHS, WHYS
from shared.store.directory import Loaded
from shared.wire.models import HEADLINE_NAMES, severity_name, shown_id

_NOT_EXPECTED = DayCoverage(None, partial=True, settled=False)


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read of a month. `customers` are counts by scope of each customer (key) that was signed in to, `groups`
    its findings by day; `left_out` says which lists were cut."""

    standing: Standing
    directory: Loaded | None
    exceptions: Sequence[TechnicalException]
    incidents: Sequence[Incident]
    customers: Mapping[str, ByScope]
    groups: Sequence[DayGroups] = ()
    incidents_left_out: bool = False
    customers_left_out: bool = False
    previous: PreviousMonth | None = None
    names: str | None = None
    numbering: Numbering = field(default_factory=Numbering)

    @property
    def start(self) -> datetime:
        """The first instant of the month."""
        return self.standing.span.start

    @property
    def end(self) -> datetime:
        """The first instant behind it."""
        return self.standing.span.end


def seal(sources: Sources, state: StateName, partner_tenant: str) -> Sealed:
    """The statement of a month, of all customers. Its people are numbered in `sources.numbering`."""
    standing, directory = sources.standing, sources.directory
    names = tenant_names(directory)
    figures = figures_of_days(standing.days)
    headline = judged(figures.of_scopes(HEADLINE_NAMES))
    versions: Tally = {}
    for day in standing.days:
        add(versions, day.rules_versions)
    lacking = [item for measured in standing.measured for item in gaps(measured, None)]
    return Sealed(
        format=FORMAT,
        month=f"{sources.start:%Y-%m}",
        period=standing.period,
        partner_tenant_id=partner_tenant,
        customer=None,
        generated_at=standing.span.now,
        state=state,
        meaning=MEANING,
        figures=headline,
        by_scope={str(scope): judged(figures.of_scopes([scope])) for scope in WATCHED},
        trend=_trend(standing.days),
        customers=_customers(sources, names, id_key(partner_tenant)),
        customers_left_out=sources.customers_left_out,
        coverage=standing.coverage,
        days=_days(sources, lacking),
        gaps=sorted(lacking, key=lambda item: (item.from_, item.tenant_id, item.kind)),
        causes=statement_causes(sources.groups, headline.non_compliant),
        rules_versions=dict(sorted(versions.items())),
        directory=StatementDirectory(
            version=directory.version if directory else None, refreshed_at=directory.at if directory else None
        ),
        roster=_roster(sources),
        incidents=_incidents(sources, names),
        incidents_left_out=sources.incidents_left_out,
        exceptions=_exceptions(sources),
        grades={str(grade): text for grade, text in GRADES.items()},
        strengths={str(strength): text for strength, text in STRENGTHS.items()},
        whys={str(why): text for why, text in WHYS.items()},
        limits=[*LIMITS],
        previous=sources.previous,
        names=sources.names,
    )


def merged(days: Sequence[ByScope]) -> dict[str, ScopeCounts]:
    """The sum over days, by scope."""
    whole: dict[str, ScopeCounts] = {}
    for day in days:
        for scope, counts in day.items():
            whole.setdefault(scope, ScopeCounts()).merge(counts)
    return whole


def _headline(by_scope: ByScope) -> ScopeCounts:
    """The scopes of the percentage together."""
    whole = ScopeCounts()
    for scope in HEADLINE:
        whole.merge(by_scope.get(str(scope), ScopeCounts()))
    return whole


def customer_figures(key: str, name: str | None, by_scope: ByScope) -> CustomerFigures:
    """A customer's entry."""
    return CustomerFigures(
        customer_id=shown_id(key),
        customer_name=name,
        figures=judged(_headline(by_scope), of_customer=True),
        by_scope={str(s): judged(by_scope[s], of_customer=True) for s in WATCHED if s in by_scope},
    )


def _trend(days: Sequence[Day]) -> list[StatementTrend]:
    trend = []
    for day in days:
        numbers = sign_ins(_headline(day.counts.scopes))
        trend.append(
            StatementTrend(
                date=day.day.date(),
                compliant=numbers.compliant,
                non_compliant=numbers.non_compliant,
                unknown=numbers.unknown,
            )
        )
    return trend


def _customers(sources: Sources, names: Mapping[str, str], partner: str) -> list[CustomerFigures]:
    """Those that were customers in the month, and those that were signed in to, in the order of their ids."""
    known: dict[str, ByScope] = {key: {} for key in _customers_listed(sources)}
    known |= {key: by_scope for key, by_scope in sources.customers.items() if key != partner}
    return [customer_figures(key, names.get(key), known[key]) for key in sorted(known)]


def _customers_listed(sources: Sources) -> set[str]:
    listed = sources.directory.file.customers if sources.directory else []
    return {id_key(c.tenant_id) for c in listed if held_in(sources.start, c.from_, c.to)}


def _roster(sources: Sources) -> StatementRoster:
    if sources.directory is None:
        return StatementRoster(people=None, customers=None)
    admins = sources.directory.file.delegated_admins
    people = {id_key(a.user_id) for a in admins if held_in(sources.start, a.from_, a.to)}
    return StatementRoster(people=len(people), customers=len(_customers_listed(sources)))


def held_in(month: datetime, start: datetime | None, end: datetime | None) -> bool:
    """Whether what holds from `start` (None: ever since) until `end` (None: still) held at some time of a month."""
    return (start is None or start < month_after(month)) and (end is None or end > month)


def _days(sources: Sources, lacking: Sequence[CoverageItem]) -> list[StatementDay]:
    standing, now = sources.standing, sources.standing.span.now
    covered = coverage_by_day(standing.measured)
    read = {day.day: day for day in standing.days}
    kinds: dict[datetime, set[str]] = {}
    for item in lacking:
        last = (item.to or now) - MICROSECOND
        for lacks in days_between(item.from_, last):
            kinds.setdefault(lacks, set()).add(str(item.kind))
    first_kept = min((m.window.start for m in standing.measured), default=sources.start)
    days = []
    for at in days_between(sources.start, sources.end - MICROSECOND):
        found = covered.get(at, _NOT_EXPECTED)
        day = read.get(at)
        told = {*kinds.get(at, set()), *({"no-longer-kept"} if at < first_kept else set())}
        days.append(
            StatementDay(
                date=at.date(),
                coverage_percent=found.percent,
                partial=found.partial,
                settled=found.settled,
                quarantined=day.quarantined if day else 0,
                accepted_quarantine=day.accepted_quarantine if day else 0,
                gaps=sorted(told),
                roster=day.noted.roster if day else None,
                policies=day.noted.policies if day else None,
                posture=dict(day.noted.posture) if day and day.noted.posture is not None else None,
            )
        )
    return days


def _incidents(sources: Sources, names: Mapping[str, str]) -> list[StatementIncident]:
    """Those with a sign-in in the month, the oldest first."""
    mine = [i for i in sources.incidents if i.facts.first < sources.end and i.facts.last >= sources.start]
    mine = sorted((i for i in mine if not i.is_withdrawn), key=lambda i: (i.facts.first, i.key))
    return [
        StatementIncident(
            id=i.key,
            person=sources.numbering.user(i.who.user, i.who.user_name),
            customer_id=shown_id(i.who.customer) or None,
            customer_name=names.get(i.who.customer),
            customers=sorted(map(shown_id, i.customers)),
            app_id=shown_id(i.who.app) or None,
            app_name=i.who.app_name or None,
            rules=sorted(i.facts.rules),
            scopes=sorted(i.facts.scopes),
            severity=severity_name(i.facts.severity),
            sign_ins=i.facts.count,
            first_seen_at=i.facts.first,
            last_seen_at=i.facts.last,
            opened_at=i.opened_at,
            state=str(i.state),
            ended=_ended(i),
            resolved_at=i.resolved_at if i.state is IncidentState.RESOLVED else None,
        )
        for i in mine
    ]


def _ended(incident: Incident) -> Literal["quiet", "person", "corrected"] | None:
    if incident.state is not IncidentState.RESOLVED:
        return None
    if incident.ending is Ending.QUIET:
        return "quiet"
    return "corrected" if incident.ending is Ending.CORRECTED else "person"


def _exceptions(sources: Sources) -> list[StatementException]:
    """Those that accepted a day of the month, and those asked for in it; the oldest first."""
    days = [*days_between(sources.start, sources.end - MICROSECOND)]
    mine = [
        e
        for e in sources.exceptions
        if any(map(e.accepts_day, days)) or sources.start <= midnight(e.requested_at) < sources.end
    ]
    number, now = sources.numbering, sources.standing.span.now
    return [
        StatementException(
            id=e.id,
            state=e.state_at(now),
            common_issue=e.common_issue,
            rules=sorted(e.covers.rules),
            person=number.user(e.covers.user) if e.covers.user else None,
            customer_id=shown_id(e.covers.customer) or None,
            app_id=shown_id(e.covers.app) or None,
            starts_on=e.starts.date(),
            expires_on=e.ends.date(),
            requested_by_person=number.actor(e.requested_by, e.requested_by_id),
            requested_at=e.requested_at,
            approved_by_person=number.actor(e.approved_by, e.approved_by_id) if e.approved_by else None,
            approved_at=e.approved_at,
        )
        for e in sorted(mine, key=lambda e: (e.requested_at, e.id))
    ]


def is_wholly_kept(standing: Standing) -> bool:
    """Whether no day of the month was deleted yet."""
    return all(m.window.start == standing.span.start for m in standing.measured)


def month_after(month: datetime) -> datetime:
    """The first instant of the month after that one."""
    return (month + 31 * DAY).replace(day=1)
