"""The list of incidents, those seen last first.

The keys of incidents are hashes, so the list looks through windows of keys in all shards at once. One window holds them
all until there are more than a thousand to a shard; beyond that the list is in order within each window.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import partial
from typing import Annotated, Final, Literal, NamedTuple, get_args

from pydantic import Field, WithJsonSchema

from shared.answers.directories import tenant_names
from shared.answers.names import Filters, keys_of
from shared.answers.people import is_user
from shared.answers.period import CoveredPage, read_standing, times_of
from shared.answers.rules import RuleText, texts_of
from shared.app.app import App
from shared.incidents.model import Incident
from shared.rules.rule import Severity, SeverityName
from shared.store.incidents import KEY_SPAN, incidents_within
from shared.store.outlines import about_id, incidents_about
from shared.wire.cursor import Place, PlaceTime, from_cursor, to_cursor
from shared.wire.models import (
    Answer,
    AskedTime,
    Listed,
    ListQuery,
    Named,
    RuleId,
    Scopes,
    SeverityFilter,
    ShownRule,
    ShownScope,
    same_id,
    severity_name,
    shown_id,
)

_MOST_CUSTOMERS: Final = 20
StateName = Literal["open", "acknowledged", "snoozed", "silenced", "resolved"]


class IncidentsQuery(ListQuery):
    """Which incidents. Filters that are set must all fit; a comma list fits by any of its entries."""

    state: Listed[StateName] | None = None
    severity: SeverityFilter | None = Field(default=None, description="This severity or a higher one.")
    rule: Listed[RuleId] | None = None
    scope: Scopes | None = Field(default=None, description="With findings of any of these scopes.")
    from_: AskedTime | None = Field(default=None, alias="from", description="Seen last at or after this time.")
    to: AskedTime | None = Field(default=None, description="Seen first before this time.")
    opened_since: AskedTime | None = Field(default=None, description="This opening began at or after this time.")
    resolved_since: AskedTime | None = Field(default=None, description="Resolved at or after this time.")
    sort: Literal["lastSeen", "severity"] = Field(default="lastSeen", description="severity: the worst first.")
    user: Named | None = Field(default=None, description="Object id or user principal name.")
    customer: Named | None = Field(default=None, description="Tenant id or name of a customer.")
    app: Named | None = Field(default=None, description="Id or name of an application.")

    def fits(self, incident: Incident, names: Mapping[str, str]) -> bool:
        """Whether an incident is asked for. `names` are the tenants' by key."""
        return (
            (self.state is None or incident.state in self.state)
            and (self.severity is None or incident.facts.severity >= Severity.of(self.severity))
            and (self.rule is None or not incident.facts.rules.isdisjoint(self.rule))
            and (self.scope is None or not incident.facts.scopes.isdisjoint(self.scope))
            and (self.from_ is None or incident.facts.last >= self.from_)
            and (self.to is None or incident.facts.first < self.to)
            and _is_since(incident.opened_at, self.opened_since)
            and _is_since(incident.resolved_at, self.resolved_since)
            and is_user(self.user, incident.who.user, incident.who.user_name)
            and (
                self.customer is None
                or any(same_id(self.customer, key, names.get(key, "")) for key in incident.customers)
            )
            and same_id(self.app, incident.who.app, incident.who.app_name)
        )


class ReachedCustomer(Answer):
    """A tenant that was reached."""

    customer_id: str
    customer_name: str | None


class IncidentItem(Answer):
    """The same user, customer and application while it goes on; customer and application are null where it is about the
    user alone. `count` is how many findings it has now. Names are hostile text."""

    id: str
    state: Annotated[str, WithJsonSchema({"type": "string", "enum": [*get_args(StateName)]})]
    reason: str | None
    severity: SeverityName
    rules: list[ShownRule]
    scopes: list[ShownScope]
    count: int
    first_seen_at: datetime
    last_seen_at: datetime
    opened_at: datetime | None
    raised_at: datetime | None
    resolved_at: datetime | None
    snoozed_until: datetime | None
    assignee: str | None
    due_on: date | None
    user_id: str
    user_principal_name: str | None
    customer_id: str | None
    customer_name: str | None
    customers: list[ReachedCustomer] = Field(
        description="Where its findings are, the first twenty: also of one about the user alone."
    )
    app_id: str | None
    app_name: str | None


class IncidentsPage(CoveredPage[IncidentItem]):
    """Incidents, those seen last first. `rule_texts` says what the rules of the page mean and what to do."""

    rule_texts: dict[str, RuleText]


class _Place(Place):
    """In the window of keys first..first + width, behind the incident `passed` (severity where that sorts, when it was
    last seen, and its key)."""

    first: int = Field(ge=0, lt=KEY_SPAN)
    width: int = Field(ge=1, le=KEY_SPAN)
    passed: tuple[int, PlaceTime, str] | None = None


