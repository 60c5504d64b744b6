"""Incidents as a list with tabs, one as a page, and what a person does about it there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal, NamedTuple

from shared.answers.findings import FindingsQuery, read_findings
from shared.answers.incident_detail import IncidentDetail, change_incident, read_detail
from shared.answers.incidents import IncidentsQuery, StateName, read_incidents
from shared.incidents import acts
from shared.incidents.history import SYSTEM
from shared.page.acts import ActForm
from shared.page.asked import PageQuery, Visit
from shared.page.frame import show
from shared.wire.models import Listed, Named, RuleId, SeverityFilter

_MOST_ROWS: Final = 50
_MOST_SIGN_INS: Final = 10
TABS: Final = (
    ("open", "Open"),
    ("acknowledged", "Acknowledged"),
    ("snoozed", "Snoozed"),
    ("silenced", "Silenced"),
    ("resolved", "Resolved"),
)


class IncidentsPageQuery(PageQuery):
    """Which incidents."""

    state: Listed[StateName] = ("open",)
    rule: Listed[RuleId] | None = None
    severity: SeverityFilter | None = None
    cursor: Named | None = None


class Event(NamedTuple):
    """Something in the story of an incident. `kind` is person, system or message."""

    at: datetime
    kind: str
    by: str
    what: str
    detail: str


class IncidentForm(ActForm):
    """What the form of an incident's page sends."""

    act: Literal["acknowledged", "snoozed", "resolved", "open", "comment", "assign"]


async def incidents_page(visit: Visit[IncidentsPageQuery]) -> str:
    """The list, worst first."""
    query = visit.query
    named = query.from_ is not None or query.to is not None or query.days is not None
    page = await read_incidents(
        visit.app,
        IncidentsQuery.model_validate(
            {
                **(visit.times if named else {}),
                **query.whose,
                "state": query.state,
                "scope": query.scope,
                "rule": query.rule,
                "severity": query.severity,
                "cursor": query.cursor,
                "sort": "severity",
                "limit": _MOST_ROWS,
            }
        ),
    )
    return await show("incidents.html", visit, page=page, state=",".join(query.state), tabs=TABS, of_period=named)


async def incident_page(visit: Visit) -> str:
    """The page of an incident. Raises UnknownIncident."""
    key = visit.path["id"]
    detail = await read_detail(visit.app, key)
    findings = await read_findings(visit.app, FindingsQuery(incident=key, limit=_MOST_SIGN_INS))
    return await show(
        "incident.html",
        visit,
        i=detail,
        findings=findings.items,
        causes={f.cause_id: f.cause for f in findings.items if f.cause_id and f.cause},
        more_findings=findings.cursor is not None,
        story=story(detail),
        acts=possible(detail),
    )


async def act_on_incident(visit: Visit, form: IncidentForm, *, by: str) -> str:
    """Do what the form says, if the incident is still as the person saw it. Returns where to go then.

    Raises UnknownIncident, ChangedIncident, NotNow, BadParameter.
    """
    key = visit.path["id"]
    await change_incident(visit.app, key, form.change(visit.now), by=by, etag=form.version)
    return visit.link("/incidents", key)


def story(detail: IncidentDetail) -> Sequence[Event]:
    """What happened, in time: sign-ins, people, the system, and messages."""
    told = [
        Event(
            line.at,
            "system" if line.by == SYSTEM else "person",
            line.by,
            line.action.replace("-", " "),
            line.detail or "",
        )
        for line in detail.history
    ]
    told += [
        Event(a.created_at, "message", a.channel, f"{a.type.replace('.', ' ')}: {a.state}", a.last_answer or "")
        for a in detail.alerts
    ]
    told.append(Event(detail.first_seen_at, "sign-in", "log", "first sign-in", ""))
    if detail.count > 1:
        told.append(Event(detail.last_seen_at, "sign-in", "log", f"last of {detail.count} sign-ins", ""))
    return sorted(told, key=lambda event: event.at)


def possible(detail: IncidentDetail) -> Sequence[str]:
    """What its page offers to make of it, as `IncidentChange.state` has it."""
    done = ("acknowledged",) if detail.state == "acknowledged" else ()
    return [state for state in acts.possible(detail.state) if state not in done]
