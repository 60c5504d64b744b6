"""The events that Azure Monitor reads, and the night as a whole."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import azure.functions as func
import pytest

from functions.maintenance import bp
from shared.ledger.slices import partition_of
from shared.maintenance.night import maintain
from shared.maintenance.watch import report_days, watch_scan
from shared.scan.plan import plan_scans
from shared.store.ledger import head_row
from shared.store.tables import NAMES, upsert
from tests.infra.kql import matches
from tests.infra.test_alerts import BY_NAME, EVENTS, query_of
from tests.scan.harness import NOON, Rig, record, rig, slice_at


@pytest.fixture
async def half_read(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """One of the twelve hours of today is read, at its end."""
    async with rig(azurite, monkeypatch) as made:
        made.log(record("a", NOON - timedelta(minutes=90)))
        made.set_time(NOON - timedelta(hours=1))
        await made.work()
        made.set_time(NOON)
        yield made


def events(caplog: pytest.LogCaptureFixture) -> dict[str, dict[str, Any]]:
    """The events that were logged, the last of each name."""
    lines = [r.getMessage() for r in caplog.records if r.name == "monitor" and r.getMessage().startswith("{")]
    return {event["event"]: event for event in map(json.loads, lines)}


def fired(caplog: pytest.LogCaptureFixture) -> set[str]:
    """The alerts of the template that these lines of the log fire."""
    lines = [r.getMessage() for r in caplog.records if r.name == "monitor"]
    return {name for name in EVENTS if any(matches(query_of(BY_NAME[name]), line) for line in lines)}


async def test_a_lag_is_told_in_seconds(half_read: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "monitor")
    half_read.set_time(NOON + timedelta(hours=4))
    await watch_scan(half_read.app)
    lag = events(caplog)["ingestion_lag"]["lagSeconds"]
    assert isinstance(lag, int)
    assert lag >= 4 * 3600
    assert fired(caplog) == {"ingestion-lag"}, "the first scan may still be reading"


async def test_a_new_installation_counts_from_its_beginning(
    azurite: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "monitor")
    async with rig(azurite, monkeypatch) as made:
        await watch_scan(made.app)
        assert events(caplog)["ingestion_lag"]["lagSeconds"] == 0


async def test_coverage_below_its_target_is_told_and_above_it_not(
    azurite: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "monitor")
    async with rig(azurite, monkeypatch) as made:
        await plan_scans(made.app)
        made.set_time(NOON + timedelta(hours=23))
        await watch_scan(made.app)
        assert "coverage_below_target" not in events(caplog), "no false alarm on the first day"
        made.set_time(NOON + timedelta(hours=24))
        await watch_scan(made.app)
        told = events(caplog)["coverage_below_target"]
        assert (told["coveragePercent"], told["targetPercent"]) == (0, 95)
        await made.work()
        caplog.clear()
        await watch_scan(made.app)
        assert "coverage_below_target" not in events(caplog)
        assert "ingestion_lag" in events(caplog)
        assert fired(caplog) == set(), "a lag below the limit is no alert"


async def test_a_day_is_told_as_the_workbook_reads_it(half_read: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "monitor")
    await half_read.work()
    await watch_scan(half_read.app)
    day = events(caplog)["compliance_day"]
    assert day == {
        "event": "compliance_day",
        "date": f"{NOON:%Y-%m-%d}",
        "compliant": 1,
        "nonCompliant": 0,
        "unknown": 0,
        "compliancePercent": 100.0,
        "coveragePercent": 100.0,
    }


async def test_a_log_that_takes_too_many_requests_is_told(half_read: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "monitor")
    await half_read.work()
    half_read.set_time(NOON + timedelta(days=1))
    await report_days(half_read.app)
    assert "request_budget_overrun" not in events(caplog)
    head = head_row(slice_at(NOON - timedelta(hours=2)))
    # The rig allows 1000 requests in 10 seconds, 8,640,000 a day: half of them is the budget.
    await (await half_read.tables()).slices.write(upsert({**head, "requests": 4_320_001}))
    await report_days(half_read.app)
    over = events(caplog)["request_budget_overrun"]
    assert (over["budget"], over["requests"] > over["budget"]) == (4_320_000, True)
    assert fired(caplog) == {"request-budget-overrun"}


async def test_a_night_exports_deletes_and_reports(half_read: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "monitor")
    old = partition_of("11111111-1111-1111-1111-111111111111", NOON - timedelta(days=500))
    table = (await half_read.tables()).slices
    await table.write(upsert({"PartitionKey": old, "RowKey": "find-a", "v": 1}))
    half_read.set_time(NOON + timedelta(days=1))
    await maintain(half_read.app)
    told = events(caplog)
    assert told["tables_exported"]["tables"] == len(NAMES)
    assert told["rows_expired"] == {"event": "rows_expired", "rows": 1, "finished": True}
    assert "compliance_day" in told
    assert await table.get(old, "find-a") is None


def test_the_timers_have_their_schedules_from_the_settings() -> None:
    app = func.FunctionApp()
    app.register_functions(bp)
    found = {f.get_function_name(): f.get_trigger() for f in app.get_functions()}
    schedules = {name: trigger.get_dict_repr()["schedule"] for name, trigger in found.items() if trigger}
    assert schedules == {
        "maintain": "%MAINTENANCE_SCHEDULE%",
        "maintain_again": "0 25 * * * *",
        "watch_scan": "%SCAN_SCHEDULE%",
    }
