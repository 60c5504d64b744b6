"""Timer schedules."""

from datetime import UTC, datetime

import pytest

from local.host.schedule import parse_schedule

_NOW = datetime(2026, 1, 1, 0, 0, 0, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("schedule", "first", "second"),
    [
        ("*/5 * * * * *", "2026-01-01T00:00:05", "2026-01-01T00:00:10"),  # the seconds come first
        ("0 */5 * * * *", "2026-01-01T00:05:00", "2026-01-01T00:10:00"),
        ("30 10 9 * * 1-5", "2026-01-01T09:10:30", "2026-01-02T09:10:30"),
        ("0 0 8 * * Mon,Fri", "2026-01-02T08:00:00", "2026-01-05T08:00:00"),
        ("0 0 0 1 Jan *", "2027-01-01T00:00:00", "2028-01-01T00:00:00"),
        ("5/15 * * * * *", "2026-01-01T00:00:05", "2026-01-01T00:00:20"),
        ("0 0 0 13 * 5", "2026-02-13T00:00:00", "2026-03-13T00:00:00"),  # a Friday *and* the 13th
        ("*/5 * * * *", "2026-01-01T00:05:00", "2026-01-01T00:10:00"),  # five fields: no seconds
        ("00:30:00", "2026-01-01T00:30:00", "2026-01-01T01:00:00"),
        ("1.00:00:01", "2026-01-02T00:00:01", "2026-01-03T00:00:02"),
    ],
)
def test_when_a_timer_is_due(schedule: str, first: str, second: str) -> None:
    parsed = parse_schedule(schedule, _NOW)
    due = parsed.after(_NOW)
    assert [moment.isoformat() for moment in (due, parsed.after(due))] == [f"{first}+00:00", f"{second}+00:00"]


@pytest.mark.parametrize(
    "schedule",
    [
        "",
        "* * * *",
        "* * * * * * *",
        "@daily",
        "0 0 0 ? * *",
        "0 0 0 L * *",
        "0 0 0 * * 5#2",
        "0 0 0 * * 7",
        "60 * * * * *",
        "0 0 0 31 2 *",
        "25:00:00",
        "00:00:00",
        "1:2",
    ],
)
def test_a_wrong_schedule_is_refused(schedule: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_schedule(schedule, _NOW)
