"""Causes: open problems grouped by what would mend them, worst first, with the effect on the percentage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Literal

from pydantic import Field

from shared.answers.directories import known_directory, tenant_names
from shared.answers.incident_detail import IncidentChange, change_incident
from shared.answers.people import paged
from shared.answers.period import CoveredPage, PeriodQuery, Span, Standing, read_standing, span_of
from shared.answers.rules import RuleText, texts_of
from shared.app.app import App
from shared.compliance.coverage import percent
from shared.compliance.figures import figures_of_days
from shared.incidents.acts import NotNow
from shared.incidents.model import IncidentState
from shared.ledger.days import DayGroups
from shared.ledger.tallies import Verdicts
from shared.rules import RULE
from shared.store.days import days_of_groups
from shared.store.outlines import IncidentOutline, outline_incidents
from shared.wire.models import HEADLINE_NAMES, Answer, ListQuery, Scopes, ShownRule, shown_id

_MOST_CUSTOMERS = 20


class CausesQuery(ListQuery, PeriodQuery):
    """Of which period and scopes, and of which verdict."""

    scope: Scopes = Field(default=HEADLINE_NAMES, description="Sign-ins of these scopes; all: each.")
    verdict: Literal["non-compliant", "unknown"] = Field(
        default="non-compliant", description="unknown: why nothing is known, by why and application."
    )


class CauseCustomer(Answer):
    """A customer where it happens."""

    customer_id: str
    customer_name: str | None


class CauseItem(Answer):
    """Sign-ins that one change would mend: of one person with one application, or, of unknown ones, of one application
    for one reason. The two percentages are of all sign-ins of the scopes: as they stand, and without this cause."""

    id: str
    sentence: str
    user_id: str | None
    user_principal_name: str | None
    app_id: str | None
    app_name: str | None
    why: str | None
    rules: list[ShownRule]
    sign_ins: int
    of_all: int = Field(description="How many sign-ins of that verdict there are in the scopes.")
    compliance_percent: float | None
    compliance_percent_if_fixed: float | None
    customers: list[CauseCustomer] = Field(description="The first twenty.")
    customers_reached: int = Field(description="At how many customers it happens.")
    first_seen_on: date
    last_seen_on: date
    incident_ids: list[str] = Field(description="Those that are not resolved.")


class CausesPage(CoveredPage[CauseItem]):
    """Causes, those first whose mending helps most."""

    rule_texts: dict[str, RuleText]


class CauseChanged(Answer):
    """What became of each incident of a cause. `refused` says why by id, where the state did not allow it."""

    changed: list[str] = Field(description="Ids of the incidents that were changed.")
    refused: dict[str, str] = Field(description="Why not, by id of the incident.")


class UnknownCause(Exception):  # noqa: N818
    """There is no such cause in the last thirty days."""


@dataclass(slots=True)
class _Cause:
    user: str
    app: str
    why: str | None
    sign_ins: int = 0
    rules: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)
    days: set[date] = field(default_factory=set)

    @property
    def id(self) -> str:
        """The same cause has the same id."""
        parts = json_key(self.user, self.app, self.why or "")
        return sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def json_key(*parts: str) -> str:
    """Parts as one text that no part can forge."""
    return "".join(f"{len(part)}:{part}" for part in parts)


async def read_causes(app: App, query: CausesQuery) -> CausesPage:
    """A page of causes. Raises BadParameter."""
    span = span_of(app, query.days, query.from_, query.to)
    standing = await read_standing(app, span)
    causes = await _causes(app, span, query)
    incidents = await outline_incidents((await app.tables()).incidents)
    whole = figures_of_days(standing.days).of_scopes(query.scope).by_verdict
    names = _names(standing)
    tenants = tenant_names(await known_directory(app))
    page, cursor = paged(causes, query, "causes", lambda each: (f"{10**9 - each.sign_ins:010d}", each.id))
    of_all = sum(cause.sign_ins for cause in causes)
    return CausesPage(
        items=[_item(cause, whole, of_all, names, tenants, _open(incidents, cause)) for cause in page],
        cursor=cursor,
        period=standing.period,
        coverage=standing.coverage,
        rule_texts=texts_of(rule for cause in page for rule in cause.rules),
    )


async def change_cause(app: App, id_: str, change: IncidentChange, *, by: str) -> CauseChanged:
    """Do the same to every incident of a cause that is not resolved. Raises UnknownCause, BadParameter."""
    span = span_of(app, None, None, None)
    for verdict in ("non-compliant", "unknown"):
        query = CausesQuery(verdict=verdict, scope=("customer", "partner-center", "partner-tenant", "guest"))
        cause = next((c for c in await _causes(app, span, query) if c.id == id_), None)
        if cause is not None:
            break
    else:
        raise UnknownCause("no such cause")
    incidents = await outline_incidents((await app.tables()).incidents)
    changed: list[str] = []
    refused: dict[str, str] = {}
    for incident in _open(incidents, cause):
        try:
            await change_incident(app, incident.key, change, by=by, etag="*")
        except NotNow as reason:
            refused[incident.key] = str(reason)
        else:
            changed.append(incident.key)
    return CauseChanged(changed=changed, refused=refused)


async def _causes(app: App, span: Span, query: CausesQuery) -> list[_Cause]:
    groups = [day async for day in days_of_groups((await app.tables()).rollups, span.start, span.last)]
    return _grouped(groups, query.scope, query.verdict)


def _grouped(days: Iterable[DayGroups], scopes: Sequence[str], verdict: str) -> list[_Cause]:
    found: dict[tuple[str, str, str | None], _Cause] = {}
    for day in days:
        for group, n in day.lines.items():
            if group.verdict != verdict or group.scope not in scopes or group.is_rest:
                continue
            unknown = verdict == "unknown"
            key = ("" if unknown else group.user, group.app, group.why if unknown else None)
            cause = found.setdefault(key, _Cause(*key))
            cause.sign_ins += n
            cause.rules.update(group.rules)
            cause.customers.add(group.customer)
            cause.days.add(day.day.date())
    return [*found.values()]


def _open(incidents: Iterable[IncidentOutline], cause: _Cause) -> list[IncidentOutline]:
    return [
        incident
        for incident in incidents
        if incident.state != IncidentState.RESOLVED
        and incident.app == cause.app
        and (not cause.user or incident.user == cause.user)
        and not incident.rules.isdisjoint(cause.rules)
    ]


def _names(standing: Standing) -> dict[str, str]:
    return {
        key: top.name
        for day in standing.days
        for lines in (day.tops.users, day.tops.apps)
        for key, top in lines.items()
        if top.name
    }


def _item(
    cause: _Cause,
    whole: Verdicts,
    of_all: int,
    names: dict[str, str],
    tenants: Mapping[str, str],
    incidents: Sequence[IncidentOutline],
) -> CauseItem:
    if cause.why is None:
        fixed = percent(whole.compliant + cause.sign_ins, whole.non_compliant - cause.sign_ins)
    else:
        fixed = percent(whole.compliant, whole.non_compliant)
    now = percent(whole.compliant, whole.non_compliant)
    user, app = names.get(cause.user), names.get(cause.app)
    who = user or shown_id(cause.user) or "everybody"
    what = f"{cause.sign_ins} of {of_all} sign-ins"
    if cause.why is None:
        lift = f"mending it lifts {now} % to {fixed} %"
        sentence = f"{who} with {app or shown_id(cause.app)}: {what} without MFA; {lift}."
    else:
        sentence = f"{app or shown_id(cause.app)}: {what} of which nothing is known ({cause.why})."
    return CauseItem(
        id=cause.id,
        sentence=sentence,
        user_id=shown_id(cause.user) or None,
        user_principal_name=user,
        app_id=shown_id(cause.app) or None,
        app_name=app,
        why=cause.why,
        rules=[rule for rule in RULE if rule in cause.rules],  # how it was done comes before what it lacked
        sign_ins=cause.sign_ins,
        of_all=of_all,
        compliance_percent=now,
        compliance_percent_if_fixed=fixed,
        customers=[
            CauseCustomer(customer_id=shown_id(key), customer_name=tenants.get(key))
            for key in sorted(cause.customers)[:_MOST_CUSTOMERS]
        ],
        customers_reached=len(cause.customers),
        first_seen_on=min(cause.days),
        last_seen_on=max(cause.days),
        incident_ids=[incident.key for incident in incidents],
    )
