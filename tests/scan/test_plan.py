"""What is due and in which order, from the ledger alone; and who may fly."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice, closed_slices
from shared.rules.rule import PARTNER
from shared.scan.due import Ledger, Terms, due_slices
from shared.scan.messages import SliceMessage
from shared.scan.plan import LONGEST_CHAIN
from shared.store.flights import read_flight
from tests.scan.harness import Rig, rig
from tests.scan.stories import EARLY, LATE, RICH, WIDTH

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRID = closed_slices("t", NOW - 6 * HOUR, NOW, HOUR)


def due(*heads: Head, marked: tuple[Slice, ...] = (), installed: datetime | None = None, days: int = 30) -> list[int]:
    """The hours of what is due, in order."""
    ledger = Ledger({h.slice: h for h in heads}, dict.fromkeys(marked, "etag"))
    found = due_slices(ledger, GRID, Terms(NOW, timedelta(days=days), installed))
    return [s.start.hour for s in found]


def read(
    slice_: Slice, next_due: datetime | None = None, state: SliceState = SliceState.IDLE, lease: datetime | None = None
) -> Head:
    return Head(slice_, state=state, settled=timedelta(0), whole=True, next_due=next_due, lease_until=lease)


def test_what_closed_since_the_installation_comes_newest_and_oldest_in_turn() -> None:
    assert due() == [11, 6, 10, 7, 9, 8]


def test_the_backlog_of_the_first_run_comes_newest_first_and_new_slices_between() -> None:
    assert due(installed=NOW) == [11, 10, 9, 8, 7, 6]
    assert due(installed=NOW - 2 * HOUR) == [11, 9, 10, 8, 7, 6]


def test_what_was_read_waits_for_its_age() -> None:
    assert due(*(read(s) for s in GRID)) == []
    assert due(*(read(s) for s in GRID[1:]), read(GRID[0], next_due=NOW)) == [6]
    assert due(*(read(s) for s in GRID[1:]), read(GRID[0], next_due=NOW + timedelta(seconds=1))) == []


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (read(GRID[0], state=SliceState.CLAIMED, lease=NOW), [6]),  # its worker is taken for dead
        (read(GRID[0], state=SliceState.CLAIMED, lease=NOW + timedelta(seconds=1)), []),
        (read(GRID[0], NOW, state=SliceState.PARKED), []),
        (read(GRID[0], NOW, state=SliceState.FOREIGN), []),
        (read(GRID[0], None), []),
    ],
)
def test_who_is_left_alone(head: Head, expected: list[int]) -> None:
    assert due(head, *(read(s) for s in GRID[1:])) == expected


@pytest.mark.parametrize("state", [SliceState.PARKED, SliceState.FOREIGN])
def test_a_mark_does_not_open_what_was_given_up(state: SliceState) -> None:
    assert due(*(read(s) for s in GRID[1:]), read(GRID[0], state=state), marked=(GRID[0],)) == []


def test_a_mark_makes_due_what_was_sealed() -> None:
    assert due(*(read(s) for s in GRID), marked=(GRID[2],)) == [8]
    busy = read(GRID[2], state=SliceState.CLAIMED, lease=NOW + HOUR)
    assert due(*(read(s) for s in GRID if s != GRID[2]), busy, marked=(GRID[2],)) == []


def test_halves_stand_for_a_split_slice() -> None:
    halves = GRID[0].halves()
    assert halves is not None
    others = [read(s) for s in GRID[1:]]
    assert due(read(GRID[0], state=SliceState.SPLIT), *others) == [6, 6]
    assert due(read(GRID[0], state=SliceState.SPLIT), read(halves[0]), *others) == [6]
    assert due(read(GRID[0], state=SliceState.SPLIT), *(read(half) for half in halves), *others) == []
    assert due(read(GRID[0], state=SliceState.SPLIT), *(read(half) for half in halves), *others, marked=(GRID[0],)) == [
        6,
        6,
    ]


def test_what_is_near_the_end_of_retention_is_never_due() -> None:
    for hours, first in ((20, 9), (22, 11), (23, None)):
        ledger = Ledger({}, dict.fromkeys(GRID, "etag"))
        now = NOW + hours * HOUR
        found = due_slices(ledger, GRID, Terms(now, timedelta(days=1)))
        assert min((s.start.hour for s in found), default=None) == first


# --- the plan over real tables ----------------------------------------------------------------------------------------


async def test_a_tenant_has_one_slice_in_flight_however_often_one_plans(desk: Rig) -> None:
    found = await asyncio.gather(*(desk.plan() for _ in range(5)))
    found += [await desk.plan()]
    assert sorted(map(len, found)) == [0, 0, 0, 0, 0, 1]


async def test_a_message_that_nobody_served_is_sent_again_after_the_lease(desk: Rig) -> None:
    (first,) = await desk.plan()
    desk.pass_time(desk.app.lease - timedelta(seconds=1))
    assert await desk.plan() == []
    desk.pass_time(timedelta(seconds=1))
    (second,) = await desk.plan()
    asked, again = SliceMessage.model_validate_json(first), SliceMessage.model_validate_json(second)
    assert asked.slice == again.slice == RICH
    assert asked.send_id != again.send_id


async def test_a_flight_is_free_when_all_is_done(desk: Rig) -> None:
    await desk.work()
    flight = await read_flight((await desk.tables()).control, PARTNER)
    assert (flight.send_id, flight.first_seen, flight.problem) == ("", EARLY, "")


async def test_a_chain_is_of_bounded_length_and_fits_a_queue_message(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, now=LATE, slice_minutes=5, lookback_days=2) as desk:
        (message,) = await desk.plan()
        assert 1 + len(SliceMessage.model_validate_json(message).rest()) == LONGEST_CHAIN
        assert len(message) < 48_000  # 64 KiB as Base64


async def test_many_tenants_share_a_budget(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tenants = ",".join(f"{i:08d}-0000-0000-0000-000000000000" for i in range(30))
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, monitored_tenant_ids=tenants) as desk:
        first = await desk.plan()
        assert len(first) == 24  # of 122 requests in 10 seconds, 5 a tenant
        assert await desk.plan() == []
