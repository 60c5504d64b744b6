"""The customers: relationship, sign-ins by verdict, who was seen there, open incidents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from shared.answers.people import DaysField, paged, read_activity, technicians_of, time_of
from shared.app.app import App
from shared.compliance.coverage import percent
from shared.incidents.model import IncidentState
from shared.ledger.tallies import Verdicts
from shared.people.activity import Activity
from shared.people.lists import CustomerEntry, from_kept
from shared.people.role_names import role_name
from shared.signin.traits import Scope
from shared.store.incidents import KEY_SPAN, incidents_within
from shared.store.people import CUSTOMERS, TECHNICIANS, load_lists
from shared.store.tables import Tables
from shared.wire.models import (
    Answer,
    ListQuery,
    Named,
    Page,
    Whole,
    same_id,
    shown_id,
)

_MOST_NAMES: Final = 20  # technicians named with a customer


class CustomersQuery(ListQuery):
    """Which customers, and of how many days the sign-ins."""

    days: Whole = DaysField
    customer: Named | None = Field(default=None, description="Tenant id or display name.")
    ends_within: Whole | None = Field(
        default=None, ge=0, le=3650, description="Only those whose relationship ends within so many days."
    )


class CustomerItem(Answer):
    """A customer. `relationship_from`, `relationship_to` and `roles` are of its relationships in effect; `technicians`
    names the first of those who signed in to it. `open_incidents` is null where there are too many to count. Names are
    hostile text."""

    customer_id: str
    customer_name: str | None
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
    technicians: list[str]
    open_incidents: int | None


class CustomersPage(Page[CustomerItem]):
    """Customers in the order of their names. `refreshed_at` and `truncated` as with technicians."""

    refreshed_at: datetime | None
    truncated: bool


async def read_customers(app: App, query: CustomersQuery) -> CustomersPage:
    """A page of customers. Raises BadParameter for a wrong cursor."""
    tables, now = await app.tables(), app.clock()
    kept, technicians = await load_lists(tables.directory, CUSTOMERS, TECHNICIANS)
    activity = await read_activity(tables, now, query.days, (Scope.CUSTOMER,))
    every = [from_kept(CustomerEntry, entry) for entry in kept.entries] if kept else []
    chosen = [customer for customer in every if _is_wanted(customer, query, now)]
    page, cursor = paged(chosen, query, "customers", lambda each: ((each.display_name or "~").lower(), each.key))
    open_incidents = await _open_incidents(tables)
    names = {t.key: t.user_principal_name or t.id for t in technicians_of(technicians)}
    seen = activity.reached_by()
    return CustomersPage(
        items=[_customer_item(c, activity, seen.get(c.key, set()), names, open_incidents, now) for c in page],
        cursor=cursor,
        refreshed_at=kept.at if kept else None,
        truncated=activity.trimmed_customers or activity.trimmed_pairs,
    )


def _is_wanted(customer: CustomerEntry, query: CustomersQuery, now: datetime) -> bool:
    left = _days_left(customer, now)
    return same_id(query.customer, customer.key, customer.display_name or "") and (
        query.ends_within is None or (left is not None and left <= query.ends_within)
    )


async def _open_incidents(tables: Tables) -> dict[str, int] | None:
    """How many incidents are open, by customer; None where they do not fit into one request a shard."""
    incidents = await incidents_within(tables.incidents, 0, KEY_SPAN)
    if incidents is None:
        return None
    return Counter(
        incident.who.customer for incident in incidents if incident.state is IncidentState.OPEN and incident.facts.count
    )


def _customer_item(
    customer: CustomerEntry,
    activity: Activity,
    seen: set[str],
    names: Mapping[str, str],
    open_incidents: Mapping[str, int] | None,
    now: datetime,
) -> CustomerItem:
    line = activity.customers.get(customer.key, Verdicts())
    return CustomerItem(
        customer_id=shown_id(customer.key),
        customer_name=customer.display_name,
        roles=sorted(role_name(role) for role in customer.roles),
        relationship_from=time_of(customer.start),
        relationship_to=time_of(customer.end),
        days_left=_days_left(customer, now),
        auto_extends=customer.auto_extends,
        valid_from=time_of(customer.valid_from),
        valid_to=time_of(customer.valid_to),
        total=line.total,
        compliant=line.compliant,
        non_compliant=line.non_compliant,
        unknown=line.unknown,
        compliance_percent=percent(line.compliant, line.non_compliant),
        technicians_seen=len(seen),
        technicians=sorted(names.get(user) or shown_id(user) for user in seen)[:_MOST_NAMES],
        open_incidents=None if open_incidents is None else open_incidents.get(customer.key, 0),
    )


def _days_left(customer: CustomerEntry, now: datetime) -> int | None:
    """Whole days until the relationship ends; negative when it should have ended."""
    end = time_of(customer.end)
    return None if end is None else (end - now) // timedelta(days=1)
