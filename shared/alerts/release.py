"""From the events that wait in the channels to deliveries.

For each channel: how far it is, then what is still to be read, then what it was told and how the incidents stand; then
a pure plan (shared/messages/plan.py), then the writes, each with the channel's state. In this order nothing that is
decided rests on something older than what fences it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Final

from shared.alerts.holding import PendingSlices, read_pending_slices, unread_of
from shared.alerts.hours import least_told
from shared.alerts.outgoing import message_id, new_delivery, surroundings
from shared.app.app import App
from shared.basics.events import log_event
from shared.exceptions.model import accepting
from shared.incidents.life import Accepts, is_in_hand
from shared.incidents.model import Event, EventKind, Incident, Telling
from shared.incidents.tending import apply_exceptions
from shared.messages.compose import Surroundings, many, one
from shared.messages.delivery import ChannelState, Delivery, Item, Word
from shared.messages.message import Message
from shared.messages.plan import Circumstances, Group, Lead, Matter, matters, plan
from shared.store import alerts
from shared.store.exceptions import read_exceptions
from shared.store.flights import read_flight
from shared.store.incidents import read_incident, take_step
from shared.store.tables import Conflict, Tables

_READ_AT_ONCE: Final = 32
_NOTHING_PENDING: Final = PendingSlices({}, frozenset(), 0)


@dataclass(frozen=True, slots=True)
class _View:
    """What is the same for all channels of a dispatch."""

    incidents: Mapping[str, Incident]
    unread: Mapping[str, int]
    cycle_over: bool
    first_scan_over: bool
    around: Surroundings


async def release_waiting(app: App, tables: Tables, promised: frozenset[str]) -> None:
    """Make the deliveries that are to be made now. `promised` are names of items that a delivery is gathering."""
    states = {name: await alerts.read_channel(tables.alerts, name) for name in app.settings.channels}
    waiting: dict[str, list[Item]] = {}
    for name in states:
        items = [item for item in await alerts.waiting(tables.alerts, name) if item.name not in promised]
        if items:
            waiting[name] = items
    if not waiting:
        return
    view = await _look(app, tables, [item for items in waiting.values() for item in items])
    for name, items in waiting.items():
        try:
            await _release(app, tables, states[name], items, view)
        except Conflict:
            log_event("release_overtaken", channel=name)  # another instance is at it; the next minute looks again


# --- looking ----------------------------------------------------------------------------------------------------------


async def _look(app: App, tables: Tables, items: Sequence[Item]) -> _View:
    old = any(item.telling.first_scan for item in items)
    on_evidence = any(item.telling.incident.facts.rests_on_evidence for item in items)
    pending = await read_pending_slices(app, tables) if old or on_evidence else _NOTHING_PENDING
    accepts = await _accepted(app, tables)
    keys = sorted({item.telling.event.incident for item in items})
    incidents = await _all(keys, lambda key: _as_it_stands(app, tables, key, accepts))
    found = {key: incident for key, incident in incidents.items() if incident is not None}
    news = {item.telling.event.incident for item in items if not item.telling.first_scan}
    unread = await _all(sorted(found), lambda key: _unread(tables, found[key], pending, is_news=key in news))
    flights = [await read_flight(tables.control, tenant) for tenant in app.settings.tenants]
    return _View(
        found,
        unread,
        cycle_over=all(flight.is_free(app.clock()) for flight in flights),
        first_scan_over=not pending.of_old_days and all(f.first_seen or f.refused for f in flights),
        around=await surroundings(app),
    )


async def _all[T](keys: Iterable[str], read: Callable[[str], Awaitable[T]]) -> dict[str, T]:
    """Something of each incident, a few requests at a time."""
    found: dict[str, T] = {}
    for batch in batched(keys, _READ_AT_ONCE, strict=False):
        found |= dict(zip(batch, await asyncio.gather(*(read(key) for key in batch)), strict=True))
    return found


async def _accepted(app: App, tables: Tables) -> Accepts:
    return accepting([stored.exception for stored in await read_exceptions(tables.control)], app.clock())


async def _as_it_stands(app: App, tables: Tables, key: str, accepts: Accepts) -> Incident | None:
    """The incident now. One that an exception accepts, which a scan had not heard of when it opened it, is silenced."""
    found = await read_incident(tables.incidents, key)
    if found is None:
        return None
    incident, etag = found
    now = app.clock()
    step = apply_exceptions(incident, accepts, now) if accepts(incident.who, incident.facts) else None
    if step is None:
        return incident
    try:
        await take_step(tables.incidents, step, etag, now)
    except Conflict:
        log_event("silencing_overtaken", incident=key)  # something happened to it: the timer looks at all of them
    return step.incident


async def _unread(tables: Tables, incident: Incident, pending: PendingSlices, *, is_news: bool) -> int:
    """How many slices it waits for; what the first scan found waits for all."""
    if not incident.facts.rests_on_evidence or incident.is_withdrawn:
        return 0
    return await unread_of(tables, incident, pending) if is_news else pending.total


# --- releasing --------------------------------------------------------------------------------------------------------


async def _release(app: App, tables: Tables, state: ChannelState, items: Sequence[Item], view: _View) -> None:
    channel = app.settings.channels[state.channel]
    now = app.clock()
    of_incident = matters(items)
    words = await _all(of_incident, lambda key: _word(tables, state.channel, of_incident[key], view.incidents.get(key)))
    waiting = [
        Matter(mine, view.incidents.get(key), words[key], view.unread.get(key, 0)) for key, mine in of_incident.items()
    ]
    around = Circumstances(
        now=now,
        least=least_told(channel, now),
        minimum=int(channel.minimum_severity),
        cycle_over=view.cycle_over,
        first_scan_over=view.first_scan_over,
        storm_threshold=app.settings.storm_threshold,
        ahead_at=state.ahead_at,
        told_ahead=await _told_ahead(tables, state, of_incident) if state.ahead else (),
    )
    decided = plan(waiting, around)
    state = await alerts.drop(tables.alerts, decided.dropped, state)
    for group in decided.groups:
        delivery = _delivery(app, state.channel, group, view.around)
        state = await alerts.release(
            tables.alerts, delivery, group.items, _with_ahead_noted(state, group, delivery, app)
        )
    if decided.groups or decided.dropped:
        dropped = len(decided.dropped)
        log_event("alerts_released", channel=state.channel, messages=len(decided.groups), dropped=dropped)


async def _word(tables: Tables, channel: str, items: Sequence[Item], now: Incident | None) -> Word | None:
    """What the channel was told last. What opens for the first time it never heard of, and is not asked."""
    is_new = all(
        item.telling.event.kind is EventKind.OPENED and item.telling.incident.tellings <= 1 for item in items
    ) and (now is None or now.opening == 1)
    return None if is_new else await alerts.read_word(tables.alerts, channel, items[0].telling.event.incident)


async def _told_ahead(tables: Tables, state: ChannelState, waiting: Mapping[str, object]) -> tuple[Lead, ...]:
    """What was told ahead of the first scan's summary, as it stands now."""
    told: dict[str, Word] = {}
    for id_ in state.ahead:
        delivery = await alerts.read_delivery(tables.alerts, id_)
        told |= {word.incident: word for word in (delivery.words if delivery else ())}
    found = await _all([key for key in told if key not in waiting], lambda key: read_incident(tables.incidents, key))
    stand = [row[0] for row in found.values() if row and not row[0].is_withdrawn and not is_in_hand(row[0])]
    return tuple(_restated(incident) for incident in stand)


