"""What an incident waits for before it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.alerts.holding import TenantLog, pending_slices
from shared.ledger.flight import Flight
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice
from shared.rules.rule import PARTNER
from shared.store.agenda import clear_due, due_mark, make_due
from shared.store.flights import change_flight, read_flight
from shared.store.ledger import Claim
from shared.store.sessions import write_person
from tests.alerts.harness import MINUTE, Rig, rig, slice_at, uuid_of

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRID = [Slice(PARTNER, NOON - n * HOUR, HOUR) for n in range(5, 1, -1)]
READ = [Head(slice_, settled=HOUR, whole=True) for slice_ in GRID]


def pending(
    *heads: Head, marked: frozenset[Slice] = frozenset(), refused: bool = False, retention: timedelta = 30 * 24 * HOUR
) -> list[str]:
    known = {head.slice: head for head in READ} | {head.slice: head for head in heads}
    log = TenantLog(Flight(PARTNER, first_seen=NOON, refused=refused), GRID, [*known.values()], marked)
    made = pending_slices([log], NOON, retention)
    assert made.of_old_days == made.total
    return sorted(made.unread.keys() | made.again)


ONE = GRID[1]
IT = [ONE.id]


def test_a_slice_that_was_read_to_its_end_holds_nothing() -> None:
    assert pending() == []


@pytest.mark.parametrize(
    "head",
    [
        Head(ONE),
        Head(ONE, state=SliceState.CLAIMED, settled=HOUR, whole=True),
        Head(ONE, settled=HOUR, whole=False),
        Head(ONE, attempts=3, problem="Graph asks us to wait."),
    ],
    ids=["unread", "being-read", "half-written", "throttled"],
)
def test_what_is_still_to_be_read_holds(head: Head) -> None:
    assert pending(head) == IT
    assert pending(head, refused=True) == []  # nobody is going to read it
    assert pending(head, retention=timedelta(hours=4)) == []  # nor this: the log has expired


def test_a_mark_holds_until_the_slice_was_read_again() -> None:
    assert pending(marked=frozenset({ONE})) == IT
    assert pending(Head(ONE, state=SliceState.SPLIT), marked=frozenset({ONE})) == IT


@pytest.mark.parametrize(
    "head",
    [
        Head(ONE, state=SliceState.PARKED),
        Head(ONE, state=SliceState.FOREIGN),
        Head(ONE, settled=HOUR, whole=True, consistent=False),
        Head(ONE, settled=HOUR, whole=False, consistent=False),
    ],
    ids=["parked", "foreign", "inconsistent", "inconsistent-again"],
)
def test_what_was_given_up_holds_nothing(head: Head) -> None:
    assert pending(head) == []
    assert pending(head, marked=frozenset({ONE})) == []


def test_an_incident_waits_for_its_own_slices_and_its_sessions_alone() -> None:
    log = TenantLog(Flight(PARTNER), GRID, [READ[0], replace(READ[1], whole=False), READ[3]], frozenset())
    made = pending_slices([log], NOON, 30 * 24 * HOUR)
    unread, again, fine = GRID[2].id, GRID[1].id, GRID[0].id
    assert made.number([fine], [], None) == 0
    assert made.number([again], [], None) == 1
    assert made.number([fine], [again], GRID[1].start) == 1
    # A session's root may be in any slice that was never read, up to the newest finding.
    assert made.number([fine], [], GRID[2].start) == 1
    assert made.number([fine, unread], [], GRID[3].start) == 1


# --- over real tables -------------------------------------------------------------------------------------------------


async def _read(b: Rig, slice_: Slice, *, parked: bool = False) -> None:
    tables = await b.app.tables()
    claim = await Claim.take(tables.slices, slice_, owner="o", send_id="s", now=b.now, lease=MINUTE)
    assert claim is not None
    done = replace(claim.head, state=SliceState.IDLE, whole=True, settled=HOUR, attempts=0)
    await claim.write([], b.now, replace(claim.head, state=SliceState.PARKED) if parked else done)


async def _mark(b: Rig, slice_: Slice) -> None:
    await make_due((await b.app.tables()).control, [slice_], "a root changed")


async def test_a_marked_slice_holds_its_incident_until_it_was_read_again(azurite: str) -> None:
    async with rig(azurite, slice_minutes=60, lookback_days=1) as b:
        slice_ = slice_at(b.now - HOUR)
        await _read(b, slice_)
        await _mark(b, slice_)
        await b.found(slice_=slice_, at=slice_.start)
        await _read(b, slice_at(slice_.start - 5 * HOUR))
        await b.found("other", at=slice_.start - 5 * HOUR)
        for _ in range(30):
            await b.tick()
        assert [r.json["data"]["incident"]["user"]["name"] for r in b.got()] == ["other@partner.example"]
        await b.found(slice_=slice_, count=0)  # which the second read withdraws
        table = (await b.app.tables()).control
        mark = await due_mark(table, slice_)
        assert mark is not None
        await clear_due(table, slice_, mark)
        await b.tick()
        assert len(b.got()) == 1


async def test_it_is_told_after_an_hour_and_says_that_it_may_change(azurite: str) -> None:
    async with rig(azurite, slice_minutes=60, lookback_days=1) as b:
        slice_ = slice_at(b.now - HOUR)
        await _read(b, slice_)
        await _mark(b, slice_)
        await b.found(slice_=slice_, at=slice_.start)
        await b.tick(after=59 * MINUTE)
        assert b.got() == []
        await b.tick()
        assert b.got()[0].json["data"]["incident"]["unreadSlices"] == 1


async def test_a_protocol_rule_is_told_at_once(azurite: str) -> None:
    async with rig(azurite, slice_minutes=60, lookback_days=1) as b:
        slice_ = slice_at(b.now - HOUR)
        await _mark(b, slice_)
        await b.found(slice_=slice_, at=slice_.start, rules=["legacy-auth"])
        await b.tick()
        assert b.types() == ["incident.opened"]


async def test_the_root_of_a_session_that_was_asked_for_holds_it(azurite: str) -> None:
    async with rig(azurite, slice_minutes=60, lookback_days=1) as b:
        slice_ = slice_at(b.now - HOUR)
        await _read(b, slice_)
        await b.found(slice_=slice_, at=slice_.start)
        await write_person((await b.app.tables()).sessions, [], [(uuid_of("jane"), "s1")], slice_)
        await b.tick()
        assert b.got() == []  # none of the day's other slices was read: each may hold the root
        for n in range(2, 25):
            await _read(b, slice_at(b.now - n * HOUR), parked=n == 7)
        await b.tick()
        assert b.types() == ["incident.opened"]


async def _problem(b: Rig, *, refused: bool) -> None:
    tables = await b.app.tables()
    flight = await read_flight(tables.control, b.app.settings.partner_tenant_id)
    assert await change_flight(
        tables.control,
        flight,
        problem="Graph asks us to wait.",
        problem_since=b.now,
        refused=refused,
        first_seen=b.now,
    )


async def test_throttling_in_the_first_scan_releases_nothing_and_a_missing_consent_all(azurite: str) -> None:
    async with rig(azurite, slice_minutes=60, lookback_days=1) as b:
        await _problem(b, refused=False)
        for who in ("ann", "bob"):
            await b.found(who, at=b.now - 5 * HOUR, first_scan=True)
        for _ in range(5):
            await b.tick(after=HOUR)
        assert b.got() == []
        await _problem(b, refused=True)
        await b.tick()
        assert b.types() == ["incidents.first-scan"]


async def test_a_mark_in_the_old_days_holds_the_first_scans_summary(azurite: str) -> None:
    async with rig(azurite, slice_minutes=60, lookback_days=1) as b:
        await _problem(b, refused=False)
        for n in range(1, 26):
            await _read(b, slice_at(b.now - n * HOUR))
        asker = slice_at(b.now - 5 * HOUR)
        await _mark(b, asker)
        for who in ("ann", "bob"):
            await b.found(who, at=asker.start, slice_=asker, first_scan=True)
        await b.found("cid", at=asker.start, first_scan=True, rules=["legacy-auth"])
        await b.tick()
        assert b.types() == ["incidents.ahead"]
        await b.found("bob", slice_=asker, count=0)
        table = (await b.app.tables()).control
        await clear_due(table, asker, await due_mark(table, asker) or "")
        await b.tick()
        assert b.types() == ["incidents.ahead", "incidents.first-scan"]
        summary = b.got()[1].json["data"]
        assert (summary["total"], summary["toldBefore"]) == (2, 1)
        assert {i["user"]["name"][:3] for i in summary["incidents"]} == {"ann", "cid"}
