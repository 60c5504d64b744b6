"""The main job end to end: the app in the real worker, over Azurite and the local Graph, driven through HTTP alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.host.process import HostProcess
from local.sample import Sample, make_sample, write_sample
from local.stage.receivers import Fault, Receiver, Receivers, new_secret
from local.stage.stack import CHECKOUT, running_stack
from tests.e2e.adding_up import differences

pytestmark = pytest.mark.e2e

DAYS = 7
SETTINGS = {
    "SCAN_SCHEDULE": "*/2 * * * * *",
    "ALERT_SCHEDULE": "*/2 * * * * *",
    "SLICE_MINUTES": "480",
    "LOOKBACK_DAYS": str(DAYS + 1),
    "RETENTION_DAYS": "30",
    "SLICE_LEASE_SECONDS": "3",
    "GRAPH_REQUESTS_PER_10_SECONDS": "1000",
}


@pytest.fixture(scope="module")
def sample() -> Sample:
    """A week that ended when the newest slice's first re-read was due already."""
    settled = datetime.now(UTC) - timedelta(minutes=16)
    return make_sample(3, DAYS, settled.replace(hour=settled.hour // 8 * 8, minute=0, second=0, microsecond=0))


async def get(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def eventually(http: aiohttp.ClientSession, path: str, holds: Callable[[Any], bool]) -> Any:
    """The first answer for which it holds; fails after a deadline that only a broken app reaches."""
    async with asyncio.timeout(240):
        while True:
            try:
                if holds(answer := await get(http, path)):
                    return answer
            except aiohttp.ClientConnectionError:
                pass  # the host is down for the moment
            await asyncio.sleep(0.5)


def whole(summary: Mapping[str, Any]) -> bool:
    coverage = summary["coverage"]
    return bool(coverage["expectedSlices"]) and coverage["completeSlices"] == coverage["expectedSlices"]


def planted(sample: Sample) -> dict[str, tuple[set[str], str]]:
    return {
        record: (set(v.rules), v.severity)
        for v in sample.violations
        if v.log_tenant_id == sample.people.partner_tenant_id
        for record in v.record_ids
    }


async def found(http: aiohttp.ClientSession) -> dict[str, tuple[set[str], str]]:
    return {item["id"]: (set(item["rules"]), item["severity"]) for item in await findings(http)}


async def findings(http: aiohttp.ClientSession) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await get(http, "/api/findings?limit=50" + (f"&cursor={cursor}" if cursor else ""))
        items += page["items"]
        cursor = page["cursor"]
    assert len(items) == len({item["id"] for item in items})
    return items


async def check_against_truth(sample: Sample, url: str, days: int = DAYS) -> None:
    """The findings and the summary say exactly what was planted, once sessions have reached who asked."""
    truth: Any = sample.truth()
    unknown = sum(counts["unknown"] for counts in truth["counts"].values())
    async with aiohttp.ClientSession(url) as http:
        await eventually(http, f"/api/summary?days={days}", whole)
        path = f"/api/summary?days={days + 1}&scope={','.join(truth['counts'])}"
        summary = await eventually(http, path, lambda s: s["delegatedSignIns"]["unknown"] == unknown)
        for name, counts in truth["counts"].items():
            assert {key: summary["byScope"][name][key] for key in counts} == counts
        assert await found(http) == planted(sample)
        causes = {item["id"]: item["cause"] for item in await findings(http)}
        told = [v for v in sample.violations if v.cause is not None]
        assert {record: causes[record] for v in told for record in v.record_ids} == {
            record: v.cause for v in told for record in v.record_ids
        }
        policies = await get(http, "/api/policies?scope=all")
        assert [(hole["rule"], hole["signIns"]) for hole in policies["exclusions"]] == [("group", 2)]


async def test_the_sample_is_scanned_answered_and_told(sample: Sample, tmp_path: Path) -> None:
    write_sample(sample, tmp_path / "sample")
    hook = Receiver("generic", new_secret(), "/hook", faults=[Fault.FAIL, Fault.FAIL])
    async with (
        Receivers(hook) as receivers,
        running_stack(tmp_path / "sample", tmp_path, {**SETTINGS, **receivers.settings()}) as stack,
    ):
        await check_against_truth(sample, stack.url)
        async with asyncio.timeout(120):
            received = await receivers.first()
        assert received.verified
        async with aiohttp.ClientSession(stack.url) as http:
            assert await differences(partial(get, http), DAYS + 1) == []
            async with http.get("/api/findings?limit=nothing") as answer:
                assert answer.status == 400
                assert answer.content_type == "application/problem+json"
                assert "limit" in await answer.text()
            async with http.get("/api/findings?format=csv&limit=5") as answer:
                assert answer.content_type == "text/csv"
                assert len((await answer.text()).splitlines()) == 6


@pytest.mark.soak
async def test_a_host_that_is_killed_in_the_middle_carries_on(sample: Sample, tmp_path: Path) -> None:
    write_sample(sample, tmp_path / "sample")
    async with running_stack(tmp_path / "sample", tmp_path, SETTINGS, lease_seconds=3) as stack:
        async with aiohttp.ClientSession(stack.url) as http:
            await eventually(http, f"/api/summary?days={DAYS}", lambda s: s["coverage"]["completeSlices"] >= 3)
        await stack.host.kill()
        log = tmp_path / "second.log"
        async with HostProcess(CHECKOUT, stack.settings, lease_seconds=3, log=log) as second:
            await check_against_truth(sample, second.url)
