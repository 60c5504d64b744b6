"""Which of the events that wait in a channel are told now, and in which messages. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.messages.compose import GroupType
from shared.messages.delivery import Item

# What is found while a scan is on its way waits for its end, so that a storm is seen whole; but no longer than a plan
# cycle takes. What the first scan finds waits until all old days were read; but no longer than a day.
LONGEST_CYCLE: Final = timedelta(minutes=5)
LONGEST_FIRST_SCAN: Final = timedelta(days=1)
WITHDRAWN: Final = "withdrawn"
# A delivery's row holds the names of its events: what is more than this waits for the next message.
MOST_IN_GROUP: Final = 2000


@dataclass(frozen=True, slots=True)
class Moment:
    """What decides beside the events. `told` are the incidents, by key and opening, that the channel heard of before.
    `known` are those, by key, that people or a technical exception took care of while their events waited: nobody needs
    to hear of them any more.

    `least` is the lowest severity that is told now (more than all there are: none).
    """

    now: datetime
    least: int
    cycle_over: bool
    first_scan_over: bool
    storm_threshold: int
    told: Collection[tuple[str, int]]
    known: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Group:
    """One message to make. `leads` are what it tells, `items` all that it settles: older events of the same incidents
    go with the newest. `type` is None for a message about one incident."""

    type: GroupType | None
    leads: tuple[Item, ...]
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with the events of a channel; those in neither go on waiting."""

    groups: tuple[Group, ...]
    dropped: tuple[Item, ...]


def plan(items: Sequence[Item], moment: Moment) -> Plan:
    """Decide about the events that wait, the oldest first.

    One incident, one message: the newest of its events is told. One that was withdrawn before anybody heard of it, or
    that somebody took care of while its events waited, is told to nobody.
    """
    of_incident: dict[str, list[Item]] = {}
    for item in items:
        of_incident.setdefault(item.telling.event.incident, []).append(item)
    dropped: list[Item] = []
    alarms: list[Item] = []
    old: list[Item] = []
    withdrawn: list[Item] = []
    for mine in of_incident.values():
        mine.sort(key=lambda item: (item.telling.incident.opening, item.telling.incident.tellings))
        lead = mine[-1]
        if lead.telling.event.kind == WITHDRAWN:
            if (lead.telling.event.incident, lead.telling.incident.opening) in moment.told:
                withdrawn.append(lead)
            else:
                dropped.extend(mine)
        elif lead.telling.event.incident in moment.known:
            dropped.extend(mine)
        elif lead.telling.first_scan:
            old.append(lead)
        else:
            alarms.append(lead)

    def group(type_: GroupType | None, leads: Sequence[Item]) -> Group:
        every = [item for lead in leads for item in of_incident[lead.telling.event.incident]]
        return Group(type_, tuple(leads), tuple(every))

    def told(leads: Sequence[Item], type_: GroupType, most_alone: int) -> list[Group]:
        loud = [lead for lead in leads if lead.telling.event.severity >= moment.least]
        if len(loud) > most_alone:
            return [group(type_, loud[:MOST_IN_GROUP])]
        return [group(None, [lead]) for lead in loud]

    groups: list[Group] = []
    if moment.first_scan_over or _waited(old, moment.now, LONGEST_FIRST_SCAN):
        groups += told(old, "incidents.first-scan", 1)
    if moment.cycle_over or _waited([*alarms, *withdrawn], moment.now, LONGEST_CYCLE):
        groups += told(alarms, "incidents.storm", moment.storm_threshold)
        groups += told(withdrawn, "incidents.withdrawn", moment.storm_threshold)
    return Plan(tuple(groups), tuple(dropped))


def _waited(items: Sequence[Item], now: datetime, longest: timedelta) -> bool:
    return any(now - item.telling.at >= longest for item in items)
