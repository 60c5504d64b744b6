"""The calendar of a year says of each day what coverage says, slice by slice."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from shared.compliance.calendar import calendar_days
from shared.compliance.coverage import Window, coverage_by_day, measure
from shared.compliance.gaps import GapKind, gaps
from shared.ledger.days import Day, DayReach, Reach, Totals
from shared.ledger.reach_json import is_sealed, reach_json, reach_of_json
from shared.ledger.slices import DAY, days_between, midnight

WIDTH = timedelta(hours=6)
START = datetime(2026, 9, 1, tzinfo=UTC)
NOW = datetime(2026, 10, 20, 9, tzinfo=UTC)
WINDOW = Window(START, NOW + DAY, NOW, WIDTH, {"a": START + 9 * DAY + WIDTH}, timedelta(days=30))


_FATES = ("sealed",) * 12 + ("due", "overdue", "parked", "torn", "shrunk", "quarantined", "accepted", "")


def _reach(fate: str, at: datetime) -> Reach | None:
    if not fate:
        return None
    kept = 2 if fate in ("quarantined", "accepted") else 0
    due = {"due": NOW + DAY, "overdue": NOW - DAY}.get(fate)
    state = {"whole": fate != "torn", "parked": fate == "parked", "consistent": fate != "shrunk"}
    accepted = 2 if fate == "accepted" else 0
    return Reach("a", at, at + WIDTH, due=due, problem="", quarantined=kept, accepted=accepted, **state)


def _days(draw: Random) -> Iterable[Day]:
    for day in days_between(START, NOW):
        if draw.random() < 0.3:
            continue
        sound = draw.random() < 0.5
        found = [_reach("sealed" if sound else draw.choice(_FATES), day + n * WIDTH) for n in range(4)]
        ended = [reach for reach in found if reach is not None and reach.end <= NOW]
        yield Day(day, counts=Totals(), reach=ended)


def _as_kept(day: Day) -> DayReach:
    """As it comes back from its row."""
    kept = reach_json(day.reach)
    if is_sealed(kept, {"a"}):
        return DayReach(day.day, is_sealed=True)
    return DayReach(day.day, reach_of_json(kept, day.day))


@pytest.mark.parametrize("seed", range(20))
def test_a_day_is_told_as_slice_by_slice(seed: int) -> None:
    days = [*_days(Random(seed))]  # noqa: S311 - drawn again the same
    measured = measure(["a"], days, WINDOW)
    read = coverage_by_day(measured)
    kinds: dict[datetime, set[GapKind]] = {}
    for item in gaps(measured[0], None):
        at = midnight(item.from_)
        while item.to and at < item.to:
            kinds.setdefault(at, set()).add(item.kind)
            at += DAY
    told = calendar_days(["a"], [_as_kept(day) for day in days], WINDOW)
    for found, day in zip(told, days_between(START, NOW), strict=True):
        assert (found.day, found.read, {*found.kinds}) == (day.date(), read.get(day), kinds.get(day, set()))
    assert any(_as_kept(day).is_sealed for day in days)
