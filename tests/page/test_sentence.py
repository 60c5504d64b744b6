"""The sentence that is read in ten seconds: never glad without what it rests on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.page.sentence import About, Grounds, Standing, Trust, ago, doubted, headline, trust

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
    assert not doubted(GROUNDS)
    rests_on = [
        "alerts are on",
        "read without a gap until 20 Nov 07:30 UTC",
        "100\u202f% of the period was read",
        "0 records in quarantine",
        "directory 70 s old",
    ]
    assert trust(GROUNDS) == Trust([], rests_on)


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
        ({"directory_at": NOW - timedelta(hours=30)}, "the directory is 30 h old: who joined since is not known"),
        ({"covered": None}, "no slice of the period is over yet"),
        ({"cannot_read": True}, "the sign-in log cannot be read now"),
        ({"alerts_ready": False}, "no channel is set up: nobody is told"),
        ({"dead_channels": 1}, "1 channel cannot be used: nobody there is told"),
        (
            {"covered": 97.0, "gaps": {"given up after many tries": 1, "not read yet": 2}},
            "97\u202f% of the period was read (1 slice given up after many tries, 2 slices not read yet)",
        ),
    ],
)
def test_what_takes_the_green_mark_away_is_said_first(changes: dict[str, object], says: str) -> None:
    grounds = replace(GROUNDS, **changes)  # type: ignore[arg-type]
    assert trust(grounds).doubts == [says]
    assert len(trust(grounds).rests_on) >= 4, "what else they rest on goes on being said"


def test_of_many_reasons_the_worst_is_said_first_and_none_is_left_out() -> None:
    grounds = replace(
        GROUNDS,
        cannot_read=True,
        covered=50.0,
        gaps={"gone from the log unread": 3},
        quarantined=2,
        measured_until=NOW - timedelta(hours=5),
        paused_until=NOW + timedelta(hours=1),
        directory_at=NOW - timedelta(days=4),
    )
    assert trust(grounds) == Trust(
        [
            "the sign-in log cannot be read now",
            "alerts are paused until 20 Nov 09:00 UTC",
            "nothing newer than 20 Nov 03:00 UTC was read without a gap, 5 h ago",
            "2 records could not be read",
            "50\u202f% of the period was read (3 slices gone from the log unread)",
            "the directory is 4 days old: who joined since is not known",
        ],
        [],
    )
    assert doubted(grounds) == {*About}


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
    assert not doubted(grounds)
    assert "3 records accepted as unreadable" in trust(grounds).rests_on


def test_an_age_has_one_unit() -> None:
    ages = (timedelta(seconds=70), timedelta(minutes=5), timedelta(hours=30), timedelta(days=3), timedelta(seconds=-4))
    assert [ago(age) for age in ages] == ["70 s", "5 min", "30 h", "3 days", "0 s"]


def test_a_log_that_cannot_be_read_is_no_first_scan() -> None:
    nothing = replace(GROUNDS, read_anything=False, measured_until=None)
    assert told(replace(GOOD, grounds=nothing)).startswith("The log is being read for the first time")
    assert told(replace(GOOD, grounds=replace(nothing, cannot_read=True))) == (
        "The sign-in log cannot be read; nothing can be said."
    )
