"""The worker cut off at every write of an alert: each event is told, and under one webhook-id.

A death is the loss of everything from an answer on; what comes after is another process, when claims and messages have
run out. The receiver keeps what it took, also when nobody heard its answer.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from functions.incidents import update_incident
from local.stage.receivers import Fault
from shared.alerts.deliver import deliver_alert
from shared.alerts.dispatch import dispatch_alerts
from shared.app.app import App
from shared.rules.rule import Severity
from tests.alerts.harness import MINUTE, Copy, Rig, key_of, receiver, rig
from tests.functions.asking import ask
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss

type Work = Callable[[Rig, App], Awaitable[None]]

MANY = 46  # more than fit into one transaction


@dataclass(frozen=True)
class Story:
    """What happened before, and what is cut off. `again` is what the scan does a second time, since it was not done."""

    before: Work
    act: Work
    again: Work
    faults: tuple[Fault, ...] = ()


async def nothing(b: Rig, app: App) -> None:
    """Nothing to do."""


async def opened(b: Rig, app: App) -> None:
    await b.found(app=app)


async def told(b: Rig, app: App) -> None:
    await b.found(severity=Severity.MEDIUM, app=app)
    await b.tick(app=app)


async def raised(b: Rig, app: App) -> None:
    await b.found(severity=Severity.CRITICAL, app=app)


async def withdrawn(b: Rig, app: App) -> None:
    await b.found(count=0, app=app)


async def crowd(b: Rig, app: App) -> None:
    for place in range(MANY):
        await b.found(f"user{place}", app=app)


def then_told(work: Work) -> Work:
    """That, and a minute of the app."""

    async def act(b: Rig, app: App) -> None:
        await work(b, app)
        await b.tick(app=app)

    return act


STORIES = {
    "opened": Story(nothing, then_told(opened), opened),
    "raised": Story(told, then_told(raised), raised),
    "withdrawn": Story(told, then_told(withdrawn), withdrawn),
    "failing": Story(nothing, then_told(opened), opened, faults=(Fault.FAIL,)),
    "storm": Story(crowd, then_told(nothing), nothing),
}


def heard(b: Rig) -> Counter[tuple[str, str]]:
    """How many different messages of each type there are about each incident. The same id is the same message."""
    bodies: dict[str, dict[str, Any]] = {}
    for received in b.got():
        body = received.json
        assert bodies.setdefault(received.id, body) == body
        assert received.verified
    return Counter(
        (body["type"], body["data"]["incident"]["id"] if "incident" in body["data"] else str(body["data"]["total"]))
        for body in bodies.values()
    )


class Moment:
    """A story told up to the moment that is cut, again and again."""

    def __init__(self, b: Rig, proxy: CutProxy, story: Story, before: Copy) -> None:
        self._b = b
        self._proxy = proxy
        self._story = story
        self._before = before
        self._now = b.now

    async def undisturbed(self) -> tuple[Counter[tuple[str, str]], dict[int, str], int]:
        """What is heard, the writes by their numbers, and how many requests there are."""
        worker = self._b.worker(self._proxy.connection, retries=0)
        await worker.tables()
        self._proxy.begin()
        await self._story.act(self._b, worker)
        writes = {number: self._proxy.requests[number - 1] for number in self._proxy.writes}
        count = len(self._proxy.requests)
        await worker.close()
        return await self._in_the_end(), writes, count

    async def disturbed(self, cut: Cut) -> Counter[tuple[str, str]]:
        """What is heard when that is cut."""
        b = self._b
        b.now = self._now
        b.receivers[0].tries.clear()
        b.receivers[0].faults[:] = self._story.faults
        await b.restore(self._before)
        crash = cut.aftermath is Aftermath.CRASH
        victim = b.worker(self._proxy.connection, retries=0 if crash else 3)
        await victim.tables()
        self._proxy.begin(cut)
        try:
            await self._story.act(b, victim)
        except (ServiceRequestError, ServiceResponseError):
            assert crash, "one lost answer has to be no more than a hiccup"
        await victim.close()
        self._proxy.begin()
        await self._story.again(b, b.app)
        return await self._in_the_end()

    async def _in_the_end(self) -> Counter[tuple[str, str]]:
        for _ in range(6):
            if await self._b.tick(after=5 * MINUTE) == 0:
                break
        assert {delivery.state for delivery in await self._b.deliveries()} == {"delivered"}
        return heard(self._b)


@asynccontextmanager
async def moment(azurite: str, name: str) -> AsyncIterator[Moment]:
    story = STORIES[name]
    async with CutProxy(azurite) as proxy, rig(azurite, receiver(faults=[*story.faults])) as b:
        await story.before(b, b.app)
        b.receivers[0].tries.clear()
        yield Moment(b, proxy, story, await b.copy())


@pytest.mark.parametrize("name", STORIES)
async def test_a_death_at_any_write_of_a_delivery_loses_and_repeats_nothing(azurite: str, name: str) -> None:
    async with moment(azurite, name) as at:
        truth, writes, _ = await at.undisturbed()
        assert sum(truth.values()) == 1
        assert len(writes) >= 6
        # These are taken in as others are, only in more pieces: those writes are for the soak.
        for number in (n for n, write in writes.items() if name not in ("storm", "failing") or "delivery-" in write):
            assert await at.disturbed(Cut(number, Loss.ANSWER, Aftermath.CRASH)) == truth, f"at request {number}"


async def test_a_lost_answer_is_no_more_than_a_hiccup(azurite: str) -> None:
    """The storage client asks again, and our own success comes back as a conflict."""
    async with moment(azurite, "opened") as at:
        truth, writes, _ = await at.undisturbed()
        for number in writes:
            assert await at.disturbed(Cut(number, Loss.ANSWER, Aftermath.BLIP)) == truth, f"at request {number}"


async def overtaken(b: Rig, proxy: CutProxy, number: int) -> None:
    """A dispatch is held back at that request while another one does its whole work; then it goes on."""
    slow = b.worker(proxy.connection, retries=3)  # Azurite closes connections that are idle while it is held
    await slow.tables()
    proxy.hold(number)
    first = asyncio.create_task(dispatch_alerts(slow))
    await proxy.held.wait()
    await b.tick()
    proxy.release()
    for message in await first:
        await deliver_alert(slow, message)
    await slow.close()


async def test_a_dispatch_that_another_overtook_tells_nothing_twice(azurite: str) -> None:
    async with CutProxy(azurite) as proxy, rig(azurite) as b:
        for who in ("ann", "bob"):
            await b.found(who)
        before = await b.copy()
        worker = b.worker(proxy.connection, retries=0)
        await worker.tables()
        proxy.begin()
        await dispatch_alerts(worker)
        writes = proxy.writes
        await worker.close()
        for number in writes:
            b.receivers[0].tries.clear()
            await b.restore(before)
            await overtaken(b, proxy, number)
            await b.tick(after=5 * MINUTE)
            told = heard(b)
            assert sorted(told.values()) == [1, 1], f"at request {number}: {told}"
            assert len(b.got()) == 2, f"at request {number}"


@pytest.mark.soak
@pytest.mark.parametrize("name", STORIES)
async def test_a_death_at_any_request(azurite: str, name: str) -> None:
    async with moment(azurite, name) as at:
        truth, _, count = await at.undisturbed()
        for number in range(1, count + 1):
            for loss in Loss:
                assert await at.disturbed(Cut(number, loss, Aftermath.CRASH)) == truth, f"{loss} at request {number}"


async def test_two_workers_do_not_send_at_once(azurite: str) -> None:
    """One holds the delivery between its claim and its answer; the other leaves it alone."""
    async with CutProxy(azurite) as proxy, rig(azurite) as b:
        await b.found()
        (message,) = await dispatch_alerts(b.app)
        slow = b.worker(proxy.connection, retries=0)
        await slow.tables()
        # After two reads the claim is written, and its worker is gone.
        proxy.begin(Cut(3, Loss.ANSWER, Aftermath.CRASH))
        with pytest.raises((ServiceRequestError, ServiceResponseError)):
            await deliver_alert(slow, message)
        await deliver_alert(b.app, message)
        assert b.got() == []
        b.now += 2 * MINUTE
        await deliver_alert(b.app, message)
        assert len(b.got()) == 1
        await slow.close()


async def test_an_acknowledgement_whose_answer_was_lost_stands_once(azurite: str) -> None:
    async with CutProxy(azurite) as proxy, rig(azurite) as b:
        await b.found()
        before = await b.copy()
        path, body = {"id": key_of("jane")}, json.dumps({"state": "acknowledged"}).encode()
        headers = {"If-Match": '"1-1"', "Content-Type": "application/json"}
        for aftermath in Aftermath:
            await b.restore(before)
            victim = b.worker(proxy.connection, retries=3 if aftermath is Aftermath.BLIP else 0)
            await victim.tables()
            proxy.begin(Cut(2, Loss.ANSWER, aftermath))
            reply = await ask(update_incident, victim, path=path, headers=headers, body=body)
            assert reply.status == (200 if aftermath is Aftermath.BLIP else 503)
            await victim.close()
            proxy.begin()
            again = await ask(update_incident, b.app, path=path, headers=headers, body=body)
            assert again.status == 412  # the etag of before: whoever reads it anew sees that it is done
            now = await b.incident()
            assert (now.state, now.revision) == ("acknowledged", 2)
            b.now += timedelta(seconds=1)
