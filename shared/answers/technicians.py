"""The delegated admins: roles, MFA, sign-ins by verdict, customers reachable and reached."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import Field

from shared.answers.people import (
    DaysField,
    PostureRuleId,
    ShownPostureRule,
    TechnicianState,
    UserField,
    gravest,
    is_user,
    paged,
    read_activity,
    technicians_of,
    time_of,
)
from shared.app.app import App
from shared.compliance.coverage import percent
from shared.ledger.tallies import UserLine
from shared.people.activity import Activity
from shared.people.lists import DORMANT_AFTER, Technician
from shared.people.pages import PAGE_TABLES, pages_of
from shared.store.people import TECHNICIANS, load_list
from shared.wire.models import (
    HEADLINE_NAMES,
    Answer,
    Listed,
    ListQuery,
    Named,
    Page,
    Scopes,
    SeverityName,
    Whole,
    severity_name,
    shown_id,
)


class TechniciansQuery(ListQuery):
    """Which technicians, and which of their sign-ins. Filters that are set must all fit."""

    days: Whole = DaysField
    scope: Scopes = Field(default=HEADLINE_NAMES, description="Sign-ins of these scopes.")
    user: Named | None = UserField
    role: Named | None = Field(default=None, description="A role or group they hold or may take, by name.")
    state: Listed[TechnicianState] | None = None
    rule: Listed[PostureRuleId] | None = None


class TechnicianItem(Answer):
    """A delegated admin. `eligible_roles` can be taken (PIM). MFA is null where the registration report has not the
    account: disabled, very new, or not read. `off_boarded` is an account that is still in a group and not in the report
    of enabled accounts; `dormant` one that was not used for four weeks; null where it cannot be said. `last_seen_on` is
    a UTC day, of any scope. `customers_reachable` counts the customers whose relationships its groups share in.
    `posture_rules` are those that the account breaks, whatever its sign-ins. Names are hostile text.
    """

    user_id: str
    user_principal_name: str | None
    user_display_name: str | None
    user_type: Literal["member", "guest"] | None
    state: Literal["current", "left"]
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
    last_seen_on: date | None
    dormant: bool | None
    off_boarded: bool | None
    posture_rules: list[ShownPostureRule]
    posture_severity: SeverityName | None


class TechniciansPage(Page[TechnicianItem]):
    """Technicians in the order of their user names. `refreshed_at` is when roster, registrations and use were put
    together; null before the first refresh. `truncated`: more people were seen than the days keep lines for, so that
    numbers may be too low. `pages_as_of` dates the table of Partner Center's pages."""

    refreshed_at: datetime | None
    truncated: bool
    pages_as_of: list[str]


async def read_technicians(app: App, query: TechniciansQuery) -> TechniciansPage:
    """A page of technicians. Raises BadParameter for a wrong cursor."""
    tables, now = await app.tables(), app.clock()
    kept = await load_list(tables.directory, TECHNICIANS)
    activity = await read_activity(tables, now, query.days, query.scope)
    chosen = [(t, _states(t, activity, now)) for t in technicians_of(kept)]
    chosen = [(t, states) for t, states in chosen if _is_asked_for(t, states, query)]
    page, cursor = paged(
        chosen, query, "technicians", lambda each: ((each[0].user_principal_name or "~").lower(), each[0].key)
    )
    return TechniciansPage(
        items=[_technician_item(t, states, activity) for t, states in page],
        cursor=cursor,
        refreshed_at=kept.at if kept else None,
        truncated=activity.trimmed_users or activity.trimmed_pairs,
        pages_as_of=[table.as_of for table in PAGE_TABLES],
    )


def _is_asked_for(technician: Technician, states: Sequence[TechnicianState], query: TechniciansQuery) -> bool:
    roles = [role.lower() for role in (*technician.roles, *technician.eligible)]
    return (
        is_user(query.user, technician.key, technician.user_principal_name)
        and (query.role is None or query.role.lower() in roles)
        and (query.state is None or not set(states).isdisjoint(query.state))
        and (query.rule is None or not {rule for rule, _ in technician.fits}.isdisjoint(query.rule))
    )


def _states(technician: Technician, activity: Activity, now: datetime) -> list[TechnicianState]:
    end = time_of(technician.end)
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


def _technician_item(technician: Technician, states: list[TechnicianState], activity: Activity) -> TechnicianItem:
    line = activity.users.get(technician.key, UserLine())
    seen = [day for day in (_day(technician.seen), activity.seen.get(technician.key)) if day]
    left = states == ["left"]
    return TechnicianItem(
        user_id=shown_id(technician.key),
        user_principal_name=technician.user_principal_name,
        user_display_name=technician.display_name,
        user_type=_type(technician.guest),
        state="left" if left else "current",
        roles=technician.roles,
        eligible_roles=technician.eligible,
        valid_from=time_of(technician.start),
        valid_to=time_of(technician.end),
        mfa_registered=technician.registered,
        mfa_capable=technician.capable,
        mfa_methods=technician.methods,
        partner_center_pages=[] if left else pages_of((*technician.roles, *technician.eligible)),
        total=line.total,
        compliant=line.compliant,
        non_compliant=line.non_compliant,
        unknown=line.unknown,
        compliance_percent=percent(line.compliant, line.non_compliant),
        customers_reachable=technician.reachable,
        customers_reached=len(activity.reached.get(technician.key, ())),
        last_seen_on=max(seen, default=None),
        dormant=None if left or technician.dormant is None else "dormant" in states,
        off_boarded=technician.off_boarded,
        posture_rules=[rule for rule, _ in technician.fits],
        posture_severity=severity_name(gravest(technician.fits)[1]) if technician.fits else None,
    )


def _type(guest: bool | None) -> Literal["member", "guest"] | None:
    return None if guest is None else "guest" if guest else "member"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
