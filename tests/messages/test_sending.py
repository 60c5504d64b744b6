"""Which delivery of a channel is sent next."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.messages.delivery import Delivery, DeliveryState, Word
from shared.messages.sending import next_to_send

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def delivery(number: int, *incidents: str, severity: int = 2, due: datetime = NOON) -> Delivery:
    words = tuple(Word(incident, 1, severity, withdrawn=False) for incident in incidents)
    made = Delivery(
        f"d{number}", "soc", f"msg_{number}", "incident.opened", "", severity, NOON, NOON, due, {}, number=number
    )
    return replace(made, words=words)


def chosen(*deliveries: Delivery, healthy: bool = False) -> int | None:
    found = next_to_send(deliveries, NOON, healthy=healthy)
    return found.number if found else None


def test_the_worst_goes_first_then_the_oldest() -> None:
    assert chosen(delivery(2, "b"), delivery(1, "a"), delivery(3, "c", severity=4)) == 3
    assert chosen(delivery(2, "b"), delivery(1, "a")) == 1
    assert chosen() is None


def test_nothing_overtakes_an_older_one_of_its_incident() -> None:
    """Not even while that one waits for its next try: what is heard last must be what stands."""
    stuck = delivery(1, "a", "b", due=NOON + MINUTE)
    assert chosen(stuck, delivery(2, "b", severity=4)) is None
    assert chosen(stuck, delivery(2, "b"), delivery(3, "c")) == 3


def test_what_holds_up_a_worse_one_is_as_urgent_itself() -> None:
    low, other, worse = delivery(1, "a", severity=1), delivery(2, "x", severity=3), delivery(3, "a", severity=4)
    assert chosen(low, other, worse) == 1
    quiet = next_to_send([low, other, worse], NOON, lambda _d, severity: severity >= 4, healthy=False)
    assert quiet is not None
    assert quiet.number == 1  # in quiet hours too


def test_a_channel_that_took_a_message_is_tried_again_at_once_unless_it_asked_to_wait() -> None:
    failed = replace(delivery(1, "a", due=NOON + timedelta(hours=4)), attempts=9, last_at=NOON - 5 * MINUTE)
    assert chosen(failed) is None
    assert chosen(failed, healthy=True) == 1
    assert chosen(replace(failed, last_at=NOON - MINUTE), healthy=True) is None
    assert chosen(replace(failed, asked_until=NOON + MINUTE), healthy=True) is None
    assert chosen(replace(failed, state=DeliveryState.GATHERING), healthy=True) is None
