"""A slice of too many pages is split into halves, and nobody can tell from what is counted and told."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from shared.ledger.head import SliceState
from shared.ledger.slices import Slice
from shared.operations.slices import rescan
from shared.rules.rule import PARTNER
from shared.scan.job import scan_slice
from shared.store.agenda import make_due, read_agenda
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss
from tests.scan.harness import Rig, record, rig, slice_at
from tests.scan.stories import BROKEN, CHILD, EARLY, MINUTE, RICH, SEVEN, WIDTH, silent, weak

DAY = RICH.start
EARLIER, LATER = slice_at(DAY, 240), slice_at(DAY + timedelta(hours=4), 240)  # its halves


async def standing(desk: Rig) -> list[tuple[str, int]]:
    """The slices that stand in RICH's place, each with its records."""
    heads = await desk.heads(DAY)
    return [(h.slice.name, h.records) for h in heads if h.state != SliceState.SPLIT and h.slice.start < RICH.end]


async def contributed(desk: Rig) -> int:
    """How many findings all contributions stand for."""
    rows = (await desk.tables()).incidents.everything()
    return sum([row["count"] async for row in rows if row["RowKey"].startswith("part-")])


async def test_a_slice_of_too_many_pages_becomes_two(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=2, pages_per_slice=2) as desk:
        desk.log(
            *(weak(f"early-{i}", DAY + i * MINUTE) for i in range(3)), *(weak(f"late-{i}", SEVEN) for i in range(2))
        )
        await desk.work()
        assert await standing(desk) == [("000000-14400", 3), ("040000-14400", 2)]
        assert await contributed(desk) == 5
        assert (await desk.head(RICH)).state == SliceState.SPLIT
        assert await desk.coverage() == 1
        assert (await desk.counts()).scopes["customer"].verdicts == {"non-compliant": 5}


async def test_halves_are_halved_where_they_are_still_too_long(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=2, pages_per_slice=2) as desk:
        desk.log(*(weak(f"r{i}", DAY + i * 20 * MINUTE) for i in range(9)))
        await desk.work()
        assert [name for name, _ in await standing(desk)] == [
            "000000-03600",
            "010000-03600",
            "020000-07200",
            "040000-14400",
        ]
        assert await contributed(desk) == len(await desk.findings()) == 9
        assert await desk.coverage() == 1


