"""Quiet hours and digests go by the clock on the wall of the channel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from shared.alerts.hours import DigestPeriod, digest_period, is_quiet
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
    yesterday = DigestPeriod(at("2026-11-01T07:00"), at("2026-10-31T00:00"), at("2026-11-01T00:00"))
    assert digest_period(daily, at("2026-11-02T06:59")) == yesterday
    today = DigestPeriod(at("2026-11-02T07:00"), at("2026-11-01T00:00"), at("2026-11-02T00:00"))
    assert digest_period(daily, at("2026-11-02T07:00")) == today
    assert digest_period(channel(), at("2026-11-02T07:00")) is None


def test_a_weekly_digest_comes_on_mondays_and_lasts_a_week_even_when_the_clocks_change() -> None:
    weekly = channel(digest="weekly", digest_at="08:00", time_zone="Europe/Vienna")
    # Summer time ended on the 25th.
    week = DigestPeriod(at("2026-10-26T07:00"), at("2026-10-19T00:00"), at("2026-10-26T00:00"))
    assert digest_period(weekly, at("2026-10-26T07:00")) == week
    assert digest_period(weekly, at("2026-11-01T23:00")) == week


@pytest.mark.parametrize(
    ("digest_at", "time_zone"),
    [
        ("01:30", "Europe/Vienna"),
        ("00:15", "Europe/London"),
        ("19:30", "America/New_York"),
        ("16:30", "America/Los_Angeles"),
        ("10:30", "Australia/Sydney"),
        ("08:00", "Pacific/Kiritimati"),
        ("12:30", "UTC"),
    ],
)
def test_digests_cover_each_day_once_though_the_clocks_change(digest_at: str, time_zone: str) -> None:
    for digest, length in (("daily", timedelta(days=1)), ("weekly", timedelta(days=7))):
        one = channel(digest=digest, digest_at=digest_at, time_zone=time_zone)
        found = {digest_period(one, at("2026-01-10T00:00") + timedelta(hours=hours)) for hours in range(24 * 370)}
        periods = sorted((p for p in found if p is not None), key=lambda p: p.due)
        assert all(p.end - p.begin == length and p.end <= p.due for p in periods)
        assert all(one.end == two.begin for one, two in pairwise(periods))
