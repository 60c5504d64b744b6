"""From pending events to messages in the queue (the timer `dispatch_alerts`).

Each step can be cut off anywhere and done again: a channel takes an event in once, an event goes into one delivery in
the transaction that makes it, and a delivery whose message was lost is sent again after a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import batched
from typing import Final

from pydantic import BaseModel

from shared.alerts.first_scan import first_scan_is_over
from shared.alerts.hours import least_told
from shared.alerts.outgoing import message_id, new_delivery, surroundings
from shared.app.app import App
from shared.app.channels import Channel
from shared.basics.events import log_event
from shared.incidents.life import is_in_hand
from shared.incidents.model import Incident, IncidentState, Telling
from shared.messages.compose import Surroundings, many, one
from shared.messages.delivery import Delivery, DeliveryState, Item
from shared.messages.message import Message
from shared.messages.plan import WITHDRAWN, Group, Moment, Plan, plan
from shared.operations.pause import is_paused
from shared.store import alerts
from shared.store.events import pending_events, remove_events
from shared.store.flights import read_flight
from shared.store.incidents import SHARDS, read_incident
from shared.store.tables import Conflict, Tables

# How long a message may be in the queue before it counts as lost.
QUEUED: Final = timedelta(minutes=2)
_READ_AT_ONCE: Final = 32


class DeliveryMessage(BaseModel):
    """What the queue `alerts` carries."""

    delivery: str


async def dispatch_alerts(app: App) -> list[str]:
    """The queue messages to send now: for each channel that is not busy, its oldest due delivery."""
    tables = await app.tables()
    channels = app.settings.channels
    await take_in(tables, channels)
    if await is_paused(tables, app.clock()):
        return []
    waiting = await asyncio.gather(*(alerts.waiting(tables.alerts, name) for name in channels))
    under_way = await alerts.deliveries_under_way(tables.alerts)
    gathering = [delivery for delivery in under_way if delivery.state == DeliveryState.GATHERING]
    if any(waiting) or gathering:
        await _release(app, tables, dict(zip(channels, waiting, strict=True)), gathering)
        under_way = await alerts.deliveries_under_way(tables.alerts)
    return await send_due(app, tables, under_way)


# --- taking in --------------------------------------------------------------------------------------------------------


async def take_in(tables: Tables, channels: Mapping[str, Channel]) -> None:
    """Give every pending event to the channels that want it, then remove it."""
    pending = await pending_events(tables.incidents, SHARDS)
    if not pending:
        return
    for name, channel in channels.items():
        wanted = [Item(name, p.telling) for p in pending if wants(channel, p.telling)]
        await alerts.take_in(tables.alerts, wanted)
        # A withdrawal is for those that got something of the incident, whatever its severity was then.
        for telling in (p.telling for p in pending if p.telling.event.kind == WITHDRAWN and channel.alerts):
            if await alerts.was_given(tables.alerts, name, telling.event.incident, telling.incident.opening):
                await alerts.take_in(tables.alerts, [Item(name, telling)])
    await remove_events(tables.incidents, pending)
    log_event("events_taken_in", events=len(pending), channels=len(channels))


def wants(channel: Channel, telling: Telling) -> bool:
    """Whether a channel is to hear of that: by severity, rules and customers."""
    facts = telling.incident.facts
    return (
        channel.alerts
        and telling.event.kind != WITHDRAWN
        and telling.event.severity >= channel.minimum_severity
        and (not channel.rules or not facts.rules.isdisjoint(channel.rules))
        and (not channel.customers or telling.incident.who.customer in channel.customer_keys)
    )


# --- releasing --------------------------------------------------------------------------------------------------------


async def _release(
    app: App, tables: Tables, waiting: Mapping[str, Sequence[Item]], gathering: Iterable[Delivery]
) -> None:
    for delivery in gathering:
        try:
            await alerts.gather(tables.alerts, delivery)
        except Conflict:
            log_event("release_overtaken", channel=delivery.channel)  # another instance is at it
    promised = {name for delivery in gathering for name in delivery.members}
    around = await surroundings(app)
    in_the_air = await _in_the_air(app, tables)
    old = any(item.telling.first_scan for items in waiting.values() for item in items)
    first_scan_over = not old or (not in_the_air and await first_scan_is_over(app, tables))
    for name, every in waiting.items():
        items = [item for item in every if item.name not in promised]
        if not items:
            continue
        channel = app.settings.channels[name]
        moment = Moment(
            now=app.clock(),
            least=least_told(channel, app.clock()),
            cycle_over=not in_the_air,
            first_scan_over=first_scan_over,
            storm_threshold=app.settings.storm_threshold,
            told=await _told(tables, items),
        )
        try:
            await _carry_out(app, tables, name, items, moment, around)
        except Conflict:
            log_event("release_overtaken", channel=name)  # another instance is at it; the next minute looks again


async def _carry_out(
    app: App, tables: Tables, channel: str, items: Sequence[Item], moment: Moment, around: Surroundings
) -> None:
    decided = plan(items, moment)
    read: set[str] = set()
    current: dict[str, Incident] = {}
    while unread := _told_incidents(decided) - read:
        read |= unread
        current |= await _read(tables, unread)
        known = frozenset(key for key, incident in current.items() if is_in_hand(incident))
        decided = plan(items, replace(moment, known=known))
    await alerts.drop(tables.alerts, decided.dropped)
    for group in decided.groups:
        delivery = _delivery(app, channel, group, current, around)
        await alerts.release(tables.alerts, delivery, group.items)
    if decided.groups or decided.dropped:
        log_event("alerts_released", channel=channel, messages=len(decided.groups), dropped=len(decided.dropped))


def _told_incidents(decided: Plan) -> set[str]:
    """The incidents that would be told as going on."""
    leads = (lead.telling.event for group in decided.groups for lead in group.leads)
    return {event.incident for event in leads if event.kind != WITHDRAWN}


async def _read(tables: Tables, keys: Iterable[str]) -> dict[str, Incident]:
    """Those incidents as they are now: people may have done something about them while their events waited."""
    found: dict[str, Incident] = {}
    for batch in batched(sorted(keys), _READ_AT_ONCE, strict=False):
        rows = await asyncio.gather(*(read_incident(tables.incidents, key) for key in batch))
        found |= {key: row[0] for key, row in zip(batch, rows, strict=True) if row is not None}
    return found


def _delivery(app: App, channel: str, group: Group, current: Mapping[str, Incident], around: Surroundings) -> Delivery:
    first = group.leads[0].telling
    message: Message
    if group.type is None:
        key = message_id(first.event.id)
        message = one(_as_it_is(first, current), key, around)
    else:
        key = message_id(channel, group.type, first.event.id)
        message = many([_as_it_is(lead.telling, current) for lead in group.leads], group.type, key, around)
    return new_delivery(app, channel, message, incident=first.event.incident if group.type is None else "")


def _as_it_is(telling: Telling, current: Mapping[str, Incident]) -> Telling:
    """What there is to tell, saying so when the incident closed by itself meanwhile."""
    now = current.get(telling.event.incident)
    if now is None or now.state is not IncidentState.RESOLVED or now.facts.count == 0:
        return telling
    return replace(telling, incident=replace(telling.incident, state=now.state, reason=now.reason))


async def _told(tables: Tables, items: Sequence[Item]) -> set[tuple[str, int]]:
    """Of the incidents that were withdrawn, those that the channel heard of."""
    asked = {
        (item.channel, item.telling.event.incident, item.telling.incident.opening)
        for item in items
        if item.telling.event.kind == WITHDRAWN
    }
    return {(key, opening) for name, key, opening in asked if await alerts.was_told(tables.alerts, name, key, opening)}


async def _in_the_air(app: App, tables: Tables) -> bool:
    """Whether a scan is on its way, so that more of what it finds may come."""
    flights = await asyncio.gather(*(read_flight(tables.control, tenant) for tenant in app.settings.tenants))
    return any(not flight.is_free(app.clock()) for flight in flights)


# --- sending ----------------------------------------------------------------------------------------------------------


async def send_due(app: App, tables: Tables, under_way: Iterable[Delivery]) -> list[str]:
    """The message of each channel's oldest due delivery, unless the channel has one on its way already.

    One at a time: what is told first arrives first, and a channel that is down holds up no other.
    """
    now = app.clock()
    of_channel: dict[str, list[Delivery]] = {}
    for delivery in under_way:
        of_channel.setdefault(delivery.channel, []).append(delivery)
    messages: list[str] = []
    for deliveries in of_channel.values():
        if any(delivery.is_busy(now) for delivery in deliveries):
            continue
        due = (d for d in deliveries if d.state != DeliveryState.GATHERING and d.next_due <= now and not _waits(app, d))
        first = min(due, key=lambda d: (d.next_due, d.created), default=None)
        if first and (message := await _queued(app, tables, first)):
            messages.append(message)
    return messages


def _waits(app: App, delivery: Delivery) -> bool:
    """Whether it waits for the end of its channel's quiet hours: one more try must not wake people either. What people
    asked for goes out: digests, tests, what is sent again by hand."""
    channel = app.settings.channels.get(delivery.channel)
    asked_for = delivery.type.startswith("digest.") or delivery.earlier or delivery.message["test"]
    return channel is not None and not asked_for and delivery.severity < least_told(channel, app.clock())


async def _queued(app: App, tables: Tables, delivery: Delivery) -> str | None:
    """Note that its message goes to the queue; None when another instance was first."""
    try:
        await alerts.change(tables.alerts, delivery, state=DeliveryState.DUE, busy_until=app.clock() + QUEUED)
    except Conflict:
        return None
    return DeliveryMessage(delivery=delivery.id).model_dump_json()
