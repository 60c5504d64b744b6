"""What changed since a time: incidents, exceptions, people and customers, and where the log was not read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field

from shared.answers.directories import tenant_names
from shared.answers.exception_models import ExceptionItem
from shared.answers.exceptions import exceptions_changed_since
from shared.answers.incidents import IncidentItem, incident_item
from shared.answers.period import Span, Standing, read_standing, times_of
from shared.app.app import App
from shared.basics.spelling import id_key
from shared.compliance.coverage import Coverage
from shared.compliance.gaps import CoverageItem, GapKind, gaps
from shared.compliance.summary import Period
from shared.ledger.slices import DAY, RETENTION_MARGIN
from shared.store.flights import all_flights
from shared.store.outlines import incidents_changed_since
from shared.store.tables import Tables
from shared.wire.models import Answer, AskedTime, BadParameter, Query, shown_id

_MOST: Final = 200
# What reads of itself: a gap only where it stands for longer.
_ON_THE_WAY: Final = (GapKind.UNREAD, GapKind.UNFINISHED, GapKind.OVERDUE)
_READ_BY_THEN: Final = timedelta(hours=2)


class ChangesQuery(Query):
    """Since when."""

    since: AskedTime | None = Field(default=None, description="At or after this time; 24 hours ago if none.")


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
    raised: list[IncidentItem] = Field(description="Whose severity rose since then, after people were told of it.")
    closed: list[IncidentItem] = Field(description="Resolved by somebody, by quiet or because records were corrected.")
    still_happening: list[IncidentItem] = Field(description="Opened before, not resolved, and seen again since.")
    technicians_joined: list[Joined] = Field(description="Who has delegated rights since then.")
    technicians_left: list[Joined] = Field(description="Who has no delegated rights any more.")
    customers_joined: list[Joined] = Field(description="Customers since then.")
    customers_left: list[Joined] = Field(description="Customers until then.")
    exceptions: list[ExceptionItem] = Field(description="Asked for, approved or ended since then.")
    coverage_lost: list[CoverageItem] = Field(
        description="Where the log of that time was not read in time, and what it let go since then unread."
    )
    truncated: bool


async def read_changes(app: App, query: ChangesQuery) -> Changes:
    """What changed. Raises BadParameter for a time in the future."""
    now = app.clock()
    since = query.since or now - DAY
    if since >= now:
        raise BadParameter("since", "must not be in the future")
    standing = await read_standing(app, await times_of(app, since, None))
    directory = await app.known_directory()
    names = tenant_names(directory)
    tables = await app.tables()
    found = await incidents_changed_since(tables.incidents, since)
    incidents = sorted(found, key=lambda i: (i.facts.last, i.key), reverse=True)
    opened = [i for i in incidents if i.opened_at and i.opened_at >= since and i.facts.count]
    raised = [i for i in incidents if i.raised_at and i.raised_at >= since and i.facts.count]
    closed = [i for i in incidents if i.resolved_at and i.resolved_at >= since]
    again = [i for i in incidents if i not in opened and i.resolved_at is None and i.facts.last >= since]
    admins = directory.file.delegated_admins if directory else []
    customers = directory.file.customers if directory else []
    lost = await _lost(app, tables, standing, since)
    people = [(a.user_id, a.user_principal_name, a.from_, a.to) for a in admins]
    tenants = [(c.tenant_id, c.display_name, c.from_, c.to) for c in customers]
    return Changes(
        generated_at=now,
        period=standing.period,
        coverage=standing.coverage,
        opened=[incident_item(i, names) for i in opened[:_MOST]],
        raised=[incident_item(i, names) for i in raised[:_MOST]],
        closed=[incident_item(i, names) for i in closed[:_MOST]],
        still_happening=[incident_item(i, names) for i in again[:_MOST]],
        technicians_joined=_dated(((i, n, start) for i, n, start, _ in people), since, now),
        technicians_left=_dated(((i, n, end) for i, n, _, end in people), since, now),
        customers_joined=_dated(((i, n, start) for i, n, start, _ in tenants), since, now),
        customers_left=_dated(((i, n, end) for i, n, _, end in tenants), since, now),
        exceptions=await exceptions_changed_since(app, since),
        coverage_lost=lost[:_MOST],
        truncated=max(len(opened), len(raised), len(closed), len(again), len(lost)) > _MOST,
    )


async def _lost(app: App, tables: Tables, standing: Standing, since: datetime) -> list[CoverageItem]:
    """The gaps of the period, but for what closed so lately that nobody could have read it; and those of the time that
    the log let go since then. The newest first."""
    now = standing.span.now
    flights = {flight.tenant: flight async for flight in all_flights(tables.control)}
    items = [item for m in standing.measured for item in gaps(m, flights.get(id_key(m.tenant)))]
    found = [i for i in items if i.kind not in _ON_THE_WAY or i.from_ < now - _READ_BY_THEN]
    found = [i for i in found if i.kind is not GapKind.BEFORE_INSTALLATION]
    age = app.retention - RETENTION_MARGIN
    gone = Span(since - age, now - age, now)
    for measured in (await read_standing(app, gone)).measured:
        found += [item for item in gaps(measured, None) if item.kind is GapKind.EXPIRED]
    return sorted(found, key=lambda item: (item.from_, item.tenant_id), reverse=True)


def _dated(entries: Iterable[tuple[str, str | None, datetime | None]], since: datetime, now: datetime) -> list[Joined]:
    dated = [
        Joined(id=shown_id(id_), name=name, at=at) for id_, name, at in entries if at is not None and since <= at <= now
    ]
    return sorted(dated, key=lambda each: each.at, reverse=True)[:_MOST]
