"""The list of findings, newest first.

Table Storage gives rows in the order of their keys, oldest first, so the list looks through windows of time, newest
first, and turns each one round. A window that one request cannot give whole is narrowed, a sparse one makes the next
wider. Where it stopped, and how wide the windows were, goes on in the cursor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Final, NamedTuple

from pydantic import Field, ValidationInfo, field_validator

from shared.answers.overview import known_directory, tenant_names
from shared.app.app import App
from shared.incidents.findings import Finding
from shared.ledger.slices import DAY, midnight
from shared.rules.assess import Verdict
from shared.rules.rule import Severity
from shared.signin.evidence import Evidence
from shared.store.findings import all_findings_within, findings_within
from shared.store.tables import Table
from shared.wire.cursor import Place, PlaceTime, from_cursor, to_cursor
from shared.wire.models import (
    Answer,
    Instant,
    Listed,
    ListQuery,
    Named,
    Page,
    RuleId,
    ScopeName,
    SeverityName,
    same_id,
    severity_name,
    shown_id,
)

_OLDEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
# One call makes at most ten requests (design.md, "Interfaces"); one is for the directory.
_REQUESTS: Final = 9
# Tenants whose logs are read side by side; with more of them the list goes through one group after the other.
_GROUP: Final = 4
_INSTANT: Final = timedelta(microseconds=1)
_NARROWEST: Final = timedelta(seconds=1)
_WIDEST: Final = 4096 * DAY
_STEP: Final = 4
_SPARSE: Final = 250


class FindingsQuery(ListQuery):
    """Which findings. Filters that are set must all fit; a comma list fits by any of its entries."""

    from_: Instant | None = Field(default=None, alias="from", description="Signed in at or after this time.")
    to: Instant | None = Field(default=None, description="Signed in before this time.")
    user: Named | None = Field(default=None, description="Object id or user principal name.")
    customer: Named | None = Field(default=None, description="Tenant id.")
    app: Named | None = Field(default=None, description="Application id.")
    rule: Listed[RuleId] | None = None
    severity: SeverityName | None = Field(default=None, description="This severity or a higher one.")
    scope: Listed[ScopeName] | None = None
    verdict: Listed[Verdict] | None = None
    evidence: Listed[Evidence] | None = None

    @field_validator("to")
    @classmethod
    def _after_from(cls, to: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("from_")
        if to and start and to <= start:
            raise ValueError("must be later than from")
        return to

    def fits(self, finding: Finding) -> bool:
        """Whether a finding is asked for; its time aside."""
        return (
            same_id(self.user, finding.user, finding.user_name)
            and same_id(self.customer, finding.customer)
            and same_id(self.app, finding.app)
            and (self.rule is None or not set(self.rule).isdisjoint(finding.rules))
            and (self.severity is None or finding.severity >= Severity.of(self.severity))
            and (self.scope is None or finding.scope in self.scope)
            and (self.verdict is None or finding.verdict in self.verdict)
            and (self.evidence is None or finding.evidence in self.evidence)
        )


class FindingItem(Answer):
    """One sign-in that breaks rules. Names and what the client sent are as the log gives them: hostile text."""

    id: str
    created_date_time: datetime
    scope: str
    evidence: str
    verdict: str
    rules: list[str]
    severity: SeverityName
    user: str
    user_principal_name: str | None
    user_display_name: str | None
    customer_tenant_id: str
    customer_name: str | None
    app_id: str | None
    app_display_name: str | None
    resource_display_name: str | None
    client_app_used: str | None
    user_agent: str | None
    ip_address: str | None
    session_id: str | None
    unique_token_identifier: str | None
    correlation_id: str | None
    incidents: list[str]


class FindingsPage(Page[FindingItem]):
    """Findings, newest first; with more than four tenants, newest first of each four."""


class _Place(Place):
    """Where the list goes on: with what is before `end`, of a group of tenants. `passed` is the key and the tenant of
    the last one given, where more of the same instant (the one before `end`) may follow. The whole list is of
    `start` to `until`."""

    start: PlaceTime
    until: PlaceTime
    end: PlaceTime
    group: int = Field(ge=0, lt=10_000)
    width: int = Field(ge=1, le=int(_WIDEST.total_seconds()))  # seconds
    passed: tuple[str, int] | None = None

    @property
    def window(self) -> datetime:
        """Where the next window begins: in the same day as its end, or a midnight some whole days before."""
        width = timedelta(seconds=self.width)
        if self.end == midnight(self.end) and width >= DAY:
            return midnight(max(self.end - width, self.start))
        return max(midnight(self.end - _INSTANT), self.end - width, self.start)

    @property
    def is_narrowest(self) -> bool:
        """Whether the next window must be given whole, because it cannot be cut further."""
        return self.end - self.window <= _NARROWEST

    def narrowed(self, seen: datetime | None) -> _Place:
        """With a narrower window. `seen` is how far one request got from the window's beginning."""
        width = min(self.end - self.window, timedelta(seconds=self.width)) // _STEP
        if seen:
            width = min(width, self.end - seen - _INSTANT)
        return self._with(width=max(width, _NARROWEST))

    def beyond(self, window: datetime, *, sparse: bool, groups: int) -> _Place | None:
        """Behind a window that was given whole; None at the end of the list."""
        width = timedelta(seconds=self.width)
        wider = min(width * _STEP, _WIDEST) if sparse else width
        if window > self.start:
            return self._with(end=window, width=wider, passed=None)
        if self.group + 1 < groups:
            return self._with(end=self.until, width=DAY, passed=None, group=self.group + 1)
        return None

    def behind(self, row: _Row) -> _Place:
        """Behind one finding."""
        return self._with(end=row.finding.at + _INSTANT, passed=(row.key, row.tenant))

    def is_left(self, row: _Row) -> bool:
        """Whether a finding of the window is still to be given."""
        if row.finding.at < self.start:
            return False
        return self.passed is None or row.finding.at + _INSTANT < self.end or (row.key, row.tenant) < self.passed

    def _with(self, *, width: timedelta | None = None, **changes: object) -> _Place:
        seconds = {} if width is None else {"width": int(width.total_seconds())}
        return self.model_copy(update={**changes, **seconds})


