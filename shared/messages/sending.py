"""Which delivery of a channel is sent next. Pure.

One at a time: a channel that is down holds up no other. The worst goes first, but nothing overtakes an older message
about the same incident, so that what a channel hears last of an incident is what stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.messages.delivery import Delivery, DeliveryState

# How often a channel that took another message is tried again with one that it did not take.
_WHILE_HEALTHY: Final = timedelta(minutes=5)


# Whether a delivery may go out now that is as urgent as that severity: quiet hours hold back what is not.
type MayGo = Callable[[Delivery, int], bool]


def next_to_send(
    deliveries: Sequence[Delivery], now: datetime, may_go: MayGo = lambda _delivery, _severity: True, *, healthy: bool
) -> Delivery | None:
    """The delivery to send now, of those of one channel that are under way.

    `healthy`: the channel took a message just now, so that there is no need to back off any longer.
    """
    ready: list[tuple[int, tuple[int, datetime], Delivery]] = []
    holders: dict[str, int] = {}
    for delivery in sorted(deliveries, key=_age):
        older = {holders[key] for key in delivery.incidents if key in holders}
        if older:  # what waits behind another lends it its severity
            for place in older:
                severity, age, first = ready[place]
                ready[place] = (max(severity, delivery.severity), age, first)
            continue
        holders |= dict.fromkeys(delivery.incidents, len(ready))
        ready.append((delivery.severity, _age(delivery), delivery))
    due = [entry for entry in ready if _is_due(entry[2], now, healthy=healthy) and may_go(entry[2], entry[0])]
    return min(due, key=lambda entry: (-entry[0], entry[1]), default=(0, 0, None))[2]


def _age(delivery: Delivery) -> tuple[int, datetime]:
    return delivery.number, delivery.created


def _is_due(delivery: Delivery, now: datetime, *, healthy: bool) -> bool:
    if delivery.state is DeliveryState.GATHERING:
        return False
    if delivery.next_due <= now:
        return True
    asked = delivery.asked_until is not None and delivery.asked_until > now
    return healthy and not asked and delivery.last_at is not None and now - delivery.last_at >= _WHILE_HEALTHY
