"""Whatever settings the app accepts, a log that is read in time is read to its end, and none of it is read for ever.

The plan with a clock of its own: no storage, no Graph, only what decides when a slice is read.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.app.settings import Settings, SettingsError
from shared.ledger.head import Head
from shared.ledger.slices import Slice, near_retention_end
from shared.rules.rule import PARTNER
from shared.scan.due import Ledger, Terms, due_slices
from shared.scan.writing import done_head
from tests.settings import settings_for

START = datetime(2026, 11, 2, tzinfo=UTC)
PLAN = timedelta(minutes=5)
WIDTHS = [width for width in range(5, 1441) if 1440 % width == 0]
# The ends of the documented ranges (README, "Settings"), and the defaults.
ENDS: dict[str, list[Any]] = {
    "lookback_days": [1, 30, 90],
    "retention_days": [1, 7, 30, 90],
    "slice_minutes": [5, 15, 1440],
    "read_ages_minutes": ["0", "0,60", "0,15,60,360,1440,4320,10080", "0,15,10080,20160"],
    "finding_retention_days": [30, 400, 3650],
    "slice_lease_seconds": [1, 600, 3600],
    "graph_timeout_seconds": [0.5, 120, 300],
    "pages_per_slice": [1, 50, 1000],
}
PAIRS = [{one: a, other: b} for one, other in combinations(ENDS, 2) for a, b in product(ENDS[one], ENDS[other])]


def accepted(**values: Any) -> Settings | None:
    """The settings; None where the app refuses them with a sentence."""
    try:
        return settings_for(**values)
    except SettingsError:
        return None


def reads_of(app: Settings, *, records: int, late: timedelta = timedelta(0)) -> tuple[Head, list[timedelta]]:
    """The life of one slice under a plan that comes so late: its head in the end, and the ages of its reads."""
    slice_ = Slice(PARTNER, START, app.slice_width)
    retention = timedelta(days=app.retention_days)
    head, reads = Head(slice_), list[timedelta]()
    now = slice_.end
    while head.settled is None or head.next_due is not None:
        now = max(now, head.next_due or now) + late
        ledger = Ledger({slice_: head} if reads else {})
        assert due_slices(ledger, [slice_], Terms(now, retention)) == [slice_], (now - slice_.end, head)
        overdue = head.overdue_from(app.read_ages)
        assert not reads or overdue is None or now <= overdue
        read = Head(slice_, records=records, settled=head.settled)
        head = done_head(read, now - slice_.end, app.read_ages, again=now, shrank=False)
        reads.append(now - slice_.end)
        assert len(reads) <= len(app.read_ages_minutes)
    return head, reads


def check(app: Settings) -> None:
    """A slice is read at its first and its last age, settled to its end, and complete from then on."""
    for records in (0, 1):
        head, reads = reads_of(app, records=records, late=PLAN)
        assert head.is_whole
        assert head.overdue_from(app.read_ages) is None, "coverage could never be whole"
        assert reads[-1] >= app.read_ages[-1], "it was sealed before its last age"
        end = START + app.slice_width
        assert not near_retention_end(head.slice, end + app.read_ages[-1], timedelta(days=app.retention_days))
    assert app.finding_retention_days > max(app.retention_days, app.lookback_days), (
        "deleted by night, read again by day"
    )


@pytest.mark.parametrize("pair", PAIRS, ids=[" ".join(f"{k}={v}" for k, v in pair.items()) for pair in PAIRS])
def test_all_pairs_of_ends_are_refused_or_read_the_log_to_its_end(pair: dict[str, Any]) -> None:
    if app := accepted(**pair):
        check(app)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(
    width=st.sampled_from(WIDTHS),
    ages=st.sets(st.integers(1, 20_000), max_size=9),
    retention=st.integers(1, 90),
    lookback=st.integers(1, 90),
    kept=st.integers(30, 3650),
)
def test_whatever_is_accepted_reads_the_log_to_its_end(
    width: int, ages: set[int], retention: int, lookback: int, kept: int
) -> None:
    app = accepted(
        slice_minutes=width,
        read_ages_minutes=",".join(map(str, sorted({0, *ages}))),
        retention_days=retention,
        lookback_days=lookback,
        finding_retention_days=kept,
    )
    if app:
        check(app)


def test_an_even_number_of_ages_reads_an_empty_slice_at_the_last_one() -> None:
    """It was sealed unread, and coverage called it complete."""
    app = accepted(read_ages_minutes="0,60")
    assert app is not None
    assert reads_of(app, records=0)[1] == [timedelta(0), timedelta(hours=1)]


def test_seven_days_of_retention_leave_out_the_age_of_seven_days() -> None:
    app = accepted(retention_days=7)
    assert app is not None
    assert app.read_ages[-1] == timedelta(days=3)
    assert reads_of(app, records=1)[0].overdue_from(app.read_ages) is None
