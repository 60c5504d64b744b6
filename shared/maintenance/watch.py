"""Events for those who watch the monitor from outside (docs/operations.md, "What the app logs")."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.spelling import id_key
from shared.compliance.coverage import Window, coverage, measure, percent, read_percent
from shared.ledger.days import Day
from shared.ledger.slices import DAY, midnight
from shared.ledger.tallies import ScopeCounts
from shared.rules.assess import Verdict
from shared.signin.traits import HEADLINE
from shared.store.days import partner_days
from shared.store.flights import all_flights
from shared.store.ledger import heads_of_day
from shared.store.tables import Tables

# Slices are read again until they are seven days old, so a day may change as long.
_CHANGING: Final = timedelta(days=8)
_SECONDS_A_DAY: Final = 86_400
# What the first scan of thirty days may take before a low coverage is worth an alert.
_FIRST_SCAN: Final = timedelta(days=1)


async def watch_scan(app: App) -> None:
    """Say how far behind the scan is, whether the coverage is below its target, and how compliant today is. Of the
    partner's days alone: a few rows, however many slices and findings there are."""
    tables = await app.tables()
    now = app.clock()
    start = midnight(now - timedelta(days=app.settings.lookback_days - 1))
    days = [day async for day in partner_days(tables.rollups, start, now)]
    measured = measure(app.settings.tenants, days, Window(start, now, now, app.settings.slice_width))
    found, read = coverage(measured), read_percent(measured)
    lag = found.lag_seconds if found.lag_seconds is not None else await _since_installed(tables, now)
    log_event("ingestion_lag", lagSeconds=lag)
    target = app.settings.coverage_target_percent
    if read is not None and read < target and not await _is_settling_in(tables, now):
        log_event("coverage_below_target", coveragePercent=read, targetPercent=target, oldestGap=found.oldest_gap)
    log_days(app, [day for day in days if day.day == midnight(now)])


async def report_days(app: App) -> None:
    """Say how compliant the last days were, those that re-reads may have changed, and whether the log takes too many
    requests."""
    tables = await app.tables()
    now = app.clock()
    log_days(app, [day async for day in partner_days(tables.rollups, now - _CHANGING, now - DAY)])
    await _budgets(app, tables, midnight(now) - DAY)


def log_days(app: App, days: Sequence[Day]) -> None:
    """One `compliance_day` a day, of the headline's scopes."""
    for day in days:
        sums = ScopeCounts()
        for scope in HEADLINE:
            sums.merge(day.counts.scopes.get(str(scope), ScopeCounts()))
        compliant, lacking = sums.verdicts.get(Verdict.COMPLIANT, 0), sums.verdicts.get(Verdict.NON_COMPLIANT, 0)
        end = min(day.day + DAY, app.clock())
        measured = measure(app.settings.tenants, [day], Window(day.day, end, app.clock(), app.settings.slice_width))
        log_event(
            "compliance_day",
            date=f"{day.day:%Y-%m-%d}",
            compliant=compliant,
            nonCompliant=lacking,
            unknown=sums.verdicts.get(Verdict.UNKNOWN, 0),
            compliancePercent=percent(compliant, lacking),
            coveragePercent=coverage(measured).percent,
        )


async def _since_installed(tables: Tables, now: datetime) -> int:
    """Nothing was ever read whole: how long the installation is waiting for it, in seconds."""
    return int((now - await _installed_at(tables, now)).total_seconds())


async def _is_settling_in(tables: Tables, now: datetime) -> bool:
    """Whether the first scan may still be reading its thirty days: a low coverage is no news then."""
    return now - await _installed_at(tables, now) < _FIRST_SCAN


async def _installed_at(tables: Tables, now: datetime) -> datetime:
    """When a tenant was first seen; now, where none was."""
    seen = [flight.first_seen async for flight in all_flights(tables.control) if flight.first_seen is not None]
    return min(seen, default=now)


async def _budgets(app: App, tables: Tables, day: datetime) -> None:
    """A tenant's day may take half the requests that its limit allows in a day: beyond it, an outage of some hours is
    caught up so slowly that the next one meets the first."""
    budget = app.settings.graph_requests_per_10_seconds * _SECONDS_A_DAY // 10 // 2
    for tenant in app.settings.tenants:
        requests = sum([head.requests async for head in heads_of_day(tables.slices, tenant, day)])
        if requests > budget:
            log_event("request_budget_overrun", tenantId=id_key(tenant), requests=requests, budget=budget)
