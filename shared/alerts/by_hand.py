"""What operators do with messages: send a made-up one as a test, send one again."""

from __future__ import annotations

from uuid import uuid4

from shared.alerts.outgoing import message_id, new_delivery, surroundings
from shared.app.app import App
from shared.basics.events import log_event
from shared.messages.compose import made_up_message
from shared.messages.delivery import Delivery, DeliveryState
from shared.messages.retry import DEADLINE
from shared.store import alerts
from shared.store.tables import Conflict
from shared.wire.text import clean


class UnknownAlert(Exception):  # noqa: N818
    """There is no such message."""


class UnknownChannel(Exception):  # noqa: N818
    """No channel of that name is set up."""


class DeliveryBusy(Exception):  # noqa: N818
    """A worker is sending the message just now."""


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
    if it has to. `by` is who wants so. Returns the delivery as it stands then. Raises UnknownAlert, DeliveryBusy."""
    table = (await app.tables()).alerts
    delivery = await alerts.read_delivery(table, id_)
    if delivery is None or delivery.state == DeliveryState.GATHERING:
        raise UnknownAlert(f"no delivery {clean(id_)}")
    now = app.clock()
    if delivery.is_busy(now):
        raise DeliveryBusy(f"delivery {delivery.id} is being sent")
    try:
        again = await alerts.redeliver(table, delivery, by, now, now + DEADLINE)
    except Conflict:
        raise DeliveryBusy(f"delivery {delivery.id} is being sent") from None
    log_event("alert_redelivered", delivery=delivery.id, channel=delivery.channel)
    return again
