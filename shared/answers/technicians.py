"""The delegated admins: roles, MFA, sign-ins by verdict, customers reachable and reached."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from pydantic import Field

from shared.answers.ahead import having_read
from shared.answers.names import Filters, keys_of
from shared.answers.people import (
    LIGHTHOUSE,
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
    worst_first,
)
from shared.answers.period import CoveredPage, PeriodQuery, Span, UtcDay, read_standing, span_of
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.compliance.coverage import percent
from shared.incidents.model import IncidentState
from shared.ledger.slices import DAY
from shared.ledger.tallies import UserLine, Verdicts, with_remainder
from shared.people.activity import Activity
from shared.people.lists import DORMANT_AFTER, Technician
from shared.people.pages import PAGE_TABLES, pages_of
from shared.rules.rule import SeverityName
from shared.signin.methods import Strength
from shared.store.directory import Loaded
from shared.store.outlines import IncidentOutline, about_id, outline_incidents
from shared.store.people import TECHNICIANS, load_list
from shared.store.sums import PAIRS_SUM, USERS_SUM
from shared.wire.models import (
    HEADLINE_NAMES,
    SCOPE_NAMES,
    Answer,
    BadParameter,
    Flag,
    Listed,
    ListQuery,
    Named,
    Scopes,
    severity_name,
    shown_id,
)


class TechniciansQuery(ListQuery, PeriodQuery):
    """Which technicians, and which of their sign-ins. Filters that are set must all fit."""

    scope: Scopes = Field(default=HEADLINE_NAMES, description="Sign-ins of these scopes.")
    user: Named | None = UserField
    role: Named | None = Field(default=None, description="A role or group they hold or may take, by name.")
    state: Listed[TechnicianState] | None = None
    rule: Listed[PostureRuleId] | None = None
    as_of: UtcDay | None = Field(default=None, description="Only those who had delegated rights on that UTC date.")
    never_mfa: Flag | None = Field(
        default=None, description="true: only those whose every judged sign-in of the period was without MFA."
    )
    sort: Literal["name", "nonCompliant"] = Field(default="name", description="nonCompliant: the worst first.")


class Contradiction(Answer):
    """The registration report and the sign-ins do not agree. Both sides are told; nobody is alerted."""

    kind: Literal["unregistered-but-proven", "registered-but-unused"]
    registration: str = Field(description="What the registration report says.")
    evidence: str = Field(description="What the sign-ins of the period say, in whatever scope.")
    sentence: str = Field(description="How that can be, and what to look at.")


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
    never_mfa: bool | None
    total_by_scope: dict[str, int] = Field(description="Sign-ins with a verdict in each scope, whatever was asked for.")
    open_incidents: int
    worst_severity: SeverityName | None = Field(description="Of these incidents; null where none is open.")
    by_strength: dict[str, int]
    weakest: str | None
    customers_reachable: int | None
    customers_reached: int
    last_seen_on: date | None
    dormant: bool | None
    off_boarded: bool | None
    posture_rules: list[ShownPostureRule]
    posture_severity: SeverityName | None
    contradiction: Contradiction | None


class TechniciansPage(CoveredPage[TechnicianItem]):
    """Technicians in the order of their user names. `refreshed_at` is when roster, registrations and use were put
    together; null before the first refresh. `truncated`: more people were seen than the days keep lines for, so that
    numbers may be too low. `pages_as_of` dates the table of Partner Center's pages."""

    refreshed_at: datetime | None
    truncated: bool
    lighthouse: str = Field(description="What none of the numbers has.")
    pages_as_of: list[str]


async def read_technicians(app: App, query: TechniciansQuery, *, pairs: bool = True) -> TechniciansPage:
    """A page of technicians; without `pairs` no customer is said to have been reached. Raises BadParameter, and
    NotKnown for a person whom nobody knows."""
    span = span_of(app, query.days, query.from_, query.to)
    kinds = (USERS_SUM, PAIRS_SUM) if pairs else (USERS_SUM,)
    return await having_read(app, span, kinds, lambda: _technicians(app, query, span, pairs))


