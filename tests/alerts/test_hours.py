"""Quiet hours and digests go by the clock on the wall of the channel."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.alerts.hours import digest_period, is_quiet
from shared.app.channels import Channel


def channel(**members: str) -> Channel:
    return Channel.model_validate({"kind": "slack", "url": "https://hooks.example/x", **members})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "quiet"),
    [
        ("2026-11-02T20:59", False),
        ("2026-11-02T21:00", True),  # 22:00 in Vienna
        ("2026-11-03T05:59", True),
        ("2026-11-03T06:00", False),
        ("2026-07-02T20:00", True),  # 22:00 in Vienna, in summer
        ("2026-07-02T19:59", False),
    ],
)
def test_quiet_hours_over_midnight_in_their_own_zone(now: str, quiet: bool) -> None:
    assert is_quiet(channel(quiet_hours="22:00-07:00", time_zone="Europe/Vienna"), at(now)) is quiet


def test_quiet_hours_within_a_day_and_none() -> None:
    siesta = channel(quiet_hours="12:00-14:00")
    assert [is_quiet(siesta, at(f"2026-11-02T{hour}:00")) for hour in (11, 12, 13, 14)] == [False, True, True, False]
    assert not is_quiet(channel(), at("2026-11-02T03:00"))


def test_a_daily_digest_is_of_the_day_before_its_time() -> None:
    daily = channel(digest="daily", digest_at="08:00", time_zone="Europe/Vienna")
    assert digest_period(daily, at("2026-11-02T06:59")) == (at("2026-10-31T07:00"), at("2026-11-01T07:00"))
    assert digest_period(daily, at("2026-11-02T07:00")) == (at("2026-11-01T07:00"), at("2026-11-02T07:00"))
    assert digest_period(channel(), at("2026-11-02T07:00")) is None


def test_a_weekly_digest_comes_on_mondays_and_lasts_a_week_even_when_the_clocks_change() -> None:
    weekly = channel(digest="weekly", digest_at="08:00", time_zone="Europe/Vienna")
    begin, end = at("2026-10-19T06:00"), at("2026-10-26T07:00")  # summer time ended on the 25th
    assert digest_period(weekly, at("2026-10-26T07:00")) == (begin, end)
    assert digest_period(weekly, at("2026-11-01T23:00")) == (begin, end)
