"""What a digest says of its own figures: records that nobody could read, and rules of two versions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import uuid4

from shared.alerts.digest_sections import DigestView, final_statements, mixed_rules, unreadable_records
from shared.app.channels import Channel
from shared.ledger.days import Day, Reach, Totals
from shared.store.statements import FinalMonth, note_final
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


async def test_a_month_that_became_final_is_told_once_with_its_link_and_the_key(azurite: str) -> None:
    tables = Tables.connect(azurite, prefix="t" + uuid4().hex[:20])
    await tables.create()
    try:
        await note_final(tables.control, FinalMonth(datetime(2026, 9, 1, tzinfo=UTC), DAY - HOUR, "a" * 64))
        await note_final(tables.control, FinalMonth(datetime(2026, 10, 1, tzinfo=UTC), DAY + HOUR, "b" * 64))
        channel = cast("Channel", None)
        view = DigestView(tables, channel, DAY, DAY + 24 * HOUR, [], [], "https://monitor.example", "c" * 64)
        section = await final_statements(view)
        assert section is not None
        assert section.lines == [
            f"October 2026: https://monitor.example/api/statement?month=2026-10&format=html (SHA-256 {'b' * 64})",
            f"Key of evidence packs: {'c' * 64}",
        ]
        assert await final_statements(DigestView(tables, channel, DAY + 24 * HOUR, DAY + 48 * HOUR, [], [])) is None
    finally:
        await tables.close()
