"""Times of day of a channel: its quiet hours, and when its digest is due. Pure.

Local time is asked of the channel's zone, so that both move with daylight saving: an hour that the clocks skip or
repeat is quiet by what the clock on the wall shows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.app.channels import Channel
from shared.rules.rule import Severity

_MONDAY = 0
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


def digest_period(channel: Channel, now: datetime) -> tuple[datetime, datetime] | None:
    """The newest period, from its begin to its end in UTC, whose digest is due by now; None without digests."""
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
    begin, end = (datetime.combine(d, channel.digest_at, channel.time_zone) for d in (day - length, day))
    return begin.astimezone(UTC), end.astimezone(UTC)
