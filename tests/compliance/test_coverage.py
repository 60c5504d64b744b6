"""How much of a period was read, checked against counting minutes one by one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.compliance.coverage import (
    Window,
    coverage,
    coverage_by_day,
    measure,
    percent,
    read_from,
    read_percent,
)
from shared.compliance.gaps import GapKind, gaps, tenant_coverage
from shared.ledger.days import Day, Reach, Totals
from shared.ledger.flight import Flight
from shared.ledger.slices import midnight

ONE = "11111111-1111-1111-1111-111111111111"
TWO = "22222222-2222-2222-2222-222222222222"
START = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)


def _reach(first: int, minutes: int, tenant: str = ONE, **more: object) -> Reach:
    """A slice that was read whole and is sealed, from that minute of the period on."""
    start = START + first * MINUTE
    members: dict[str, object] = {"whole": True, "due": None, "parked": False, "problem": "", **more}
    return Reach(tenant.replace("-", ""), start, start + minutes * MINUTE, **members)  # type: ignore[arg-type]


def _days(reaches: Sequence[Reach]) -> list[Day]:
    days = sorted({midnight(r.start) for r in reaches})
    return [Day(day, Totals(), [r for r in reaches if midnight(r.start) == day]) for day in days]


def _window(now: datetime, width: timedelta = 15 * MINUTE) -> Window:
    """From START until now, of a log that keeps a week."""
    return Window(START, now, now, width, retention=WEEK)


# --- percentages ------------------------------------------------------------------------------------------------------


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_percentage_is_rounded_but_never_to_what_is_not_so(part: int, rest: int) -> None:
    shown = percent(part, rest)
    if part + rest == 0:
        assert shown is None
        return
    assert shown is not None
    assert round(shown, 2) == shown
    assert (shown == 100) == (rest == 0)
    assert (shown == 0) == (part == 0)
    off = abs(Fraction(str(shown)) - Fraction(100 * part, part + rest))
    assert off <= Fraction("0.005") or (shown in (0.01, 99.99) and off < Fraction("0.01"))


@pytest.mark.parametrize(
    ("part", "rest", "shown"),
    [(1, 2, 33.33), (2, 1, 66.67), (1, 1, 50.0), (999_999, 1, 99.99), (1, 999_999, 0.01), (1, 799, 0.13), (0, 5, 0.0)],
)
def test_percentages(part: int, rest: int, shown: float) -> None:
    assert percent(part, rest) == shown


# --- against counting minutes -----------------------------------------------------------------------------------------


@st.composite
def _reaches(draw: st.DrawFn) -> list[Reach]:
    """Slices of several widths, as they stand after the width was changed; none crosses midnight."""
    made = []
    for _ in range(draw(st.integers(0, 30))):
        minutes = draw(st.sampled_from((5, 15, 30, 60, 240)))
        first = draw(st.integers(0, 2880 // minutes - 1)) * minutes
        due = draw(st.one_of(st.none(), st.integers(0, 4000).map(lambda m: START + m * MINUTE)))
        made.append(
            _reach(
                first,
                minutes,
                draw(st.sampled_from((ONE, TWO))),
                whole=draw(st.booleans()),
                due=due,
                parked=draw(st.booleans()),
                consistent=draw(st.booleans()),
                problem=draw(st.sampled_from(("", "why"))),
            )
        )
    return made


@given(_reaches(), st.integers(0, 2880), st.sampled_from((5, 15, 30, 60)))
def test_coverage_is_what_counting_minutes_gives(reaches: list[Reach], passed: int, width: int) -> None:
    now = START + passed * MINUTE
    read = {
        tenant: {
            r.start + n * MINUTE
            for r in reaches
            if r.tenant == tenant.replace("-", "") and r.whole and (r.due is None or now <= r.due)
            for n in range(int((r.end - r.start) / MINUTE))
        }
        for tenant in (ONE, TWO)
    }
    expected = [START + n * width * MINUTE for n in range(passed // width)]
    complete = {
        tenant: [s for s in expected if all(s + n * MINUTE in read[tenant] for n in range(width))] for tenant in read
    }
    missing = {tenant: [s for s in expected if s not in complete[tenant]] for tenant in read}

    measured = measure((ONE, TWO), _days(reaches), _window(now, width * MINUTE))
    whole = coverage(measured)
    assert whole.expected_slices == 2 * len(expected)
    assert whole.complete_slices == sum(map(len, complete.values()))
    assert whole.oldest_gap == min((s[0] for s in missing.values() if s), default=None)
    ends = [max(c) + width * MINUTE for c in complete.values() if c]
    assert whole.lag_seconds == (max((now - e).total_seconds() for e in ends) if len(ends) == 2 else None)
    assert (whole.percent == 100) == (whole.complete_slices == whole.expected_slices > 0)
    for tenant in measured:
        assert [s.start for s in tenant.missing] == missing[tenant.tenant]
        told = [item for item in gaps(tenant, None) if item.kind is not GapKind.QUARANTINED]
        starts = [item.from_ + n * width * MINUTE for item in told for n in range(item.slices)]
        assert starts == missing[tenant.tenant]  # each missing slice is in one item, and nothing else is
        assert all(item.to == item.from_ + item.slices * width * MINUTE for item in told)
        totals = tenant_coverage(tenant, None)
        assert sum(totals.gaps.values()) == len(missing[tenant.tenant])
    by_day = coverage_by_day(measured)
    for day in (START, START + timedelta(days=1)):
        of_day = [s for s in expected if midnight(s) == day]
        done = sum(midnight(s) == day for c in complete.values() for s in c)
        shown = by_day.get(day)
        assert (shown and shown.percent) == (percent(done, 2 * len(of_day) - done) if of_day else None)


# --- what keeps a slice from being complete ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reach", "kind", "says"),
    [
        ([], GapKind.UNREAD, "LOOKBACK_DAYS"),
        ([_reach(0, 15, whole=False, problem="Graph said no.")], GapKind.FAILING, "Graph said no."),
        ([_reach(0, 15, whole=False)], GapKind.UNFINISHED, "goes on by itself"),
        ([_reach(0, 15, due=START + 20 * MINUTE)], GapKind.OVERDUE, "late records"),
        ([_reach(0, 15, whole=False, parked=True, problem="Parked. Why.")], GapKind.PARKED, "release"),
        ([_reach(0, 15, whole=False, consistent=False, problem="x")], GapKind.INCONSISTENT, "less than before"),
        ([_reach(0, 15, whole=False), _reach(0, 5, whole=False, parked=True, problem="!")], GapKind.PARKED, "!"),
        ([_reach(0, 5)], GapKind.UNREAD, "Not read yet"),
        ([_reach(0, 60, whole=False, problem="wide")], GapKind.FAILING, "wide"),
    ],
)
def test_a_gap_says_what_it_is_and_what_to_do(reach: list[Reach], kind: GapKind, says: str) -> None:
    now = START + 60 * MINUTE
    (one,) = measure((ONE,), _days([*reach, _reach(15, 45)]), _window(now, 15 * MINUTE))
    (item,) = gaps(one, None)
    assert (item.kind, item.from_, item.to, item.slices) == (kind, START, START + 15 * MINUTE, 1)
    assert item.tenant_id == ONE
    assert says in item.detail
    assert tenant_coverage(one, None).gaps == {kind.value: 1}


@pytest.mark.parametrize(
    ("reach", "kind"),
    [
        ([], GapKind.EXPIRED),
        ([_reach(0, 15, whole=False)], GapKind.EXPIRED),  # left as it is so near the end of retention
        ([_reach(0, 15, whole=False, parked=True, problem="x")], GapKind.EXPIRED),  # releasing it would find nothing
        ([_reach(0, 15, whole=False, consistent=False)], GapKind.INCONSISTENT),
    ],
)
def test_what_the_log_gave_up_before_it_was_read_is_expired(reach: list[Reach], kind: GapKind) -> None:
    now = START + WEEK
    (one,) = measure((ONE,), _days(reach), _window(now, 15 * MINUTE))
    first = gaps(one, None)[0]
    assert (first.kind, first.from_) == (kind, START)
    totals = tenant_coverage(one, None)
    assert totals.gaps[kind] >= 1
    assert (
        totals.gaps[GapKind.EXPIRED] + totals.gaps.get(GapKind.INCONSISTENT, 0) == 4
    )  # the hour before the end counts too
    assert totals.gaps[GapKind.UNREAD] == 7 * 96 - 4


def test_neighbours_with_the_same_trouble_are_one_item() -> None:
    now = START + timedelta(hours=2)
    reach = [_reach(30, 15), _reach(60, 15, whole=False, problem="x"), _reach(75, 15, whole=False, problem="y")]
    (one,) = measure((ONE,), _days(reach), _window(now, 15 * MINUTE))
    items = [(item.kind, (item.from_ - START) // MINUTE, item.slices) for item in gaps(one, None)]
    assert items == [
        (GapKind.UNREAD, 0, 2),
        (GapKind.UNREAD, 45, 1),
        (GapKind.FAILING, 60, 1),
        (GapKind.FAILING, 75, 1),
        (GapKind.UNREAD, 90, 2),
    ]


def test_quarantine_and_a_tenant_that_cannot_be_read_are_told_beside_the_gaps() -> None:
    now = START + 30 * MINUTE
    reach = [_reach(0, 15, quarantined=2), _reach(15, 15, quarantined=1)]
    flight = Flight(ONE, problem="Nobody granted AuditLog.Read.All.", problem_since=START - 5 * MINUTE)
    (one,) = measure((ONE,), _days(reach), _window(now, 15 * MINUTE))
    items = gaps(one, flight)
    assert [(item.kind, item.to) for item in items] == [
        (GapKind.QUARANTINED, START + 15 * MINUTE),
        (GapKind.QUARANTINED, START + 30 * MINUTE),
        (GapKind.TENANT, None),
    ]
    assert "AuditLog.Read.All" in items[-1].detail
    totals = tenant_coverage(one, flight)
    assert (totals.quarantined, totals.percent, totals.gaps) == (3, 0, {"quarantined": 2})
    assert (totals.problem, totals.problem_since) == (flight.problem, flight.problem_since)


def test_nothing_is_expected_before_the_first_slice_has_closed() -> None:
    whole = coverage(measure((ONE,), [], _window(START + 14 * MINUTE, 15 * MINUTE)))
    assert (whole.expected_slices, whole.percent, whole.oldest_gap, whole.lag_seconds) == (0, None, None, None)


def test_a_tenant_that_is_watched_no_more_does_not_count() -> None:
    measured = measure((ONE,), _days([_reach(0, 15, TWO)]), _window(START + 15 * MINUTE, 15 * MINUTE))
    assert coverage(measured).complete_slices == 0


# --- quarantine, the time before the installation, how far the log was read -------------------------------------------


def test_a_slice_with_quarantined_records_is_not_complete_until_somebody_accepts_them() -> None:
    now = START + 45 * MINUTE
    for accepted, complete in ((0, 2), (1, 2), (2, 3), (3, 3)):
        reach = [_reach(0, 15), _reach(15, 15, quarantined=2, accepted=accepted), _reach(30, 15)]
        measured = measure((ONE,), _days(reach), _window(now))
        whole = coverage(measured)
        assert (whole.complete_slices, whole.quarantined, whole.accepted_quarantine) == (complete, 2, min(accepted, 2))
        assert read_percent(measured) == 100  # what the target is about: quarantine has an alarm of its own
        (item,) = gaps(measured[0], None)
        assert ("accepted that" in item.detail) == (complete == 3)
        assert (whole.measured_until, whole.newest_read) == (now, now)


def test_the_time_before_the_installation_is_told_apart_from_gaps() -> None:
    installed = START + 120 * MINUTE
    since = read_from([Flight(ONE, first_seen=installed), Flight(TWO)], 60 * MINUTE)
    assert since == {ONE.replace("-", ""): START + 60 * MINUTE}
    now = START + 120 * MINUTE
    window = Window(START, now, now, 15 * MINUTE, since, WEEK)
    measured = measure((ONE,), _days([_reach(60, 30)]), window)
    whole = coverage(measured)
    assert (whole.expected_slices, whole.complete_slices, whole.before_installation) == (8, 2, 4)
    assert (whole.oldest_gap, whole.measured_until) == (START + 90 * MINUTE, START + 90 * MINUTE)
    told = [(item.kind, item.slices) for item in gaps(measured[0], None)]
    assert told == [(GapKind.BEFORE_INSTALLATION, 4), (GapKind.UNREAD, 2)]


def test_a_slice_that_the_first_scan_would_have_seen_in_part_only_is_no_gap() -> None:
    """The first look back begins within a slice, which nobody reads: it would be a gap for good."""
    now = START + 120 * MINUTE
    window = Window(START, now, now, 15 * MINUTE, {ONE.replace("-", ""): START + 50 * MINUTE}, WEEK)
    whole = coverage(measure((ONE,), _days([_reach(60, 60)]), window))
    assert (whole.before_installation, whole.oldest_gap, whole.measured_until) == (4, None, now)


def test_of_a_period_before_the_installation_nothing_was_measured() -> None:
    since = {ONE.replace("-", ""): START + timedelta(days=2)}
    now = START + timedelta(days=3)
    measured = measure((ONE,), [], Window(START, START + timedelta(days=1), now, 15 * MINUTE, since, WEEK))
    whole = coverage(measured)
    assert (whole.percent, whole.measured_until, whole.final_until, whole.newest_read) == (0, None, None, None)
    (day,) = coverage_by_day(measured).values()
    assert (day.before_installation, day.partial) == (True, True)


def test_how_far_the_log_was_read_and_how_far_it_is_final() -> None:
    now = START + 120 * MINUTE
    later = now + 60 * MINUTE
    reach = [
        *(_reach(n * 15, 15) for n in range(3)),  # sealed
        *(_reach(n * 15, 15, due=later) for n in range(3, 6)),  # read, and read again later
        _reach(105, 15, due=later),  # behind a gap
        *(_reach(n * 15, 15, TWO) for n in range(8)),
    ]
    whole = coverage(measure((ONE, TWO), _days(reach), _window(now)))
    assert whole.final_until == START + 45 * MINUTE
    assert whole.measured_until == START + 90 * MINUTE  # of the tenant that is furthest behind
    assert whole.newest_read == now
    assert coverage(measure((TWO,), _days(reach), _window(now))).final_until == now


def test_what_nobody_can_read_any_more_is_final() -> None:
    """Else a month with one expired hour would never be final."""
    now = START + WEEK + timedelta(hours=5)
    reach = [_reach(n * 15, 15) for n in range(1, 7 * 96 + 20)]
    whole = coverage(measure((ONE,), _days(reach), _window(now)))
    assert (whole.complete_slices, whole.expected_slices) == (7 * 96 + 19, 7 * 96 + 20)
    assert whole.final_until == now


def test_a_period_in_the_past_ends_where_it_was_asked_to() -> None:
    now = START + timedelta(days=3)
    reach = [_reach(n * 15, 15, due=now + 60 * MINUTE if n >= 90 else None) for n in range(3 * 96)]
    window = Window(START, START + timedelta(days=1), now, 15 * MINUTE, retention=WEEK)
    measured = measure((ONE,), _days(reach), window)
    whole = coverage(measured)
    assert (whole.expected_slices, whole.measured_until) == (96, window.end)
    assert whole.final_until == START + timedelta(minutes=90 * 15)
    (day,) = coverage_by_day(measured).values()
    assert (day.percent, day.partial, day.settled) == (100, False, False)


def test_a_day_is_partial_until_it_is_over_and_read_and_settled_once_nothing_is_read_again() -> None:
    now = START + timedelta(days=2, hours=12)
    reach = [_reach(n * 15, 15) for n in range(96)]
    reach += [_reach(n * 15, 15) for n in range(97, 192)]
    reach += [_reach(n * 15, 15, due=now + WEEK) for n in range(192, 192 + 48)]
    days = coverage_by_day(measure((ONE,), _days(reach), _window(now)))
    assert [(d.partial, d.settled) for d in days.values()] == [(False, True), (True, False), (True, False)]
