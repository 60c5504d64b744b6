"""What people do with an incident: acknowledge, snooze, resolve, open, comment, assign. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.incidents.history import IncidentAction
from shared.incidents.life import Note, Step, noted, open_now, restate
from shared.incidents.model import Ending, Incident, IncidentState
from shared.rules.rule import Severity

# What operators may make of an incident, by its state. Acknowledging and snoozing can be done again.
_DEALT_WITH: Final = (IncidentState.ACKNOWLEDGED, IncidentState.SNOOZED, IncidentState.RESOLVED)
_POSSIBLE: Final[Mapping[str, tuple[IncidentState, ...]]] = {
    IncidentState.OPEN: _DEALT_WITH,
    IncidentState.ACKNOWLEDGED: (*_DEALT_WITH, IncidentState.OPEN),
    IncidentState.SNOOZED: (*_DEALT_WITH, IncidentState.OPEN),
    IncidentState.SILENCED: (),
    IncidentState.RESOLVED: (IncidentState.OPEN,),
}

LONGEST_SNOOZE: Final = timedelta(days=30)
LONGEST_SNOOZE_OF_CRITICAL: Final = timedelta(days=7)


class NotNow(Exception):  # noqa: N818 - what is wrong with the request
    """An operator's action does not fit the incident's state; the text says why."""


def possible(state: str) -> tuple[IncidentState, ...]:
    """What operators may make of an incident in that state; nothing where nobody knows the state."""
    return _POSSIBLE.get(state, ())


def acknowledge(before: Incident, by: str, comment: str, now: datetime) -> Step:
    """Somebody takes it on: it counts on in silence. Raises NotNow."""
    _must_allow(IncidentState.ACKNOWLEDGED, before)
    taken_on = replace(before, state=IncidentState.ACKNOWLEDGED, reason="", snoozed_until=None)
    return noted(_seen(taken_on, now), Note(IncidentAction.ACKNOWLEDGED, by, comment))


def snooze(before: Incident, by: str, comment: str, *, until: datetime, now: datetime) -> Step:
    """Nobody wants to hear of it until then. Raises NotNow."""
    _must_allow(IncidentState.SNOOZED, before)
    longest = longest_snooze(before)
    if until - now > longest:
        what = "A critical incident" if longest < LONGEST_SNOOZE else "An incident"
        raise NotNow(f"{what} can be snoozed for {longest.days} days at most; for longer, ask for an exception.")
    note = Note(IncidentAction.SNOOZED, by, f"until {until:%Y-%m-%d %H:%M} UTC{': ' if comment else ''}{comment}")
    asleep = replace(before, state=IncidentState.SNOOZED, reason="", snoozed_until=until)
    return noted(_seen(asleep, now), note)


def longest_snooze(incident: Incident) -> timedelta:
    """For how long the incident may be snoozed."""
    critical = max(incident.facts.severity, incident.announced) >= Severity.CRITICAL
    return LONGEST_SNOOZE_OF_CRITICAL if critical else LONGEST_SNOOZE


def resolve(before: Incident, by: str, comment: str, now: datetime) -> Step:
    """Somebody says that it is over: a sign-in from after this opens it again. Raises NotNow."""
    _must_allow(IncidentState.RESOLVED, before)
    over = replace(
        before,
        state=IncidentState.RESOLVED,
        ending=Ending.PERSON,
        reason="resolved by an operator",
        snoozed_until=None,
        resolved_at=now,
    )
    return noted(_seen(over, now), Note(IncidentAction.RESOLVED, by, comment))


def reopen(before: Incident, by: str, comment: str, now: datetime) -> Step:
    """Take back an acknowledgement, a snooze or a resolution; the quiet time counts from now. A channel that does not
    know of the incident as it stands hears of it. Raises NotNow."""
    if before.is_withdrawn:
        raise NotNow("Its findings were withdrawn, so there is nothing to open.")
    if IncidentState.OPEN not in possible(before.state):
        raise NotNow(f"It is {before.state}.")
    return restate(noted(replace(open_now(before), grew_at=now), Note(IncidentAction.OPENED, by, comment)))


def comment_on(before: Incident, by: str, comment: str) -> Step:
    """Somebody notes something."""
    return noted(before, Note(IncidentAction.COMMENTED, by, comment))


def assign(before: Incident, by: str, comment: str, *, assignee: str | None, due: datetime | None) -> Step:
    """Say who looks after it, and until when; "" and None take it back. Possible in every state."""
    who = before.assignee if assignee is None else assignee
    words = [f"to {who}" if who else "to nobody", f"due {due:%Y-%m-%d}" if due else "", comment]
    return noted(
        replace(before, assignee=who, due=due), Note(IncidentAction.ASSIGNED, by, ", ".join(filter(None, words)))
    )


def _must_allow(state: IncidentState, incident: Incident) -> None:
    if state not in possible(incident.state):
        raise NotNow(f"It is {incident.state}: {incident.reason or 'nothing is told of it'}.")


def _seen(incident: Incident, now: datetime) -> Incident:
    """Whoever acts on an incident has seen it as it is: only what comes later, and is worse or new, is news to them."""
    facts = incident.facts
    return replace(
        incident,
        announced=max(incident.announced, facts.severity),
        told_last=facts.last,
        acted_at=now,
        known=facts.traits,
        unheard=frozenset(),
    )
