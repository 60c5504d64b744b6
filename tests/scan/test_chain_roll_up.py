"""What a chain of slices writes of their day: added up once for slices of the same hours, and never left behind."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import aiohttp
import pytest

from shared.scan.job import scan_slice
from tests.functions.asking import counted_requests
from tests.scan.harness import NINE, NOON, record, rig, slice_at, slice_of

MINUTES = 60


async def test_slices_of_the_same_hours_are_added_up_once(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, slice_minutes=MINUTES, read_ages_minutes="0") as desk:
        desk.log(*(record(f"r{n}", NINE + n * timedelta(minutes=MINUTES)) for n in range(3)), at=NINE)
        written: Counter[str] = Counter()
        messages = await desk.plan()
        while messages:
            hours = f"{slice_of(messages[0]).start:%d %H}"
            with counted_requests() as sent:
                messages = await scan_slice(desk.app, messages[0])
            written[hours[:3] + str(int(hours[3:]) // 3)] += any("rollups" in address for address in sent)
        assert set(written.values()) == {1}  # once for each three hours, though each has three slices
        assert await desk.coverage() == 1
        assert (await desk.counts()).scopes["customer"].verdicts == {"compliant": 3}


async def test_a_chain_that_breaks_off_is_added_up_by_the_plan(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, slice_minutes=MINUTES, read_ages_minutes="0") as desk:
        (message,) = await desk.plan()
        first = slice_of(message)
        await scan_slice(desk.app, message)  # its worker ends here: what follows is never delivered
        assert not await desk.reach(first)
        desk.pass_time(desk.app.lease + timedelta(minutes=1))
        await desk.plan()
        assert [r.start for r in await desk.reach(first)] == [first.start]


async def test_one_changed_slice_costs_its_own_hours_and_not_the_day(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The heads' counts are read of three hours alone, and nothing of it where the counts stay as they were."""
    async with rig(azurite, monkeypatch, slice_minutes=MINUTES, read_ages_minutes="0,60,120") as desk:
        desk.log(*(record(f"r{n}", NINE + n * timedelta(minutes=MINUTES)) for n in range(3)), at=NINE)
        await desk.work()
        desk.pass_time(timedelta(minutes=MINUTES))
        asked = _addresses(monkeypatch)
        await desk.work(most=30)
        assert [a for a in _counts_read(asked) if "head-12" not in a] == []  # only the hour that is new
        asked.clear()
        desk.log(record("late", NOON - timedelta(minutes=5)))
        desk.pass_time(timedelta(minutes=MINUTES))
        await desk.work(most=30)
        read = [a for a in _counts_read(asked) if "head-12" not in a.partition("ge")[2].partition("lt")[0]]
        assert len(read) == 1
        assert "head-090000" in read[0]
        assert [r.whole for r in await desk.reach(slice_at(NINE, MINUTES))] == [True]
        assert (await desk.counts()).scopes["customer"].verdicts == {"compliant": 4}


def _addresses(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The whole addresses that storage is asked from now on: its client's own log leaves the questions out."""
    asked: list[str] = []
    real = aiohttp.ClientSession._request

    async def noted(self: Any, method: str, url: Any, *args: Any, **named: Any) -> Any:
        asked.append(unquote(str(url)))
        return await real(self, method, url, *args, **named)

    monkeypatch.setattr(aiohttp.ClientSession, "_request", noted)
    return asked


def _counts_read(asked: list[str]) -> list[str]:
    """Reads of what slices counted."""
    return [address for address in asked if "slices" in address and "counts0" in address]
