"""The lists about people: technicians, customers, and accounts that break posture rules.

What a refresh found lies ready in packed lists (shared/store/people.py); sign-ins come from the partner's days. One
call makes one request for the list, one for the days and, for customers, one a shard of the incidents.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.answers.cursor import Place, from_cursor, to_cursor
from shared.compliance.coverage import percent
from shared.incidents import OPEN
from shared.monitor import Monitor
from shared.people.activity import Activity
from shared.people.lists import DORMANT_AFTER, AccountEntry, CustomerEntry, Technician
from shared.people.pages import PAGE_TABLES, pages_of
from shared.people.role_names import role_name
from shared.rules.posture import POSTURE_RULE
from shared.rules.rule import Severity
from shared.signin.traits import Scope
from shared.slices import DAY, midnight
from shared.spelling import masked_user_id
from shared.store.incidents import KEY_SPAN, incidents_within
from shared.store.people import ACCOUNTS, CUSTOMERS, TECHNICIANS, Kept, load_list, load_lists
from shared.store.rollups import partner_days
from shared.store.tables import Tables
from shared.wire import (
    HEADLINE_NAMES,
    Answer,
    Listed,
    ListQuery,
    Named,
    Page,
    ScopeName,
    SeverityName,
    Whole,
    same_id,
    severity_name,
    shown_id,
)

_MOST_NAMES: Final = 20  # technicians named with a customer

type TechnicianState = Literal["current", "left", "dormant", "off-boarded"]


def _posture_rule(value: object) -> object:
    if value not in POSTURE_RULE:
        raise ValueError("must be the id of a posture rule: " + ", ".join(POSTURE_RULE))
    return value


PostureRuleId = Annotated[
    str, BeforeValidator(_posture_rule), WithJsonSchema({"type": "string", "enum": [*POSTURE_RULE]})
]
_Days = Field(default=30, ge=1, le=90, description="Sign-ins of how many UTC days, today included.")
_User = Field(default=None, description="Object id, user principal name, or a masked user name of a customer's log.")


class TechniciansQuery(ListQuery):
    """Which technicians, and which of their sign-ins. Filters that are set must all fit."""

    days: Whole = _Days
    scope: Listed[ScopeName] = Field(default=HEADLINE_NAMES, description="Sign-ins of these scopes.")
    user: Named | None = _User
    role: Named | None = Field(default=None, description="A role or group they hold or may take, by name.")
    state: Listed[TechnicianState] | None = None
    rule: Listed[PostureRuleId] | None = None


class CustomersQuery(ListQuery):
    """Which customers, and of how many days the sign-ins."""

    days: Whole = _Days
    customer: Named | None = Field(default=None, description="Tenant id or display name.")
    ends_within: Whole | None = Field(
        default=None, ge=0, le=3650, description="Only those whose relationship ends within so many days."
    )


class AccountsQuery(ListQuery):
    """Which accounts. Filters that are set must all fit; a comma list fits by any of its entries."""

    user: Named | None = _User
    rule: Listed[PostureRuleId] | None = None
    severity: SeverityName | None = Field(default=None, description="This severity or a higher one.")


class TechnicianItem(Answer):
    """A delegated admin. `eligible_roles` can be taken (PIM). MFA is null where the registration report has not the
    account: disabled, very new, or not read. `off_boarded` is an account that is still in a group and not in the report
    of enabled accounts; `dormant` one that was not used for four weeks; null where it cannot be said. `last_seen` is a
    UTC day. `customers_reachable` counts the customers whose relationships its groups share in. Names are hostile text.
    """

    user_id: str
    user_principal_name: str | None
    display_name: str | None
    user_type: Literal["member", "guest"] | None
    state: list[TechnicianState]
    roles: list[str]
    eligible_roles: list[str]
    valid_from: datetime | None
    valid_to: datetime | None
    mfa_registered: bool | None
    mfa_capable: bool | None
    mfa_methods: list[str]
    partner_center_pages: list[str]
    total: int
    compliant: int
    non_compliant: int
    unknown: int
    compliance_percent: float | None
    customers_reachable: int | None
    customers_reached: int
    last_seen: date | None
    dormant: bool | None
    off_boarded: bool | None
    rules: list[str]
    severity: SeverityName | None


class CustomerItem(Answer):
    """A customer. `start`, `end` and `roles` are of its relationships in effect; `technicians` names the first of those
    who signed in to it. `open_incidents` is null where there are too many to count. Names are hostile text."""

    tenant_id: str
    display_name: str | None
    roles: list[str]
    start: datetime | None
    end: datetime | None
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


class AccountItem(Answer):
    """An account that breaks posture rules, with what to do about the gravest. Names are hostile text."""

    user_id: str
    user_principal_name: str | None
    display_name: str | None
    user_type: Literal["member", "guest"]
    delegated_admin: bool
    administrator: bool
    mfa_registered: bool | None
    mfa_capable: bool | None
    rules: list[str]
    severity: SeverityName
    what_to_do: str


class TechniciansPage(Page[TechnicianItem]):
    """Technicians in the order of their user names. `refreshed_at` is when roster, registrations and use were put
    together; null before the first refresh. `truncated`: more people were seen than the days keep lines for, so that
    numbers may be too low. `pages_as_of` dates the table of Partner Center's pages."""

    refreshed_at: datetime | None
    truncated: bool
    pages_as_of: list[str]


