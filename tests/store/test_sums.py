"""Sums of the days at rest: they serve while the days stand as they were added up, and never otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.basics.times import MICROSECOND
from shared.compliance.figures import figures_of_user
from shared.ledger.counts import FORMAT, Counts
from shared.ledger.slices import DAY, midnight
from shared.ledger.sums import Summed
from shared.people.activity import Activity
from shared.signin.traits import Scope
from shared.store.once import reading_once
from shared.store.periods import (
    MarkedPeriod,
    customers_of_period,
    days_of_user,
    pairs_of_period,
    read_ahead,
    users_of_period,
)
from shared.store.rollup_rows import KINDS, PARTNER, USERS, totals_key
from shared.store.rollups import day_marks
from shared.store.sums import (
    PAIRS_SUM,
    SUM_KINDS,
    SUMS,
    TURNS,
    USERS_SUM,
    remove_sums,
    renew_sums,
    sums_before,
)
from shared.store.tables import SCHEMA, Table, Tables, keys, upsert
from tests.functions.asking import counted_requests
from tests.ledger.test_sums import PEOPLE, drawing, some_day

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
TODAY = midnight(NOW)
HOUR = timedelta(hours=1)


@pytest.fixture
async def rollups(tables: Tables) -> Table:
    """A month, of which one day was never read."""
    draw = drawing(3)
    for back in range(31, -1, -1):
        if back != 9:
            await put(tables.rollups, back, some_day(draw))
    return tables.rollups


async def put(rollups: Table, back: int, counts: Counts, mark: str = "", **more: Any) -> None:
    """Have a day be these counts."""
    day = TODAY - back * DAY
    marked = {"format": FORMAT, "countsMark": mark or f"mark {back}", **more}
    await rollups.transact(
        [
            upsert({**keys(PARTNER, totals_key(day)), "v": SCHEMA, **marked}),
            *(upsert({**keys(PARTNER, kind.row_key(day)), "v": SCHEMA, **kind.columns(counts)}) for kind in KINDS),
        ]
    )


async def marks_of(rollups: Table) -> dict[datetime, str]:
    return {day: marks.of_lines for day, marks in (await day_marks(rollups)).items()}


async def renew(rollups: Table, now: datetime = NOW) -> int:
    """Make what is due; returns how many requests that took."""
    marks = await marks_of(rollups)
    with counted_requests() as sent:
        await renew_sums(rollups, marks, now)
    return len(sent)


async def said(rollups: Table, *, days: int = 30, by_day: bool = False, now: datetime = NOW) -> tuple[Any, set[str]]:
    """All that a period says, and of which kinds a sum was read. `by_day`: as the days alone say it."""
    marks = {} if by_day else await marks_of(rollups)
    period = MarkedPeriod(midnight(now) - (days - 1) * DAY, now - MICROSECOND, now, marks)
    activity = Activity()
    summed: set[str] = set()
    async for users in users_of_period(rollups, period):
        summed |= {"users"} if isinstance(users, Summed) else set()
        activity.add_users(users, [Scope.CUSTOMER])
    async for customers in customers_of_period(rollups, period):
        summed |= {"customers"} if isinstance(customers, Summed) else set()
        activity.add_customers(customers, [Scope.CUSTOMER])
    async for pairs in pairs_of_period(rollups, period):
        summed |= {"pairs"} if isinstance(pairs, Summed) else set()
        activity.add_pairs(pairs)
    turns = {user: figures_of_user(await days_of_user(rollups, period, user), user) for user in PEOPLE}
    return (activity, turns), summed


ALL_KINDS = {"users", "customers", "pairs"}


async def kinds_read(rollups: Table, **how: Any) -> set[str]:
    """Of which kinds a sum is read; whatever is read says what the days say."""
    found, summed = await said(rollups, **how)
    assert found == (await said(rollups, **{**how, "by_day": True}))[0]
    return summed


async def test_what_is_at_rest_is_added_up_once_and_read_as_a_sum(rollups: Table) -> None:
    assert await kinds_read(rollups) == set()
    assert await renew(rollups) > 1
    assert await kinds_read(rollups) == ALL_KINDS
    assert await kinds_read(rollups, days=32) == ALL_KINDS
    assert await kinds_read(rollups, days=29) == set()  # the sum has a day more
    assert await renew(rollups, NOW + 5 * HOUR) == 1
    assert await kinds_read(rollups) == ALL_KINDS


async def test_a_day_that_changed_is_read_by_days_until_the_sum_is_made_anew(rollups: Table) -> None:
    await renew(rollups)
    await put(rollups, 12, some_day(drawing(77)), "another mark")
    assert await kinds_read(rollups) == set()
    assert await renew(rollups, NOW + HOUR / 2) == 1  # it is not made with every change
    assert await kinds_read(rollups) == set()
    assert await renew(rollups, NOW + HOUR) > 1
    assert await kinds_read(rollups) == ALL_KINDS


async def test_a_day_that_was_never_read_and_comes_late_is_noticed(rollups: Table) -> None:
    await renew(rollups)
    await put(rollups, 9, some_day(drawing(78)))
    assert await kinds_read(rollups) == set()


async def test_days_that_are_not_at_rest_may_change(rollups: Table) -> None:
    await renew(rollups)
    for back in (0, 1, 30, 31):
        await put(rollups, back, some_day(drawing(back)), "another mark")
    assert await kinds_read(rollups) == ALL_KINDS
    assert await kinds_read(rollups, days=32) == ALL_KINDS


async def test_the_next_day_has_a_sum_of_its_own(rollups: Table) -> None:
    await renew(rollups)
    tomorrow = NOW + DAY
    assert await kinds_read(rollups, now=tomorrow) == set()
    assert await renew(rollups, tomorrow) > 1
    assert await kinds_read(rollups, now=tomorrow) == ALL_KINDS


@pytest.mark.parametrize("columns", [{"format": FORMAT - 1}, {"format": FORMAT + 1}, {"v": SCHEMA + 1}])
async def test_days_of_another_version_have_no_sum(rollups: Table, columns: dict[str, int]) -> None:
    await renew(rollups)
    row = {**keys(PARTNER, totals_key(TODAY - 5 * DAY)), **columns}
    await rollups.write(upsert(row))
    assert await kinds_read(rollups) == set()
    await renew(rollups, NOW + HOUR)
    assert await kinds_read(rollups) == set()


async def test_lines_that_change_while_they_are_added_up_leave_no_sum(
    rollups: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Erasing somebody rewrites lines and no mark; it takes the sums away, and cannot see one that comes later."""
    marks = await marks_of(rollups)
    erased = False
    read_twice = rollups.ranges

    async def then_erase(*asked: Any) -> AsyncIterator[Any]:
        nonlocal erased
        async for row in read_twice(*asked):
            yield row
        if not erased:  # after the look before the sum is written
            erased = True
            for back in range(2, 30):
                day = keys(PARTNER, USERS.row_key(TODAY - back * DAY))
                if back != 9:
                    await rollups.write(upsert({**day, "v": SCHEMA}))

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(rollups, "ranges", then_erase)
        await renew_sums(rollups, marks, NOW)
    left = {str(row["RowKey"]) async for row in rollups.prefixed(PARTNER, SUMS)}
    assert "sum-users-0" not in left
    assert await kinds_read(rollups) == {"customers", "pairs"}