async def read_incidents(app: App, query: IncidentsQuery) -> IncidentsPage:
    """A page of incidents: one request a shard and one for the directory. Raises BadParameter
    for a wrong cursor, NotKnown for a name that nobody knows."""
    question = query.question("incidents")
    standing = await read_standing(app, await times_of(app, query.from_, query.to))
    of_period = {"period": standing.period, "coverage": standing.coverage}
    directory = await app.known_directory()
    names = tenant_names(directory)
    place = from_cursor(query.cursor, _Place, question) if query.cursor else _Place(first=0, width=KEY_SPAN)
    end = min(place.first + place.width, KEY_SPAN)
    found = await incidents_within((await app.tables()).incidents, place.first, end)
    if found is None:
        if place.width == 1:
            raise OverflowError("more incidents share the beginning of their keys than one request gives")
        narrower = _Place(first=place.first, width=place.width // 2)
        return IncidentsPage(items=[], rule_texts={}, cursor=to_cursor(narrower, question), **of_period)
    order = partial(_order, sort=query.sort)
    fitting = [incident for incident in found if query.fits(incident, names)]
    wanted = sorted((i for i in fitting if _is_left(i, place, query.sort)), key=order, reverse=True)
    if not wanted and query.cursor is None:
        await keys_of(app, Filters(query.customer, query.user, query.app), standing, directory)
    taken = wanted[: query.limit]
    then: _Place | None = None
    if len(taken) < len(wanted):
        then = place.model_copy(update={"passed": order(taken[-1])})
    elif end < KEY_SPAN:
        then = _Place(first=end, width=place.width)
    return IncidentsPage(
        items=[incident_item(incident, names) for incident in taken],
        rule_texts=texts_of(rule for incident in taken for rule in incident.facts.rules),
        cursor=to_cursor(then, question) if then else None,
        total=len(fitting) if (place.first, end) == (0, KEY_SPAN) else None,
        **of_period,
    )


class WorstIncidents(NamedTuple):
    """The worst of those asked for, and what their rules mean. `more`: there are others; `items` is empty then where
    there are too many to look through at once."""

    items: list[IncidentItem]
    rule_texts: dict[str, RuleText]
    more: bool
    burning: int


async def worst_incidents(app: App, query: IncidentsQuery, most: int, since: datetime) -> WorstIncidents:
    """The worst first, without a period: one request a shard. `burning` counts those of all asked for that were seen
    at or after `since`."""
    names = tenant_names(await app.known_directory())
    table, about = (await app.tables()).incidents, about_id(query.user, query.customer, query.app)
    found = await (incidents_about(table, about) if about else incidents_within(table, 0, KEY_SPAN))
    if found is None:
        return WorstIncidents([], {}, True, 0)
    order = partial(_order, sort="severity")
    wanted = sorted((i for i in found if query.fits(i, names)), key=order, reverse=True)
    return WorstIncidents(
        items=[incident_item(incident, names) for incident in wanted[:most]],
        rule_texts=texts_of(rule for incident in wanted[:most] for rule in incident.facts.rules),
        more=len(wanted) > most,
        burning=sum(incident.facts.last >= since for incident in wanted),
    )


def incident_item(incident: Incident, names: Mapping[str, str]) -> IncidentItem:
    """An incident as the answers show it."""
    who, facts = incident.who, incident.facts
    return IncidentItem(
        id=incident.key,
        state=incident.state,
        reason=incident.reason or None,
        severity=severity_name(facts.severity),
        rules=sorted(facts.rules),
        scopes=sorted(facts.scopes),
        count=facts.count,
        first_seen_at=facts.first,
        last_seen_at=facts.last,
        opened_at=incident.opened_at,
        raised_at=incident.raised_at,
        resolved_at=incident.resolved_at,
        snoozed_until=incident.snoozed_until,
        assignee=incident.assignee or None,
        due_on=incident.due.date() if incident.due else None,
        user_id=shown_id(who.user),
        user_principal_name=who.user_name or None,
        customer_id=shown_id(who.customer) or None,
        customer_name=names.get(who.customer),
        customers=[
            ReachedCustomer(customer_id=shown_id(key), customer_name=names.get(key))
            for key in sorted(incident.customers)[:_MOST_CUSTOMERS]
        ],
        app_id=shown_id(who.app) or None,
        app_name=who.app_name or None,
    )


def _order(incident: Incident, sort: str) -> tuple[int, datetime, str]:
    return incident.facts.severity if sort == "severity" else 0, incident.facts.last, incident.key


def _is_since(at: datetime | None, since: datetime | None) -> bool:
    return since is None or (at is not None and at >= since)


def _is_left(incident: Incident, place: _Place, sort: str) -> bool:
    return place.passed is None or _order(incident, sort) < place.passed
