"""Tries for a day: sparser and sparser, never sooner than the receiver asks, then given up with the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.messages.retry import DEADLINE, Failed, after_failure, backoff

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def failed(
    attempts: int = 1,
    now: datetime = NOW,
    *,
    gone: bool = False,
    retry_after: timedelta | None = None,
    id_: str = "a",
) -> Failed:
    return after_failure(
        id_=id_, attempts=attempts, now=now, deadline=NOW + DEADLINE, gone=gone, retry_after=retry_after
    )


def test_tries_go_on_for_a_day_and_no_longer() -> None:
    now, tries = NOW, 0
    while (next_ := failed(tries + 1, now)).next_due:
        tries += 1
        assert next_.next_due > now
        now = next_.next_due
    assert now == NOW + DEADLINE
    assert 10 <= tries <= 30
    assert "a day" in next_.reason


@pytest.mark.parametrize("attempts", range(1, 25))
def test_backoff_doubles_up_to_four_hours_and_is_spread(attempts: int) -> None:
    whole = min(timedelta(seconds=30) * 2 ** (attempts - 1), timedelta(hours=4))
    waits = [backoff(f"delivery {i}", attempts) for i in range(50)]
    assert all(whole / 2 <= wait <= whole for wait in waits)
    assert len(set(waits)) > 40
    assert backoff("the same", attempts) == backoff("the same", attempts)


def test_what_the_receiver_asks_for_is_kept() -> None:
    asked = timedelta(hours=7)
    assert failed(retry_after=asked).next_due == NOW + asked
    late = failed(now=NOW + timedelta(hours=20), retry_after=asked)
    assert late.next_due == NOW + timedelta(hours=27)  # the last try, later than the deadline because it was asked for
    soon = failed(5, retry_after=timedelta(seconds=1)).next_due
    assert soon == NOW + backoff("a", 5)


def test_who_asks_for_an_absurd_time_is_asked_once_more() -> None:
    for absurd in (timedelta(days=30), timedelta(seconds=10**9), timedelta.max):
        assert failed(retry_after=absurd).next_due == NOW + DEADLINE
    assert failed(now=NOW + DEADLINE, retry_after=timedelta.max).next_due is None


def test_it_is_given_up_when_the_receiver_is_gone_or_the_day_is_over() -> None:
    assert failed(gone=True) == Failed(None, "the receiver says that it is gone")
    assert failed(now=NOW + DEADLINE).next_due is None


def test_a_poisoned_message_that_was_never_tried_waits_too() -> None:
    assert failed(0).next_due is not None
