"""One incident: its history, the messages about it, and what people do about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Literal, Self

from pydantic import Field, model_validator

from shared.answers.alert_list import AlertItem, alert_item
from shared.answers.directories import tenant_names
from shared.answers.incidents import IncidentItem, incident_item
from shared.answers.rules import RuleText, texts_of
from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.spelling import is_key
from shared.incidents import acts
from shared.incidents.life import Step
from shared.incidents.model import Incident
from shared.store import alerts
from shared.store.incidents import history, read_incident, take_step
from shared.store.outlines import IncidentOutline
from shared.store.swap import until_settled
from shared.store.tables import Tables
from shared.wire.models import Answer, AskedTime, BadParameter, Body, Versioned
from shared.wire.text import clean


class UnknownIncident(Exception):  # noqa: N818
    """There is no such incident."""


class ChangedIncident(Exception):  # noqa: N818
    """Somebody changed it since the caller read it."""


class IncidentChange(Body):
    """What to change. `state` snoozed needs `snoozedUntil`; a comment may come alone or go with a state; `assignee` and
    `dueOn` come without a state: "" takes the assignee back, no dueOn the date."""

    state: Literal["open", "acknowledged", "snoozed", "resolved"] | None = None
    snoozed_until: AskedTime | None = None
    comment: str | None = Field(default=None, min_length=1, max_length=2000)
    assignee: str | None = Field(default=None, max_length=200)
    due_on: date | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        assigns = self.assignee is not None or self.due_on is not None
        if self.state is None and self.comment is None and not assigns:
            raise ValueError("must have a state, a comment, an assignee or a due date")
        if self.state is not None and assigns:
            raise ValueError("assignee and dueOn go without a state")
        if (self.state == "snoozed") != (self.snoozed_until is not None):
            raise ValueError("snoozedUntil goes with the state snoozed, and that with it")
        return self


class HistoryLine(Answer):
    """Something that happened to an incident. `by` is `system`, or whoever did it; both texts are hostile."""

    at: datetime
    by: str
    action: str
    detail: str | None


class IncidentDetail(IncidentItem, Versioned):
    """An incident with its history, the oldest line first, and the messages about it. `etag` is that of the header:
    counting on does not change it, what people do does."""

    rule_texts: dict[str, RuleText]
    opening: int
    history: list[HistoryLine]
    alerts: list[AlertItem]


async def read_detail(app: App, key: str) -> IncidentDetail:
    """One incident. Raises UnknownIncident."""
    tables = await app.tables()
    found = await _read(tables, key)
    return await _detail(app, tables, found[0])


async def change_incident(app: App, key: str, change: IncidentChange, *, by: str, etag: str) -> IncidentDetail:
    """Do it, if the incident's etag is still that one (`*`: whatever it is).

    Raises UnknownIncident, ChangedIncident, NotNow where the state does not allow it, BadParameter for a date that
    cannot be.
    """
    now = app.clock()
    until = change.snoozed_until
    if until is not None and not now < until <= now + acts.LONGEST_SNOOZE:
        raise BadParameter("snoozedUntil", f"must be in the future, and within {acts.LONGEST_SNOOZE.days} days")
    tables = await app.tables()
    do = _action(change, by, now)

    async def attempt() -> Step:
        before, row_etag = await _read(tables, key)
        if etag not in ("*", etag_of(before)):
            raise ChangedIncident(f"incident {key} is at {etag_of(before)}")
        step = do(before)
        await take_step(tables.incidents, step, row_etag, now)
        return step

    # It counts on at any time, which changes its row but not its etag here.
    step = await until_settled(f"incident {key}", attempt)
    log_event("incident_changed", incident=key, action=step.notes[-1].action)
    return await _detail(app, tables, step.incident)


def etag_of(incident: Incident | IncidentOutline) -> str:
    """The incident's version as people see it: new with every line of its history, not with every finding."""
    return f'"{incident.opening}-{incident.revision}"'


def _action(change: IncidentChange, by: str, now: datetime) -> Callable[[Incident], Step]:
    comment = change.comment or ""
    match change.state:
        case "acknowledged":
            return lambda before: acts.acknowledge(before, by, comment, now)
        case "snoozed":
            until = change.snoozed_until or now
            return lambda before: acts.snooze(before, by, comment, until=until, now=now)
        case "resolved":
            return lambda before: acts.resolve(before, by, comment, now)
        case "open":
            return lambda before: acts.reopen(before, by, comment, now)
        case None if change.assignee is not None or change.due_on is not None:
            due = datetime.combine(change.due_on, time(), UTC) if change.due_on else None
            return lambda before: acts.assign(before, by, comment, assignee=change.assignee, due=due)
        case None:
            return lambda before: acts.comment_on(before, by, comment)


async def _read(tables: Tables, key: str) -> tuple[Incident, str]:
    if not is_key(key):
        raise UnknownIncident(f"no incident {clean(key)}")
    found = await read_incident(tables.incidents, key)
    if found is None:
        raise UnknownIncident(f"no incident {key}")
    return found


async def _detail(app: App, tables: Tables, incident: Incident) -> IncidentDetail:
    lines = [
        HistoryLine(at=line.at, by=line.by, action=line.action, detail=line.detail or None)
        for line in await history(tables.incidents, incident.key)
    ]
    messages: list[AlertItem] = []
    for channel in app.settings.channels:
        for id_ in await alerts.deliveries_of(tables.alerts, channel, incident.key):
            delivery = await alerts.read_delivery(tables.alerts, id_)
            if delivery is not None:
                messages.append(alert_item(delivery))
            again = await alerts.redeliveries(tables.alerts, id_)
            lines += [HistoryLine(at=r.at, by=r.by, action="redelivered", detail=f"to {channel}") for r in again]
    item = incident_item(incident, tenant_names(await app.known_directory()))
    return IncidentDetail(
        **dict(item),
        etag=etag_of(incident),
        rule_texts=texts_of(incident.facts.rules),
        opening=incident.opening,
        history=sorted(lines, key=lambda line: line.at),
        alerts=sorted(messages, key=lambda message: message.created_at),
    )
