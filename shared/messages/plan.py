"""Which of the events that wait in a channel are told now, and in which messages. Pure.

An event only says that something may have to be told. What is told is the incident as it stands now, compared with what
the channel was told of it last: so a channel's last word is right whatever came between, and in whichever order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.incidents.life import is_in_hand
from shared.incidents.model import EventKind, Incident, Telling
from shared.messages.compose import GroupType
from shared.messages.delivery import Item, Word

# What is found while a scan is on its way waits for its end, so that a storm is seen whole; but no longer than a plan
# cycle takes.
LONGEST_CYCLE: Final = timedelta(minutes=5)
# What rests on evidence waits until the slices that it rests on are read, but no longer than this.
LONGEST_HOLD: Final = timedelta(minutes=60)
LONGEST_FIRST_SCAN: Final = timedelta(days=1)
# What is certain at once does not wait for the end of the first scan: one message in this time.
BETWEEN_AHEAD: Final = timedelta(hours=1)
# A delivery's row holds the names of its events: what is more than this waits for the next message.
MOST_IN_GROUP: Final = 4000


@dataclass(frozen=True, slots=True)
class Matter:
    """An incident of which events wait in a channel, the oldest first.

    `now` is how it stands (None: it is not there any more), `word` what the channel was told last (None: nothing),
    `unread` how many slices that it rests on are unread, marked or being read.
    """

    items: tuple[Item, ...]
    now: Incident | None = None
    word: Word | None = None
    unread: int = 0

    @property
    def lead(self) -> Item:
        """The newest event."""
        return self.items[-1]

    @property
    def is_first_scan(self) -> bool:
        """Whether all that there is to tell is of the days before the installation."""
        return self.lead.telling.first_scan

    @property
    def since(self) -> datetime:
        """Since when it waits."""
        return min(item.telling.at for item in self.items)


@dataclass(frozen=True, slots=True)
class Lead:
    """What is told of an incident, the word that the channel has of it afterwards, and the items that this settles."""

    telling: Telling
    word: Word
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides beside the incidents.

    `least` is the lowest severity that is told now (more than all there are: none), `minimum` the lowest that the
    channel wants to hear of at all. `ahead_at` is when something was last told ahead of the first scan's summary, and
    `told_ahead` what was, as it stands now: the summary is about all that the first scan found.
    """

    now: datetime
    least: int
    minimum: int
    cycle_over: bool
    first_scan_over: bool
    storm_threshold: int
    ahead_at: datetime | None = None
    told_ahead: tuple[Lead, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """One message to make. `type` is None for a message about one incident. `to_follow` counts what it has no room for,
    which the next message tells."""

    type: GroupType | None
    leads: tuple[Lead, ...]
    to_follow: int = 0

    @property
    def told_before(self) -> int:
        """How many of them were told before."""
        return sum(not lead.items for lead in self.leads)

    @property
    def items(self) -> tuple[Item, ...]:
        """All that it settles."""
        return tuple(item for lead in self.leads for item in lead.items)

    @property
    def severity(self) -> int:
        """That of the worst."""
        return max(lead.telling.event.severity for lead in self.leads)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do with the events of a channel; those in neither go on waiting."""

    groups: tuple[Group, ...]
    dropped: tuple[Item, ...]


def matters(items: Iterable[Item]) -> dict[str, tuple[Item, ...]]:
    """The items of each incident in the order in which they happened to it, whatever the clocks said."""
    of_incident: dict[str, list[Item]] = {}
    for item in items:
        of_incident.setdefault(item.telling.event.incident, []).append(item)
    return {key: tuple(sorted(mine, key=_place)) for key, mine in of_incident.items()}


def _place(item: Item) -> tuple[int, int, datetime, str]:
    telling = item.telling
    return telling.incident.opening, telling.incident.tellings, telling.at, telling.event.id


def plan(waiting: Sequence[Matter], around: Circumstances) -> Plan:
    """Decide about the incidents of which events wait. One incident, one message; the worst first."""
    leads: list[tuple[Matter, Lead]] = []
    dropped: list[Item] = []
    for matter in waiting:
        lead = _lead(matter, around.minimum)
        if lead is None:
            dropped += matter.items
        else:
            leads.append((matter, lead))
    by_severity = sorted(leads, key=lambda pair: (-pair[1].telling.event.severity, pair[0].since))
    loud = [pair for pair in by_severity if pair[1].telling.event.severity >= around.least]
    groups = [*_of_first_scan(loud, around), *_alarms(loud, around), *_withdrawals(loud, around)]
    return Plan(tuple(sorted(groups, key=lambda group: -group.severity)), tuple(dropped))


# --- one incident -----------------------------------------------------------------------------------------------------


def _lead(matter: Matter, minimum: int) -> Lead | None:
    """What there is to tell of an incident as it stands; None for nothing."""
    newest = matter.lead.telling
    now = matter.now or newest.incident
    if now.is_withdrawn or (matter.now is None and newest.event.kind is EventKind.WITHDRAWN):
        return _withdrawal(matter, now)
    if is_in_hand(now):
        return None
    kind = _kind(newest.event.kind, now, matter.word)
    if kind is None or (now.facts.stands < minimum and not _says_worse(matter.word, now)):
        return None
    return _as_it_stands(matter, now, kind, now.facts.stands)


def _says_worse(word: Word | None, now: Incident) -> bool:
    return word is not None and not word.withdrawn and word.severity > now.facts.stands


def _withdrawal(matter: Matter, now: Incident) -> Lead | None:
    """Take back what was told, whatever came between; what nobody heard of is withdrawn in silence."""
    if matter.word is None or matter.word.withdrawn:
        return None
    severity = matter.word.severity or matter.lead.telling.event.severity
    return _as_it_stands(matter, now, EventKind.WITHDRAWN, severity)


def _kind(newest: EventKind, now: Incident, word: Word | None) -> EventKind | None:
    """How to tell it to a channel that has this word of it; None when that says all there is."""
    if newest is EventKind.WITHDRAWN:  # and it opened again since
        newest = EventKind.OPENED
    if word is None or word.withdrawn or word.opening < now.opening:
        return EventKind.OPENED if newest is EventKind.LOWERED else newest
    if newest is EventKind.ONGOING or not word.severity:
        return newest
    if word.severity == now.facts.stands:
        return None
    return EventKind.RAISED if now.facts.stands > word.severity else EventKind.LOWERED


def _as_it_stands(matter: Matter, now: Incident, kind: EventKind, severity: int) -> Lead:
    newest = matter.lead.telling
    event = replace(newest.event, kind=kind, severity=severity)
    telling = replace(newest, event=event, incident=now, unread=matter.unread)
    word = Word(event.incident, now.opening, severity, withdrawn=kind is EventKind.WITHDRAWN)
    return Lead(telling, word, matter.items)


# --- when, and together with which ------------------------------------------------------------------------------------

type _Pairs = Sequence[tuple[Matter, Lead]]


def _of_first_scan(pairs: _Pairs, around: Circumstances) -> list[Group]:
    """One summary of what the first scan found, at its end or after a day. What is certain at once is told ahead of it,
    all that there is in one message an hour."""
    old = [(m, lead) for m, lead in pairs if m.is_first_scan and not lead.word.withdrawn]
    if around.first_scan_over or _waited(old, around.now, LONGEST_FIRST_SCAN):
        leads = [lead for _, lead in old]
        return _groups([*leads, *around.told_ahead] if leads else [], "incidents.first-scan", 1)
    certain = [(m, lead) for m, lead in old if not lead.telling.incident.facts.rests_on_evidence]
    if around.ahead_at is not None and around.now - around.ahead_at < BETWEEN_AHEAD:
        return []
    return _groups([lead for _, lead in certain], "incidents.ahead", 0)


def _alarms(pairs: _Pairs, around: Circumstances) -> list[Group]:
    alarms = [(m, lead) for m, lead in pairs if not m.is_first_scan and not lead.word.withdrawn]
    certain = [pair for pair in alarms if not pair[1].telling.incident.facts.rests_on_evidence]
    rest = [pair for pair in alarms if pair[1].telling.incident.facts.rests_on_evidence]
    cycle_over = around.cycle_over or _waited(rest, around.now, LONGEST_CYCLE)
    ready = [(m, lead) for m, lead in rest if not m.unread or around.now - m.since >= LONGEST_HOLD]
    told = [lead for _, lead in (*certain, *(ready if cycle_over else ()))]
    return _groups(told, "incidents.storm", around.storm_threshold)


def _withdrawals(pairs: _Pairs, around: Circumstances) -> list[Group]:
    gone = [(m, lead) for m, lead in pairs if lead.word.withdrawn]
    if not (around.cycle_over or _waited(gone, around.now, LONGEST_CYCLE)):
        return []
    return _groups([lead for _, lead in gone], "incidents.withdrawn", around.storm_threshold)


def _groups(told: Sequence[Lead], type_: GroupType, most_alone: int) -> list[Group]:
    """One message for all where there are more than that, else one for each."""
    leads = sorted(told, key=_worst_first)
    if len(leads) > most_alone:
        return [Group(type_, tuple(leads[:MOST_IN_GROUP]), len(leads[MOST_IN_GROUP:]))]
    return [Group(None, (lead,)) for lead in leads]


def _worst_first(lead: Lead) -> tuple[int, datetime]:
    return -lead.telling.event.severity, lead.telling.at


def _waited(pairs: _Pairs, now: datetime, longest: timedelta) -> bool:
    return any(now - matter.since >= longest for matter, _ in pairs)
