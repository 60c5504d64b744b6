"""The customers: relationship, sign-ins by verdict, who was seen there, open incidents."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal

from pydantic import Field

from shared.answers.ahead import having_read
from shared.answers.directories import tenant_names
from shared.answers.names import Filters, keys_of
from shared.answers.people import LIGHTHOUSE, paged, read_customer_activity, time_of, worst_first
from shared.answers.period import CoveredPage, PeriodQuery, Span, read_standing, span_of
from shared.answers.risks import AccessGroupItem, CustomerRisks, Relationship, SeenTechnician, Ways
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.compliance.coverage import percent
from shared.incidents.model import IncidentState
from shared.ledger.tallies import Verdicts
from shared.people.activity import Activity
from shared.people.lists import CustomerEntry, from_kept, named
from shared.people.role_names import role_name
from shared.posture.gdap import Risk
from shared.store.outlines import about_id, outline_incidents
from shared.store.people import CUSTOMERS, TECHNICIANS, load_lists
from shared.store.periods import pairs_of_period
from shared.store.sums import CUSTOMERS_SUM, PAIRS_SUM
from shared.wire.models import Answer, Flag, Listed, ListQuery, Named, Whole, same_id, shown_id

_MOST_NAMES: Final = 20  # technicians named with a customer


class CustomersQuery(ListQuery, PeriodQuery):
    """Which customers, and of how many days the sign-ins."""

    customer: Named | None = Field(default=None, description="Tenant id or display name.")
    user: Named | None = Field(
        default=None,
        description="Id or user name of a person: only customers that they signed in to, and only their sign-ins.",
    )
    ends_within: Whole | None = Field(
        default=None, ge=0, le=3650, description="Only those whose relationship ends within so many days."
    )
    never_mfa: Flag | None = Field(
        default=None, description="true: only those where somebody signed in who never used MFA in the period."
    )
    sort: Literal["name", "nonCompliant"] = Field(default="name", description="nonCompliant: the worst first.")

    risk: Listed[Risk] | None = Field(default=None, description="Only those with one of these risks.")


class CustomerItem(Answer):
    """A customer. `relationship_from`, `relationship_to` and `roles` are of its relationships in effect; `technicians`
    names the first of those who signed in to it. Access by Azure Lighthouse looks like a sign-in to the partner's own
    tenant: none of the numbers here has it. `open_incidents` counts those about a user alone too. Names are
    hostile text."""

    customer_id: str
    customer_name: str | None
    relationship: Relationship
    roles: list[str]
    relationship_from: datetime | None
    relationship_to: datetime | None
    days_left: int | None
    auto_extends: bool
    valid_from: datetime | None
    valid_to: datetime | None
    total: int
    compliant: int
    non_compliant: int
    unknown: int
    compliance_percent: float | None
    technicians_seen: int
    technicians: list[SeenTechnician]
    technicians_without_mfa: list[SeenTechnician] = Field(
        description="Those of all seen there who never used MFA in the period, at any customer."
    )
    technicians_reachable: int | None = Field(
        description="How many people are in its groups or may be; null where it is not known."
    )
    groups: list[AccessGroupItem]
    risks: CustomerRisks
    last_seen_on: date | None = Field(
        description="UTC day of the last sign-in to it that was noted; null where none was."
    )
    open_incidents: int


class CustomersPage(CoveredPage[CustomerItem]):
    """Customers in the order asked for; first of all tenants that were reached and that no relationship lists.
    `refreshed_at` and `truncated` as with technicians."""

    refreshed_at: datetime | None
    truncated: bool
    lighthouse: str = Field(description="What none of the numbers has.")


async def read_customers(app: App, query: CustomersQuery, *, pairs: bool = True) -> CustomersPage:
    """A page of customers; without `pairs` nobody is said to have been seen there. Raises BadParameter, and NotKnown
    for a customer whom nobody knows."""
    span = span_of(app, query.days, query.from_, query.to)
    kinds = (CUSTOMERS_SUM, PAIRS_SUM) if pairs or query.user else (CUSTOMERS_SUM,)
    return await having_read(app, span, kinds, lambda: _customers(app, query, span, pairs))


async def _customers(app: App, query: CustomersQuery, span: Span, pairs: bool) -> CustomersPage:
    tables = await app.tables()
    standing, lists, incidents = await asyncio.gather(
        read_standing(app, span),
        load_lists(tables.directory, CUSTOMERS, TECHNICIANS),
        outline_incidents(tables.incidents, about := about_id(None, query.customer)),
    )
    kept, technicians = lists
    activity = await read_customer_activity(tables, standing.marked, pairs=pairs)
    directory = await app.known_directory()
    if user := (await keys_of(app, Filters(user=query.user), standing, directory)).user:
        activity.narrow_to(user, [days async for days in pairs_of_period(tables.rollups, standing.marked)])
    members = [named(CustomerEntry, entry) for entry in kept.entries] if kept else []
    asked_for = (m for m in members if same_id(query.customer, m["key"], m.get("display_name") or ""))
    listed = [from_kept(CustomerEntry, each) for each in asked_for]
    names = tenant_names(directory)
    partner = id_key(app.settings.partner_tenant_id)
    unlisted = _unlisted(activity, {m["key"] for m in members}, partner, names)
    every = [*listed, *unlisted]
    never = activity.never_with_mfa()
    if user:
        every = [customer for customer in every if customer.key in activity.customers]
    strangers = {c.key for c in unlisted if c.key not in names}  # the dated directory may know more than the last list
    ways = Ways(kept, technicians, activity, span.now, strangers)
    chosen = [customer for customer in every if _is_wanted(customer, query, ways, span.now)]
    if query.never_mfa is not None:
        of_all = activity.reached_by({c.key for c in chosen})
        chosen = [c for c in chosen if bool(of_all.get(c.key, set()) & never) == query.never_mfa]
    if not chosen and query.customer is not None:
        await keys_of(app, Filters(customer=query.customer), standing, directory)
    page, cursor = paged(chosen, query, "customers", lambda each: _order(each, activity, ways, query.sort))
    if about is not None and any(c.key != about.customer for c in page):  # a name may look like an id
        incidents = await outline_incidents(tables.incidents)
    seen = activity.reached_by({c.key for c in page})
    opened = Counter(key for i in incidents if i.state == IncidentState.OPEN for key in i.reached)
    return CustomersPage(
        items=[_customer_item(c, activity, ways, seen.get(c.key, set()), never, opened.get(c.key, 0)) for c in page],
        cursor=cursor,
        total=len(chosen),
        period=standing.period,
        coverage=standing.coverage,
        refreshed_at=kept.at if kept else None,
        lighthouse=LIGHTHOUSE,
        truncated=activity.trimmed_customers or activity.trimmed_pairs,
    )


def _unlisted(
    activity: Activity, listed: Collection[str], partner: str, names: Mapping[str, str]
) -> list[CustomerEntry]:
    """The tenants that were reached and that the directory does not list: a finding of its own."""
    return [
        CustomerEntry(
            key=key,
            id=key,
            display_name=names.get(key),
            roles=[],
            start=None,
            end=None,
            auto_extends=False,
            valid_from=None,
            valid_to=None,
        )
        for key in sorted(activity.customers)
        if key not in listed and key != partner
    ]


def _order(customer: CustomerEntry, activity: Activity, ways: Ways, sort: str) -> tuple[str, str]:
    place = "0" if ways.relationship(customer) == "none" else "1"
    if sort == "nonCompliant":
        line = activity.customers.get(customer.key, Verdicts())
        place += worst_first(line)
    return place + (customer.display_name or "~").lower(), customer.key


def _is_wanted(customer: CustomerEntry, query: CustomersQuery, ways: Ways, now: datetime) -> bool:
    if not same_id(query.customer, customer.key, customer.display_name or ""):
        return False
    if query.ends_within is not None:
        left = days_left(customer, now)
        if left is None or left > query.ends_within:
            return False
    if query.risk is None:
        return True
    flags = ways.flags(customer)
    return any(flags[risk] for risk in query.risk)


def _customer_item(
    customer: CustomerEntry,
    activity: Activity,
    ways: Ways,
    seen: set[str],
    never: set[str],
    opened: int,
) -> CustomerItem:
    line = activity.customers.get(customer.key, Verdicts())
    return CustomerItem(
        customer_id=shown_id(customer.key),
        customer_name=customer.display_name,
        relationship=ways.relationship(customer),
        roles=sorted(role_name(role) for role in customer.roles),
        relationship_from=time_of(customer.start),
        relationship_to=time_of(customer.end),
        days_left=days_left(customer, ways.now),
        auto_extends=customer.auto_extends,
        valid_from=time_of(customer.valid_from),
        valid_to=time_of(customer.valid_to),
        total=line.total,
        compliant=line.compliant,
        non_compliant=line.non_compliant,
        unknown=line.unknown,
        compliance_percent=percent(line.compliant, line.non_compliant),
        technicians_seen=len(seen),
        technicians=ways.seen(seen, _MOST_NAMES),
        technicians_without_mfa=ways.seen(seen & never, _MOST_NAMES),
        technicians_reachable=customer.people,
        groups=ways.groups(customer),
        risks=ways.risks(customer),
        last_seen_on=ways.last_seen(customer),
        open_incidents=opened,
    )


def days_left(customer: CustomerEntry, now: datetime) -> int | None:
    """Whole days until the relationship ends; negative when it should have ended."""
    end = time_of(customer.end)
    return None if end is None else (end - now) // timedelta(days=1)
