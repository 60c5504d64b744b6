"""What time and technical exceptions do to an incident as it stands. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shared.incidents.history import IncidentAction
from shared.incidents.life import (
    Accepts,
    Life,
    Note,
    Step,
    end_silence,
    has_missed,
    noted,
    open_now,
    restate,
    silence,
    snooze_ends,
    tell,
    wake,
)
from shared.incidents.model import Ending, EventKind, Incident, IncidentState

_DAY: Final = timedelta(days=1)


def pass_time(before: Incident, now: datetime, life: Life) -> Step | None:
    """What the passing of time does: closes what was quiet, wakes what has something new, ends a snooze or an
    acknowledgement. None when nothing is due."""
    if before.is_withdrawn:
        return None
    if _is_quiet(before, now, life):
        reason = f"quiet for {life.quiet // _DAY} days"
        closed = replace(before, state=IncidentState.RESOLVED, ending=Ending.QUIET, reason=reason, resolved_at=now)
        return noted(closed, Note(IncidentAction.CLOSED, detail=reason))
    woken = wake(Step(before), now, life)
    if woken.event:
        return woken
    if before.state is IncidentState.SNOOZED and snooze_ends(before, now, life):
        return _open_and_tell(before, Note(IncidentAction.SNOOZE_ENDED), now)
    if before.state is IncidentState.ACKNOWLEDGED and now - _acted_at(before, now) >= life.acknowledged:
        days = life.acknowledged // _DAY
        return _open_and_tell(before, Note(IncidentAction.ACKNOWLEDGEMENT_ENDED, detail=f"after {days} days"), now)
    return None


def _is_quiet(incident: Incident, now: datetime, life: Life) -> bool:
    awake = incident.state in (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
    newest = max(filter(None, (incident.facts.last, incident.grew_at)))
    return awake and now - newest >= life.quiet


def _acted_at(incident: Incident, now: datetime) -> datetime:
    """When it was acknowledged; an older version of the app did not note it."""
    return incident.acted_at or incident.told_at or incident.opened_at or now


def _open_and_tell(before: Incident, note: Note, now: datetime) -> Step:
    """Open again; what came meanwhile is told once."""
    step = noted(open_now(before), note)
    if not has_missed(before):
        return restate(step)
    return tell(step, EventKind.ONGOING, before.facts.stands, now, before.facts.last)


def apply_exceptions(before: Incident, accepts: Accepts, now: datetime) -> Step | None:
    """What the exceptions that hold now do to an incident: silence it, or open it again and tell it once none holds any
    more. None when nothing is due."""
    if before.is_withdrawn or before.state is IncidentState.RESOLVED:
        return None
    if accepted := accepts(before.who, before.facts):
        step = silence(Step(before), accepted)
        return step if step.notes else None
    if before.state is not IncidentState.SILENCED:
        return None
    step = end_silence(Step(before), now)
    worth = before.facts.announceable
    return tell(step, EventKind.OPENED, worth, now, before.facts.last) if worth else step
