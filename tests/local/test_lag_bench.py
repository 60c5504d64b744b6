"""The simulation of a large partner: what it says at the ends is what can be worked out by hand."""

from __future__ import annotations

from local.benches.lag_bench import Load, simulate


def test_a_small_log_is_read_as_it_closes() -> None:
    found = simulate(Load.of(1000, 10, days=2, lookback_days=1))
    assert (found.unread, found.overdue_reads, found.requests_in_vain) == (0, 0, 0)
    # A plan comes every five minutes, and a chain that is under way goes on for half an hour.
    assert found.longest <= 35
    assert found.lookback_hours is not None


def test_what_graph_cannot_serve_is_told_as_lag_and_not_left_out() -> None:
    load = Load.of(100_000, 100, days=2, lookback_days=1)
    assert load.use_of_graph > 1
    found = simulate(load)
    assert found.overdue_reads > 0
    assert found.longest > 60


def test_fewer_reads_make_room() -> None:
    many = Load.of(100_000, 50, days=2, lookback_days=1, slice_minutes=5)
    few = Load.of(100_000, 50, days=2, lookback_days=1, slice_minutes=5, read_ages_minutes=(0, 60, 1440))
    assert few.use_of_graph < many.use_of_graph / 2
    assert simulate(few).median < simulate(many).median


def test_a_slice_that_is_too_large_is_asked_in_vain_and_then_read_by_halves() -> None:
    """300,000 a day: a quarter of an hour holds more than five thousand where the hour has seven hundredths or more."""
    small = Load.of(10_000, 30, days=2, lookback_days=1, pages_per_slice=5)
    found = simulate(small)
    busy = 9  # hours, from seven o'clock to three
    assert found.requests_in_vain == busy * 4 * 5 * 3  # two days and one of look-back
    assert found.unread == 0
