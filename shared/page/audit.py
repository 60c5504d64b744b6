"""For the auditor: statement, coverage calendar, roster of a day, register, exceptions, a random sample of findings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from pydantic import Field

from shared.answers.ahead import read_period_ahead
from shared.answers.exception_models import ExceptionItem, ExceptionsQuery
from shared.answers.exceptions import list_exceptions, read_exception_detail
from shared.answers.finding_sample import read_finding_sample
from shared.answers.findings import FindingsQuery
from shared.answers.overview import CoverageQuery, SummaryQuery, read_coverage, read_summary
from shared.answers.period import UtcDay, read_calendar
from shared.answers.register import RegisterQuery, read_register
from shared.answers.technicians import TechniciansQuery, read_technicians
from shared.compliance.beside import ExceptionNumbers
from shared.compliance.calendar import CalendarDay
from shared.compliance.gaps import GapKind
from shared.ledger.slices import DAY, midnight
from shared.page.asked import PageQuery, Visit
from shared.page.frame import show
from shared.store.sums import PAIRS_SUM, USERS_SUM
from shared.wire.models import Named, Whole

CALENDAR_DAYS: Final = 400
_MOST_ROWS: Final = 100
_SAMPLED_OF: Final = 1_000  # all of most months; a sample of fewer would be no sample


class RosterQuery(PageQuery):
    """Whose rights, on which UTC day."""

    on: UtcDay | None = None
    cursor: Named | None = None


class RegisterPageQuery(PageQuery):
    """Which part of the register."""

    cursor: Named | None = None


class SampleQuery(PageQuery):
    """Which random sample: the same seed gives the same sign-ins while the findings stay the same."""

    seed: Whole = Field(default=1, ge=0, le=999_999_999)


class Cell(NamedTuple):
    """A day of the calendar. `kind` is read, part, unread, lost (gone from the log), before (the installation) or none
    (nothing expected)."""

    day: date
    kind: str
    words: str


class Month(NamedTuple):
    """A month of the calendar, by week, Monday first; None where a week reaches beyond it."""

    first: date
    weeks: list[list[Cell | None]]

    @property
    def is_before(self) -> bool:
        """Whether all of it lies before the installation."""
        return all(cell is None or cell.kind == "before" for week in self.weeks for cell in week)


class ExceptionRow(NamedTuple):
    """An exception, and how many days it still holds."""

    item: ExceptionItem
    days_left: int


async def audit_page(visit: Visit) -> str:
    """The entrance of the auditor."""
    app, now = visit.app, visit.now
    days = min(CALENDAR_DAYS, app.settings.finding_retention_days)
    exceptions = await list_exceptions(app, ExceptionsQuery(limit=50))
    coverage = await read_coverage(app, CoverageQuery.model_validate({**visit.query.period, "limit": 25}))
    year = await read_calendar(app, days)
    accepted = await _accepted(visit) if exceptions.items else ExceptionNumbers()
    return await show(
        "audit.html",
        visit,
        months=_months(now, days),
        calendar=calendar(year, now),
        today=now.date(),
        calendar_days=days,
        coverage=coverage,
        accepted=accepted,
        exceptions=[ExceptionRow(e, (e.expires_on - now.date()).days) for e in exceptions.items],
    )


async def _accepted(visit: Visit) -> ExceptionNumbers:
    """How many sign-ins of the period exceptions accept."""
    query = visit.query
    whose = dict([*query.whose.items()][:1])  # figures can be of one of them alone
    asked = SummaryQuery.model_validate({**query.period, "scope": query.scope, **whose})
    return (await read_summary(visit.app, asked)).exceptions


async def exception_page(visit: Visit) -> str:
    """One exception with its history. Raises UnknownException."""
    item = await read_exception_detail(visit.app, visit.path["id"])
    return await show("exception.html", visit, e=item, days_left=(item.expires_on - visit.now.date()).days)


async def roster_page(visit: Visit[RosterQuery]) -> str:
    """Who had delegated rights on a day."""
    day = visit.query.on or midnight(visit.now)
    await read_period_ahead(visit.app, visit.span, USERS_SUM, PAIRS_SUM)
    page = await read_technicians(
        visit.app,
        TechniciansQuery.model_validate(
            {
                **visit.query.period,
                "asOf": day,
                "user": visit.query.user,
                "limit": _MOST_ROWS,
                "cursor": visit.query.cursor,
            }
        ),
    )
    return await show("roster.html", visit, day=day, page=page)


async def register_page(visit: Visit[RegisterPageQuery]) -> str:
    """Who had the app do what."""
    page = await read_register(visit.app, RegisterQuery(limit=_MOST_ROWS, cursor=visit.query.cursor))
    return await show("register.html", visit, page=page)


async def sample_page(visit: Visit[SampleQuery]) -> str:
    """A random sample of the period's findings."""
    query = visit.query
    asked = FindingsQuery.model_validate({**visit.times, **query.whose, "scope": query.scope, "limit": _SAMPLED_OF})
    drawn = await read_finding_sample(visit.app, asked, query.seed)
    return await show("sample.html", visit, drawn=drawn, seed=query.seed)


def calendar(days: Sequence[CalendarDay], now: datetime) -> list[Month]:
    """The days by month, the newest month first."""
    months: dict[date, list[Cell]] = {}
    for day in days:
        months.setdefault(day.day.replace(day=1), []).append(_cell(day, now))
    return [Month(first, _weeks(cells)) for first, cells in sorted(months.items(), reverse=True)]


def _weeks(cells: Sequence[Cell]) -> list[list[Cell | None]]:
    padded: list[Cell | None] = [*[None] * cells[0].day.weekday(), *cells]
    padded += [None] * (-len(padded) % 7)
    return [padded[n : n + 7] for n in range(0, len(padded), 7)]


def _cell(day: CalendarDay, now: datetime) -> Cell:
    read, kinds, is_today = day.read, {*day.kinds}, day.day == now.date()
    percent = None if read is None else read.percent
    if read is None or percent is None:
        kind, words = "none", "not over yet" if is_today else "nothing expected"
    elif percent == 100:
        kind, words = "read", "read to its end" if read.settled or is_today else "read, not final yet"
    elif GapKind.EXPIRED in kinds:
        kind, words = "lost", f"{percent:g} % read, the rest is gone from the log"
    elif read.before_installation and percent == 0:
        kind, words = "before", "before the installation"
    else:
        kind, words = ("part", f"{percent:g} % read") if percent else ("unread", "not read")
    troubles = "".join(f", {name}" for name in sorted(kinds - {GapKind.BEFORE_INSTALLATION, GapKind.EXPIRED}))
    lacking = f", {day.non_compliant} without MFA" if day.non_compliant else ""
    return Cell(day.day, kind, words + troubles + lacking)


def _months(now: datetime, days: int) -> list[str]:
    """The months that are kept, this one first."""
    found: list[str] = []
    at = now
    while at > now - timedelta(days=days) and len(found) < 24:
        found.append(f"{at:%Y-%m}")
        at = at.replace(day=1) - DAY
    return found
