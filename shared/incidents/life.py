"""What happens to an incident: it opens, counts on, is told, is acknowledged, snoozed or resolved, closes when it was
quiet, and opens again as itself. Pure.

What was told is kept with the incident and changes in the transaction of its facts, so that a scan that runs twice
announces once. Who acknowledged, snoozed or resolved did so for the identity: counting on never wakes it, a rise of its
severity does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from shared.incidents.model import (
    ACKNOWLEDGED,
    OPEN,
    PAST,
    RESOLVED,
    SILENCED,
    SNOOZED,
    WITHDRAWN,
    Event,
    Facts,
    Incident,
    Who,
)

SYSTEM: Final = "system"

# Says what silences an incident of those facts (a technical exception, as people read it); "" for nothing.
type Accepts = Callable[[Who, Facts], str]

_BY_OPERATOR: Final = "resolved by an operator"
_QUIET: Final = "quiet"


@dataclass(frozen=True, slots=True)
class Life:
    """After how long without a finding an incident closes, and how often at most one that goes on is told again."""

    quiet: timedelta = timedelta(days=7)
    realert: timedelta = timedelta(hours=24)


USUAL_LIFE: Final = Life()


def accept_nothing(_who: Who, _facts: Facts) -> str:
    """No exception holds."""
    return ""


@dataclass(frozen=True, slots=True)
class Note:
    """A line of an incident's history."""

    action: str
    by: str = SYSTEM
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """An incident after something happened, what there is to tell of it, and what its history says."""

    incident: Incident
    event: Event | None = None
    notes: tuple[Note, ...] = ()


class NotNow(Exception):  # noqa: N818 - what is wrong with the request
    """An operator's action does not fit the incident's state; the text says why."""


def after(
    before: Incident | None,
    key: str,
    who: Who,
    facts: Facts | None,
    *,
    added: Sequence[Facts] = (),
    now: datetime,
    life: Life,
    accepts: Accepts = accept_nothing,
) -> Step | None:
    """The incident with these facts. `added` are the contributions that said something new. Without facts its findings
    were all withdrawn. None when there is no incident and never was one.

    One that an exception accepts is silenced before anything is told of it; one that has outgrown its exception opens
    again.
    """
    if facts is None:
        return _withdrawn(before, now) if before else None
    step = _counted(before, key, who, facts, added, now, life)
    if accepted := accepts(who, facts):
        return step if step.incident.state == RESOLVED else _silenced(step, accepted)
    if step.incident.state == SILENCED:
        step = _unsilenced(step, now)
    return _told(step, added, now, life)


def _counted(
    before: Incident | None, key: str, who: Who, facts: Facts, added: Sequence[Facts], now: datetime, life: Life
) -> Step:
    """Before anything is told or silenced."""
    if before is None:
        return Step(Incident(key, who, facts, opened_at=now, grew_at=now))
    grown = replace(before, facts=facts, grew_at=now if added else before.grew_at)
    if before.state == SNOOZED and before.snoozed_until <= now:
        step = _noted(replace(grown, state=OPEN, snoozed_until=PAST), Note("snooze-ended"))
    elif _opens_again(before, facts, added, now, life):
        since = before.facts.last if before.facts.count else PAST
        fresh = max((part.announceable for part in added if part.last > since), default=0)
        again = replace(
            grown,
            facts=replace(facts, announceable=fresh),
            state=OPEN,
            reason="",
            opening=before.opening + 1,
            since=since,
            opened_at=now,
            announced=0,
            tellings=0,
            resolved_at=PAST,
        )
        step = _noted(
            again, Note("reopened", detail=f"after: {before.reason}" if before.reason else "after a quiet time")
        )
    else:
        step = Step(grown)
    return step


def _withdrawn(before: Incident, now: datetime) -> Step:
    if before.facts.count == 0:
        return Step(before)
    event = _event("withdrawn", before, before.announced) if before.announced else None
    gone = replace(
        before,
        facts=replace(before.facts, count=0, announceable=0),
        state=RESOLVED,
        reason=WITHDRAWN,
        announced=0,
        since=PAST,
        snoozed_until=PAST,
        resolved_at=now,
    )
    step = _noted(gone, Note("withdrawn"))
    return replace(step, event=event)


