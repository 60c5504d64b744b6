"""What findings do to an incident: it opens, counts on, is told, wakes, and opens again as itself. Pure.

What was told is kept with the incident and changes in the transaction of its facts, so that a scan that runs twice
announces once. Whoever acknowledged or snoozed an incident did so for what it was then: counting on never wakes it, a
rise of its severity or a new trait of a success does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from shared.incidents.history import SYSTEM, IncidentAction
from shared.incidents.model import Ending, Event, EventKind, Facts, Incident, IncidentState, Who
from shared.incidents.traits import described

ASLEEP: Final = (IncidentState.ACKNOWLEDGED, IncidentState.SNOOZED)
_MOST_DESCRIBED: Final = 3

# Says what silences an incident of those facts (a technical exception, as people read it); "" for nothing.
type Accepts = Callable[[Who, Facts], str]


@dataclass(frozen=True, slots=True)
class Life:
    """After how long without a finding an incident closes, how often at most one that goes on is told again, and after
    how long an acknowledged one is open again."""

    quiet: timedelta = timedelta(days=7)
    realert: timedelta = timedelta(hours=24)
    acknowledged: timedelta = timedelta(days=14)


USUAL_LIFE: Final = Life()


def accept_nothing(_who: Who, _facts: Facts) -> str:
    """No exception holds."""
    return ""


@dataclass(frozen=True, slots=True)
class Note:
    """A line of an incident's history."""

    action: IncidentAction
    by: str = SYSTEM
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """An incident after something happened, what there is to tell of it, and what its history says."""

    incident: Incident
    event: Event | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """What slices say of an incident now. `facts` is the sum of all contributions (None: nothing is left), `added` are
    the contributions that said something new, `at` is now (UTC)."""

    key: str
    who: Who
    facts: Facts | None
    at: datetime
    added: tuple[Facts, ...] = ()


def apply_findings(before: Incident | None, news: News, life: Life, accepts: Accepts = accept_nothing) -> Step | None:
    """The incident with these findings. None when there is no incident and never was one.

    One that an exception accepts is silenced before anything is told of it; one that has outgrown its exception opens
    again.
    """
    if news.facts is None:
        return _withdraw(before, news.at) if before else None
    step = _count(before, news, news.facts, life)
    if accepted := accepts(news.who, news.facts):
        return step if step.incident.state is IncidentState.RESOLVED else silence(step, accepted)
    if step.incident.state is IncidentState.SILENCED:
        step = end_silence(step, news.at)
    if step.incident.state is IncidentState.SILENCED:
        return step
    announced = _announce(step, news, life)
    slept = before is not None and before.state in ASLEEP
    return restate(announced) if slept and announced.incident.state is IncidentState.OPEN else announced


def _count(before: Incident | None, news: News, facts: Facts, life: Life) -> Step:
    """Before anything is told or silenced."""
    if before is None:
        new = Incident(news.key, news.who, facts, opened_at=news.at, grew_at=news.at)
        return noted(new, Note(IncidentAction.OPENED))
    grown = replace(before, facts=facts, grew_at=news.at if news.added else before.grew_at)
    if before.state is IncidentState.SNOOZED and snooze_ends(grown, news.at, life):
        return noted(open_now(grown), Note(IncidentAction.SNOOZE_ENDED))
    if _opens_again(before, news, facts, life):
        return _open_again(before, grown, news, facts)
    return Step(grown)


def _open_again(before: Incident, grown: Incident, news: News, facts: Facts) -> Step:
    """A new opening: about the sign-ins from after the old one, of which nobody knows yet."""
    since = None if before.is_withdrawn else before.facts.last
    fresh = max((part.announceable for part in news.added if since is None or part.last > since), default=0)
    again = replace(
        open_now(grown),
        facts=replace(facts, announceable=fresh),
        opening=before.opening + 1,
        since=since,
        opened_at=news.at,
        announced=0,
        tellings=0,
    )
    ended = before.state is IncidentState.RESOLVED and before.reason
    return noted(
        again, Note(IncidentAction.REOPENED, detail=f"after: {before.reason}" if ended else "after a quiet time")
    )


