"""The overview: one sentence, what to do first, and everything behind it, from the answers that the API gives."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple, get_args

from pydantic import Field

from shared.answers.customers import CustomerItem, CustomersQuery, read_customers
from shared.answers.incidents import IncidentItem, IncidentsQuery, StateName, read_incidents
from shared.answers.overview import SummaryQuery, read_summary
from shared.answers.rules import RuleText
from shared.answers.technicians import TechnicianItem, TechniciansQuery, read_technicians
from shared.app.app import App
from shared.compliance.summary import Summary, TrendDay
from shared.page.charts import Bar, trend
from shared.page.render import render
from shared.page.sentence import Standing, can_be_trusted, headline, trust
from shared.rules.rule import Severity
from shared.wire.models import HEADLINE_NAMES, Listed, Named, Query, Whole

_MOST_ROWS: Final = 25
_MOST_DAYS: Final = 90
_BURNING: Final = timedelta(days=1)
_TABS: Final = {"open": "Open", "acknowledged": "Acknowledged", "snoozed": "Snoozed", "silenced": "Silenced"}


class FrontQuery(Query):
    """What the overview shows."""

    days: Whole = Field(default=30, ge=1, le=_MOST_DAYS)
    state: Listed[StateName] = ("open",)
    user: Named | None = None
    customer: Named | None = None
    app: Named | None = None


class Tab(NamedTuple):
    """A state that incidents can be looked at by."""

    name: str
    title: str


class Risk(NamedTuple):
    """A person at risk, and why, in a few words."""

    id: str
    name: str | None
    why: str
    without: int
    reachable: int | None


class CustomerRow(NamedTuple):
    """A customer as the table has it."""

    id: str
    name: str | None
    total: int
    percent: float | None
    without: int
    unknown: int
    open: int | None
    note: str


class Cause(NamedTuple):
    """A problem and how much of what was found it is. Names are hostile text."""

    person: str
    application: str
    where: str
    share: str
    what_to_do: str
    link: str


@dataclass(frozen=True, slots=True)
class View:
    """What the template of the overview shows."""

    summary: Summary
    state: str
    incidents: Sequence[IncidentItem]
    more_incidents: bool
    rule_texts: dict[str, RuleText]
    people: Sequence[Risk]
    no_people: str
    customers: Sequence[CustomerRow]
    all_customers: int
    applications: Sequence[object]
    causes: Sequence[Cause]
    changed: str | None = None


async def front_page(app: App, query: FrontQuery) -> str:
    """The overview as HTML. Raises BadParameter, NotKnown as the answers do."""
    now = app.clock()
    filters = {"user": query.user, "customer": query.customer, "app": query.app}
    summary, incidents, customers, technicians = await asyncio.gather(
        read_summary(app, SummaryQuery(days=query.days)),
        read_incidents(app, IncidentsQuery(state=query.state, limit=1000, **filters)),
        read_customers(app, CustomersQuery(days=query.days, limit=1000)),
        read_technicians(app, TechniciansQuery(days=query.days, limit=1000)),
    )
    worst = sorted(incidents.items, key=_gravity)
    whole = query.state == ("open",) and not any(filters.values()) and incidents.cursor is None
    standing = _standing(app, summary, worst if whole else None, now)
    view = View(
        summary=summary,
        state=",".join(query.state),
        incidents=worst[:_MOST_ROWS],
        more_incidents=len(worst) > _MOST_ROWS or incidents.cursor is not None,
        rule_texts=incidents.rule_texts,
        people=_at_risk(technicians.items)[:_MOST_ROWS],
        no_people=_no_people(technicians.refreshed_at),
        customers=[_row(c) for c in sorted(customers.items, key=_worst_customer)[:_MOST_ROWS]],
        all_customers=len(customers.items),
        applications=[a for a in summary.top_applications if a.non_compliant or a.unknown],
        causes=_causes(worst, incidents.rule_texts, summary),
    )
    return render(
        "front.html",
        view=view,
        days=query.days,
        most_days=_MOST_DAYS,
        tabs=[Tab(name, title) for name, title in _TABS.items() if name in get_args(StateName)],
        headline=headline(standing),
        trust=trust(standing),
        trusted=can_be_trusted(standing),
        notices=_notices(summary),
        chart=trend([_bar(day, now) for day in summary.trend]),
    )


def _standing(app: App, summary: Summary, open_incidents: Sequence[IncidentItem] | None, now: datetime) -> Standing:
    """`open_incidents` are all that are open, of any scope; None where only some were read."""
    figures = summary.delegated_sign_ins
    burning = None
    if open_incidents is not None:
        seen = (i for i in open_incidents if now - i.last_seen_at <= _BURNING)
        burning = sum(not {*i.scopes}.isdisjoint(HEADLINE_NAMES) for i in seen)
    return Standing(
        now=now,
        open=summary.incidents.open,
        critical=summary.incidents.by_severity.critical,
        burning=burning,
        acknowledged_burning=summary.incidents.still_happening if summary.incidents.open == 0 else 0,
        compliance=figures.compliance_percent,
        worst_case=figures.worst_case_percent,
        judged=figures.total,
        without=figures.non_compliant,
        unknown=figures.unknown,
        covered=summary.coverage.percent,
        read_anything=summary.coverage.newest_read is not None,
        measured_until=summary.coverage.measured_until,
        quarantined=summary.coverage.quarantined,
        paused_until=summary.alerts.paused_until if summary.alerts else None,
        alerts_ready=bool(app.settings.channels),
        dead_channels=len(app.settings.wrong_channels),
    )


def _notices(summary: Summary) -> list[str]:
    """What keeps the figures from being read as they stand."""
    told = []
    if summary.coverage.percent is not None and summary.coverage.percent < 100:
        told.append(
            "Part of the period was not read to its end: what is missing may hold sign-ins without MFA. "
            "See “What was read” below."
        )
    if len(summary.rules_versions) > 1:
        told.append("The period was judged by more than one version of the rules: run a rescan.")
    problem = summary.posture.problem
    if isinstance(problem, str):
        told.append(f"Who has registered for MFA is not known: {problem}")
    return told


def _bar(day: TrendDay, now: datetime) -> Bar:
    today = day.date == now.date()
    unread = day.coverage_percent is not None and day.coverage_percent < 100
    return Bar(day.date, day.compliant, day.non_compliant, day.unknown, unread and not today, today)


def _gravity(incident: IncidentItem) -> tuple[int, float]:
    return -int(Severity.of(incident.severity)), -incident.last_seen_at.timestamp()


def _worst_customer(customer: CustomerItem) -> tuple[int, int, str]:
    return -customer.non_compliant, -customer.unknown, (customer.customer_name or "~").lower()


def _row(c: CustomerItem) -> CustomerRow:
    ends = c.days_left is not None and c.days_left <= 30
    note = f"The relationship ends in {c.days_left} days." if ends else ""
    return CustomerRow(
        c.customer_id,
        c.customer_name,
        c.total,
        c.compliance_percent,
        c.non_compliant,
        c.unknown,
        c.open_incidents,
        note,
    )


def _at_risk(technicians: Sequence[TechnicianItem]) -> list[Risk]:
    """Who is a delegated admin now and has not registered, never used MFA, or was not seen for weeks."""
    found = [
        Risk(t.user_id, t.user_principal_name, ", ".join(why), t.non_compliant, t.customers_reachable)
        for t in technicians
        if t.state == "current" and (why := [*_reasons(t)])
    ]
    return sorted(found, key=lambda risk: (-risk.without, -(risk.reachable or 0), risk.name or ""))


def _reasons(t: TechnicianItem) -> Iterator[str]:
    """Why somebody is at risk."""
    unregistered = t.mfa_registered is False
    reasons = (
        (unregistered, "not registered for MFA"),
        (bool(t.non_compliant and not t.compliant), "never used MFA in the period"),
        (bool(t.non_compliant and t.compliant), "signed in without MFA"),
        (t.user_type == "guest" and (unregistered or bool(t.non_compliant)), "a guest"),
        (bool(t.dormant), "not seen for four weeks"),
        (bool(t.off_boarded), "account disabled or gone, still in a group"),
    )
    return (text for is_so, text in reasons if is_so)


def _no_people(refreshed: datetime | None) -> str:
    if refreshed is None:
        return "The roster was not read yet: it comes with the first refresh of the directory."
    return "Nobody: every delegated admin has registered, used MFA and was seen."


def _causes(incidents: Sequence[IncidentItem], texts: dict[str, RuleText], summary: Summary) -> list[Cause]:
    """The open problems of one person and application, with what fixing them would do to the percentage."""
    groups: dict[tuple[str, str | None], list[IncidentItem]] = {}
    for incident in incidents:
        groups.setdefault((incident.user_id, incident.app_id), []).append(incident)
    worst = sorted(groups.values(), key=lambda group: (min(map(_gravity, group))[0], -sum(i.count for i in group)))
    figures = summary.delegated_sign_ins
    causes = []
    for group in worst[:5]:
        first = min(group, key=_gravity)
        text = next((texts[rule] for rule in first.rules if rule in texts), None)
        count = sum(i.count for i in group)
        causes.append(
            Cause(
                person=first.user_principal_name or first.user_id,
                application=first.app_name or first.app_id or "any application",
                where=f"{len(group)} customers" if len(group) > 1 else first.customer_name or "home",
                share=f"{count} of {figures.non_compliant + figures.unknown}" if figures.non_compliant else str(count),
                what_to_do=text.what_to_do if text else "",
                link=f"/incidents/{first.id}",
            )
        )
    return causes
