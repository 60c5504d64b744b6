"""A slice that fails waits, whoever asks for it, and holds up nobody meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError

from local.graph_server.control import Control, HangFault, StatusFault
from shared.ledger.flight import Flight
from shared.ledger.head import MAX_ATTEMPTS, Head, SliceState, backoff
from shared.ledger.slices import Slice
from shared.operations.slices import rescan
from shared.rules.rule import PARTNER
from shared.scan.due import Ledger, Terms, due_slices
from shared.scan.hold import Hold
from shared.scan.job import scan_slice
from shared.scan.messages import SliceMessage
from shared.scan.plan import LONGEST_CHAIN_TIME
from shared.store.flights import read_flight
from shared.store.ledger import Lost
from shared.store.tables import Table
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss
from tests.scan.harness import Rig, rig
from tests.scan.stories import CHILD, LATE, MINUTE, RICH, SEVEN, WIDTH, weak

HOUR = timedelta(hours=1)
FIVE = 5 * MINUTE


@pytest.mark.parametrize("is_marked", [False, True])
def test_ten_reads_in_vain_take_the_same_time_with_a_mark(is_marked: bool) -> None:
    """The plan runs every five minutes, every read fails: marks overrode the back-off and parked after 45 minutes."""
    began = now = RICH.end
    head = Head(RICH, next_due=now)
    while True:
        ledger = Ledger({RICH: head}, {RICH: "mark"} if is_marked else {})
        if due_slices(ledger, [RICH], Terms(now, timedelta(days=30))):
            attempts = head.attempts + 1
            if attempts == MAX_ATTEMPTS:
                break
            head = Head(RICH, attempts=attempts, next_due=now + backoff(attempts))
        now += FIVE
    assert now - began > 4 * HOUR


async def test_a_marked_slice_whose_read_fails_waits_for_its_back_off(desk: Rig) -> None:
    desk.log(weak("a", SEVEN))
    await desk.work()
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    desk.fail(StatusFault(kind="status", status=503, times=1_000_000))
    assert await desk.work() == 1
    desk.pass_time(timedelta(seconds=59))
    assert await desk.work() == 0
    desk.graph.control(Control(clear_faults=True))
    desk.pass_time(timedelta(seconds=1))
    assert await desk.work() == 1
    assert await desk.work() == 0  # the mark was served


def test_a_worker_that_died_the_second_time_is_waited_for() -> None:
    once = Head(RICH, SliceState.CLAIMED, attempts=1, lease_until=LATE)
    assert once.is_due(LATE)
    twice = Head(RICH, SliceState.CLAIMED, attempts=2, lease_until=LATE)
    assert not twice.is_due(LATE + backoff(2) - timedelta(seconds=1))
    assert twice.is_due(LATE + backoff(2))


async def test_a_slice_that_kills_its_workers_blocks_nobody(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue brings the message back after each crash: the third time the slice waits and the next is read."""
    async with (
        rig(azurite, monkeypatch, now=LATE, slice_minutes=WIDTH) as desk,
        CutProxy(azurite) as proxy,
    ):
        victim = desk.worker(proxy.connection, retries=0)
        await victim.directory()
        (message,) = await desk.plan()
        before = await desk.copy()
        proxy.begin()
        await scan_slice(victim, message)
        claimed = proxy.writes[0]
        await desk.restore(before)
        for _ in range(2):
            proxy.begin(Cut(claimed, Loss.ANSWER, Aftermath.CRASH))
            with pytest.raises(ServiceRequestError):
                await scan_slice(victim, message)
        follow = await scan_slice(desk.app, message)
        killer = SliceMessage.model_validate_json(message).slice
        head = await desk.head(killer)
        assert (head.state, head.next_due) == (SliceState.IDLE, desk.now + backoff(3))
        assert len(follow) == 1
        await desk.deliver(follow)
        desk.pass_time(backoff(3))
        await desk.work()
        assert (await desk.head(killer)).whole


async def test_a_chain_ends_after_its_time(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=LATE, slice_minutes=WIDTH, lookback_days=3) as desk:
        (first,) = await desk.plan()
        (second,) = await scan_slice(desk.app, first)
        desk.pass_time(LONGEST_CHAIN_TIME)
        assert await scan_slice(desk.app, second) == []
        flight = await read_flight((await desk.tables()).control, PARTNER)
        assert flight.is_free(desk.now)
        assert await desk.work() == 6


async def test_a_worker_that_stood_still_claims_nothing_that_another_width_covers(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SLICE_MINUTES was changed while it stood between the flight and the claim: the time would be counted twice."""
    async with rig(azurite, monkeypatch, now=LATE, slice_minutes=WIDTH) as narrow:
        narrow.log(weak("a", SEVEN))
        (message,) = await narrow.plan()
        stale: Flight = await read_flight((await narrow.tables()).control, PARTNER)
        async with rig(azurite, monkeypatch, now=LATE, slice_minutes=60, prefix=narrow.prefix) as other:
            other.set_time(LATE + other.app.lease)
            await other.plan()
            narrow.now = other.now
            slice_: Slice = SliceMessage.model_validate_json(message).slice
            with pytest.raises(Lost):
                await Hold.take(narrow.app, await narrow.tables(), slice_, stale)
            assert slice_ not in {head.slice for head in await narrow.heads(CHILD.start)}


async def test_an_answer_that_takes_longer_than_a_lease_leaves_the_slice_in_its_workers_hands(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SLICE_LEASE_SECONDS may be below GRAPH_TIMEOUT_SECONDS: the next worker met the same page, until it parked."""
    settings: dict[str, Any] = {"slice_lease_seconds": 1, "graph_timeout_seconds": 300}
    async with rig(azurite, monkeypatch, now=LATE, slice_minutes=WIDTH, **settings) as desk:
        (message,) = await desk.plan()
        desk.fail(HangFault(kind="hang"))
        control = (await desk.tables()).control
        reading = asyncio.create_task(scan_slice(desk.app, message))
        try:
            for _ in range(5):
                desk.pass_time(timedelta(seconds=0.9))
                await _renewed(control, desk)
                assert await desk.plan() == [], "nobody else is sent to it"
            assert not reading.done()
            assert (await desk.head(SliceMessage.model_validate_json(message).slice)).attempts == 1
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def _renewed(control: Table, desk: Rig) -> None:
    """Wait until the flight lasts a whole lease from now: half a minute at most."""
    for _ in range(600):
        until = (await read_flight(control, PARTNER)).until
        if until is not None and until >= desk.now + desk.app.lease:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the worker does not show that it lives")
