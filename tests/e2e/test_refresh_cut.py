"""A refresh of people and customers that a killed worker host leaves half-way, and the next host carries on."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.graph_server import LocalGraph, PartnerDirectory
from local.graph_server.control import Control, HangFault
from local.host.process import HostProcess
from local.sample.model import People
from local.stage.stack import CHECKOUT, default_schedules
from shared.rules.rule import PARTNER
from tests.people.harness import people, relationship, user

pytestmark = pytest.mark.e2e

NEVER, OFTEN = "0 0 0 1 1 *", "*/1 * * * * *"
CUSTOMERS = 30


def served(members: Sequence[int]) -> People:
    """A partner with those people in its GDAP group, and so many customers that a refresh asks several times."""
    links = [relationship(n) for n in range(1, CUSTOMERS + 1)]
    return people({1: [user(n) for n in members], 9: [user(1)]}, relationships=links)


class _Hosts:
    """Hosts over the same tables and Graph; each is told which of the two timers of the refresh it has."""

    def __init__(self, azurite: str, graph: LocalGraph, log: Path) -> None:
        self._log = log
        self._settings: Mapping[str, str] = {
            **default_schedules(),
            "AUTH_MODE": "local",
            "PARTNER_TENANT_ID": PARTNER,
            "AzureWebJobsStorage": azurite,
            "GRAPH_BASE_URL": graph.url,
            "IDENTITY_ENDPOINT": graph.identity_url,
            "IDENTITY_HEADER": graph.identity.header,
            "LOOKBACK_DAYS": "1",
            "SLICE_MINUTES": "1440",
            "SLICE_LEASE_SECONDS": "2",
            "DIRECTORY_REQUESTS_PER_10_SECONDS": "1000",
            "REPORT_REQUESTS_PER_10_SECONDS": "1000",
            "ALERT_SCHEDULE": NEVER,
            "MAINTENANCE_SCHEDULE": NEVER,
        }

    def that_begins(self) -> HostProcess:
        """Its timer begins a refresh; none carries one on."""
        return self._host(DIRECTORY_SCHEDULE=OFTEN, SCAN_SCHEDULE=NEVER)

    def that_carries_on(self) -> HostProcess:
        """Its timer begins the very first refresh, and carries on what was cut off."""
        return self._host(DIRECTORY_SCHEDULE=NEVER, SCAN_SCHEDULE=OFTEN)

    def _host(self, **schedules: str) -> HostProcess:
        return HostProcess(CHECKOUT, {**self._settings, **schedules}, lease_seconds=2, log=self._log)


async def _get(host: HostProcess, path: str) -> dict[str, Any]:
    async with aiohttp.ClientSession(host.url) as http, http.get(path) as answer:
        assert answer.status == 200, await answer.text()
        body: dict[str, Any] = await answer.json()
        return body


async def _people(host: HostProcess) -> tuple[list[str], int]:
    """Who is a technician now, by the end of their ids, and how many customers there are."""
    technicians = await _get(host, "/api/technicians?state=current")
    customers = await _get(host, "/api/customers?limit=1000")
    return sorted(item["userId"][-2:] for item in technicians["items"]), len(customers["items"])


async def _roster_is(host: HostProcess, wanted: list[str]) -> None:
    async with asyncio.timeout(120):
        while True:
            if (await _people(host))[0] == wanted:
                return
            await asyncio.sleep(0.2)


async def _hangs(graph: LocalGraph) -> None:
    """Wait until a request has met the fault, so that a refresh stands in the middle."""
    async with asyncio.timeout(120), aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{graph.url}/_control") as answer:
                if (await answer.json())["faultsLeft"] == 0:
                    return
            await asyncio.sleep(0.05)


async def test_a_refresh_whose_host_is_killed_is_carried_on_by_the_next(storage: str, tmp_path: Path) -> None:
    graph = LocalGraph([], tenant_id=PARTNER)
    directory = PartnerDirectory(graph, served([1, 2]))
    async with graph:
        hosts = _Hosts(storage, graph, tmp_path / "host.log")
        async with hosts.that_carries_on() as first:
            await _roster_is(first, ["01", "02"])

        directory.people = served([1, 3])
        # The group behind the relationships is asked last, when the answers about those were kept.
        hang = HangFault(kind="hang", path="/eligibilityScheduleInstances", skip=1)
        graph.control(Control(clear_requests=True, faults=[hang]))
        second = hosts.that_begins()
        await second.start()
        try:
            await _hangs(graph)
            assert await _people(second) == (["01", "02"], CUSTOMERS), "the last good one, while it is read anew"
        finally:
            await second.kill()
        asked = _asked(graph)
        assert sum("/accessAssignments" in path for path in asked) == CUSTOMERS

        graph.control(Control(clear_requests=True))
        async with hosts.that_carries_on() as third:
            assert (await _people(third))[1] == CUSTOMERS
            await _roster_is(third, ["01", "03"])
            left = await _get(third, "/api/technicians?state=left")
            assert [item["userId"][-2:] for item in left["items"]] == ["02"]
            assert (await _people(third))[1] == CUSTOMERS
            sources = (await _get(third, "/api/coverage"))["directory"]["sources"]
            assert [source["problem"] for source in sources] == [None, None]
        assert not [path for path in _asked(graph) if "/delegatedAdminRelationships" in path], (
            "it went on, and did not begin anew"
        )


def _asked(graph: LocalGraph) -> list[str]:
    return [str(request["path"]) for request in graph.requests() if str(request["path"]).startswith("/v1.0/")]
