"""A moment of the scan that is disturbed, again and again from the same tables."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.app.app import App
from tests.scan.canonical import View, canonical, told
from tests.scan.cut_proxy import CutProxy
from tests.scan.harness import Copy, Rig, rig
from tests.scan.stories import OUTDATED_READ, WIDTH, Story


class Moment:
    """A story told up to the moment; `messages` are those that it goes on with."""

    def __init__(self, rig: Rig, proxy: CutProxy, story: Story, messages: list[str], before: Copy) -> None:
        self.rig = rig
        self.proxy = proxy
        self.story = story
        self.messages = messages
        self.now = rig.now
        self._before = before

    async def begin_again(self) -> None:
        """The clock and the tables as they were."""
        self.rig.set_time(self.now)
        await self.rig.restore(self._before)

    async def act(self, worker: App) -> list[str]:
        """Let a worker do what the moment is about. Gives the messages that go on."""
        return await self.story.act(worker, self.messages)

    async def in_the_end(self, follow: list[str]) -> View:
        """What the tables say, and what was told, when all is done and a lease has passed."""
        await self.rig.deliver(follow)
        self.rig.set_time(self.now + self.rig.app.lease)
        await self.rig.work()
        tables = await self.rig.tables()
        view = await canonical(tables)
        # What an outdated reading told of stays told.
        return view if self.story is OUTDATED_READ else view | await told(tables)


async def warm(worker: App) -> None:
    """What a process asks once in its life is not of the moment."""
    await worker.tables()
    await worker.directory()
    await worker.erased()


@asynccontextmanager
async def moment_of(azurite: str, monkeypatch: pytest.MonkeyPatch, story: Story) -> AsyncIterator[Moment]:
    """Tell a story up to its moment, behind a connection that can be cut."""
    size, most = story.page_size, story.pages_per_slice
    async with (
        rig(azurite, monkeypatch, page_size=size, slice_minutes=WIDTH, pages_per_slice=most) as desk,
        CutProxy(azurite) as proxy,
    ):
        messages = await story.prepare(desk)
        yield Moment(desk, proxy, story, messages, await desk.copy())
