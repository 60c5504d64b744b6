"""People and customers through the real worker: the timer refreshes, the routes answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.sample import make_sample, write_sample
from local.stage.stack import running_stack

pytestmark = pytest.mark.e2e
NEVER = "0 0 0 1 1 *"
SETTINGS = {
    "SCAN_SCHEDULE": NEVER,
    "ALERT_SCHEDULE": NEVER,
    "MAINTENANCE_SCHEDULE": NEVER,
    "DIRECTORY_SCHEDULE": "*/2 * * * * *",
    "DIRECTORY_REQUESTS_PER_10_SECONDS": "1000",
    "REPORT_REQUESTS_PER_10_SECONDS": "1000",
}


async def _get(http: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    async with http.get(path) as answer:
        assert answer.status == 200, await answer.text()
        body: dict[str, Any] = await answer.json()
        return body


async def _refreshed(http: aiohttp.ClientSession) -> None:
    """Wait until a refresh is done: within a minute."""
    for _ in range(120):
        if (await _get(http, "/api/accounts"))["refreshedAt"] is not None:
            return
        await asyncio.sleep(0.5)
    raise AssertionError("no refresh came to its end")


async def test_the_timer_refreshes_and_the_routes_answer(tmp_path: Path) -> None:
    sample = make_sample(7, 7, datetime.now(UTC).replace(minute=0, second=0, microsecond=0))
    people = sample.people
    write_sample(sample, tmp_path / "sample")
    async with (
        running_stack(tmp_path / "sample", tmp_path, SETTINGS) as stack,
        aiohttp.ClientSession(stack.url) as http,
    ):
        await _refreshed(http)
        technicians = await _get(http, "/api/technicians?limit=1000&state=current")
        assert len(technicians["items"]) == len(people.technicians) - 1, "one left in the middle of the sample"
        john = (await _get(http, "/api/technicians?user=john@northbridge.example"))["items"][0]
        assert (john["mfaRegistered"], john["postureRules"]) == (False, ["mfa-not-registered"])
        customers = await _get(http, "/api/customers?limit=1000")
        assert len(customers["items"]) == len(people.customers)
        coverage = await _get(http, "/api/coverage")
        assert {s["source"]: s["problem"] for s in coverage["directory"]["sources"]} == {
            "registrations": None,
            "roster": None,
        }
