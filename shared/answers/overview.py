"""The summary and the coverage: read from the partner's days, which are few however many findings there are."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from shared.answers.accepted import read_accepted
from shared.answers.ahead import having_read
from shared.answers.alert_state import read_alert_state
from shared.answers.directories import tenant_names
from shared.answers.names import Filters, Keys, keys_of
from shared.answers.period import CoveredPage, PeriodQuery, Span, Standing, read_standing, span_of
from shared.answers.posture import SourceState, read_posture, read_sources
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.compliance.beside import Posture
from shared.compliance.figures import (
    Figures,
    accepted_sign_ins,
    figures_of_app,
    figures_of_customer,
    figures_of_user,
)
from shared.compliance.gaps import CoverageItem, TenantCoverage, gaps, tenant_coverage
from shared.compliance.incident_counts import count_incidents
from shared.compliance.summary import Beside, Summary, SummaryOf, summarise
from shared.ledger.finding_groups import FindingGroup
from shared.preflight.model import Preflight, last_preflight
from shared.rules.assess import Verdict
from shared.signin.traits import WATCHED
from shared.store.customer_quarters import customer_days
from shared.store.days import days_of_apps, days_of_groups
from shared.store.flights import all_flights
from shared.store.outlines import About, IncidentOutline, about_id, outline_incidents
from shared.store.periods import days_of_user, pairs_of_period
from shared.store.sums import PAIRS_SUM, TURNS, SumKind
from shared.wire.cursor import Place, PlaceTime, from_cursor, to_cursor
from shared.wire.models import HEADLINE_NAMES, Answer, BadParameter, ListQuery, Named, Scopes


class SummaryQuery(PeriodQuery):
    """Of which period, scopes, and whose: one of `customer`, `user` and `app` at most."""

    scope: Scopes = Field(default=HEADLINE_NAMES, description="Every number but byScope is of these scopes; all: each.")
    customer: Named | None = Field(default=None, description="Tenant id or name of a customer.")
    user: Named | None = Field(default=None, description="Object id or user name of a person: verdicts and strength.")
    app: Named | None = Field(default=None, description="Id or name of an application: verdicts alone.")

    @property
    def filters(self) -> Filters:
        """Whose."""
        return Filters(self.customer, self.user, self.app)


class CoverageQuery(ListQuery, PeriodQuery):
    """Of which period."""


class DirectoryAge(Answer):
    """When the roster and the customers were refreshed, and how long ago; null when they never were. `sources` says how
    their next refresh gets on."""

    refreshed_at: datetime | None
    age_seconds: int | None
    sources: list[SourceState]


class CoverageList(CoveredPage[CoverageItem]):
    """The gaps and problems, newest first, beside the totals of the period and of each tenant."""

    generated_at: datetime
    tenants: list[TenantCoverage]
    directory: DirectoryAge
    preflight: Preflight | None = Field(description="What was not ok when it was last looked; null when it never was.")


class _After(Place):
    """Behind this item."""

    at: PlaceTime
    tenant: str
    kind: str


async def read_summary(app: App, query: SummaryQuery) -> Summary:
    """The summary of a period. Raises BadParameter, NotKnown."""
    span = span_of(app, query.days, query.from_, query.to)
    if sum(name is not None for name in (query.customer, query.user, query.app)) > 1:
        raise BadParameter("app" if query.app else "user", "goes without another of customer, user and app")
    kinds: list[SumKind[Any]] = [PAIRS_SUM] if query.customer else [TURNS] if query.user else []
    return await having_read(app, span, kinds, lambda: _summary(app, query, span))


async def _summary(app: App, query: SummaryQuery, span: Span) -> Summary:
    tables = await app.tables()
    scopes = [s for s in WATCHED if s in query.scope]
    about = about_id(query.user, query.customer)
    standing, exceptions, incidents = await asyncio.gather(
        read_standing(app, span), read_accepted(tables.control), outline_incidents(tables.incidents, about)
    )
    directory = await app.known_directory()
    keys = await keys_of(app, query.filters, standing, directory)
    if about is not None and about != About(keys.user or "", keys.customer or ""):  # a name may look like an id
        incidents = await outline_incidents(tables.incidents)
    everything = keys == Keys()
    figures = await _figures(app, standing, keys)
    accepted = unknown = 0
    if exceptions.may_accept:
        groups = [day async for day in days_of_groups(tables.rollups, span.start, span.last)]
        accepted, unknown = (
            accepted_sign_ins(groups, scopes, exceptions.accepts, lambda group: _is_whose(group, keys), verdict)
            for verdict in (Verdict.NON_COMPLIANT, Verdict.UNKNOWN)
        )
    return summarise(
        SummaryOf(span.start, span.end, span.now, scopes, app.settings.partner_tenant_id),
        figures,
        standing.measured,
        Beside(
            incidents=count_incidents(
                [i for i in incidents if _is_whose(i, keys)], query.scope, standing.coverage.measured_until or span.now
            ),
            tenant_names=tenant_names(directory),
            exceptions=exceptions.numbers(span.now, accepted, unknown),
            posture=await read_posture(tables.directory, span.now) if everything else Posture(),
            rules_versions=sorted({version for day in standing.days for version in day.rules_versions}),
            alerts=await read_alert_state(tables, span.now) if everything else None,
        ),
    )


async def _figures(app: App, standing: Standing, keys: Keys) -> Figures:
    rollups, span = (await app.tables()).rollups, standing.span
    if keys.customer is not None:
        pairs = [days async for days in pairs_of_period(rollups, standing.marked)]
        days = await customer_days(rollups, keys.customer, span.start, span.last)
        return figures_of_customer(days, pairs, keys.customer)
    if keys.user is not None:
        return figures_of_user(await days_of_user(rollups, standing.marked, keys.user), keys.user)
    if keys.app is not None:
        return figures_of_app([day async for day in days_of_apps(rollups, span.start, span.last)], keys.app)
    return standing.figures


def _is_whose(thing: FindingGroup | IncidentOutline, keys: Keys) -> bool:
    at = thing.reached if isinstance(thing, IncidentOutline) else (thing.customer,)
    return (
        (keys.customer is None or keys.customer in at)
        and keys.user in (None, thing.user)
        and keys.app in (None, thing.app)
    )


async def read_coverage(app: App, query: CoverageQuery) -> CoverageList:
    """What was read of the last days, and what was not. Raises BadParameter for a wrong cursor."""
    question = query.question("coverage")
    after = from_cursor(query.cursor, _After, question) if query.cursor else None
    tables = await app.tables()
    now = app.clock()
    standing = await read_standing(app, span_of(app, query.days, query.from_, query.to))
    flights = {flight.tenant: flight async for flight in all_flights(tables.control)}
    directory = await app.known_directory()
    items: list[CoverageItem] = []
    tenants: list[TenantCoverage] = []
    for tenant in standing.measured:
        flight = flights.get(id_key(tenant.tenant))
        items += gaps(tenant, flight)
        tenants.append(tenant_coverage(tenant, flight))
    items.sort(key=_newest_first)
    if after:
        passed = (-after.at.timestamp(), after.tenant, after.kind)
        items = [item for item in items if _newest_first(item) > passed]
    page, rest = items[: query.limit], items[query.limit :]
    last = _After(at=page[-1].from_, tenant=page[-1].tenant_id, kind=page[-1].kind) if page and rest else None
    return CoverageList(
        items=page,
        cursor=to_cursor(last, question) if last else None,
        generated_at=now,
        period=standing.period,
        coverage=standing.coverage,
        tenants=tenants,
        directory=DirectoryAge(
            refreshed_at=directory.at if directory else None,
            age_seconds=int((now - directory.at) / timedelta(seconds=1)) if directory else None,
            sources=await read_sources(tables.directory),
        ),
        preflight=await last_preflight(tables.control),
    )


def _newest_first(item: CoverageItem) -> tuple[float, str, str]:
    return -item.from_.timestamp(), item.tenant_id, item.kind