def _opens_again(before: Incident, news: News, facts: Facts, life: Life) -> bool:
    """Whether what was added makes a new opening: a sign-in from after the end of the old one, or after a quiet time.

    What was resolved by a person stays so for sign-ins of before; they only arrived late.
    """
    if before.state in (IncidentState.SNOOZED, IncidentState.SILENCED):
        return False
    if before.state is IncidentState.RESOLVED:
        if before.is_withdrawn:
            return True
        end = before.facts.last if before.ending is Ending.QUIET else before.resolved_at
        return any(end is None or part.last > end for part in news.added)
    grew_at = before.grew_at or before.facts.last
    return facts.last - before.facts.last > life.quiet and news.at - grew_at > life.quiet


def _withdraw(before: Incident, now: datetime) -> Step:
    if before.is_withdrawn:
        return Step(before)
    told = replace(before, tellings=before.tellings + 1)
    event = event_of(EventKind.WITHDRAWN, told, before.announced) if before.announced else None
    gone = replace(
        told,
        facts=replace(before.facts, count=0, announceable=0),
        state=IncidentState.RESOLVED,
        ending=Ending.CORRECTED,
        reason="withdrawn: its records were corrected",
        announced=0,
        since=None,
        snoozed_until=None,
        resolved_at=now,
        known=None,
        unheard=frozenset(),
    )
    return replace(noted(gone, Note(IncidentAction.WITHDRAWN)), event=event)


# --- telling ----------------------------------------------------------------------------------------------------------


def _announce(step: Step, news: News, life: Life) -> Step:
    """With the event, if there is something to tell: a severity that nobody knows of, one that fell because records
    were corrected, a new trait, or new findings after a while."""
    incident = step.incident
    if incident.facts.announceable > incident.announced:
        return _raise(step, news)
    fell_to = incident.facts.stands if incident.state is IncidentState.OPEN else incident.facts.severity
    if fell_to < incident.announced:
        return _lower(step, fell_to, news.at)
    if incident.state in ASLEEP:
        return wake(with_unheard(step, news), news.at, life)
    if incident.state is IncidentState.OPEN and _goes_on(incident, news, life):
        return tell(step, EventKind.ONGOING, incident.announced, news.at, _newest(incident, news))
    return step


def _raise(step: Step, news: News) -> Step:
    incident = step.incident
    worth = incident.facts.announceable
    kind = EventKind.RAISED if incident.announced else EventKind.OPENED
    if kind is EventKind.RAISED:
        incident = replace(incident, raised_at=news.at)
    if incident.state is not IncidentState.OPEN:
        step = noted(open_now(incident), Note(IncidentAction.WOKEN, detail="its severity rose"), step.notes)
    elif incident.announced:
        step = noted(incident, Note(IncidentAction.RAISED), step.notes)
    return tell(step, kind, worth, news.at, _newest(incident, news))


def _lower(step: Step, worth: int, now: datetime) -> Step:
    """What fell is told only while the incident is open; a later rise to what it was is news in any case."""
    incident = step.incident
    if incident.state is not IncidentState.OPEN:
        return replace(step, incident=replace(incident, announced=worth))
    step = noted(incident, Note(IncidentAction.LOWERED, detail="records were corrected"), step.notes)
    return tell(step, EventKind.LOWERED, worth, now, incident.told_last or incident.facts.last)


def _goes_on(incident: Incident, news: News, life: Life) -> bool:
    return (
        incident.announced > 0
        and _may_tell_again(incident.told_at, news.at, life)
        and any(part.announceable and is_later(part.last, incident.told_last) for part in news.added)
    )


def _newest(incident: Incident, news: News) -> datetime:
    return max((part.last for part in news.added if part.announceable), default=incident.facts.last)


def _may_tell_again(last: datetime | None, now: datetime, life: Life) -> bool:
    return last is None or now - last >= life.realert


def with_unheard(step: Step, news: News) -> Step:
    """With the traits that were not there when somebody acknowledged or snoozed it noted, to wake it."""
    incident = step.incident
    if incident.known is None:
        return step
    told = {trait for part in news.added if part.announceable for trait in part.traits}
    unheard = (incident.unheard | (told - incident.known)) & incident.facts.traits
    return replace(step, incident=replace(incident, unheard=frozenset(unheard)))


