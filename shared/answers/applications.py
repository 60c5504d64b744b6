"""The applications: how each signs people in, when it was seen, and since when it is clean: the inventory of what still
has to move."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Final

from pydantic import Field, WithJsonSchema

from shared.answers.directories import user_names
from shared.answers.names import Filters, keys_of
from shared.answers.people import paged, worst_first
from shared.answers.period import CoveredPage, PeriodQuery, read_standing, span_of
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.compliance.coverage import percent
from shared.ledger.counts import Protocol
from shared.ledger.days import DayApps, DayGroups
from shared.ledger.tallies import AppLine, Verdicts, summed
from shared.ledger.trimming import REST
from shared.store.days import days_of_apps, days_of_groups
from shared.wire.models import HEADLINE_NAMES, Answer, Listed, ListQuery, Named, Scopes, shown_id

_MOST_PEOPLE: Final = 20


class ApplicationsQuery(ListQuery, PeriodQuery):
    """Which applications, of which period and scopes."""

    scope: Scopes = Field(default=HEADLINE_NAMES, description="Sign-ins of these scopes; all: each.")
    app: Named | None = Field(default=None, description="Id or name of an application.")
    protocol: Listed[Protocol] | None = Field(default=None, description="Only those that sign in so.")


class ApplicationDay(Answer):
    """One UTC day of an application."""

    date: date
    compliant: int
    non_compliant: int
    unknown: int


ShownProtocol = Annotated[str, WithJsonSchema({"type": "string", "enum": [*Protocol]})]


class ApplicationProtocol(Answer):
    """One way in which an application signs people in."""

    protocol: ShownProtocol
    compliant: int
    non_compliant: int
    unknown: int
    attempts: int
    first_seen_on: date
    last_seen_on: date


class SeenUser(Answer):
    """A person with findings by it."""

    user_id: str
    user_principal_name: str | None


class ApplicationItem(Answer):
    """An application. `users` and `customers` are those with findings by it. `clean_since` is the last UTC day on which
    it had a sign-in without MFA; null where it had none in the period. `trend` has the days on which it was seen."""

    app_id: str
    app_name: str | None
    total: int
    compliant: int
    non_compliant: int
    unknown: int
    compliance_percent: float | None
    protocols: list[ApplicationProtocol]
    users: int
    customers: int
    people: list[SeenUser] = Field(description="The first twenty of these people.")
    first_seen_on: date
    last_seen_on: date
    clean_since: date | None
    trend: list[ApplicationDay]


class ApplicationsPage(CoveredPage[ApplicationItem]):
    """Applications, the worst first. `truncated`: there were too many to keep each."""

    truncated: bool


@dataclass(slots=True)
class _Seen:
    """What the days say of one application."""

    name: str = ""
    protocols: dict[str, AppLine] = field(default_factory=dict)
    days: dict[date, Verdicts] = field(default_factory=dict)
    on: dict[str, list[date]] = field(default_factory=dict)
    users: set[str] = field(default_factory=set)
    customers: set[str] = field(default_factory=set)

    def add(self, day: DayApps, key: str, protocols: Mapping[str, AppLine]) -> None:
        """Take in a day's lines of it."""
        self.name = day.names.get(key, "") or self.name
        date_ = day.day.date()
        for protocol, line in protocols.items():
            self.protocols.setdefault(protocol, AppLine()).merge(line)
            self.days.setdefault(date_, Verdicts()).merge(line)
            self.on.setdefault(protocol, []).append(date_)

    @property
    def whole(self) -> Verdicts:
        """All of it."""
        return summed(self.protocols.values())


async def read_applications(app: App, query: ApplicationsQuery) -> ApplicationsPage:
    """A page of applications. Raises BadParameter, NotKnown."""
    span = span_of(app, query.days, query.from_, query.to)
    standing = await read_standing(app, span)
    directory = await app.known_directory()
    rollups = (await app.tables()).rollups
    days = [day async for day in days_of_apps(rollups, span.start, span.last)]
    groups = [day async for day in days_of_groups(rollups, span.start, span.last)]
    seen = _seen(days, groups, query.scope)
    chosen = [(key, line) for key, line in seen.items() if _is_wanted(key, line, query)]
    if not chosen and query.app is not None:
        await keys_of(app, Filters(app=query.app), standing, directory)
    names = user_names(standing.days, directory)
    page, cursor = paged(chosen, query, "applications", lambda each: _order(*each))
    return ApplicationsPage(
        items=[_item(key, line, names) for key, line in page],
        cursor=cursor,
        total=len(chosen),
        period=standing.period,
        coverage=standing.coverage,
        truncated=any(day.trimmed for day in days),
    )


def _seen(days: Iterable[DayApps], groups: Iterable[DayGroups], scopes: Iterable[str]) -> dict[str, _Seen]:
    wanted = {*scopes}
    seen: dict[str, _Seen] = {}
    for day in days:
        for scope in wanted & day.lines.keys():
            for key, protocols in day.lines[scope].items():
                if key != REST:
                    seen.setdefault(key, _Seen()).add(day, key, protocols)
    for of_groups in groups:
        for group in of_groups.lines:
            if group.scope in wanted and group.app in seen and group.is_whole:
                seen[group.app].users.add(group.user)
                seen[group.app].customers.add(group.customer)
    return seen


def _is_wanted(key: str, seen: _Seen, query: ApplicationsQuery) -> bool:
    by_name = query.app is None or id_key(query.app) == key or query.app.strip().lower() == seen.name.strip().lower()
    return by_name and (query.protocol is None or not {*map(str, query.protocol)}.isdisjoint(seen.protocols))


def _order(key: str, seen: _Seen) -> tuple[str, str]:
    whole = seen.whole
    return worst_first(whole) + seen.name.lower(), key


def _item(key: str, seen: _Seen, names: Mapping[str, str]) -> ApplicationItem:
    whole = seen.whole
    lacking = [day for day, line in seen.days.items() if line.non_compliant]
    return ApplicationItem(
        app_id=shown_id(key),
        app_name=seen.name or None,
        total=whole.total,
        compliant=whole.compliant,
        non_compliant=whole.non_compliant,
        unknown=whole.unknown,
        compliance_percent=percent(whole.compliant, whole.non_compliant),
        protocols=[
            ApplicationProtocol(
                protocol=protocol,
                compliant=line.compliant,
                non_compliant=line.non_compliant,
                unknown=line.unknown,
                attempts=line.attempts,
                first_seen_on=min(seen.on[protocol]),
                last_seen_on=max(seen.on[protocol]),
            )
            for protocol, line in sorted(seen.protocols.items())
        ],
        users=len(seen.users),
        customers=len(seen.customers),
        people=[
            SeenUser(user_id=shown_id(user), user_principal_name=names.get(user))
            for user in sorted(seen.users, key=lambda user: names.get(user, "~" + user))[:_MOST_PEOPLE]
        ],
        first_seen_on=min(seen.days),
        last_seen_on=max(seen.days),
        clean_since=max(lacking, default=None),
        trend=[
            ApplicationDay(date=day, compliant=n.compliant, non_compliant=n.non_compliant, unknown=n.unknown)
            for day, n in sorted(seen.days.items())
        ],
    )
