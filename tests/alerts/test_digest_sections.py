"""What a digest says of its own figures: records that nobody could read, and rules of two versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

from shared.alerts.digest_sections import DigestView, mixed_rules, unreadable_records
from shared.app.channels import Channel
from shared.ledger.days import Day, Reach, Totals
from shared.store.tables import Tables

DAY = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _view(*days: Day) -> DigestView:
    """These sections look at the days alone."""
    return DigestView(cast("Tables", None), cast("Channel", None), DAY, DAY + 24 * HOUR, days, [])


def _day(quarantined: int = 0, accepted: int = 0, **rules_versions: int) -> Day:
    reach = Reach("t", DAY, DAY + HOUR, True, None, False, "", True, quarantined, accepted)
    return Day(DAY, Totals(), [reach], rules_versions={key.removeprefix("v"): n for key, n in rules_versions.items()})


async def test_a_period_judged_by_two_versions_of_the_rules_asks_for_a_rescan() -> None:
    assert await mixed_rules(_view(_day(v2=96), _day(v2=96))) is None
    section = await mixed_rules(_view(_day(v1=40, v2=56), _day(v2=96)))
    assert section is not None
    assert "rescan" in section.title
    assert section.lines == ["version 1: 40 slices", "version 2: 152 slices"]


async def test_records_that_could_not_be_read_are_told_until_somebody_accepts_them() -> None:
    section = await unreadable_records(_view(_day(quarantined=2), _day(quarantined=3, accepted=3)))
    assert section is not None
    assert section.lines == ["2 records in 1 slice of the log"]
    assert await unreadable_records(_view(_day(quarantined=3, accepted=3), _day())) is None