class CustomersPage(Page[CustomerItem]):
    """Customers in the order of their names. `refreshed_at` and `truncated` as with technicians."""

    refreshed_at: datetime | None
    truncated: bool


class AccountsPage(Page[AccountItem]):
    """Accounts, the gravest first. `refreshed_at` is null before the first registration report."""

    refreshed_at: datetime | None


class _After(Place):
    """Behind the entry with this order."""

    order: tuple[str, str]


async def read_technicians(monitor: Monitor, query: TechniciansQuery) -> TechniciansPage:
    """A page of technicians. Raises BadParameter for a wrong cursor."""
    tables, now = await monitor.tables(), monitor.clock()
    kept = await load_list(tables.directory, TECHNICIANS)
    activity = await _activity(tables, now, query.days, query.scope)
    chosen = [(t, _states(t, activity, now)) for t in _technicians(kept)]
    chosen = [(t, states) for t, states in chosen if _is_asked_for(t, states, query)]
    page, cursor = _paged(
        chosen, query, "technicians", lambda each: ((each[0].user_principal_name or "~").lower(), each[0].key)
    )
    return TechniciansPage(
        items=[_technician_item(t, states, activity) for t, states in page],
        cursor=cursor,
        refreshed_at=kept.at if kept else None,
        truncated=activity.trimmed_users or activity.trimmed_pairs,
        pages_as_of=[table.as_of for table in PAGE_TABLES],
    )


async def read_customers(monitor: Monitor, query: CustomersQuery) -> CustomersPage:
    """A page of customers. Raises BadParameter for a wrong cursor."""
    tables, now = await monitor.tables(), monitor.clock()
    kept, technicians = await load_lists(tables.directory, CUSTOMERS, TECHNICIANS)
    activity = await _activity(tables, now, query.days, (Scope.CUSTOMER,))
    every = [CustomerEntry(*entry) for entry in kept.entries] if kept else []
    chosen = [customer for customer in every if _is_wanted(customer, query, now)]
    page, cursor = _paged(chosen, query, "customers", lambda each: ((each.display_name or "~").lower(), each.key))
    open_incidents = await _open_incidents(tables)
    names = {t.key: t.user_principal_name or t.id for t in _technicians(technicians)}
    seen = activity.reached_by()
    return CustomersPage(
        items=[_customer_item(c, activity, seen.get(c.key, set()), names, open_incidents, now) for c in page],
        cursor=cursor,
        refreshed_at=kept.at if kept else None,
        truncated=activity.trimmed_users or activity.trimmed_pairs,
    )