def _opens_again(before: Incident, facts: Facts, added: Sequence[Facts], now: datetime, life: Life) -> bool:
    """Whether what was added makes a new opening: a sign-in from after the end of the old one, or after a quiet time.

    What was resolved by a person stays so for sign-ins of before; they only arrived late.
    """
    if before.state in (SNOOZED, SILENCED):
        return False
    if before.state == RESOLVED:
        if before.facts.count == 0:
            return True
        end = before.facts.last if before.reason.startswith(_QUIET) else before.resolved_at
        return any(part.last > end for part in added)
    return facts.last - before.facts.last > life.quiet and now - before.grew_at > life.quiet


def _told(step: Step, added: Sequence[Facts], now: datetime, life: Life) -> Step:
    """With the event, if there is something to tell: a severity that nobody knows of, or new findings after a while."""
    incident = step.incident
    if incident.state == SILENCED:
        return step
    worth = incident.facts.announceable
    if worth > incident.announced:
        kind = "raised" if incident.announced else "opened"
        if incident.state != OPEN:
            woken = replace(incident, state=OPEN, reason="", snoozed_until=PAST, resolved_at=PAST)
            step = _noted(woken, Note("woken", detail="its severity rose"), step.notes)
            incident = step.incident
    elif (
        incident.state == OPEN
        and incident.announced
        and now - incident.told_at >= life.realert
        and any(part.announceable and part.last > incident.told_last for part in added)
    ):
        kind, worth = "ongoing", incident.announced
    else:
        return step
    newest = max((part.last for part in added if part.announceable), default=incident.facts.last)
    told = replace(
        incident,
        announced=worth,
        tellings=incident.tellings + 1,
        told_at=now,
        told_last=max(incident.told_last, newest),
    )
    return replace(step, incident=told, event=_event(kind, told, worth))


def is_in_hand(incident: Incident) -> bool:
    """Whether people or a technical exception took care of it, so that nobody needs to hear of it. One that closed by
    itself is not: perhaps nobody ever heard of it."""
    return incident.state in (ACKNOWLEDGED, SNOOZED, SILENCED) or (incident.state, incident.reason) == (
        RESOLVED,
        _BY_OPERATOR,
    )


# --- with the time ----------------------------------------------------------------------------------------------------


def with_time(before: Incident, now: datetime, life: Life) -> Step | None:
    """What the passing of time does: closes what was quiet, ends a snooze. None when nothing is due.

    A snooze that ends tells what came meanwhile, if anything did, and no sooner than a repetition may be told.
    """
    if before.facts.count == 0:
        return None
    if before.state in (OPEN, ACKNOWLEDGED) and now - max(before.facts.last, before.grew_at) >= life.quiet:
        days = life.quiet // timedelta(days=1)
        closed = replace(before, state=RESOLVED, reason=f"{_QUIET} for {days} days", resolved_at=now)
        return _noted(closed, Note("closed", detail=closed.reason))
    if before.state == SNOOZED and before.snoozed_until <= now:
        missed = before.facts.last > before.told_last and before.facts.announceable > 0
        if missed and now - before.told_at < life.realert:
            return None
        step = _noted(replace(before, state=OPEN, snoozed_until=PAST), Note("snooze-ended"))
        if not missed:
            return step
        announced = max(before.announced, before.facts.announceable)
        told = replace(
            step.incident,
            announced=announced,
            tellings=before.tellings + 1,
            told_at=now,
            told_last=before.facts.last,
        )
        return replace(step, incident=told, event=_event("ongoing", told, announced))
    return None


# --- with technical exceptions ----------------------------------------------------------------------------------------


