"""From pending events to messages in the queue (the timer `dispatch_alerts`).

Each step can be cut off anywhere and done again: a channel takes an event in once, an event goes into one delivery in
the transaction that makes it, and a delivery whose message was lost is sent again after a while.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from pydantic import BaseModel

from shared.alerts.hours import least_told
from shared.alerts.release import release_waiting
from shared.app.app import App
from shared.app.channels import Channel
from shared.basics.events import log_event
from shared.incidents.model import EventKind, Telling
from shared.messages.delivery import Delivery, DeliveryState, Item
from shared.messages.sending import next_to_send
from shared.operations.pause import is_paused
from shared.store import alerts
from shared.store.events import pending_events, remove_events
from shared.store.incident_rows import SHARDS
from shared.store.tables import Conflict, Tables

# How long a message may be in the queue before it counts as lost.
QUEUED: Final = timedelta(minutes=2)
# What takes something back is for those that got something of the incident, whatever its severity is now.
_TAKES_BACK: Final = (EventKind.LOWERED, EventKind.WITHDRAWN)


class DeliveryMessage(BaseModel):
    """What the queue `alerts` carries."""

    delivery: str


async def dispatch_alerts(app: App) -> list[str]:
    """The queue messages to send now: for each channel that is not busy, its next delivery."""
    tables = await app.tables()
    await take_in(tables, app.settings.channels)
    if await is_paused(tables, app.clock()):
        return []
    gathering = [d for d in await alerts.deliveries_under_way(tables.alerts) if d.state is DeliveryState.GATHERING]
    for delivery in gathering:
        try:
            await alerts.gather(tables.alerts, delivery)
        except Conflict:
            log_event("release_overtaken", channel=delivery.channel)  # another instance is at it
    await release_waiting(app, tables, frozenset(name for delivery in gathering for name in delivery.members))
    return await send_due(app, tables, await alerts.deliveries_under_way(tables.alerts))


# --- taking in --------------------------------------------------------------------------------------------------------


async def take_in(tables: Tables, channels: Mapping[str, Channel]) -> None:
    """Give every pending event to the channels that want it, then remove it."""
    pending = await pending_events(tables.incidents, SHARDS)
    if not pending:
        return
    for name, channel in channels.items():
        wanted = [Item(name, p.telling) for p in pending if wants(channel, p.telling)]
        await alerts.take_in(tables.alerts, wanted)
        for telling in (p.telling for p in pending if channel.alerts and p.telling.event.kind in _TAKES_BACK):
            if await alerts.was_given(tables.alerts, name, telling.event.incident):
                await alerts.take_in(tables.alerts, [Item(name, telling)])
    await remove_events(tables.incidents, pending)
    log_event("events_taken_in", events=len(pending), channels=len(channels))


def wants(channel: Channel, telling: Telling) -> bool:
    """Whether a channel is to hear of that: by severity, rules and customers."""
    facts = telling.incident.facts
    return (
        channel.alerts
        and telling.event.kind not in _TAKES_BACK
        and telling.event.severity >= channel.minimum_severity
        and (not channel.rules or not facts.rules.isdisjoint(channel.rules))
        and (not channel.customers or telling.incident.who.customer in channel.customer_keys)
    )


# --- sending ----------------------------------------------------------------------------------------------------------


async def send_due(app: App, tables: Tables, under_way: Iterable[Delivery], *, healthy: bool = False) -> list[str]:
    """The message of each channel's next delivery, unless the channel has one on its way already. `healthy`: the
    channel took a message just now."""
    now = app.clock()
    of_channel: dict[str, list[Delivery]] = {}
    for delivery in under_way:
        of_channel.setdefault(delivery.channel, []).append(delivery)
    messages: list[str] = []
    for deliveries in of_channel.values():
        if any(delivery.is_busy(now) for delivery in deliveries):
            continue
        chosen = next_to_send(deliveries, now, partial(_may_go, app), healthy=healthy)
        if chosen and (message := await _queued(app, tables, chosen)):
            messages.append(message)
    return messages


def _may_go(app: App, delivery: Delivery, severity: int) -> bool:
    """Whether it need not wait for the end of its channel's quiet hours: one more try must not wake people either. What
    people asked for goes out: digests, tests, what is sent again by hand."""
    channel = app.settings.channels.get(delivery.channel)
    asked_for = delivery.type.startswith("digest.") or delivery.earlier or delivery.message["test"]
    return channel is None or bool(asked_for) or severity >= least_told(channel, app.clock())


async def _queued(app: App, tables: Tables, delivery: Delivery) -> str | None:
    """Note that its message goes to the queue; None when another instance was first."""
    now = app.clock()
    try:
        await alerts.change(
            tables.alerts,
            delivery,
            state=DeliveryState.DUE,
            busy_until=now + QUEUED,
            next_due=min(delivery.next_due, now),
        )
    except Conflict:
        return None
    return DeliveryMessage(delivery=delivery.id).model_dump_json()
