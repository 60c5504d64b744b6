"""Reading the lines of a period: of the days at rest what they add up to, where that stands (shared/store/sums.py), and
of the others each day. What either says of the period is the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.basics.times import MICROSECOND
from shared.ledger.counts_json import PairColumns
from shared.ledger.days import DayCustomers, DayLines, DayPairs, DayUsers
from shared.ledger.slices import DAY, midnight
from shared.ledger.sums import Summed, SummedCustomers, SummedUsers
from shared.store.days import lines_of_days
from shared.store.once import made_once
from shared.store.rollup_rows import PARTNER, TOTALS, LineKind, day_named, lines_mark, totals_key
from shared.store.sums import CUSTOMERS_SUM, PAIRS_SUM, TURNS, USERS_SUM, SumKind, days_at_rest, stands, sums_of_rows
from shared.store.tables import Row, Table


@dataclass(frozen=True, slots=True)
class MarkedPeriod:
    """The days from that of `first` to that of `last` (UTC), asked at `now`, with the marks of their lines by day."""

    first: datetime
    last: datetime
    now: datetime
    marks: Mapping[datetime, str] = field(default_factory=dict)

    @property
    def at_rest(self) -> tuple[datetime, datetime] | None:
        """The first and the last of the days that are added up; None where the period has not all of them."""
        first, last = days_at_rest(self.now)
        return (first, last) if self.first <= first and last <= midnight(self.last) else None

    def spans(self, *, with_sum: bool) -> list[tuple[datetime, datetime]]:
        """The days to read one by one, beside a sum or without one: each first and last. Those after the sum's are
        apart either way, as they are read ahead."""
        if self.at_rest is None:
            return [(self.first, self.last)]
        first, last = self.at_rest
        spans = [(self.first, first - MICROSECOND if with_sum else last), (last + DAY, self.last)]
        return [(begin, end) for begin, end in spans if begin <= end]


async def users_of_period(rollups: Table, period: MarkedPeriod) -> AsyncIterator[DayUsers | SummedUsers]:
    """People by scope."""
    async for lines in _of_period(rollups, USERS_SUM, period):
        yield lines


async def customers_of_period(rollups: Table, period: MarkedPeriod) -> AsyncIterator[DayCustomers | SummedCustomers]:
    """Customers by scope: the verdicts alone."""
    async for lines in _of_period(rollups, CUSTOMERS_SUM, period):
        yield lines


async def pairs_of_period(rollups: Table, period: MarkedPeriod) -> AsyncIterator[DayPairs | Summed[PairColumns]]:
    """Who signed in to which customer."""
    async for lines in _of_period(rollups, PAIRS_SUM, period):
        yield lines


async def days_of_user(rollups: Table, period: MarkedPeriod, user: str) -> list[DayUsers]:
    """One person day by day; days that are read one by one have the others' lines too."""
    sums = await _sums(rollups, TURNS, period)
    days: list[DayUsers] = []
    if sums:
        theirs = next((part for part in sums if user in part.lines.users), sums[0])
        days = theirs.lines.of_user(user, theirs.first)
    for first, last in period.spans(with_sum=bool(sums)):
        days += [day async for day in lines_of_days(rollups, TURNS.of, first, last)]
    return days


async def read_ahead(
    rollups: Table, period: MarkedPeriod, *kinds: LineKind[Any] | SumKind[Any], totals_from: datetime
) -> None:
    """Ask for the totals and several kinds of lines at once, for answers that ask for each (shared/store/once.py); once
    more where the sum of a kind does not stand."""
    totals = (totals_key(min(period.first, totals_from)), totals_key(period.last) + "~")
    ranges = [totals]
    at_rest = period.at_rest
    summed = [kind for kind in kinds if isinstance(kind, SumKind)] if at_rest else []
    for kind in kinds:
        if kind in summed:
            ranges.append(kind.rows)
        spans = period.spans(with_sum=True)[-1:] if kind in summed else [(period.first, period.last)]
        ranges += _ranges(kind.of if isinstance(kind, SumKind) else kind, spans)
    rows = [row async for row in rollups.ranges(PARTNER, [*dict.fromkeys(ranges)])]
    left: list[tuple[str, str]] = []
    for kind in summed:
        with_sum = at_rest is not None and _stands(kind, rows, at_rest)
        left += _ranges(kind.of, period.spans(with_sum=with_sum)[:-1])
    if left:
        async for _ in rollups.ranges(PARTNER, [*dict.fromkeys(left)]):
            pass


def _ranges(kind: LineKind[Any], spans: Sequence[tuple[datetime, datetime]]) -> list[tuple[str, str]]:
    return [(kind.row_key(first), kind.row_key(last) + "~") for first, last in spans]


def _stands(kind: SumKind[Any], rows: Sequence[Row], at_rest: tuple[datetime, datetime]) -> bool:
    marks = {day_named(str(row["RowKey"])): lines_mark(row) for row in rows if str(row["RowKey"]).startswith(TOTALS)}
    first, end = kind.rows
    return stands([row for row in rows if first <= str(row["RowKey"]) < end], marks, at_rest)


async def _of_period[S](
    rollups: Table, kind: SumKind[S], period: MarkedPeriod
) -> AsyncIterator[DayLines[Any] | Summed[S]]:
    sums = await _sums(rollups, kind, period)
    for part in sums:
        yield part
    for first, last in period.spans(with_sum=bool(sums)):
        async for day in lines_of_days(rollups, kind.of, first, last):
            yield day


async def _sums[S](rollups: Table, kind: SumKind[S], period: MarkedPeriod) -> list[Summed[S]]:
    """The parts of a sum; nothing where none stands."""
    at_rest = period.at_rest
    if at_rest is None or not period.marks:
        return []

    async def read() -> list[Summed[S]]:
        rows = [row async for row in rollups.range(PARTNER, *kind.rows)]
        return sums_of_rows(kind, rows, period.marks, at_rest)

    return await made_once(("sum", id(rollups), kind.name), read)
