"""What changed since a time: incidents, exceptions, people and customers, and where the log was not read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from shared.answers.directories import known_directory, tenant_names
from shared.answers.exception_models import ExceptionItem
from shared.answers.exceptions import exceptions_changed_since
from shared.answers.incidents import IncidentItem, incident_item
from shared.answers.period import read_standing, times_of
from shared.app.app import App
from shared.compliance.coverage import Coverage
from shared.compliance.summary import Period
from shared.ledger.slices import DAY
from shared.store.incidents import KEY_SPAN, incidents_within
from shared.wire.models import Answer, BadParameter, Instant, Query, shown_id

_MOST = 200


class ChangesQuery(Query):
    """Since when."""

    since: Instant | None = Field(default=None, description="At or after this time; 24 hours ago where none is named.")


class Joined(Answer):
    """A person or a customer, and the time (UTC) since which, or until which, the rights hold."""

    id: str
    name: str | None
    at: datetime


class Changes(Answer):
    """What changed in a period. Each list has the newest 200 at most; `truncated` says that there were more."""

    generated_at: datetime
    period: Period
    coverage: Coverage
    opened: list[IncidentItem]
    closed: list[IncidentItem] = Field(description="Resolved by somebody, by quiet or because records were corrected.")
    still_happening: list[IncidentItem] = Field(description="Opened before, not resolved, and seen again since.")
    technicians_joined: list[Joined] = Field(description="Who has delegated rights since then.")
    technicians_left: list[Joined] = Field(description="Who has no delegated rights any more.")
    customers_joined: list[Joined] = Field(description="Customers since then.")
    customers_left: list[Joined] = Field(description="Customers until then.")
    exceptions: list[ExceptionItem] = Field(description="Asked for, approved or ended since then.")
    truncated: bool


async def read_changes(app: App, query: ChangesQuery) -> Changes:
    """What changed. Raises BadParameter for a time in the future."""
    now = app.clock()
    since = query.since or now - DAY
    if since >= now:
        raise BadParameter("since", "must not be in the future")
    standing = await read_standing(app, await times_of(app, since, None))
    directory = await known_directory(app)
    names = tenant_names(directory)
    found = await incidents_within((await app.tables()).incidents, 0, KEY_SPAN)
    incidents = sorted(found or [], key=lambda i: (i.facts.last, i.key), reverse=True)
    opened = [i for i in incidents if i.opened_at and i.opened_at >= since and i.facts.count]
    closed = [i for i in incidents if i.resolved_at and i.resolved_at >= since]
    again = [i for i in incidents if i not in opened and i.resolved_at is None and i.facts.last >= since]
    admins = directory.file.delegated_admins if directory else []
    customers = directory.file.customers if directory else []
    people = [(a.user_id, a.user_principal_name, a.from_, a.to) for a in admins]
    tenants = [(c.tenant_id, c.display_name, c.from_, c.to) for c in customers]
    return Changes(
        generated_at=now,
        period=standing.period,
        coverage=standing.coverage,
        opened=[incident_item(i, names) for i in opened[:_MOST]],
        closed=[incident_item(i, names) for i in closed[:_MOST]],
        still_happening=[incident_item(i, names) for i in again[:_MOST]],
        technicians_joined=_dated(((i, n, start) for i, n, start, _ in people), since, now),
        technicians_left=_dated(((i, n, end) for i, n, _, end in people), since, now),
        customers_joined=_dated(((i, n, start) for i, n, start, _ in tenants), since, now),
        customers_left=_dated(((i, n, end) for i, n, _, end in tenants), since, now),
        exceptions=await exceptions_changed_since(app, since),
        truncated=found is None or max(len(opened), len(closed), len(again)) > _MOST,
    )


def _dated(entries: Iterable[tuple[str, str | None, datetime | None]], since: datetime, now: datetime) -> list[Joined]:
    dated = [
        Joined(id=shown_id(id_), name=name, at=at) for id_, name, at in entries if at is not None and since <= at <= now
    ]
    return sorted(dated, key=lambda each: each.at, reverse=True)[:_MOST]
