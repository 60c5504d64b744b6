"""Slices of time: the grid, the ages, the order, and what is not covered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.slices import (
    Slice,
    alternate,
    closed_slices,
    days_between,
    gaps_in,
    in_turn,
    midnight,
    near_retention_end,
    next_age,
    slice_named,
    uncovered,
)

DAY = datetime(2026, 11, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AGES = tuple(timedelta(minutes=m) for m in (0, 15, 60, 360, 1440, 4320, 10080))
TIMES = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
WIDTHS = st.sampled_from([5, 15, 60, 480, 1440]).map(lambda minutes: minutes * MINUTE)


@given(TIMES, st.integers(0, 4000), WIDTHS)
def test_the_grid_is_every_aligned_slice_that_has_closed(first: datetime, minutes: int, width: timedelta) -> None:
    now = first + minutes * MINUTE
    grid = closed_slices("t", first, now, width)
    assert all((s.start - midnight(s.start)) % width == timedelta(0) for s in grid)
    assert all(first <= s.start and s.end <= now for s in grid)
    assert all(s.end <= midnight(s.start) + timedelta(days=1) for s in grid)
    assert all(a.end == b.start for a, b in pairwise(grid))
    if grid:
        assert grid[0].start - width < first
        assert grid[-1].end + width > now
    else:
        assert now - first < 2 * width


@given(TIMES, WIDTHS)
def test_a_slice_is_found_again_by_its_name(at: datetime, width: timedelta) -> None:
    slice_ = Slice("ab-CD", at.replace(microsecond=0), width)
    assert slice_named("ab-CD", midnight(at), slice_.name) == slice_
    assert slice_.id == f"abcd-{at:%Y%m%d}-{slice_.name}"


def test_names_stand_in_the_order_of_time() -> None:
    grid = closed_slices("t", DAY, DAY + timedelta(days=1), 15 * MINUTE)
    assert [s.name for s in grid] == sorted(s.name for s in grid)


def test_halves_are_halves_as_long_as_seconds_allow() -> None:
    slice_ = Slice("t", DAY, 15 * MINUTE)
    widths = []
    while halves := slice_.halves():
        assert (halves[0].start, halves[0].end, halves[1].end) == (slice_.start, halves[1].start, slice_.end)
        slice_ = halves[1]
        widths.append(slice_.width.total_seconds())
    assert widths == [450, 225]


@pytest.mark.parametrize(
    ("settled", "idle", "due"),
    [
        (None, False, 0),
        (0, False, 15),
        (14, False, 15),
        (15, False, 60),
        (3000, False, 4320),
        (10080, False, None),
        (None, True, 0),
        (0, True, 60),
        (60, True, 1440),
        (1440, True, 10080),
        (10079, True, 10080),
        (10080, True, None),
        (-1, False, 0),  # read by a clock that is slow
    ],
)
def test_one_read_settles_all_the_ages_that_have_passed(settled: int | None, idle: bool, due: int | None) -> None:
    age = next_age(None if settled is None else settled * MINUTE, AGES, idle=idle)
    assert age == (None if due is None else due * MINUTE)


@given(st.lists(st.integers(), unique=True))
def test_in_turn_takes_all_and_from_both_ends(items: list[int]) -> None:
    turns = in_turn(items)
    assert sorted(turns) == sorted(items)
    assert turns[:1] == items[:1]
    assert turns[1:2] == items[-1:][: len(items) - 1]
    first = turns[: len(turns) // 2]
    assert sum(1 for item in first if items.index(item) < len(items) / 2) in (len(first) // 2, (len(first) + 1) // 2)


def test_alternate_goes_on_with_what_is_left() -> None:
    assert alternate([1, 2, 3], [9]) == [1, 9, 2, 3]
    assert alternate([], [9, 8]) == [9, 8]


INTERVALS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=12)


@given(INTERVALS, st.sampled_from([10, 15, 60]))
def test_gaps_are_what_is_wanted_and_not_there(have: list[tuple[int, int]], width: int) -> None:
    wanted = closed_slices("t", DAY, DAY + 180 * MINUTE, width * MINUTE)
    intervals = [(DAY + start * MINUTE, DAY + (start + long) * MINUTE) for start, long in have]

    def minutes(pieces: list[tuple[datetime, datetime]]) -> set[int]:
        return {m for a, b in pieces for m in range(int((a - DAY) / MINUTE), int((b - DAY) / MINUTE))}

    gaps = gaps_in(wanted, intervals)
    free = minutes([(s.start, s.end) for s in wanted]) - minutes(intervals)
    assert minutes([(g.start, g.end) for g in gaps]) == free
    assert sum(int(g.width / MINUTE) for g in gaps) == len(free)  # none twice
    assert all(any(s.start <= g.start and g.end <= s.end for s in wanted) for g in gaps)
    assert uncovered(wanted, intervals) == [s for s in wanted if minutes([(s.start, s.end)]) & free]


def test_retention_ends_an_hour_early() -> None:
    month = timedelta(days=30)
    slice_ = Slice("t", DAY, 15 * MINUTE)
    assert near_retention_end(slice_, DAY + month - 59 * MINUTE, month)
    assert not near_retention_end(slice_, DAY + month - 60 * MINUTE, month)


def test_days_are_both_ends_included() -> None:
    assert [*days_between(DAY + timedelta(hours=23), DAY + timedelta(hours=25))] == [DAY, DAY + timedelta(days=1)]
    assert [*days_between(DAY, DAY)] == [DAY]
