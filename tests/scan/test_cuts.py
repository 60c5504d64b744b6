"""Invariants 1 and 3 under a connection to storage that is lost at every request of a moment of the scan.

The number of requests is found by a dry run. Losing an answer and then everything is what a worker's death looks like
between that request and the next, so the short run loses the answers of the writes alone, and the soak every request
and every answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from tests.scan.canonical import View, canonical, difference, half_told, told
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss
from tests.scan.harness import Copy, Rig, rig
from tests.scan.stories import SECOND_READ, STORIES, WIDTH, Story


class _Moment:
    """A story told up to the moment that is disturbed, again and again from the same tables."""

    def __init__(self, rig: Rig, proxy: CutProxy, story: Story, messages: list[str], before: Copy) -> None:
        self._rig = rig
        self._proxy = proxy
        self._story = story
        self._messages = messages
        self._before = before
        self._now = rig.now
        self._victims = {
            Aftermath.BLIP: rig.worker(proxy.connection),
            Aftermath.CRASH: rig.worker(proxy.connection, retries=0),
        }
        self.requests = 0
        self.writes: list[int] = []

    async def undisturbed(self) -> View:
        """What the tables say in the end; counts the requests, and which of them write."""
        for victim in self._victims.values():  # what a process asks once in its life is not of this moment
            await victim.tables()
            await victim.directory()
            await victim.erased()
        self._proxy.begin()
        follow = await self._story.act(self._victims[Aftermath.BLIP], self._messages)
        self.requests, self.writes = len(self._proxy.requests), self._proxy.writes
        return await self._in_the_end(follow)

    async def disturbed(self, cut: Cut, *, redelivered: bool) -> View:
        """What the tables say in the end when that is cut. A crash is followed by the message coming back to another
        worker at once, or by the plan finding after the lease what was left behind."""
        self._rig.set_time(self._now)
        await self._rig.restore(self._before)
        crash = cut.aftermath is Aftermath.CRASH
        self._proxy.begin(cut)
        try:
            follow = await self._story.act(self._victims[cut.aftermath], self._messages)
        except (ServiceRequestError, ServiceResponseError):
            assert crash, "one lost request has to be no more than a hiccup"
            follow = self._messages if redelivered else []
        else:
            assert not crash, "the request that was to be cut never came"
        assert await half_told((await self._rig.tables()).slices) == [], cut
        return await self._in_the_end(follow)

    async def _in_the_end(self, follow: list[str]) -> View:
        await self._rig.deliver(follow)
        self._rig.set_time(self._now + self._rig.app.lease)
        await self._rig.work()
        tables = await self._rig.tables()
        return await canonical(tables) | await told(tables)


@asynccontextmanager
async def _moment(azurite: str, monkeypatch: pytest.MonkeyPatch, story: Story) -> AsyncIterator[_Moment]:
    size, most = story.page_size, story.pages_per_slice
    async with (
        rig(azurite, monkeypatch, page_size=size, slice_minutes=WIDTH, pages_per_slice=most) as desk,
        CutProxy(azurite) as proxy,
    ):
        messages = await story.prepare(desk)
        yield _Moment(desk, proxy, story, messages, await desk.copy())


def _name(story: Story) -> str:
    return story.name


@pytest.mark.parametrize("story", STORIES, ids=_name)
async def test_a_worker_that_dies_at_any_write_changes_nothing(
    azurite: str, monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    async with _moment(azurite, monkeypatch, story) as moment:
        expected = await moment.undisturbed()
        assert moment.writes
        for number in moment.writes:
            cut = Cut(number, Loss.ANSWER, Aftermath.CRASH)
            found = await moment.disturbed(cut, redelivered=number % 2 == 0)
            assert difference(expected, found) == [], cut


async def test_a_hiccup_of_the_connection_at_any_write_is_no_more_than_that(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with _moment(azurite, monkeypatch, SECOND_READ) as moment:
        expected = await moment.undisturbed()
        assert moment.writes
        for number, loss in zip(moment.writes, cycle(Loss), strict=False):
            cut = Cut(number, loss, Aftermath.BLIP)
            found = await moment.disturbed(cut, redelivered=False)
            assert difference(expected, found) == [], cut


@pytest.mark.soak
@pytest.mark.parametrize("redelivered", [True, False], ids=["redelivered", "planned"])
@pytest.mark.parametrize("aftermath", Aftermath, ids=lambda aftermath: aftermath.value)
@pytest.mark.parametrize("loss", Loss, ids=lambda loss: loss.value)
@pytest.mark.parametrize("story", STORIES, ids=_name)
async def test_a_loss_at_any_request_changes_nothing(
    azurite: str,
    monkeypatch: pytest.MonkeyPatch,
    story: Story,
    loss: Loss,
    aftermath: Aftermath,
    redelivered: bool,
) -> None:
    async with _moment(azurite, monkeypatch, story) as moment:
        expected = await moment.undisturbed()
        for number in range(1, moment.requests + 1):
            cut = Cut(number, loss, aftermath)
            found = await moment.disturbed(cut, redelivered=redelivered)
            assert difference(expected, found) == [], cut