class _Row(NamedTuple):
    finding: Finding
    key: str
    tenant: int  # its place in the group

    def order(self) -> tuple[datetime, str, int]:
        """Descending, the order of the list."""
        return self.finding.at, self.key, self.tenant


async def read_findings(app: App, query: FindingsQuery) -> FindingsPage:
    """A page of findings. Raises BadParameter for a wrong cursor."""
    question = query.question("findings")
    place = from_cursor(query.cursor, _Place, question) if query.cursor else _first(query, app.clock())
    groups = [*batched(app.settings.tenants, _GROUP, strict=False)]
    table = (await app.tables()).slices
    found: list[Finding] = []
    left, was_narrowed = _REQUESTS, False
    while place and place.group < len(groups) and len(found) < query.limit and left >= len(groups[place.group]):
        tenants = groups[place.group]
        fresh, left = left == _REQUESTS, left - len(tenants)
        rows, more, seen = await _window(table, tenants, place)
        if more and not place.is_narrowest:
            place, was_narrowed = place.narrowed(seen), True
            continue
        if more and not fresh:
            break  # this second takes many requests: the next call begins with it
        if more:
            rows, left = await _whole(table, tenants, place), 0
        wanted = sorted((r for r in rows if place.is_left(r) and query.fits(r.finding)), key=_Row.order, reverse=True)
        taken = wanted[: query.limit - len(found)]
        found += [row.finding for row in taken]
        if len(taken) < len(wanted):
            place = place.behind(taken[-1])
        else:
            sparse = len(rows) < _SPARSE and not was_narrowed
            place = place.beyond(place.window, sparse=sparse, groups=len(groups))
    names = tenant_names(await known_directory(app))
    goes_on = place is not None and place.group < len(groups)
    return FindingsPage(
        items=[_item(finding, names) for finding in found],
        cursor=to_cursor(place, question) if place and goes_on else None,
    )


def _first(query: FindingsQuery, now: datetime) -> _Place | None:
    """Where the list begins; None where it is empty: nothing was signed in yet."""
    start, until = query.from_ or _OLDEST, min(query.to or now, now)
    if start >= until:
        return None
    return _Place(start=start, until=until, end=until, group=0, width=int(DAY.total_seconds()))


async def _window(table: Table, tenants: Sequence[str], place: _Place) -> tuple[list[_Row], bool, datetime | None]:
    """What one request a tenant gives of a window, whether there may be more, and how far those with more got."""
    parts = await asyncio.gather(*(findings_within(table, tenant, place.window, place.end) for tenant in tenants))
    rows = [_Row(finding, key, number) for number, (found, _) in enumerate(parts) for key, finding in found]
    seen = max((found[-1][1].at for found, more in parts if more and found), default=None)
    return rows, any(more for _, more in parts), seen


async def _whole(table: Table, tenants: Sequence[str], place: _Place) -> list[_Row]:
    """The findings of the narrowest window, in as many requests as they take."""
    parts = await asyncio.gather(*(all_findings_within(table, tenant, place.window, place.end) for tenant in tenants))
    return [_Row(finding, key, number) for number, rows in enumerate(parts) for key, finding in rows]


def _item(finding: Finding, names: Mapping[str, str]) -> FindingItem:
    return FindingItem(
        id=finding.id,
        created_date_time=finding.at,
        scope=finding.scope,
        evidence=finding.evidence,
        verdict=finding.verdict,
        rules=[*finding.rules],
        severity=severity_name(finding.severity),
        user=shown_id(finding.user),
        user_principal_name=finding.user_name or None,
        user_display_name=finding.user_display_name or None,
        customer_tenant_id=shown_id(finding.customer),
        customer_name=names.get(finding.customer),
        app_id=shown_id(finding.app) or None,
        app_display_name=finding.app_name or None,
        resource_display_name=finding.resource_name or None,
        client_app_used=finding.client or None,
        user_agent=finding.user_agent or None,
        ip_address=finding.ip or None,
        session_id=finding.session_id or None,
        unique_token_identifier=finding.token_id or None,
        correlation_id=finding.correlation_id or None,
        incidents=[*finding.incidents()],
    )
