"""The portals that ask for no customer tenant: the log shows a sign-in to the partner alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from pydantic import Field

from shared.answers.people import paged, technicians_of
from shared.answers.period import CoveredPage, PeriodQuery, read_standing, span_of
from shared.app.app import App
from shared.ledger.counts import Protocol
from shared.ledger.days import DayApps, DayGroups, DayPortals
from shared.ledger.tallies import NOT_RECORDED, Verdicts, summed
from shared.ledger.trimming import REST
from shared.rules.assess import Verdict
from shared.signin.traits import Scope
from shared.store.days import days_of_apps, days_of_groups, days_of_portals
from shared.store.people import TECHNICIANS, load_list
from shared.wire.models import Answer, ListQuery, shown_id

_MOST_NAMED: Final = 20
_LACKING: Final = (Verdict.NON_COMPLIANT, Verdict.UNKNOWN)
TIP: Final = (
    "Try it where nobody is hurt: switch on security defaults in a test customer tenant, and sign in to each portal "
    "with delegated rights. Those that ask for the customer's tenant want MFA then; those listed here see only the "
    "partner's."
)


class PortalsQuery(ListQuery, PeriodQuery):
    """Of which period."""


class PortalPerson(Answer):
    """Somebody who used it. Its name is hostile text."""

    user_id: str
    user_principal_name: str | None
    sign_ins: int | None = Field(
        description="How often; null where an older version of the app noted only what lacked proof of MFA."
    )
    lacking: int = Field(description="How many of them were without proof of MFA.")


class PortalDay(Answer):
    """One UTC day of a portal."""

    date: date
    total: int
    lacking: int = Field(description="How many of them were without proof of MFA.")


class PortalItem(Answer):
    """A portal or program that people of the roster opened interactively in the partner's own tenant. Names are hostile
    text."""

    app_id: str
    app_name: str | None
    total: int
    lacking: int = Field(description="How many of them were without proof of MFA.")
    people: list[PortalPerson] = Field(description="The first twenty, those who lacked proof of MFA most often first.")
    people_count: int | None = Field(
        description="How many people used it; null where an older version of the app did not record it, or where there "
        "were too many to keep each."
    )
    trend: list[PortalDay] = Field(description="The days on which it was used.")


class PortalsPage(CoveredPage[PortalItem]):
    """Portals, the most used first. `truncated`: there were too many to keep each."""

    tip: str = Field(description="How to see which portals ask for the customer's tenant.")
    truncated: bool


@dataclass(slots=True)
class _User:
    total: int = 0
    lacking: int = 0

    def add(self, line: Verdicts) -> None:
        """Count a day's sign-ins."""
        self.total += line.total
        self.lacking += line.total - line.compliant


@dataclass(slots=True)
class _Portal:
    """A portal in a period. `told`: who used it is known of every sign-in."""

    name: str = ""
    days: dict[date, Verdicts] = field(default_factory=dict)
    people: dict[str, _User] = field(default_factory=dict)
    told: bool = True

    @property
    def whole(self) -> Verdicts:
        """All of it."""
        return summed(self.days.values())


async def read_portals(app: App, query: PortalsQuery) -> PortalsPage:
    """A page of portals. Raises BadParameter."""
    span = span_of(app, query.days, query.from_, query.to)
    tables = await app.tables()
    standing = await read_standing(app, span)
    days = [day async for day in days_of_apps(tables.rollups, span.start, span.last)]
    people = [day async for day in days_of_portals(tables.rollups, span.start, span.last)]
    groups = [day async for day in days_of_groups(tables.rollups, span.start, span.last)]
    names = {t.key: t.user_principal_name for t in technicians_of(await load_list(tables.directory, TECHNICIANS))}
    portals = _portals(days, people, groups)
    page, cursor = paged([*portals.items()], query, "portals", lambda each: _order(*each))
    return PortalsPage(
        items=[_item(key, portal, names) for key, portal in page],
        cursor=cursor,
        total=len(portals),
        period=standing.period,
        coverage=standing.coverage,
        tip=TIP,
        truncated=any(day.trimmed for day in days),
    )


def _portals(days: Iterable[DayApps], people: Iterable[DayPortals], groups: Iterable[DayGroups]) -> dict[str, _Portal]:
    found: dict[str, _Portal] = {}
    for day in days:
        for key, protocols in day.lines.get(Scope.PARTNER_TENANT, {}).items():
            line = protocols.get(Protocol.INTERACTIVE)
            if key != REST and line is not None and line.total:
                portal = found.setdefault(key, _Portal())
                portal.name = day.names.get(key, "") or portal.name
                portal.days.setdefault(day.day.date(), Verdicts()).merge(line)
    by_day = {day.day.date(): day.lines for day in people}
    lacking = {day.day.date(): _lacking(day) for day in groups}
    for key, portal in found.items():
        for at, whole in portal.days.items():
            users = {u: line for u, line in by_day.get(at, {}).get(key, {}).items() if u not in (REST, NOT_RECORDED)}
            if summed(users.values()).total != whole.total:  # an older version, or too many to keep each
                portal.told = False
                users = lacking.get(at, {}).get(key, {})
            for user, of_user in users.items():
                portal.people.setdefault(user, _User()).add(of_user)
    return found


def _lacking(day: DayGroups) -> dict[str, dict[str, Verdicts]]:
    """Of a day's findings who lacked MFA in the partner's own tenant, by application."""
    found: dict[str, dict[str, Verdicts]] = {}
    for group, n in day.lines.items():
        if group.scope == Scope.PARTNER_TENANT and group.user and group.verdict in _LACKING:
            found.setdefault(group.app, {}).setdefault(group.user, Verdicts()).count(group.verdict, n)
    return found


def _order(key: str, portal: _Portal) -> tuple[str, str]:
    return f"{10**9 - portal.whole.total:010d}{portal.name.lower()}", key


def _item(key: str, portal: _Portal, names: dict[str, str | None]) -> PortalItem:
    whole = portal.whole
    people = sorted(portal.people.items(), key=lambda entry: (-entry[1].lacking, -entry[1].total, entry[0]))
    return PortalItem(
        app_id=shown_id(key),
        app_name=portal.name or None,
        total=whole.total,
        lacking=whole.total - whole.compliant,
        people=[
            PortalPerson(
                user_id=shown_id(user),
                user_principal_name=names.get(user),
                sign_ins=used.total if portal.told else None,
                lacking=used.lacking,
            )
            for user, used in people[:_MOST_NAMED]
        ],
        people_count=len(people) if portal.told else None,
        trend=[
            PortalDay(date=day, total=line.total, lacking=line.total - line.compliant)
            for day, line in sorted(portal.days.items())
        ],
    )