def _restated(incident: Incident) -> Lead:
    severity = incident.facts.stands
    event = Event(incident.key, EventKind.OPENED, incident.key, severity)
    at = incident.told_at or incident.facts.last
    word = Word(incident.key, incident.opening, severity, withdrawn=False)
    return Lead(Telling(event, incident, at, first_scan=True), word, ())


def _with_ahead_noted(state: ChannelState, group: Group, delivery: Delivery, app: App) -> ChannelState:
    """The channel's state with what was told ahead of the first scan's summary noted, until that is made."""
    if group.type == "incidents.ahead":
        return replace(state, ahead_at=app.clock(), ahead=(*state.ahead, delivery.id))
    if group.type == "incidents.first-scan":
        return replace(state, ahead_at=None, ahead=())
    return state


def _delivery(app: App, channel: str, group: Group, around: Surroundings) -> Delivery:
    first = next(lead for lead in group.leads if lead.items).telling
    words = tuple(lead.word for lead in group.leads)
    message: Message
    if group.type is None:
        message = one(first, message_id(first.event.id), around)
        return replace(new_delivery(app, channel, message, incident=first.event.incident), words=words)
    key = message_id(channel, group.type, first.event.id)
    tellings = [lead.telling for lead in group.leads]
    message = many(tellings, group.type, key, around, group.told_before, group.to_follow)
    return replace(new_delivery(app, channel, message), words=words)
