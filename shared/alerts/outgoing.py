"""A message on its way: what names it, and the delivery that carries it."""

from __future__ import annotations

from hashlib import sha256

from shared.app.app import App
from shared.messages.compose import Surroundings
from shared.messages.delivery import Delivery, delivery_id
from shared.messages.message import Message, to_json
from shared.messages.retry import DEADLINE
from shared.rules.rule import Severity


def new_delivery(app: App, channel: str, message: Message, *, incident: str = "") -> Delivery:
    """A delivery of a message to a channel, due now."""
    now = app.clock()
    return Delivery(
        id=delivery_id(message.timestamp, channel, message.idempotency_key),
        channel=channel,
        message_id=message.idempotency_key,
        type=message.type,
        incident=incident,
        severity=int(Severity.of(message.severity)),
        created=now,
        deadline=now + DEADLINE,
        next_due=now,
        message=to_json(message),
    )


def message_id(*parts: str) -> str:
    """The webhook-id: one event's own, else that of what it is made of."""
    return "msg_" + (parts[0] if len(parts) == 1 else sha256("\n".join(parts).encode()).hexdigest()[:32])


async def surroundings(app: App) -> Surroundings:
    """The app's address and the tenants' names as they are known now."""
    directory = await app.known_directory()
    return Surroundings(app.settings.address, directory.file.tenant_names if directory else {})
