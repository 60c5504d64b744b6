"""What operators do with messages: send a made-up one as a test, send one again."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from shared.alerts.outgoing import message_id, new_delivery, surroundings
from shared.app.app import App
from shared.basics.events import log_event
from shared.incidents.model import Event, EventKind, Telling
from shared.messages.compose import made_up_message
from shared.messages.delivery import Delivery, DeliveryState, Item, Redelivery, Word
from shared.messages.retry import DEADLINE
from shared.store import alerts
from shared.store.incidents import read_incident
from shared.store.tables import Conflict, Tables
from shared.wire.text import clean


class UnknownAlert(Exception):  # noqa: N818
    """There is no such message."""


class UnknownChannel(Exception):  # noqa: N818
    """No channel of that name is set up."""


class DeliveryBusy(Exception):  # noqa: N818
    """A worker is sending the message just now."""


class DeliveryOutdated(Exception):  # noqa: N818
    """So much of the message is not true any more that it would have to be taken back; the text says what to do."""


async def send_test_alert(app: App, channel: str) -> Delivery:
    """Send a made-up incident, marked as a test, to a channel: within a minute. Raises UnknownChannel."""
    if channel not in app.settings.channels:
        raise UnknownChannel(f"no channel {clean(channel)}")
    tables = await app.tables()
    message = made_up_message(message_id(channel, "test", uuid4().hex), app.clock(), await surroundings(app))
    delivery = new_delivery(app, channel, message)
    await alerts.add_delivery(tables.alerts, delivery)
    log_event("test_alert_made", channel=channel)
    return delivery


async def redeliver(app: App, id_: str, *, by: str) -> Delivery:
    """Send a message again, whatever became of it, under the same webhook-id: within a minute, and with all its tries
    if it has to. `by` is who wants so. Where the channel was told otherwise of its incidents since, it is told behind
    it how they stand. Returns the delivery as it stands then. Raises UnknownAlert, DeliveryBusy, DeliveryOutdated."""
    tables = await app.tables()
    table = tables.alerts
    delivery = await alerts.read_delivery(table, id_)
    if delivery is None or delivery.state == DeliveryState.GATHERING:
        raise UnknownAlert(f"no delivery {clean(id_)}")
    now = app.clock()
    if delivery.is_busy(now):
        raise DeliveryBusy(f"delivery {delivery.id} is being sent")
    state = await alerts.read_channel(table, delivery.channel)
    otherwise = await _told_otherwise(tables, delivery, now)
    if len(otherwise) > alerts.MOST_TOLD_OTHERWISE:
        raise DeliveryOutdated(
            f"{len(otherwise)} of its incidents stand otherwise by now: send the newer messages about them again."
        )
    wanted = Redelivery(delivery.id, now, by)
    try:
        again = await alerts.redeliver(table, delivery, wanted, now + DEADLINE, state, otherwise)
    except Conflict:
        raise DeliveryBusy(f"delivery {delivery.id} is being sent") from None
    log_event("alert_redelivered", delivery=delivery.id, channel=delivery.channel)
    return again


async def _told_otherwise(tables: Tables, delivery: Delivery, now: datetime) -> list[tuple[Word, Item]]:
    """What a message says of incidents that the channel was told something else of since, and how each stands."""
    words = delivery.words or _words_of_version_1(delivery)
    found: list[tuple[Word, Item]] = []
    for word in words:
        if await alerts.read_word(tables.alerts, delivery.channel, word.incident) == word:
            continue
        stands = await read_incident(tables.incidents, word.incident)
        if stands is not None:
            # The channel's word decides what is told, or whether anything is: the kind only says that something may be.
            id_ = message_id(delivery.id, now.isoformat(), word.incident).removeprefix("msg_")
            event = Event(id_, EventKind.LOWERED, word.incident, stands[0].facts.stands)
            found.append((word, Item(delivery.channel, Telling(event, stands[0], now, first_scan=False))))
    return found


def _words_of_version_1(delivery: Delivery) -> tuple[Word, ...]:
    """An older version of the app did not note what a message says: whatever stands is told behind it."""
    return (Word(delivery.incident, 0, 0, withdrawn=False),) if delivery.incident else ()
