"""Invariants 1 and 3 under a connection to storage that is lost at every request of a moment of the scan.

The number of requests is found by a dry run. Losing an answer and then everything is what a worker's death looks like
between that request and the next, so the short run loses the answers of the writes alone, and the soak every request
and every answer.
"""

from __future__ import annotations

from itertools import cycle

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from tests.scan.canonical import View, difference, half_told
from tests.scan.cut_proxy import Aftermath, Cut, Loss
from tests.scan.moment import Moment, moment_of, warm
from tests.scan.stories import SECOND_READ, STORIES, Story


class _Cuts:
    """A moment at which a worker's connection is cut."""

    def __init__(self, moment: Moment) -> None:
        self._moment = moment
        self._victims = {
            Aftermath.BLIP: moment.rig.worker(moment.proxy.connection),
            Aftermath.CRASH: moment.rig.worker(moment.proxy.connection, retries=0),
        }
        self.requests = 0
        self.writes: list[int] = []

    async def undisturbed(self) -> View:
        """What the tables say in the end; counts the requests, and which of them write."""
        for victim in self._victims.values():
            await warm(victim)
        proxy = self._moment.proxy
        proxy.begin()
        follow = await self._moment.act(self._victims[Aftermath.BLIP])
        self.requests, self.writes = len(proxy.requests), proxy.writes
        return await self._moment.in_the_end(follow)

    async def disturbed(self, cut: Cut, *, redelivered: bool) -> View:
        """What the tables say in the end when that is cut. A crash is followed by the message coming back to another
        worker at once, or by the plan finding after the lease what was left behind."""
        await self._moment.begin_again()
        crash = cut.aftermath is Aftermath.CRASH
        self._moment.proxy.begin(cut)
        try:
            follow = await self._moment.act(self._victims[cut.aftermath])
        except (ServiceRequestError, ServiceResponseError):
            assert crash, "one lost request has to be no more than a hiccup"
            follow = self._moment.messages if redelivered else []
        else:
            assert not crash, "the request that was to be cut never came"
        assert await half_told((await self._moment.rig.tables()).slices) == [], cut
        return await self._moment.in_the_end(follow)


def _name(story: Story) -> str:
    return story.name


@pytest.mark.parametrize("story", STORIES, ids=_name)
async def test_a_worker_that_dies_at_any_write_changes_nothing(
    azurite: str, monkeypatch: pytest.MonkeyPatch, story: Story
) -> None:
    async with moment_of(azurite, monkeypatch, story) as moment:
        cuts = _Cuts(moment)
        expected = await cuts.undisturbed()
        assert cuts.writes
        for number in cuts.writes:
            cut = Cut(number, Loss.ANSWER, Aftermath.CRASH)
            found = await cuts.disturbed(cut, redelivered=number % 2 == 0)
            assert difference(expected, found) == [], cut


async def test_a_hiccup_of_the_connection_at_any_write_is_no_more_than_that(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with moment_of(azurite, monkeypatch, SECOND_READ) as moment:
        cuts = _Cuts(moment)
        expected = await cuts.undisturbed()
        assert cuts.writes
        for number, loss in zip(cuts.writes, cycle(Loss), strict=False):
            cut = Cut(number, loss, Aftermath.BLIP)
            found = await cuts.disturbed(cut, redelivered=False)
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
    async with moment_of(azurite, monkeypatch, story) as moment:
        cuts = _Cuts(moment)
        expected = await cuts.undisturbed()
        for number in range(1, cuts.requests + 1):
            cut = Cut(number, loss, aftermath)
            found = await cuts.disturbed(cut, redelivered=redelivered)
            assert difference(expected, found) == [], cut
