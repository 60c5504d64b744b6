"""The sentence that is read in ten seconds: never glad without what it rests on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.page.sentence import Grounds, Standing, ago, can_be_trusted, headline, trust

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
GROUNDS = Grounds(
    now=NOW,
    covered=100.0,
    read_anything=True,
    measured_until=NOW - timedelta(minutes=30),
    quarantined=0,
    paused_until=None,
    alerts_ready=True,
    directory_at=NOW - timedelta(seconds=70),
)
GOOD = Standing(
    grounds=GROUNDS,
    open=0,
    critical=0,
    burning=0,
    acknowledged_burning=0,
    compliance=100.0,
    worst_case=100.0,
    judged=120,
    without=0,
    unknown=0,
)


def told(standing: Standing) -> str:
    """Both sentences."""
    return " ".join(filter(None, headline(standing)))


def test_all_is_well() -> None:
    assert told(GOOD) == "No problem is open. 100\u202f% of 120 sign-ins had MFA."
    assert can_be_trusted(GROUNDS)
    assert trust(GROUNDS) == [
        "alerts are on",
        "read without a gap until 20 Nov 07:30 UTC",
        "100\u202f% of the period was read",
        "0 records in quarantine",
        "directory 70 s old",
    ]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"covered": 99.98}, "99.98\u202f% of the period was read"),
        ({"quarantined": 1}, "1 record could not be read"),
        ({"paused_until": NOW + timedelta(hours=2)}, "alerts are paused until 20 Nov 10:00 UTC"),
        ({"measured_until": None}, "nothing was read to its end yet"),
        (
            {"measured_until": NOW - timedelta(hours=4)},
            "nothing newer than 20 Nov 04:00 UTC was read without a gap, 4 h ago",
        ),
        ({"directory_at": None}, "the directory was not read yet"),
    ],
)
def test_what_takes_the_green_mark_away_is_said_first(changes: dict[str, object], says: str) -> None:
    grounds = replace(GROUNDS, **changes)  # type: ignore[arg-type]
    assert not can_be_trusted(grounds)
    assert trust(grounds)[0] == says


def test_without_a_channel_nobody_is_told() -> None:
    assert trust(replace(GROUNDS, alerts_ready=False))[0] == "no channel is set up: nobody is told"


def test_a_channel_that_cannot_be_used_is_said() -> None:
    assert trust(replace(GROUNDS, dead_channels=1))[0] == "1 channel cannot be used: nobody there is told"


def test_where_only_some_were_read_nothing_is_said_of_the_last_day() -> None:
    assert told(replace(GOOD, open=2, burning=None)).startswith("2 problems are open. ")


def test_problems_that_are_open() -> None:
    bad = replace(GOOD, open=3, critical=1, burning=2, compliance=96.27, worst_case=96.02, judged=3087, unknown=8)
    assert told(bad) == (
        "3 problems are open, 1 of them critical, 2 still happening. "
        "96.27\u202f% of 3,079 sign-ins had MFA (96.02\u202f% if the 8 that say nothing had none)."
    )
    assert told(replace(bad, open=1, critical=0, burning=0)).startswith("1 problem is open, none seen in the last day.")


def test_acknowledged_problems_are_not_hidden() -> None:
    assert told(replace(GOOD, acknowledged_burning=2)).startswith(
        "No problem is open; 2 problems that are known are still happening."
    )


def test_before_the_first_slice_nothing_is_said() -> None:
    unread = replace(GROUNDS, covered=None, read_anything=False)
    first = replace(GOOD, grounds=unread, judged=0, compliance=None, worst_case=None)
    assert told(first) == "The log is being read for the first time; nothing can be said yet."


def test_what_cannot_be_divided_is_no_percentage() -> None:
    assert "No sign-in of the period could be judged." in told(replace(GOOD, judged=0, compliance=None))


def test_whose_figures_they_are_is_said() -> None:
    assert told(replace(GOOD, of="Contoso")).startswith("Contoso: No problem is open.")


def test_what_was_accepted_as_unreadable_is_said_and_takes_nothing_away() -> None:
    grounds = replace(GROUNDS, accepted=3)
    assert can_be_trusted(grounds)
    assert "3 records accepted as unreadable" in trust(grounds)


def test_an_age_has_one_unit() -> None:
    ages = (timedelta(seconds=70), timedelta(minutes=5), timedelta(hours=30), timedelta(days=3), timedelta(seconds=-4))
    assert [ago(age) for age in ages] == ["70 s", "5 min", "30 h", "3 days", "0 s"]


def test_a_log_that_cannot_be_read_is_no_first_scan() -> None:
    nothing = replace(GROUNDS, read_anything=False, measured_until=None)
    assert told(replace(GOOD, grounds=nothing)).startswith("The log is being read for the first time")
    assert told(replace(GOOD, grounds=replace(nothing, cannot_read=True))) == (
        "The sign-in log cannot be read; nothing can be said."
    )
