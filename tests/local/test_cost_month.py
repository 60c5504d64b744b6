"""The month that is worked out from measured requests and seconds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from local.benches.cost_month import (
    ALERT_RULES,
    FIVES,
    FREE_LOG_GIGABYTES,
    HOURS,
    LOG_GIGABYTE,
    MINUTES,
    log_size,
    month,
)
from tests.infra.deployment import DEFAULTS, deployed


@dataclass(frozen=True)
class Piece:
    work: str
    table: int = 0
    graph: int = 0
    seconds: float = 0.0
    log_lines: int = 0
    log_bytes: int = 0


PIECES = {
    "first": Piece("first read", table=20, graph=1, seconds=0.8),
    "again": Piece("read again", table=15, graph=1, seconds=0.1),
    "later": Piece("third read", table=10, graph=1, seconds=0.1),
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
    assert (
        found.table_requests
        == 2880 * (20 + 15 + 5 * 10) + FIVES * (100 + 1 + 6 + 8 + 2) + MINUTES * 7 + 30 * 100 + HOURS
    )
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


def test_every_execution_leaves_its_lines_twice_and_its_row_once() -> None:
    found = month(PIECES.values())
    assert found.log_gigabytes == round(found.executions * log_size() / 1e9, 2)
    assert found.logs == 0, "five gigabytes are free"
    talking = Piece("x", log_lines=3, log_bytes=600)
    assert log_size(talking) - log_size() == 3 * (900 + 500) + 2 * 600


def test_what_is_said_of_each_request_would_be_paid() -> None:
    """Two lines of 550 bytes a request to a table, as before the libraries were kept quiet."""
    loud = {name: replace(p, log_lines=2 * p.table, log_bytes=1100 * p.table) for name, p in PIECES.items()}
    found = month(loud.values())
    assert found.log_gigabytes > FREE_LOG_GIGABYTES
    assert found.logs == pytest.approx((found.log_gigabytes - FREE_LOG_GIGABYTES) * LOG_GIGABYTE, abs=0.05)


def test_the_first_scan_costs_a_read_more_of_thirty_days() -> None:
    found = month(PIECES.values())
    assert found.first_scan == round(2880 * 1.8 * 2 * 0.000026 + 2880 * 20 / 10_000 * 0.00045, 2)
    assert found.first_scan_log_gigabytes == round(2880 * log_size() / 1e9, 2)


def test_the_rules_that_are_paid_are_those_of_the_template() -> None:
    assert len(deployed(DEFAULTS).all("Microsoft.Insights/scheduledQueryRules")) == ALERT_RULES
    assert len(deployed(DEFAULTS).all("Microsoft.Insights/metricAlerts")) == 1
