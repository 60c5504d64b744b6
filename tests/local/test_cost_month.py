"""The month that is worked out from measured requests and seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from local.benches.cost_month import FIVES, HOURS, MINUTES, month


@dataclass(frozen=True)
class Piece:
    work: str
    table: int = 0
    graph: int = 0
    seconds: float = 0.0


PIECES = {
    "first": Piece("first read", table=20, graph=1, seconds=0.8),
    "again": Piece("read again", table=10, graph=1, seconds=0.1),
    "plan": Piece("plan over 31 days, nothing due", table=100, seconds=3),
    "watch": Piece("watch", table=1),
    "dispatch": Piece("dispatch, nothing to tell", table=7),
    "incidents": Piece("tending incidents", table=6),
    "exceptions": Piece("tending exceptions", table=8),
    "night": Piece("night", table=100),
}


def test_requests_and_executions_are_added_up() -> None:
    found = month(PIECES.values())
    reads = 96 * 30 * 7
    assert found.graph_requests == reads
    assert found.table_requests == 2880 * (20 + 6 * 10) + FIVES * (100 + 1 + 6 + 8 + 2) + MINUTES * 7 + 30 * 100 + HOURS
    assert found.executions == reads + MINUTES + 6 * FIVES + HOURS + 30


def test_an_execution_is_billed_with_a_second_at_least_and_what_is_free_is_taken_off() -> None:
    found = month(PIECES.values())
    assert found.seconds_of_a_read == pytest.approx((0.8 + 6 * 0.1) / 7 + 1)
    seconds = 20160 * 1.2 + FIVES * 3 + (MINUTES + 5 * FIVES + HOURS) * 1
    assert found.execution_seconds == round(seconds)
    assert found.compute == round((2 * seconds - 100_000) * 0.000026, 2)


def test_a_slice_of_many_pages_waits_for_the_pace_of_graph() -> None:
    """Thirteen pages at four in ten seconds: twelve waits of two and a half."""
    large = {**PIECES, "first": replace(PIECES["first"], graph=13, seconds=0.1)}
    assert month(large.values()).seconds_of_a_read == pytest.approx(30.1)


def test_a_missing_measurement_is_no_zero() -> None:
    with pytest.raises(KeyError, match="night"):
        month(piece for name, piece in PIECES.items() if name != "night")
