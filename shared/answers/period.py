"""Which period an answer is about, and how much of its log was read: every list says both."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Annotated, Final
from weakref import WeakKeyDictionary

from pydantic import BeforeValidator, Field, WithJsonSchema

from shared.app.app import App
from shared.basics.spelling import id_key
from shared.basics.times import MICROSECOND
from shared.compliance.calendar import CalendarDay, calendar_days
from shared.compliance.coverage import Coverage, Measured, Window, coverage, measure, read_from
from shared.compliance.figures import Figures, figures_of_days
from shared.compliance.summary import Period
from shared.ledger.days import Day
from shared.ledger.slices import DAY, first_start_from, midnight
from shared.store.days import partner_days, reach_of_days
from shared.store.flights import all_flights
from shared.store.once import made_once
from shared.store.periods import MarkedPeriod
from shared.wire.models import Answer, BadParameter, DayCount, Page, Query

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_USUAL: Final = 30


def _day(value: object) -> object:
    if not isinstance(value, str):
        return value
    if not _DAY.fullmatch(value):
        raise ValueError("must be a UTC date such as 2026-09-01, without a time")
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("is not a valid date") from None


UtcDay = Annotated[datetime, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
DaysField = Field(default=None, description="How many UTC days, today included; 30 where no period is named.")
FromField = Field(default=None, alias="from", description="First UTC date of the period, in place of days.")
ToField = Field(default=None, description="UTC date behind the last one of the period; today is the last without it.")


class PeriodQuery(Query):
    """Of which UTC days: the last `days`, or `from` to `to` (excluded)."""

    days: DayCount | None = DaysField
    from_: UtcDay | None = FromField
    to: UtcDay | None = ToField


@dataclass(frozen=True, slots=True)
class Span:
    """A period from `start` to `end` (UTC, excluded), asked at `now`; it may reach into the future."""

    start: datetime
    end: datetime
    now: datetime

    @property
    def last(self) -> datetime:
        """The last instant that a day of the period can begin at, for reading days."""
        return min(self.end, self.now) - MICROSECOND

    def marked(self, marks: Mapping[datetime, str]) -> MarkedPeriod:
        """With the marks of its days' lines."""
        return MarkedPeriod(self.start, self.last, self.now, marks)


@dataclass(frozen=True)
class Standing:
    """A period as it stands: its days without their lines, and what was measured of each tenant."""

    span: Span
    days: Sequence[Day]
    measured: Sequence[Measured]

    @property
    def period(self) -> Period:
        """As an answer says it."""
        return Period(from_=self.span.start, to=min(self.span.end, self.span.now))

    @property
    def coverage(self) -> Coverage:
        """As an answer says it."""
        return coverage(self.measured)

    @cached_property
    def figures(self) -> Figures:
        """What its days add up to."""
        return figures_of_days(self.days)

    @property
    def marked(self) -> MarkedPeriod:
        """For reading the lines of its days."""
        return self.span.marked({day.day: day.lines_mark for day in self.days})


class CoveredPage[T: Answer](Page[T]):
    """A part of a list, with what it is of and how much of the log that rests on."""

    period: Period
    coverage: Coverage


def span_of(app: App, days: int | None, first: datetime | None, end: datetime | None) -> Span:
    """The UTC days that a question names. Raises BadParameter for what cannot be."""
    now = app.clock()
    kept = app.settings.finding_retention_days
    tomorrow = midnight(now) + DAY
    if days is not None and (first or end):
        raise BadParameter("days", "goes without from and to")
    if days is not None and days > kept:
        raise BadParameter("days", f"must be at most {kept}: so long counts are kept (FINDING_RETENTION_DAYS)")
    end = min(end, tomorrow) if end else tomorrow
    start = first or end - (days or _USUAL) * DAY
    if first and start >= end:
        raise BadParameter("from", "must be before to, and not in the future")
    if start < tomorrow - kept * DAY:
        if first is None:
            raise BadParameter("to", f"lies too far back: counts are kept for {kept} days (FINDING_RETENTION_DAYS)")
        oldest = tomorrow - kept * DAY
        raise BadParameter("from", f"must not be before {oldest:%Y-%m-%d}: counts are kept for {kept} days")
    return Span(start, end, now)


async def times_of(app: App, first: datetime | None, end: datetime | None) -> Span:
    """The period of a list of things with times: as named, else since the log is read."""
    now = app.clock()
    if first is None:
        known = (await _read_since(app)).values()
        oldest = midnight(now) - (app.settings.finding_retention_days - 1) * DAY
        begun = min(known, default=midnight(now - (_USUAL - 1) * DAY))
        first = max(first_start_from(begun, app.settings.slice_width), oldest)
        first = min(first, midnight((end or now) - MICROSECOND))
    return Span(first, end or now, now)


async def read_standing(app: App, span: Span) -> Standing:
    """How a period stands: one request a quarter of a year, and one for the tenants while they are new. The answers of
    one page share it."""
    key = ("standing", id(app), span.start, None if span.end >= span.now else span.end)
    return await made_once(key, lambda: _standing(app, span))


async def _standing(app: App, span: Span) -> Standing:
    rollups = (await app.tables()).rollups
    oldest = midnight(span.now) - app.settings.finding_retention_days * DAY  # nothing older is kept
    first = max(span.start, oldest)
    days = [day async for day in partner_days(rollups, first, span.last)] if first <= span.last else []
    window = Window(first, span.end, span.now, app.settings.slice_width, await _read_since(app), app.retention)
    return Standing(span, days, measure(app.settings.tenants, days, window))


async def read_calendar(app: App, days: int) -> list[CalendarDay]:
    """How each of the last days was read, as the trend of the summary and the items of the coverage have it: one
    request a quarter of a year."""
    span = span_of(app, days, None, None)
    tenants = {id_key(tenant) for tenant in app.settings.tenants}
    read = [day async for day in reach_of_days((await app.tables()).rollups, span.start, span.last, tenants)]
    window = Window(span.start, span.end, span.now, app.settings.slice_width, await _read_since(app), app.retention)
    return calendar_days(app.settings.tenants, read, window)


# From when on each tenant's log is read never changes, so a process asks once.
_known: Final[WeakKeyDictionary[App, dict[str, datetime]]] = WeakKeyDictionary()


async def _read_since(app: App) -> dict[str, datetime]:
    known = _known.get(app)
    if known is not None:
        return known
    flights = [flight async for flight in all_flights((await app.tables()).control)]
    since = read_from(flights, timedelta(days=app.settings.lookback_days))
    if {id_key(tenant) for tenant in app.settings.tenants} <= since.keys():
        _known[app] = since
    return since