async def test_a_sum_of_which_a_part_lacks_is_none(rollups: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.store.sums._PART_ROOM", 500)
    await renew(rollups)
    parts = [row async for row in rollups.prefixed(PARTNER, "sum-users-")]
    assert len(parts) > 1
    assert await kinds_read(rollups) >= {"users"}
    await rollups.transact([("delete", keys(PARTNER, str(parts[1]["RowKey"])))])
    assert "users" not in await kinds_read(rollups)


async def test_what_does_not_fit_has_no_sum_and_is_not_tried_each_time(
    rollups: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.store.sums._PART_ROOM", 20)
    await renew(rollups)
    assert await kinds_read(rollups) == set()
    assert await renew(rollups, NOW + 2 * HOUR) == 1


async def test_two_plans_at_once_make_one(rollups: Table) -> None:
    marks = await marks_of(rollups)
    await asyncio.gather(*(renew_sums(rollups, marks, NOW) for _ in range(3)))
    assert await kinds_read(rollups) == ALL_KINDS


async def test_taken_away_they_are_made_again(rollups: Table) -> None:
    await renew(rollups)
    assert [str(row["RowKey"]) async for row in sums_before(rollups, TODAY - 29 * DAY)] == []
    old = [str(row["RowKey"]) async for row in sums_before(rollups, TODAY - 28 * DAY)]
    assert old == sorted(kind.row_key(0) for kind in SUM_KINDS)
    await remove_sums(rollups)
    assert [row async for row in rollups.prefixed(PARTNER, SUMS)] == []
    await renew(rollups)
    assert await kinds_read(rollups) == ALL_KINDS


@pytest.mark.parametrize("days", [30, 32])
async def test_read_ahead_nothing_is_asked_for_again(rollups: Table, days: int) -> None:
    """One request where the sums stand and have all but the newest days; else two."""
    for stands in (False, True):
        if stands:
            await renew(rollups)
        expected, _ = await said(rollups, days=days)
        period = MarkedPeriod(TODAY - (days - 1) * DAY, NOW - MICROSECOND, NOW)
        with reading_once(), counted_requests() as sent:
            await read_ahead(rollups, period, USERS_SUM, TURNS, PAIRS_SUM, totals_from=period.first)
            ahead = len(sent)
            marked = MarkedPeriod(period.first, period.last, NOW, await _totals(rollups, period))
            assert [lines async for lines in users_of_period(rollups, marked)]
            assert [lines async for lines in pairs_of_period(rollups, marked)]
            assert await days_of_user(rollups, marked, PEOPLE[0])
            assert len(sent) == ahead == (1 if stands and days == 30 else 2)
        assert (await said(rollups, days=days))[0] == expected


async def _totals(rollups: Table, period: MarkedPeriod) -> dict[datetime, str]:
    rows = [row async for row in rollups.range(PARTNER, totals_key(period.first), totals_key(period.last) + "~")]
    return {datetime.strptime(row["RowKey"][4:], "%Y%m%d").replace(tzinfo=UTC): row["countsMark"] for row in rows}


async def test_a_sum_of_yesterday_serves_no_other_days_however_alike_their_marks(rollups: Table) -> None:
    """The day that it has and the period has not was never read: the marks of the others are all that it rests on."""
    oldest = [totals_key(TODAY - 29 * DAY), *(kind.row_key(TODAY - 29 * DAY) for kind in KINDS)]
    await rollups.transact([("delete", keys(PARTNER, key)) for key in oldest])
    await renew(rollups)
    assert await kinds_read(rollups) == ALL_KINDS
    assert await kinds_read(rollups, now=NOW + DAY) == set()
