"""One try of one delivery (the queue trigger `deliver_alert`).

Claimed before it is sent and settled after, both by compare-and-swap: two workers never send at once. A worker that
dies in between leaves a claim that ends by itself; the message goes out again then, under the same webhook-id.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from math import floor
from typing import Final
from uuid import uuid4

from standardwebhooks import Webhook

from shared.alerts.dispatch import DeliveryMessage, send_due
from shared.alerts.post import Answer, Target, post
from shared.app.app import App
from shared.app.channels import Channel
from shared.app.settings import AuthMode
from shared.basics.events import log_event
from shared.basics.queue_messages import QueueBody, parse_message
from shared.basics.queues import Queue
from shared.messages.delivery import Delivery, DeliveryState
from shared.messages.message import of_json
from shared.messages.render import render
from shared.messages.retry import after_failure
from shared.operations.pause import is_paused
from shared.store import alerts
from shared.store.tables import Conflict, Tables

# How long a claim holds: longer than the longest try.
CLAIM: Final = timedelta(seconds=60)
# Whatever is still claimed again so long after its deadline has never come to an end: later than any try that a
# receiver may have asked for.
OVERDUE: Final = timedelta(hours=25)

type Post = Callable[[Target, bytes, Mapping[str, str]], Awaitable[Answer]]


async def deliver_alert(app: App, body: QueueBody, post: Post = post) -> list[str]:
    """Try one delivery. Returns the message of the channel's next one when this one arrived.

    Raises only what makes the queue try again: storage that does not answer.
    """
    message = parse_message(DeliveryMessage, body, queue=Queue.ALERTS)
    if message is None:
        return []
    tables = await app.tables()
    if await is_paused(tables, app.clock()):
        return []  # the dispatch sends it again once the pause is over
    claimed = await _claim(app, tables, message.delivery)
    if claimed is None:
        return []
    settled = await _settle(app, tables, claimed, await _try(app, claimed, post))
    if settled is None or settled.state != DeliveryState.DELIVERED:
        return []
    under_way = await alerts.deliveries_under_way(tables.alerts)
    return await send_due(app, tables, (d for d in under_way if d.channel == claimed.channel), healthy=True)


async def settle_poisoned(app: App, body: QueueBody) -> None:
    """Count a message that crashed its workers again and again as one try in vain."""
    message = parse_message(DeliveryMessage, body, queue=Queue.ALERTS_POISON)
    if message is None:
        return
    tables = await app.tables()
    delivery = await alerts.read_delivery(tables.alerts, message.delivery)
    if delivery is None or delivery.ended or delivery.state == DeliveryState.GATHERING:
        return
    await _settle(app, tables, delivery, Answer(0, "its workers crashed"))


async def _claim(app: App, tables: Tables, id_: str) -> Delivery | None:
    """The delivery, to be sent by this worker alone; None when it is not due, ended, or in other hands."""
    delivery = await alerts.read_delivery(tables.alerts, id_)
    now = app.clock()
    if delivery is None or delivery.ended or delivery.state == DeliveryState.GATHERING or delivery.next_due > now:
        return None
    if delivery.state == DeliveryState.SENDING and delivery.is_busy(now):
        return None
    try:
        return await alerts.change(
            tables.alerts,
            delivery,
            state=DeliveryState.SENDING,
            owner=uuid4().hex,
            attempts=delivery.attempts + 1,
            busy_until=now + CLAIM,
        )
    except Conflict:
        return None


async def _try(app: App, delivery: Delivery, post: Post) -> Answer:
    if app.clock() - delivery.deadline > OVERDUE:
        return Answer(0, "its workers crashed")
    channel = app.settings.channels.get(delivery.channel)
    return await _send(app, channel, delivery, post) if channel else Answer(0, "the channel is not configured")


async def _send(app: App, channel: Channel, delivery: Delivery, post: Post) -> Answer:
    body = render(channel.kind, of_json(delivery.message))
    target = Target(
        channel.url.get_secret_value(),
        internal=channel.host in app.settings.allowed_hosts,
        local=app.settings.auth_mode is AuthMode.LOCAL,
    )
    return await post(target, body, signed(channel, delivery.message_id, app.clock(), body))


def signed(channel: Channel, message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers of a try: Standard Webhooks, signed with every key that is valid."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "partner-mfa-monitor",
        "webhook-id": message_id,
        "webhook-timestamp": str(floor(now.timestamp())),
    }
    signatures = [Webhook(key).sign(message_id, now, body.decode()) for key in channel.secrets]
    return {**headers, "webhook-signature": " ".join(signatures)} if signatures else headers


async def _settle(app: App, tables: Tables, delivery: Delivery, answer: Answer) -> Delivery | None:
    """Note what came of it; None when another worker holds the delivery by now."""
    now = app.clock()
    state, due, text = DeliveryState.DELIVERED, delivery.next_due, answer.text
    if not answer.delivered:
        failed = after_failure(
            id_=delivery.id,
            attempts=delivery.attempts - delivery.earlier,
            now=now,
            deadline=delivery.deadline,
            gone=answer.gone,
            retry_after=answer.retry_after,
        )
        state, due = (DeliveryState.DUE, failed.next_due) if failed.next_due else (DeliveryState.DEAD, due)
        text = f"{failed.reason}: {text}".rstrip(": ") if failed.reason else text
    try:
        settled = await alerts.change(
            tables.alerts,
            delivery,
            state=state,
            next_due=due,
            busy_until=None,
            last_at=now,
            last_status=answer.status,
            last_answer=text,
            asked_until=None if answer.retry_after is None else now + answer.retry_after,
        )
    except Conflict:
        log_event("delivery_overtaken", delivery=delivery.id, channel=delivery.channel)
        return None
    log_event(
        f"alert_{state}",
        delivery=delivery.id,
        channel=delivery.channel,
        status=answer.status,
        attempts=delivery.attempts,
    )
    return settled
