"""Two workers at one slice: one is held at a request to storage until the other has finished (invariant 1).

The queue may deliver a message twice at once, and a worker may come back to life after its lease. Whoever lost the
claim writes nothing more into the ledger; what it still writes elsewhere changes nothing. The short run holds the first
worker at every third request, the soak at each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any

import pytest

from shared.app.app import App
from tests.scan.canonical import View, canonical, difference, raw, told
from tests.scan.cut_proxy import CutProxy
from tests.scan.harness import Copy, Rig, rig
from tests.scan.stories import FIRST_READ, LATER, OUTDATED_READ, SECOND_READ, SPLIT, WIDTH, Story


class Rival(Enum):
    """How the second worker comes to the slice."""

    REDELIVERED = "redelivered"  # the same message once more, at once
    PLANNED = "planned"  # the plan takes the first for dead when its lease has passed


class _Race:
    """A story told up to the moment at which two workers meet, again and again from the same tables."""

    def __init__(self, rig: Rig, proxy: CutProxy, story: Story, messages: list[str], before: Copy) -> None:
        self._rig = rig
        self._proxy = proxy
        self._story = story
        self._messages = messages
        self._before = before
        self._now = rig.now
        self._first = rig.worker(proxy.connection)
        self.requests = 0
        self.claimed = 0  # the request by which the first worker claims the slice
        self.done = 0  # and the one by which it says that it is done

    async def alone(self) -> View:
        """What the tables say when one worker works undisturbed, as late as the second one would."""
        await self._warm(self._first)
        await self._warm(self._rig.app)
        await self._count()
        await self._rig.restore(self._before)
        self._rig.set_time(self._now + LATER)
        return await self._in_the_end(await self._story.act(self._rig.app, self._messages))

    async def _count(self) -> None:
        self._proxy.begin()
        await self._story.act(self._first, self._messages)
        self.requests = len(self._proxy.requests)
        of_head = [number for number in self._proxy.writes if "head-" in self._proxy.requests[number - 1]]
        self.claimed, self.done = of_head[0], of_head[-1]

    async def run(self, held: int, rival: Rival) -> View:
        """The first is held at that request, the other works to its end, and the first goes on."""
        self._rig.set_time(self._now)
        await self._rig.restore(self._before)
        self._proxy.hold(held)
        first = asyncio.ensure_future(self._story.act(self._first, self._messages))
        stopped = asyncio.ensure_future(self._proxy.held.wait())
        await asyncio.wait({first, stopped}, return_when=asyncio.FIRST_COMPLETED)
        assert not first.done(), "the request that was to be held never came"
        if rival is Rival.REDELIVERED:
            self._rig.set_time(self._now + LATER)
            await self._rig.deliver(await self._story.act(self._rig.app, self._messages))
        else:
            self._rig.set_time(self._now + self._rig.app.lease)
            await self._rig.work()
        ledger = await self._ledger()
        self._proxy.release()
        follow = await first
        if held > self.claimed:
            assert await self._ledger() == ledger, "a worker that had lost its claim wrote into the ledger"
        return await self._in_the_end(follow)

    async def _ledger(self) -> dict[tuple[str, str], dict[str, Any]]:
        """All of the ledger but the marks that make slices due, which anybody may leave."""
        rows = await raw((await self._rig.tables()).slices)
        return {key: row for key, row in rows.items() if not key[1].startswith("due-")}

    async def _in_the_end(self, follow: list[str]) -> View:
        await self._rig.deliver(follow)
        self._rig.set_time(self._now + self._rig.app.lease)
        await self._rig.work()
        tables = await self._rig.tables()
        view = await canonical(tables)
        # What an outdated reading told of stays told.
        return view if self._story is OUTDATED_READ else view | await told(tables)

    @staticmethod
    async def _warm(worker: App) -> None:
        await worker.tables()
        await worker.directory()
        await worker.erased()


@asynccontextmanager
async def _race(azurite: str, monkeypatch: pytest.MonkeyPatch, story: Story) -> AsyncIterator[_Race]:
    size, most = story.page_size, story.pages_per_slice
    async with (
        rig(azurite, monkeypatch, page_size=size, slice_minutes=WIDTH, pages_per_slice=most) as desk,
        CutProxy(azurite) as proxy,
    ):
        messages = await story.prepare(desk)
        yield _Race(desk, proxy, story, messages, await desk.copy())


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.soak)])
async def test_an_outdated_worker_brings_nothing_back(azurite: str, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    async with _race(azurite, monkeypatch, OUTDATED_READ) as race:
        expected = await race.alone()
        for held in range(race.claimed + 1, race.done + 1, step):
            rival = (Rival.REDELIVERED, Rival.PLANNED)[held % 2]
            assert difference(expected, await race.run(held, rival)) == [], (held, rival)


async def test_two_workers_at_one_slice_leave_what_one_would(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with _race(azurite, monkeypatch, SECOND_READ) as race:
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
    async with _race(azurite, monkeypatch, story) as race:
        expected = await race.alone()
        for held in range(1, race.requests + 1):
            assert difference(expected, await race.run(held, rival)) == [], held