async def read_accounts(monitor: Monitor, query: AccountsQuery) -> AccountsPage:
    """A page of accounts. Raises BadParameter for a wrong cursor."""
    kept = await load_list((await monitor.tables()).directory, ACCOUNTS)
    every = [AccountEntry(*entry) for entry in kept.entries] if kept else []
    chosen = [
        account
        for account in every
        if _is_user(query.user, account.key, account.user_principal_name)
        and (query.rule is None or not {rule for rule, _ in account.fits}.isdisjoint(query.rule))
        and (query.severity is None or _gravest(account.fits)[1] >= Severity.of(query.severity))
    ]
    page, cursor = _paged(chosen, query, "accounts", lambda each: (str(9 - _gravest(each.fits)[1]), each.key))
    return AccountsPage(
        items=[_account_item(account) for account in page], cursor=cursor, refreshed_at=kept.at if kept else None
    )


# --- choosing ---------------------------------------------------------------------------------------------------------


def _paged[T](
    entries: Sequence[T], query: ListQuery, route: str, order: Callable[[T], tuple[str, str]]
) -> tuple[list[T], str | None]:
    """What stands behind the cursor in that order, as many as asked for, and the cursor to go on with."""
    question = query.question(route)
    after = from_cursor(query.cursor, _After, question).order if query.cursor else None
    left = sorted((entry for entry in entries if after is None or order(entry) > after), key=order)
    page, more = left[: query.limit], left[query.limit :]
    return page, to_cursor(_After(order=order(page[-1])), question) if page and more else None


def _is_user(wanted: str | None, key: str, name: str | None) -> bool:
    """Whether a filter names this user, be it by the name under which a customer's log shows them."""
    return same_id(wanted, key, name or "") or (wanted is not None and masked_user_id(wanted) == key)


def _is_asked_for(technician: Technician, states: Sequence[TechnicianState], query: TechniciansQuery) -> bool:
    roles = [role.lower() for role in (*technician.roles, *technician.eligible)]
    return (
        _is_user(query.user, technician.key, technician.user_principal_name)
        and (query.role is None or query.role.lower() in roles)
        and (query.state is None or not set(states).isdisjoint(query.state))
        and (query.rule is None or not {rule for rule, _ in technician.fits}.isdisjoint(query.rule))
    )


def _is_wanted(customer: CustomerEntry, query: CustomersQuery, now: datetime) -> bool:
    left = _days_left(customer, now)
    return same_id(query.customer, customer.key, customer.display_name or "") and (
        query.ends_within is None or (left is not None and left <= query.ends_within)
    )


def _states(technician: Technician, activity: Activity, now: datetime) -> list[TechnicianState]:
    end = _time(technician.end)
    if end is not None and end <= now:
        return ["left"]
    states: list[TechnicianState] = ["current"]
    if _is_dormant(technician, activity, now):
        states.append("dormant")
    if technician.off_boarded:
        states.append("off-boarded")
    return states


def _is_dormant(technician: Technician, activity: Activity, now: datetime) -> bool | None:
    """As the last refresh found it, unless the person was seen since."""
    seen = activity.seen.get(technician.key)
    if technician.dormant and seen and seen >= (now - DORMANT_AFTER).date():
        return False
    return technician.dormant


# --- reading ----------------------------------------------------------------------------------------------------------


async def _activity(tables: Tables, now: datetime, days: int, scopes: Sequence[str]) -> Activity:
    activity = Activity()
    async for day in partner_days(tables.rollups, midnight(now) - (days - 1) * DAY, now):
        activity.add(day, scopes)
    return activity


async def _open_incidents(tables: Tables) -> dict[str, int] | None:
    """How many incidents are open, by customer; None where they do not fit into one request a shard."""
    incidents = await incidents_within(tables.incidents, 0, KEY_SPAN)
    if incidents is None:
        return None
    return Counter(incident.who.customer for incident in incidents if incident.state == OPEN and incident.facts.count)


