"""A large directory: how many requests it takes, how much memory, and that the report's limit is kept."""

from __future__ import annotations

import pytest

from local.benches.directory_bench import measure
from local.graph_server.control import Control, Throttling
from tests.people.harness import office, people, registration


async def test_requests_grow_with_the_directory_and_no_faster() -> None:
    found = await measure(1_200, 40, 10)
    assert found.technicians == 120
    assert found.report_requests == 2  # pages of 999
    lists = 1 + 1 + 1  # customers, relationships, the DAP groups
    groups = 7 * 3 + 3 * 2  # each by name (but for DAP groups), members, eligible members
    assert found.directory_requests == lists + 40 + groups + 6 + 1 + 7  # the roles; security defaults; the policies
    assert found.peak_megabytes < 200


@pytest.mark.soak
async def test_fifty_thousand_accounts_fit_into_the_budget_and_300_megabytes() -> None:
    found = await measure(50_000, 5_000, 500)
    assert found.peak_megabytes < 300
    assert found.minutes_within_budget < 25, "longer than one run of the function may take"
    assert found.report_requests <= 52


@pytest.mark.soak
async def test_the_default_paces_are_never_throttled(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In real time, with a limit as tight as the pace: the refresh leaves the rest of Graph's five to the scan."""
    served = people(registrations=[registration(n) for n in range(4)])
    async with office(azurite, monkeypatch, served, page_size=1, report_requests_per_10_seconds=1) as at:
        at.rig.graph.control(Control.model_validate({"clock": {"real": True}, "throttling": Throttling(requests=1)}))
        await at.refresh()
        assert (await at.state("registrations")).problem == ""
        assert {r["status"] for r in at.rig.graph.requests()} == {200}