async def test_a_slice_that_cannot_be_halved_is_read_however_long(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = EARLY + timedelta(minutes=5)
    async with rig(azurite, monkeypatch, now=now, slice_minutes=5, page_size=1, pages_per_slice=1) as desk:
        second = EARLY + timedelta(seconds=10)
        desk.log(*(weak(f"r{i}", second) for i in range(3)))
        messages = await desk.plan()
        assert messages
        while (head := await desk.heads(DAY)) is not None and sum(h.records for h in head) < 3:
            messages = [m for body in messages for m in await scan_slice(desk.app, body)]
        assert [(h.slice.name, h.records) for h in head if h.records] == [("080500-00075", 3)]


async def test_what_was_told_before_the_split_is_not_told_again_nor_taken_back(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=2, pages_per_slice=2) as desk:
        desk.pass_time(16 * MINUTE)
        desk.log(weak("a", DAY), weak("b", SEVEN, appId="app-b"), record("c", SEVEN))
        await desk.work()
        told = await desk.events()
        assert told == ["opened", "opened"]
        desk.log(*(record(f"late-{i}", SEVEN) for i in range(2)))
        await rescan(desk.app, PARTNER, RICH.start, RICH.end)
        messages = await desk.plan()
        while messages:
            messages = [m for body in messages for m in await scan_slice(desk.app, body)]
            assert await contributed(desk) == 2
            assert sorted(i["count"] for i in (await desk.incidents()).values()) == [1, 1]
            assert await desk.events() == told
        assert (await desk.head(RICH)).state == SliceState.SPLIT


async def test_a_mark_on_a_slice_that_was_split_goes_to_its_halves_and_is_served_once(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=2, pages_per_slice=2) as desk:
        desk.log(*(weak(f"r{i}", DAY + i * 60 * MINUTE) for i in range(6)))
        await desk.work()
        tables = await desk.tables()
        await make_due(tables.control, [RICH], "mark")
        desk.reads.clear()
        await desk.work()
        assert sorted(s.name for s in desk.reads) == [name for name, _ in await standing(desk)]
        assert (await read_agenda(tables.control, PARTNER)).marked == {}


async def test_a_mark_on_a_slice_that_was_split_waits_with_its_halves(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan that passes it on may not send them, because another slice of the tenant flies."""
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=2, pages_per_slice=2) as desk:
        desk.log(*(weak(f"r{i}", DAY + i * 60 * MINUTE) for i in range(6)))
        await desk.work()
        control = (await desk.tables()).control
        await rescan(desk.app, PARTNER, DAY - 8 * 60 * MINUTE, DAY)
        assert await desk.plan()  # it flies, and nobody comes before its lease is over
        await make_due(control, [RICH], "mark")
        assert await desk.plan() == []
        marked = (await read_agenda(control, PARTNER)).marked
        assert sorted(s.name for s in marked if s.start >= DAY) == [name for name, _ in await standing(desk)]
        desk.pass_time(desk.app.lease)
        desk.reads.clear()
        await desk.work()
        assert {name for name, _ in await standing(desk)} <= {s.name for s in desk.reads}


async def test_who_asked_before_it_was_split_is_told_all_the_same(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=2, pages_per_slice=2) as desk:
        root = weak("root", SEVEN, sessionId="session")
        desk.log(root, at=CHILD.end + 30 * MINUTE)
        desk.log(silent("child", CHILD.start, "session"))
        desk.set_time(CHILD.end)
        await desk.work()
        desk.log(*(record(f"more-{i}", CHILD.start + 5 * 60 * MINUTE) for i in range(4)))
        desk.pass_time(16 * MINUTE)
        await desk.work()
        assert (await desk.head(CHILD)).state == SliceState.SPLIT
        desk.pass_time(14 * MINUTE)
        await rescan(desk.app, PARTNER, RICH.start, RICH.end)  # sees the root
        await desk.work()
        (child,) = [f for f in await desk.finding_rows() if f["id"] == "child"]
        assert child["rules"] == "non-interactive-without-mfa"


async def test_no_half_stands_before_the_whole_says_that_it_was_split(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More rows than one batch holds go with the split: a worker that dies between the batches must not leave a whole
    that counts beside halves that may be read."""
    async with (
        rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=100, pages_per_slice=3) as desk,
        CutProxy(azurite) as proxy,
    ):
        desk.log(*(record(f"broken-{i}", SEVEN, **BROKEN) for i in range(230)))
        await desk.work()
        desk.log(*(weak(f"r{i}", SEVEN + i * MINUTE / 3) for i in range(100)))
        desk.pass_time(16 * MINUTE)
        messages = await desk.plan()
        while not messages[0].startswith(f'{{"tenant":"{PARTNER}","start":"{RICH.start:%Y-%m-%dT%H}'):
            messages = [m for body in messages for m in await scan_slice(desk.app, body)]
        before = await desk.copy()
        victim = desk.worker(proxy.connection, retries=0)
        await victim.tables()
        states = []
        for number in range(1, 30):
            await desk.restore(before)
            proxy.begin(Cut(number, Loss.ANSWER, Aftermath.CRASH))
            with suppress(ServiceRequestError, ServiceResponseError):
                await scan_slice(victim, messages[0])
            stands = {h.slice: h for h in await desk.heads(DAY)}
            halves = {EARLIER, LATER} & stands.keys()
            assert len(halves) == (2 if stands[RICH].state == SliceState.SPLIT else 0)
            states.append(stands[RICH].state)
            if states[-1] == SliceState.SPLIT:
                break
        assert states[-1] == SliceState.SPLIT
        assert len(states) > 5  # it was cut between several batches


@pytest.mark.parametrize("lost", [RICH, EARLIER, LATER], ids=["whole", "first half", "second half"])
async def test_a_lost_head_of_a_split_slice_heals(azurite: str, monkeypatch: pytest.MonkeyPatch, lost: Slice) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=2, pages_per_slice=2) as desk:
        desk.log(*(weak(f"r{i}", DAY + i * 2 * 60 * MINUTE) for i in range(4)))
        await desk.work()
        before = await standing(desk)
        tables = await desk.tables()
        await tables.slices.write(
            ("delete", {"PartitionKey": lost.partition, "RowKey": f"head-{lost.name}"}),
        )
        await desk.wake()
        await desk.work()
        assert await standing(desk) == before
        assert await contributed(desk) == 4
        assert (await desk.counts()).scopes["customer"].verdicts == {"non-compliant": 4}


async def test_wider_slices_leave_no_time_twice(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting of a slice's width may change: what stands keeps its width, and the rest is filled up."""
    four = slice_at(DAY, 240)
    async with rig(azurite, monkeypatch, now=four.end + MINUTE, slice_minutes=240) as narrow:
        narrow.log(weak("a", DAY))
        await narrow.work()
        async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, prefix=narrow.prefix) as wide:
            wide.log(weak("a", DAY), weak("b", SEVEN))
            await wide.work()
            ends = [(head.slice.start, head.slice.end) for head in await wide.heads(DAY)]
            assert ends == [(DAY, four.end), (four.end, RICH.end)]
            assert (await wide.counts()).scopes["customer"].verdicts == {"non-compliant": 2}
            assert await wide.coverage() == 1
