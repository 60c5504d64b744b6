"""What is worst of numbers by verdict."""

from __future__ import annotations

from shared.answers.people import worst_first
from shared.ledger.tallies import Verdicts


def test_of_as_many_without_mfa_the_lower_share_is_worse() -> None:
    """52 of 100 is worse than 71 of 100; in version 1 the busier stood above."""
    humongous, lamna, adatum = Verdicts(71, 29), Verdicts(52, 29), Verdicts(3, 1, 9)
    unknown, busy, quiet = Verdicts(90, 0, 1), Verdicts(500), Verdicts(2)
    order = [lamna, humongous, adatum, unknown, busy, quiet]
    shuffled = [busy, unknown, adatum, humongous, quiet, lamna]
    assert sorted(shuffled, key=lambda line: line.badness) == order
    assert sorted(shuffled, key=worst_first)[:4] == order[:4]
    assert worst_first(busy) == worst_first(quiet), "what is clean is sorted by name"
