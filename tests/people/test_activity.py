"""Who was seen where, and who never with MFA."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.ledger.days import DayLines
from shared.ledger.tallies import Verdicts
from shared.people.activity import Activity

DAY = datetime(2026, 11, 2, tzinfo=UTC)


def test_whoever_did_mfa_once_did_not_never() -> None:
    activity = Activity()
    activity.add_pairs(DayLines(DAY, {"never": {"one": Verdicts(0, 2, 0)}, "once": {"one": Verdicts(0, 1, 0)}}))
    activity.add_pairs(DayLines(DAY, {"once": {"two": Verdicts(1, 0, 0)}, "unknown": {"one": Verdicts(0, 0, 3)}}))
    assert activity.never_with_mfa() == {"never"}
    assert activity.reached_by()["one"] == {"never", "once", "unknown"}
