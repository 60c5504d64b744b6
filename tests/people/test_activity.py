"""Who was seen where, and who never with MFA."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import convert

from shared.ledger.counts import PairLines
from shared.ledger.counts_json import PairColumns, pairs_json
from shared.ledger.days import DayLines, DayPairs
from shared.ledger.tallies import Verdicts
from shared.ledger.trimming import REST
from shared.people.activity import Activity

DAY = datetime(2026, 11, 2, tzinfo=UTC)


def _day(pairs: PairLines) -> DayPairs:
    return DayLines(DAY, convert(pairs_json(pairs), PairColumns))


def test_whoever_did_mfa_once_did_not_never() -> None:
    activity = Activity()
    activity.add_pairs(_day({"never": {"one": Verdicts(0, 2, 0)}, "once": {"one": Verdicts(0, 1, 0)}}))
    activity.add_pairs(_day({"once": {"two": Verdicts(1, 0, 0)}, "unknown": {"one": Verdicts(0, 0, 3)}}))
    assert activity.never_with_mfa() == {"never"}
    assert activity.reached_by({"one"})["one"] == {"never", "once", "unknown"}


def test_who_has_a_day_without_numbers_is_not_called_one_who_never_did_mfa() -> None:
    """Days of an older version of the app kept who was where, and not how."""
    activity = Activity()
    activity.add_pairs(_day({"old": {"one": None, "two": Verdicts(0, 1, 0)}, REST: {REST: Verdicts(9, 9, 9)}}))
    activity.add_pairs(_day({"old": {"two": Verdicts(0, 1, 0)}}))
    assert activity.never_with_mfa() == set()
    assert activity.reached == {"old": {"one", "two"}}
