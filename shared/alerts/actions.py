"""What people do with incidents and deliveries: acknowledge, comment, snooze, resolve, open, send again."""

from __future__ import annotations

from uuid import uuid4

from shared.alerts.listing import AlertItem, alert_item
from shared.alerts.outgoing import DEADLINE, message_id, new_delivery, surroundings
from shared.app.app import App
from shared.basics.events import log_event
from shared.messages.compose import made_up_message
from shared.messages.delivery import DeliveryState
from shared.store import alerts
from shared.store.tables import Conflict
from shared.wire.text import clean


class Unknown(Exception):  # noqa: N818
    """There is no such incident or delivery."""


class Changed(Exception):  # noqa: N818
    """Somebody else did something with the incident since the caller read it."""


# --- deliveries -------------------------------------------------------------------------------------------------------


async def send_test_alert(app: App, channel: str) -> AlertItem:
    """Send a made-up incident, marked as a test, to a channel: within a minute. Raises Unknown."""
    if channel not in app.settings.channels:
        raise Unknown(f"no channel {clean(channel)}")
    tables = await app.tables()
    message = made_up_message(message_id(channel, "test", uuid4().hex), app.clock(), await surroundings(app))
    delivery = new_delivery(app, channel, message)
    await alerts.add_delivery(tables.alerts, delivery)
    log_event("test_alert_made", channel=channel)
    return alert_item(delivery)


async def redeliver(app: App, id_: str, *, by: str) -> AlertItem:
    """Send a message again, whatever became of it, under the same webhook-id: within a minute, and with all its tries
    if it has to. Raises Unknown, or Changed when it is on its way just now."""
    table = (await app.tables()).alerts
    try:
        delivery = await alerts.read_delivery(table, id_)
    except ValueError:  # no key of a table
        delivery = None
    if delivery is None or delivery.state == DeliveryState.GATHERING:
        raise Unknown(f"no delivery {clean(id_)}")
    now = app.clock()
    if delivery.is_busy(now):
        raise Changed("it is on its way just now")
    try:
        again = await alerts.redeliver(table, delivery, by, now, now + DEADLINE)
    except Conflict:
        raise Changed("it is on its way just now") from None
    log_event("alert_redelivered", delivery=delivery.id, channel=delivery.channel)
    return alert_item(again)
