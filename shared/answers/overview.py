"""The summary and the coverage: read from the partner's days, which are few however many findings there are."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from pydantic import Field

from shared.answers.posture import SourceState, read_posture, read_sources
from shared.answers.register import read_register
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.compliance.coverage import Coverage, Measured, Window, coverage, measure, read_from
from shared.compliance.figures import accepted_sign_ins, figures_of_days
from shared.compliance.gaps import CoverageItem, TenantCoverage, gaps, tenant_coverage
from shared.compliance.summary import Asked, Beside, Period, Summary, summarise
from shared.ledger.days import Day
from shared.ledger.flight import Flight
from shared.ledger.slices import DAY, midnight
from shared.preflight.model import Preflight, last_preflight
from shared.signin.traits import WATCHED
from shared.store.days import days_of_groups, partner_days
from shared.store.directory import DirectoryMissing, Loaded
from shared.store.flights import all_flights
from shared.store.incidents import open_by_severity
from shared.wire.cursor import Place, PlaceTime, from_cursor, to_cursor
from shared.wire.models import HEADLINE_NAMES, Answer, ListQuery, Page, Query, Scopes, Whole

_Days = Field(default=30, ge=1, le=90, description="How many UTC days, today included.")


class SummaryQuery(Query):
    """Of which days and scopes."""

    days: Whole = _Days
    scope: Scopes = Field(default=HEADLINE_NAMES, description="Every number but byScope is of these scopes.")


class CoverageQuery(ListQuery):
    """Of which days."""

    days: Whole = _Days


class DirectoryAge(Answer):
    """When the roster and the customers were refreshed, and how long ago; null when they never were. `sources` says how
    their next refresh gets on."""

    refreshed_at: datetime | None
    age_seconds: int | None
    sources: list[SourceState]


class CoverageList(Page[CoverageItem]):
    """The gaps and problems, newest first, beside the totals of the period and of each tenant."""

    generated_at: datetime
    period: Period
    coverage: Coverage
    tenants: list[TenantCoverage]
    directory: DirectoryAge
    preflight: Preflight | None = Field(description="What was not ok when it was last looked; null when it never was.")


class _After(Place):
    """Behind this item."""

    at: PlaceTime
    tenant: str
    kind: str


async def read_summary(app: App, query: SummaryQuery) -> Summary:
    """The summary of the last days."""
    tables = await app.tables()
    now = app.clock()
    start = _start(now, query.days)
    scopes = [s for s in WATCHED if s in query.scope]
    days, incidents, directory, exceptions, posture = await asyncio.gather(
        _days(app, start, now),
        open_by_severity(tables.incidents, query.scope),
        known_directory(app),
        read_register(tables.control),
        read_posture(tables.directory, now),
    )
    flights = [flight async for flight in all_flights(tables.control)]
    accepted = 0
    if exceptions.may_accept:
        groups = [day async for day in days_of_groups(tables.rollups, start, now)]
        accepted = accepted_sign_ins(groups, scopes, exceptions.accepts)
    return summarise(
        Asked(start, now, now, scopes, app.settings.partner_tenant_id),
        figures_of_days(days),
        _measured(app, days, start, now, flights),
        Beside(
            open_incidents=incidents,
            tenant_names=tenant_names(directory),
            exceptions=exceptions.shown(now),
            accepted=accepted,
            posture=posture,
            rules_versions=sorted({version for day in days for version in day.rules_versions}),
        ),
    )


async def read_coverage(app: App, query: CoverageQuery) -> CoverageList:
    """What was read of the last days, and what was not. Raises BadParameter for a wrong cursor."""
    question = query.question("coverage")
    after = from_cursor(query.cursor, _After, question) if query.cursor else None
    tables = await app.tables()
    now = app.clock()
    start = _start(now, query.days)
    days = await _days(app, start, now)
    flights = {flight.tenant: flight async for flight in all_flights(tables.control)}
    directory = await known_directory(app)
    measured = _measured(app, days, start, now, flights.values())
    items: list[CoverageItem] = []
    tenants: list[TenantCoverage] = []
    for tenant in measured:
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
        period=Period(from_=start, to=now),
        coverage=coverage(measured),
        tenants=tenants,
        directory=DirectoryAge(
            refreshed_at=directory.at if directory else None,
            age_seconds=int((now - directory.at) / timedelta(seconds=1)) if directory else None,
            sources=await read_sources(tables.directory),
        ),
        preflight=await last_preflight(tables.control),
    )


async def known_directory(app: App) -> Loaded | None:
    """The directory; None while there is none, which coverage says."""
    try:
        return await app.directory()
    except DirectoryMissing:
        return None


def tenant_names(directory: Loaded | None) -> Mapping[str, str]:
    """The tenants' display names by key, as far as they are known."""
    return directory.file.tenant_names if directory else {}


def _newest_first(item: CoverageItem) -> tuple[float, str, str]:
    return -item.from_.timestamp(), item.tenant_id, item.kind


def _start(now: datetime, days: int) -> datetime:
    return midnight(now) - (days - 1) * DAY


async def _days(app: App, start: datetime, now: datetime) -> list[Day]:
    return [day async for day in partner_days((await app.tables()).rollups, start, now)]


def _measured(app: App, days: list[Day], start: datetime, now: datetime, flights: Iterable[Flight]) -> list[Measured]:
    since = read_from(flights, timedelta(days=app.settings.lookback_days))
    window = Window(start, now, now, app.settings.slice_width, since, app.retention)
    return measure(app.settings.tenants, days, window)
