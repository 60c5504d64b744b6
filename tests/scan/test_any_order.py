"""Invariant 1 over whole histories drawn at random: whatever a scan went through, its tables say in the end what one
clean read of the final log says.

Each seed draws a log whose records arrive late, change their details, vanish and come back, and a history of plans,
workers that die at some request, messages that come twice or never, and time that passes.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from shared.app.app import App
from shared.operations.slices import rescan
from shared.rules.rule import AT_HOME, PARTNER
from shared.scan.plan import plan_scans
from tests.scan.canonical import canonical, difference
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss
from tests.scan.harness import Rig, record, rig
from tests.scan.stories import BROKEN, silent, weak

# All in one grid: three closed slices of six hours, which no passing of time below adds to or takes from.
BEGIN = datetime(2026, 11, 2, 0, 5, tzinfo=UTC)
END = datetime(2026, 11, 2, 5, 45, tzinfo=UTC)
FIRST = datetime(2026, 11, 1, 6, tzinfo=UTC)
SLICES = timedelta(hours=18)
STEPS = 14


def _versions(random: Random, number: int) -> list[dict[str, Any]]:
    """One record as it is served over time. Its time, session and stream stay; what it says of MFA changes, and where
    it leads. One that cannot be read may be mended, but none breaks that could be: its finding would stand for ever, as
    it should."""
    at = FIRST + timedelta(seconds=random.randrange(int(SLICES.total_seconds())))
    if random.random() < 0.1:
        at = FIRST + random.randrange(1, 3) * SLICES / 3  # on the boundary of two slices
    name, app, session = f"r{number}", f"app-{random.randrange(3)}", f"session-{random.randrange(4)}"
    child = random.random() < 0.4

    def version() -> dict[str, Any]:
        return {**in_a_customer(), **(AT_HOME if random.random() < 0.3 else {})}

    def in_a_customer() -> dict[str, Any]:
        if child:
            claimed = {"additionalDetails": "MFA requirement satisfied by claim in the token", "errorCode": 0}
            return silent(name, at, session, appId=app, **({"status": claimed} if random.random() < 0.2 else {}))
        kind = random.randrange(5)
        if kind == 0:
            return record(name, at, appId=app, sessionId=session)
        if kind == 1:
            return record(name, at, appId=app, sessionId=session, clientAppUsed="IMAP4")
        if kind == 2:
            return record(name, at, appId=app, sessionId=session, status={"errorCode": 50076})
        return weak(name, at, appId=app, sessionId=session)

    versions = [version() for _ in range(random.choice([1, 1, 2, 3]))]
    if random.random() < 0.1:
        versions.insert(0, record(name, at, **BROKEN))
    return versions


def _write_log(rig: Rig, random: Random, count: int) -> list[str]:
    """Have the log serve so many records, some of them late and some of them changing; gives their ids."""
    names = []
    for number in range(count):
        first, *others = _versions(random, number)
        at, *later = _moments(random, len(others) + 1)
        rig.log(first, at=BEGIN - timedelta(days=1) if random.random() < 0.7 else at)
        for other, corrected_at in zip(others, later, strict=True):
            rig.correct(other, at=corrected_at)
        names.append(first["id"])
    return names


def _moments(random: Random, count: int) -> list[datetime]:
    return sorted(BEGIN + timedelta(minutes=random.randrange(1, 330)) for _ in range(count))


class _History:
    """What happens to a scan, step by step."""

    def __init__(self, rig: Rig, proxy: CutProxy, random: Random, names: list[str]) -> None:
        self._rig = rig
        self._proxy = proxy
        self._random = random
        self._names = names
        self._victim = rig.worker(proxy.connection, retries=0)
        self._lost: list[str] = []  # messages that workers died over: the queue may give them again at any time

    async def go(self) -> None:
        """All of it; then the log is whole, time is up, and an operator has everything read once more."""
        for _ in range(STEPS):
            await self._random.choice((self._work, self._die, self._die, self._meet, self._again, self._forget))()
            self._rig.set_time(min(END, self._rig.now + timedelta(minutes=self._random.choice((0, 1, 12, 30, 60)))))
            if self._random.random() < 0.3:
                self._rig.show_all()
                self._rig.hide(*self._random.sample(self._names, self._random.randrange(4)))
        self._rig.show_all()
        self._rig.set_time(END)
        await self._rig.work()
        self._rig.pass_time(self._rig.app.lease)  # for what was left claimed
        await self._rig.work()
        await rescan(self._rig.app, PARTNER, FIRST, END)
        await self._rig.work()

    async def _plan(self) -> list[str]:
        return await plan_scans(self._rig.app)

    async def _work(self) -> None:
        await self._rig.deliver(await self._plan())

    async def _die(self) -> None:
        """A worker dies at some request of some slice."""
        messages = await self._plan()
        self._proxy.begin(
            Cut(self._random.randrange(1, 60), self._random.choice([*Loss]), Aftermath.CRASH),
        )
        self._lost += await self._until_dead(messages)
        self._proxy.begin()

    async def _until_dead(self, messages: list[str]) -> list[str]:
        try:
            await self._rig.deliver(messages, self._victim)
        except (ServiceRequestError, ServiceResponseError):
            return messages
        return []

    async def _meet(self) -> None:
        """A message comes to two workers at once."""
        messages = await self._plan()
        await asyncio.gather(self._rig.deliver(messages), self._rig.deliver(messages, self._second()))

    def _second(self) -> App:
        self._proxy.begin()
        return self._victim

    async def _again(self) -> None:
        """The queue gives again what workers died over."""
        messages, self._lost = self._lost, []
        await self._rig.deliver(messages)

    async def _forget(self) -> None:
        """A message is lost."""
        await self._plan()


async def _compare(azurite: str, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    random = Random(seed)  # noqa: S311 - it draws test data
    splitting = seed % 2 == 0
    size, most = (3, 2) if splitting else (1000, 50)
    async with (
        rig(
            azurite,
            monkeypatch,
            now=BEGIN,
            page_size=size,
            pages_per_slice=most,
            slice_minutes=360,
            slice_lease_seconds=600,
            read_ages_minutes=(0, 15, 60, 240),
        ) as desk,
        CutProxy(azurite) as proxy,
    ):
        names = _write_log(desk, random, 24)
        nothing = await desk.copy()
        await _History(desk, proxy, random, names).go()
        found = await canonical(await desk.tables())
        await desk.restore({**nothing, "slices": [], "incidents": [], "sessions": [], "rollups": [], "control": []})
        await desk.work()
        expected = await canonical(await desk.tables())
        assert difference(expected, found) == [], seed


@pytest.mark.parametrize("seed", range(2))
async def test_any_history_ends_as_one_clean_read(azurite: str, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    await _compare(azurite, monkeypatch, seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 200))
async def test_any_of_many_histories_ends_as_one_clean_read(
    azurite: str, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    await _compare(azurite, monkeypatch, seed)
