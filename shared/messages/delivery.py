"""What a channel has to say: an event that waits, a message on its way, and what the channel was told last. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from shared.incidents.model import Telling


class DeliveryState(StrEnum):
    """How far a delivery got. GATHERING: its events are still being put to it; DUE: it waits for `next_due`; SENDING: a
    worker is at it until `busy_until`."""

    GATHERING = "gathering"
    DUE = "due"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"


DROPPED: Final = "dropped"  # in an item, in place of a delivery: it is never told

_TURNED: Final = 10**13  # milliseconds; until the year 2286


@dataclass(frozen=True, slots=True)
class Item:
    """An event as one channel has it, waiting to be told."""

    channel: str
    telling: Telling

    @property
    def name(self) -> str:
        """Its name among all items."""
        return f"{self.channel}-{self.telling.event.incident}-{self.telling.event.id}"


@dataclass(frozen=True, slots=True)
class Word:
    """What a channel was last told of an incident: that it is there, as severe as that, or that it was withdrawn.

    `severity` is 0 where an older version of the app did not note it.
    """

    incident: str
    opening: int
    severity: int
    withdrawn: bool


@dataclass(frozen=True, slots=True)
class ChannelState:
    """How many deliveries were released to a channel, which gives each its number; and, while the first scan goes on,
    when certain incidents were last told ahead of its summary (UTC), and by which deliveries."""

    channel: str
    released: int = 0
    ahead_at: datetime | None = None
    ahead: tuple[str, ...] = ()
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one channel. Times are UTC.

    `message_id` is the webhook-id, the same on every try. `message` is the JSON to send, without URL or secret.
    `number` counts the channel's deliveries about incidents in the order of their release; `words` are what it says of
    each incident. `earlier` of the attempts were before somebody had it sent again. `last_status` is 0 when no answer
    came; `last_answer` says what happened, in words that are safe to show. Before `asked_until` the receiver does not
    want to be asked.
    """

    id: str
    channel: str
    message_id: str
    type: str
    incident: str
    severity: int
    created: datetime
    deadline: datetime
    next_due: datetime
    message: dict[str, Any]
    state: DeliveryState = DeliveryState.DUE
    attempts: int = 0
    earlier: int = 0
    busy_until: datetime | None = None
    owner: str = ""
    last_at: datetime | None = None
    last_status: int = 0
    last_answer: str = ""
    members: tuple[str, ...] = ()
    number: int = 0
    words: tuple[Word, ...] = ()
    asked_until: datetime | None = None
    etag: str | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will be sent."""
        return self.state in (DeliveryState.DELIVERED, DeliveryState.DEAD)

    @property
    def incidents(self) -> frozenset[str]:
        """The keys of the incidents it tells of."""
        told = {word.incident for word in self.words}
        return frozenset(told | {self.incident} if self.incident else told)

    def is_busy(self, now: datetime) -> bool:
        """Whether its message is in the queue or a worker is at it."""
        return self.busy_until is not None and self.busy_until > now


def delivery_id(at: datetime, channel: str, message_id: str) -> str:
    """The same for the same message and channel; the newest sorts first."""
    return f"{_TURNED - int(at.timestamp() * 1000):013d}-{channel}-{message_id}"


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Somebody had a delivery sent again. `at` is UTC."""

    delivery: str
    at: datetime
    by: str