def wake(step: Step, now: datetime, life: Life) -> Step:
    """Wake it for traits that nobody knows of, at most once in a re-alert period."""
    incident = step.incident
    if not incident.unheard or not _may_tell_again(incident.woken_at, now, life):
        return step
    traits = sorted(incident.unheard)
    why = ", ".join(described(trait) for trait in traits[:_MOST_DESCRIBED])
    if len(traits) > _MOST_DESCRIBED:
        why += f" and {len(traits) - _MOST_DESCRIBED} more"
    open_ = replace(open_now(incident), reason=f"woken: {why}", woken_at=now)
    step = noted(open_, Note(IncidentAction.WOKEN, detail=why), step.notes)
    return tell(step, EventKind.ONGOING, max(incident.announced, incident.facts.stands), now, incident.facts.last)


def tell(step: Step, kind: EventKind, severity: int, now: datetime, newest: datetime) -> Step:
    """The step with an event; people know of the sign-ins up to `newest` by it."""
    before = step.incident
    told = replace(
        before,
        announced=severity,
        tellings=before.tellings + 1,
        told_at=now,
        told_last=newest if before.told_last is None else max(before.told_last, newest),
    )
    return replace(step, incident=told, event=event_of(kind, told, severity))


def restate(step: Step) -> Step:
    """With an event for the channels that do not know the incident as it stands: it is open again, and what it was
    while nobody wanted to hear of it may have changed. Channels that know it so are told nothing."""
    worth = step.incident.facts.announceable
    if not worth or step.event:
        return step
    told = replace(step.incident, announced=worth, tellings=step.incident.tellings + 1)
    return replace(step, incident=told, event=event_of(EventKind.OPENED, told, worth))


def event_of(kind: EventKind, incident: Incident, severity: int) -> Event:
    """Each thing to tell has an id of its own; written twice it is the same."""
    identity = f"{incident.key}\n{kind}\n{severity}\n{incident.opening}\n{incident.tellings}"
    return Event(sha256(identity.encode()).hexdigest()[:32], kind, incident.key, severity)


def snooze_ends(incident: Incident, now: datetime, life: Life) -> bool:
    """Whether a snoozed incident opens now: its time has come, and what came meanwhile may be told. Opened sooner, it
    would be told when the next sign-in comes, and never if none does."""
    return has_passed(incident.snoozed_until, now) and (
        not has_missed(incident) or _may_tell_again(incident.told_at, now, life)
    )


def has_missed(incident: Incident) -> bool:
    """Whether there are sign-ins to tell that nobody knows of."""
    return is_later(incident.facts.last, incident.told_last) and incident.facts.announceable > 0


def is_in_hand(incident: Incident) -> bool:
    """Whether people or a technical exception took care of it, so that nobody needs to hear of it. One that closed by
    itself is not: perhaps nobody ever heard of it."""
    return incident.state in (*ASLEEP, IncidentState.SILENCED) or (
        incident.state is IncidentState.RESOLVED and incident.ending is Ending.PERSON
    )


# --- technical exceptions ---------------------------------------------------------------------------------------------


def silence(step: Step, accepted: str) -> Step:
    """Silenced by that exception."""
    incident = step.incident
    if (incident.state, incident.reason) == (IncidentState.SILENCED, accepted):
        return step
    quiet = replace(incident, state=IncidentState.SILENCED, reason=accepted, snoozed_until=None)
    return noted(quiet, Note(IncidentAction.SILENCED, detail=accepted), step.notes)


def end_silence(step: Step, now: datetime) -> Step:
    """A new opening, of which nobody knows yet; its quiet time begins anew."""
    before = step.incident
    opened = replace(open_now(before), opening=before.opening + 1, opened_at=now, grew_at=now, announced=0, tellings=0)
    return noted(opened, Note(IncidentAction.REOPENED, detail=f"after: {before.reason}"), step.notes)


# --- small things -----------------------------------------------------------------------------------------------------


def open_now(incident: Incident) -> Incident:
    """Open, with nothing left of what people or time had made of it."""
    return replace(
        incident,
        state=IncidentState.OPEN,
        ending=Ending.NONE,
        reason="",
        snoozed_until=None,
        resolved_at=None,
        acted_at=None,
        known=None,
        unheard=frozenset(),
    )


def has_passed(at: datetime | None, now: datetime) -> bool:
    """Whether that time has come."""
    return at is None or at <= now


def is_later(at: datetime, than: datetime | None) -> bool:
    """Whether a time lies after another, or there is no other."""
    return than is None or at > than


def noted(incident: Incident, note: Note, earlier: tuple[Note, ...] = ()) -> Step:
    """The step that writes a line of the history."""
    return Step(replace(incident, revision=incident.revision + 1), notes=(*earlier, note))
