"""Times of day of a channel: its quiet hours, and when its digest is due. Pure.

Local time is asked of the channel's zone, so that both move with daylight saving: an hour that the clocks skip or
repeat is quiet by what the clock on the wall shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.app.channels import Channel
from shared.rules.rule import Severity

_MONDAY = 0
_DAY = timedelta(days=1)
_NOTHING = Severity.CRITICAL + 1


def is_quiet(channel: Channel, now: datetime) -> bool:
    """Whether alerts wait at that time (UTC)."""
    if channel.quiet_hours is None:
        return False
    begin, end = channel.quiet_hours
    clock = now.astimezone(channel.time_zone).time()
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def least_told(channel: Channel, now: datetime) -> int:
    """The lowest severity that is told at that time (UTC); more than all there are: none."""
    return int(channel.quiet_except or _NOTHING) if is_quiet(channel, now) else 0


@dataclass(frozen=True, slots=True)
class DigestPeriod:
    """When a digest is due, and the whole UTC days that it is about: from `begin` to `end`, which is outside."""

    due: datetime
    begin: datetime
    end: datetime


def digest_period(channel: Channel, now: datetime) -> DigestPeriod | None:
    """The newest digest that is due by now; None without digests.

    Days are counted in UTC, and a digest is due by the clock on the wall: so many midnights before it that no change of
    the clocks leaves out a day or tells one twice.
    """
    if channel.digest is None:
        return None
    local = now.astimezone(channel.time_zone)
    day = local.date()
    if local.time() < channel.digest_at:
        day -= timedelta(days=1)
    length = timedelta(days=1)
    if channel.digest == "weekly":
        day -= timedelta(days=(day.weekday() - _MONDAY) % 7)
        length = timedelta(days=7)
    due = datetime.combine(day, channel.digest_at, channel.time_zone).astimezone(UTC)
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + _midnights(channel, day.year)
    return DigestPeriod(due, end - length, end)


def _midnights(channel: Channel, year: int) -> timedelta:
    """From the UTC midnight of the local date to the last one that is over when the digest is due, at every offset that
    the zone has: -1, 0 or 1 days."""
    months = [datetime(y, month, 1, 12, tzinfo=UTC) for y in (year - 1, year, year + 1) for month in range(1, 13)]
    at = timedelta(hours=channel.digest_at.hour, minutes=channel.digest_at.minute)
    offsets = {month.astimezone(channel.time_zone).utcoffset() or timedelta(0) for month in months}
    return min((at - offset) // _DAY for offset in offsets) * _DAY