async def _technicians(app: App, query: TechniciansQuery, span: Span, pairs: bool) -> TechniciansPage:
    tables, now = await app.tables(), span.now
    about = about_id(query.user, None)
    standing, kept, incidents = await asyncio.gather(
        read_standing(app, span), load_list(tables.directory, TECHNICIANS), outline_incidents(tables.incidents, about)
    )
    activity = await read_activity(tables, standing.marked, query.scope, pairs=pairs)
    listed = technicians_of(kept)
    if query.as_of is not None:
        listed = _roster_of(await app.known_directory(), listed, query.as_of)
    every = [(t, _states(t, activity, now)) for t in listed]
    if query.user is not None and not any(is_user(query.user, t.key, t.user_principal_name) for t, _ in every):
        await keys_of(app, Filters(user=query.user), standing, await app.known_directory())
    if query.role is not None:
        roles = {role for t, _ in every for role in (*t.roles, *t.eligible)}
        if query.role.lower() not in {role.lower() for role in roles}:
            raise BadParameter("role", "is nobody's; there are: " + (", ".join(sorted(roles)) or "none"))
    chosen = [(t, states) for t, states in every if _is_asked_for(t, states, query)]
    if query.never_mfa is not None:
        chosen = [(t, s) for t, s in chosen if (_never_mfa(activity.users.get(t.key)) is True) == query.never_mfa]
    page, cursor = paged(chosen, query, "technicians", lambda each: _order(each[0], activity, query))
    if about is not None and any(t.key != about.user for t, _ in page):  # a name may look like an id
        incidents = await outline_incidents(tables.incidents)
    return TechniciansPage(
        items=[_technician_item(t, states, activity, _open(incidents, t.key)) for t, states in page],
        cursor=cursor,
        total=len(chosen),
        period=standing.period,
        coverage=standing.coverage,
        refreshed_at=kept.at if kept else None,
        lighthouse=LIGHTHOUSE,
        truncated=activity.trimmed_users or activity.trimmed_pairs,
        pages_as_of=[table.as_of for table in PAGE_TABLES],
    )


def _order(technician: Technician, activity: Activity, query: TechniciansQuery) -> tuple[str, str]:
    name = (technician.user_principal_name or "~").lower()
    if query.sort == "name":
        return name, technician.key
    line = activity.users.get(technician.key, UserLine())
    return worst_first(line) + name, technician.key


def _roster_of(directory: Loaded | None, listed: Sequence[Technician], day: datetime) -> list[Technician]:
    """Who had delegated rights at some time of that UTC day, as the dated roster has it; with what the list knows."""
    known = {technician.key: technician for technician in listed}
    found: dict[str, Technician] = {}
    for admin in directory.file.delegated_admins if directory else ():
        if (admin.from_ is None or admin.from_ < day + DAY) and (admin.to is None or admin.to > day):
            key = id_key(admin.user_id)
            named = known.get(key) or Technician(
                key, admin.user_id, user_principal_name=admin.user_principal_name, roles=admin.roles
            )
            found[key] = named._replace(start=_text(admin.from_), end=_text(admin.to))
    return [found[key] for key in sorted(found)]


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _is_asked_for(technician: Technician, states: Sequence[TechnicianState], query: TechniciansQuery) -> bool:
    return (
        is_user(query.user, technician.key, technician.user_principal_name)
        and (query.role is None or query.role.lower() in map(str.lower, (*technician.roles, *technician.eligible)))
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


def _open(incidents: Sequence[IncidentOutline], user: str) -> list[int]:
    """The severities of a person's open incidents."""
    return [i.severity for i in incidents if i.user == user and i.state == IncidentState.OPEN]


def _never_mfa(line: UserLine | None) -> bool | None:
    return line.compliant == 0 if line and line.compliant + line.non_compliant else None


def _technician_item(
    technician: Technician, states: list[TechnicianState], activity: Activity, incidents: Sequence[int]
) -> TechnicianItem:
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
        never_mfa=_never_mfa(line),
        total_by_scope={scope: activity.by_scope.get(technician.key, {}).get(scope, 0) for scope in SCOPE_NAMES},
        open_incidents=len(incidents),
        worst_severity=severity_name(max(incidents)) if incidents else None,
        by_strength=with_remainder({**dict.fromkeys(map(str, Strength), 0), **line.strength}, line.compliant),
        weakest=line.weakest,
        customers_reachable=technician.reachable,
        customers_reached=len(activity.reached.get(technician.key, ())),
        last_seen_on=max(seen, default=None),
        dormant=None if left or technician.dormant is None else "dormant" in states,
        off_boarded=technician.off_boarded,
        posture_rules=[rule for rule, _ in technician.fits],
        posture_severity=severity_name(gravest(technician.fits).severity) if technician.fits else None,
        contradiction=_contradiction(technician, activity.anywhere.get(technician.key, Verdicts())),
    )


def _contradiction(technician: Technician, line: Verdicts) -> Contradiction | None:
    """Where the report and the sign-ins of the period do not agree."""
    counted = f"{line.compliant} sign-ins with MFA, {line.non_compliant} without, {line.unknown} of which nobody knows"
    if technician.registered is False and line.compliant:
        return Contradiction(
            kind="unregistered-but-proven",
            registration="The registration report knows no MFA method of the account.",
            evidence=f"{counted}.",
            sentence=(
                "MFA that Entra ID does not do itself is in no registration report: External MFA, a federation "
                "provider's (Duo and the like), a certificate. The sign-ins count; no alert is made of the report."
            ),
        )
    if technician.registered and line.non_compliant and not line.compliant:
        return Contradiction(
            kind="registered-but-unused",
            registration=f"The registration report knows {', '.join(technician.methods) or 'a method'}.",
            evidence=f"{counted}.",
            sentence="To be registered enforces nothing: see GET causes for what let these sign-ins pass.",
        )
    return None


def _type(guest: bool | None) -> Literal["member", "guest"] | None:
    return None if guest is None else "guest" if guest else "member"


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
