"""Rows that were lost, and outages: the scan finds by itself what lacks, and heals it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared.ledger.slices import Slice
from shared.operations.slices import rescan
from shared.rules.rule import PARTNER
from shared.store.flights import read_flight
from shared.store.tables import Table, delete
from tests.scan.canonical import canonical, difference
from tests.scan.harness import Rig, record, rig
from tests.scan.stories import CHILD, EARLY, LATE, MINUTE, RICH, WIDTH, corrected_log, full_log, weak

HOUR = timedelta(hours=1)
type Wanted = Callable[[dict[str, Any]], bool]


async def lose(table: Table, wanted: Wanted) -> int:
    """Delete those rows of a table; gives how many."""
    rows = [dict(row) async for row in table.everything()]
    lost = [row for row in rows if wanted(row)]
    for row in lost:
        await table.write(delete(row))
    return len(lost)


def of_key(*beginnings: str) -> Wanted:
    return lambda row: str(row["RowKey"]).startswith(beginnings)


LOSSES: dict[str, tuple[str, Wanted]] = {
    "one head": ("slices", of_key(f"head-{RICH.name}")),
    "all heads of a day": ("slices", lambda row: row["PartitionKey"] == RICH.partition and of_key("head-")(row)),
    "a day of the ledger, findings and all": ("slices", lambda row: row["PartitionKey"] == RICH.partition),
    "a tenant's day": (
        "rollups",  # the blocks, and the partner's day, without which nobody looks for them
        lambda row: of_key("block-", "day-20261102")(row) and row["PartitionKey"] in ("day-20261102", "partner"),
    ),
    "the partner's day": ("rollups", lambda row: (row["PartitionKey"], row["RowKey"]) == ("partner", "day-20261102")),
    "all roll-ups": ("rollups", lambda _: True),
    "the tenant's flight": ("control", of_key("flight")),
}


@pytest.mark.parametrize(("table", "wanted"), LOSSES.values(), ids=LOSSES)
async def test_what_is_lost_heals(desk: Rig, table: str, wanted: Wanted) -> None:
    full_log(desk)
    desk.set_time(LATE)
    await desk.work()
    tables = await desk.tables()
    whole = await canonical(tables)
    events = await desk.events()
    assert await lose(getattr(tables, table), wanted)
    await desk.wake()
    desk.pass_time(timedelta(seconds=1))
    await desk.work()
    assert difference(whole, await canonical(tables)) == []
    assert await desk.events() == events
    assert await desk.coverage() == 1


async def test_findings_that_are_lost_come_back_with_the_next_read(desk: Rig) -> None:
    """Nothing says that they lack while their head is there."""
    full_log(desk)
    await desk.work()
    tables = await desk.tables()
    whole = await canonical(tables)
    assert await lose(tables.slices, of_key("find-", "quar-"))
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    assert difference(whole, await canonical(tables)) == []


async def test_coverage_falls_as_soon_as_the_plan_sees_that_heads_are_lost(desk: Rig) -> None:
    full_log(desk)
    desk.set_time(LATE)
    await desk.work()
    await lose((await desk.tables()).slices, of_key(f"head-{RICH.name}"))
    await desk.wake()
    assert await desk.plan()
    assert await desk.coverage() == 0.5


async def test_what_is_lost_is_found_within_two_days_though_the_day_rests(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = RICH.end + timedelta(days=8)  # by its first read
    async with rig(azurite, monkeypatch, now=sealed, slice_minutes=WIDTH, lookback_days=12) as desk:
        await desk.work()
        await desk.plan()
        await lose((await desk.tables()).slices, of_key(f"head-{RICH.name}"))
        assert await desk.work() == 0
        desk.reads.clear()
        desk.pass_time(timedelta(days=2))
        await desk.work()
        assert RICH in desk.reads


async def test_a_worker_whose_flight_is_lost_stops(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=1) as desk:
        desk.log(weak("a", RICH.start), weak("b", RICH.start))
        messages = await desk.plan()
        await lose((await desk.tables()).control, lambda _: True)
        await desk.deliver(messages)
        assert await desk.findings() == []
        await desk.work()
        assert await desk.findings() == ["a", "b"]


# --- outages ----------------------------------------------------------------------------------------------------------


def order(desk: Rig) -> list[Slice]:
    """The slices in the order of their first reads."""
    return list(dict.fromkeys(desk.reads))


async def test_the_first_run_goes_back_from_the_newest(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=LATE, slice_minutes=WIDTH, lookback_days=3) as desk:
        await desk.work()
        assert len(desk.reads) == 8
        assert order(desk) == sorted(desk.reads, reverse=True)
        assert order(desk)[-1].start >= LATE - timedelta(days=3)
        assert await desk.coverage() == 1


async def test_a_new_slice_does_not_wait_for_the_backlog(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=CHILD.end - MINUTE, slice_minutes=WIDTH, lookback_days=3) as desk:
        await desk.plan()  # it flies and nobody comes
        desk.set_time(CHILD.end + HOUR)
        await desk.work()
        assert order(desk)[:2] == [CHILD, RICH]  # the newest of what closed since, and the newest of the backlog


async def test_after_days_of_outage_it_catches_up_from_both_ends(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH) as desk:
        await desk.work()
        seen = set(desk.reads)
        desk.log(*(record(f"day-{i}", RICH.end + i * timedelta(days=1)) for i in range(3)))
        desk.set_time(EARLY + timedelta(days=3))
        desk.reads.clear()
        await desk.work()
        news = [s for s in order(desk) if s not in seen]
        assert len(news) == 9
        assert news[0] == max(news)  # the newest first
        oldest_first = [s for s in news if s.start < RICH.end + timedelta(days=1)]
        assert news.index(oldest_first[0]) <= 4  # and the oldest soon
        counted = [h.records for i in range(4) for h in await desk.heads(RICH.start + i * timedelta(days=1))]
        assert sum(counted) == 3


async def test_a_short_look_back_forgets_nothing_since_the_installation(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How far the first run looks back says nothing of how far a later one does."""
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, lookback_days=1) as desk:
        desk.log(record("a", RICH.start))
        await desk.work()
        desk.log(weak("in-the-gap", CHILD.start))
        desk.correct(weak("a", RICH.start))
        desk.set_time(EARLY + timedelta(days=4))
        await desk.work()
        assert await desk.findings() == ["a", "in-the-gap"]


async def test_what_the_log_gave_up_is_not_asked_for(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, lookback_days=3, retention_days=1) as desk:
        await desk.work()
        assert [s.name for s in desk.reads] == [RICH.name, "160000-28800"]
        assert await desk.coverage() == 2 / 8  # and what was given up is not called read


async def test_an_outage_in_the_middle_of_a_correction_ends_well(desk: Rig) -> None:
    full_log(desk)
    await desk.work()
    corrected_log(desk)
    desk.set_time(EARLY + timedelta(days=2))
    await desk.work()
    found = await canonical(await desk.tables())
    first_seen = (await read_flight((await desk.tables()).control, PARTNER)).first_seen
    assert first_seen == EARLY
    copy = await desk.copy()
    await desk.restore({**copy, "slices": [], "incidents": [], "sessions": [], "rollups": []})
    await desk.wake()
    await desk.work()
    assert difference(await canonical(await desk.tables()), found) == []