def _technicians(kept: Kept | None) -> list[Technician]:
    return [Technician(*entry) for entry in kept.entries] if kept else []


# --- showing ----------------------------------------------------------------------------------------------------------


def _technician_item(technician: Technician, states: list[TechnicianState], activity: Activity) -> TechnicianItem:
    good, bad, unknown = activity.users.get(technician.key, (0, 0, 0))
    seen = [day for day in (_day(technician.seen), activity.seen.get(technician.key)) if day]
    left = states == ["left"]
    return TechnicianItem(
        user_id=shown_id(technician.key),
        user_principal_name=technician.user_principal_name,
        display_name=technician.display_name,
        user_type=_type(technician.guest),
        state=states,
        roles=technician.roles,
        eligible_roles=technician.eligible,
        valid_from=_time(technician.start),
        valid_to=_time(technician.end),
        mfa_registered=technician.registered,
        mfa_capable=technician.capable,
        mfa_methods=technician.methods,
        partner_center_pages=[] if left else pages_of((*technician.roles, *technician.eligible)),
        total=good + bad + unknown,
        compliant=good,
        non_compliant=bad,
        unknown=unknown,
        compliance_percent=percent(good, bad),
        customers_reachable=technician.reachable,
        customers_reached=len(activity.reached.get(technician.key, ())),
        last_seen=max(seen, default=None),
        dormant=None if left or technician.dormant is None else "dormant" in states,
        off_boarded=technician.off_boarded,
        rules=[rule for rule, _ in technician.fits],
        severity=severity_name(_gravest(technician.fits)[1]) if technician.fits else None,
    )


def _customer_item(
    customer: CustomerEntry,
    activity: Activity,
    seen: set[str],
    names: Mapping[str, str],
    open_incidents: Mapping[str, int] | None,
    now: datetime,
) -> CustomerItem:
    good, bad, unknown = activity.customers.get(customer.key, (0, 0, 0))
    return CustomerItem(
        tenant_id=shown_id(customer.key),
        display_name=customer.display_name,
        roles=sorted(role_name(role) for role in customer.roles),
        start=_time(customer.start),
        end=_time(customer.end),
        days_left=_days_left(customer, now),
        auto_extends=customer.auto_extends,
        valid_from=_time(customer.valid_from),
        valid_to=_time(customer.valid_to),
        total=good + bad + unknown,
        compliant=good,
        non_compliant=bad,
        unknown=unknown,
        compliance_percent=percent(good, bad),
        technicians_seen=len(seen),
        technicians=sorted(names.get(user) or shown_id(user) for user in seen)[:_MOST_NAMES],
        open_incidents=None if open_incidents is None else open_incidents.get(customer.key, 0),
    )


def _account_item(account: AccountEntry) -> AccountItem:
    rule, severity = _gravest(account.fits)
    return AccountItem(
        user_id=shown_id(account.key),
        user_principal_name=account.user_principal_name,
        display_name=account.display_name,
        user_type="guest" if account.guest else "member",
        delegated_admin=account.delegated_admin,
        administrator=account.administrator,
        mfa_registered=account.registered,
        mfa_capable=account.capable,
        rules=[rule for rule, _ in account.fits],
        severity=severity_name(severity),
        what_to_do=POSTURE_RULE[rule].what_to_do,
    )


def _gravest(fits: Sequence[Sequence[Any]]) -> tuple[str, int]:
    """The rule with the highest severity, the first of several."""
    rule, severity = max(fits, key=lambda fit: int(fit[1]))
    return str(rule), int(severity)


def _type(guest: bool | None) -> Literal["member", "guest"] | None:
    return None if guest is None else "guest" if guest else "member"


def _days_left(customer: CustomerEntry, now: datetime) -> int | None:
    """Whole days until the relationship ends; negative when it should have ended."""
    end = _time(customer.end)
    return None if end is None else (end - now) // timedelta(days=1)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
