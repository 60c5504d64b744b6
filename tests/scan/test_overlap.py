"""Two workers at one slice: one is held at a request to storage until the other has finished (invariant 1).

The queue may deliver a message twice at once, and a worker may come back to life after its lease. Whoever lost the
claim writes nothing more into the ledger; what it still writes elsewhere changes nothing. The short run holds the first
worker at every third request, the soak at each.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import Any

import pytest

from tests.scan.canonical import View, difference, raw
from tests.scan.moment import Moment, moment_of, warm
from tests.scan.stories import FIRST_READ, LATER, OUTDATED_READ, SECOND_READ, SPLIT, Story


class Rival(Enum):
    """How the second worker comes to the slice."""

    REDELIVERED = "redelivered"  # the same message once more, at once
    PLANNED = "planned"  # the plan takes the first for dead when its lease has passed


class _Race:
    """A moment at which two workers meet."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._first = moment.rig.worker(moment.proxy.connection)
        self.requests = 0
        self.claimed = 0  # the request by which the first worker claims the slice
        self.done = 0  # and the one by which it says that it is done

    async def alone(self) -> View:
        """What the tables say when one worker works undisturbed, as late as the second one would."""
        await warm(self._first)
        await warm(self._moment.rig.app)
        await self._count()
        await self._moment.begin_again()
        self._moment.rig.set_time(self._moment.now + LATER)
        return await self._moment.in_the_end(await self._moment.act(self._moment.rig.app))

    async def _count(self) -> None:
        self._moment.proxy.begin()
        await self._moment.act(self._first)
        self.requests = len(self._moment.proxy.requests)
        of_head = [number for number in self._moment.proxy.writes if "head-" in self._moment.proxy.requests[number - 1]]
        self.claimed, self.done = of_head[0], of_head[-1]

    async def run(self, held: int, rival: Rival) -> View:
        """The first is held at that request, the other works to its end, and the first goes on."""
        await self._moment.begin_again()
        self._moment.proxy.hold(held)
        first = asyncio.ensure_future(self._moment.act(self._first))
        stopped = asyncio.ensure_future(self._moment.proxy.held.wait())
        await asyncio.wait({first, stopped}, return_when=asyncio.FIRST_COMPLETED)
        assert not first.done(), "the request that was to be held never came"
        if rival is Rival.REDELIVERED:
            self._moment.rig.set_time(self._moment.now + LATER)
            await self._moment.rig.deliver(await self._moment.act(self._moment.rig.app))
        else:
            self._moment.rig.set_time(self._moment.now + self._moment.rig.app.lease)
            await self._moment.rig.work()
        ledger = await self._ledger()
        self._moment.proxy.release()
        follow = await first
        if held > self.claimed:
            assert await self._ledger() == ledger, "a worker that had lost its claim wrote into the ledger"
        return await self._moment.in_the_end(follow)

    async def _ledger(self) -> dict[tuple[str, str], dict[str, Any]]:
        """All of the ledger but the marks that make slices due, which anybody may leave."""
        rows = await raw((await self._moment.rig.tables()).slices)
        return {key: row for key, row in rows.items() if not key[1].startswith("due-")}


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.soak)])
async def test_an_outdated_worker_brings_nothing_back(azurite: str, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    async with moment_of(azurite, monkeypatch, OUTDATED_READ) as moment:
        race = _Race(moment)
        expected = await race.alone()
        for held in range(race.claimed + 1, race.done + 1, step):
            rival = (Rival.REDELIVERED, Rival.PLANNED)[held % 2]
            assert difference(expected, await race.run(held, rival)) == [], (held, rival)


async def test_two_workers_at_one_slice_leave_what_one_would(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with moment_of(azurite, monkeypatch, SECOND_READ) as moment:
        race = _Race(moment)
        expected = await race.alone()
        for held in range(1, race.requests + 1, 3):
            rival = (Rival.REDELIVERED, Rival.PLANNED)[held % 2]
            assert difference(expected, await race.run(held, rival)) == [], (held, rival)


@pytest.mark.soak
@pytest.mark.parametrize("rival", Rival, ids=lambda rival: rival.value)
@pytest.mark.parametrize("story", [FIRST_READ, SECOND_READ, SPLIT], ids=lambda story: story.name)
async def test_two_workers_at_any_request_leave_what_one_would(
    azurite: str, monkeypatch: pytest.MonkeyPatch, story: Story, rival: Rival
) -> None:
    async with moment_of(azurite, monkeypatch, story) as moment:
        race = _Race(moment)
        expected = await race.alone()
        for held in range(1, race.requests + 1):
            assert difference(expected, await race.run(held, rival)) == [], held
