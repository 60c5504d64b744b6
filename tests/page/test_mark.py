"""The word that is read first: it is never good while something says otherwise, or says nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.page.overview import _mark
from tests.page.test_sentence import GOOD, GROUNDS, NOW


def test_it_is_good_where_all_had_mfa_and_all_was_read() -> None:
    assert _mark(GOOD).kind == "good"


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        pytest.param({"open": 1}, "bad", id="open"),
        pytest.param({"without": 1, "compliance": 99.0}, "unsure", id="without"),
        pytest.param({"unknown": 5, "worst_case": 96.0}, "unsure", id="unknown"),
        pytest.param({"compliance": None, "judged": 0}, "unsure", id="nothing-judged"),
        pytest.param({"acknowledged_burning": 2}, "unsure", id="known-goes-on"),
        pytest.param({"grounds": replace(GROUNDS, covered=99.0)}, "unsure", id="not-read"),
        pytest.param({"grounds": replace(GROUNDS, read_anything=False)}, "unsure", id="never-read"),
        pytest.param({"grounds": replace(GROUNDS, quarantined=1)}, "unsure", id="quarantine"),
        pytest.param({"grounds": replace(GROUNDS, alerts_ready=False)}, "unsure", id="no-channel"),
        pytest.param({"grounds": replace(GROUNDS, cannot_read=True)}, "unsure", id="log-unreadable-now"),
    ],
)
def test_what_takes_it_away(changes: dict[str, object], kind: str) -> None:
    assert _mark(replace(GOOD, **changes)).kind == kind  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"paused_until": NOW + timedelta(hours=1)}, "All with MFA, but nobody would be told"),
        ({"directory_at": NOW - timedelta(hours=30)}, "All with MFA, but the directory is old"),
        ({"covered": 99.0}, "Nothing found, not everything read"),
    ],
)
def test_the_word_says_what_is_doubted(changes: dict[str, object], word: str) -> None:
    grounds = replace(GROUNDS, **changes)  # type: ignore[arg-type]
    assert _mark(replace(GOOD, grounds=grounds)).word == word


def test_where_something_was_found_nobody_says_that_nothing_was() -> None:
    part = replace(GOOD, grounds=replace(GROUNDS, covered=99.0), without=1, compliance=99.0)
    assert _mark(part).word == "Nothing open, not everything read"