def with_exceptions(before: Incident, accepts: Accepts, now: datetime) -> Step | None:
    """What the exceptions that hold now do to an incident as it stands: silence it, or open it again and tell it once
    none holds any more. None when nothing is due."""
    if before.facts.count == 0 or before.state == RESOLVED:
        return None
    accepted = accepts(before.who, before.facts)
    if accepted:
        return None if (before.state, before.reason) == (SILENCED, accepted) else _silenced(Step(before), accepted)
    if before.state != SILENCED:
        return None
    step = _unsilenced(Step(before), now)
    worth = before.facts.announceable
    if not worth:
        return step
    told = replace(step.incident, announced=worth, tellings=1, told_at=now, told_last=before.facts.last)
    return replace(step, incident=told, event=_event("opened", told, worth))


def _silenced(step: Step, accepted: str) -> Step:
    if (step.incident.state, step.incident.reason) == (SILENCED, accepted):
        return step
    quiet = replace(step.incident, state=SILENCED, reason=accepted, snoozed_until=PAST)
    return _noted(quiet, Note("silenced", detail=accepted), step.notes)


def _unsilenced(step: Step, now: datetime) -> Step:
    """A new opening, of which nobody knows yet; its quiet time begins anew."""
    before = step.incident
    opened = replace(
        before, state=OPEN, reason="", opening=before.opening + 1, opened_at=now, grew_at=now, announced=0, tellings=0
    )
    return _noted(opened, Note("reopened", detail=f"after: {before.reason}"), step.notes)


# --- by people --------------------------------------------------------------------------------------------------------


def acknowledged(before: Incident, by: str, comment: str) -> Step:
    """Somebody takes it on: it counts on in silence. Raises NotNow."""
    _must_be_active(before)
    return _known(replace(before, state=ACKNOWLEDGED, snoozed_until=PAST), Note("acknowledged", by, comment))


def snoozed(before: Incident, by: str, comment: str, until: datetime) -> Step:
    """Nobody wants to hear of it until then. Raises NotNow."""
    _must_be_active(before)
    note = Note("snoozed", by, f"until {until:%Y-%m-%d %H:%M} UTC{': ' if comment else ''}{comment}")
    return _known(replace(before, state=SNOOZED, snoozed_until=until), note)


def resolved(before: Incident, by: str, comment: str, now: datetime) -> Step:
    """Somebody says that it is over: a sign-in from after this opens it again. Raises NotNow."""
    _must_be_active(before)
    over = replace(before, state=RESOLVED, reason=_BY_OPERATOR, snoozed_until=PAST, resolved_at=now)
    return _known(over, Note("resolved", by, comment))


def opened_by_hand(before: Incident, by: str, comment: str, now: datetime) -> Step:
    """Take back an acknowledgement, a snooze or a resolution; the quiet time counts from now. Raises NotNow."""
    if before.facts.count == 0:
        raise NotNow("Its findings were withdrawn, so there is nothing to open.")
    if before.state in (OPEN, SILENCED):
        raise NotNow(f"It is {before.state}.")
    opened = replace(before, state=OPEN, reason="", snoozed_until=PAST, resolved_at=PAST, grew_at=now)
    return _noted(opened, Note("opened", by, comment))


def commented(before: Incident, by: str, comment: str) -> Step:
    """Somebody notes something."""
    return _noted(before, Note("commented", by, comment))


def _must_be_active(incident: Incident) -> None:
    if incident.state in (RESOLVED, SILENCED):
        raise NotNow(f"It is {incident.state}: {incident.reason or 'nothing is told of it'}.")


def _known(incident: Incident, note: Note) -> Step:
    """Whoever acts on an incident has seen it as it is: only what comes later, and is worse, is news to them."""
    facts = incident.facts
    return _noted(replace(incident, announced=max(incident.announced, facts.severity), told_last=facts.last), note)


def _noted(incident: Incident, note: Note, earlier: tuple[Note, ...] = ()) -> Step:
    return Step(replace(incident, revision=incident.revision + 1), notes=(*earlier, note))


def _event(kind: str, incident: Incident, severity: int) -> Event:
    """The same thing to tell has the same id: once an opening for each kind and severity, but for repetitions."""
    period = incident.tellings if kind == "ongoing" else 0
    identity = f"{incident.key}\n{kind}\n{severity}\n{incident.opening}\n{period}"
    return Event(sha256(identity.encode()).hexdigest()[:32], kind, incident.key, severity)
