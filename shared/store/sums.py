"""Sums of the days at rest: the lines of the usual period but for its newest days, added up, beside the days.

A sum notes the marks of the days that it is of, and is read only while each of them stands: so a late read, a rescan or
an older version of the app makes an answer slower and never wrong. The plan makes it anew. Erasing somebody rewrites
lines and no mark: it takes the sums away behind it, and who makes one looks once more whether its lines still stand.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from azure.data.tables import UpdateMode

from shared.ledger.counts import FORMAT
from shared.ledger.counts_json import PairColumns
from shared.ledger.days import marks_mark
from shared.ledger.slices import DAY, midnight
from shared.ledger.sums import (
    Adder,
    Summed,
    SummedCustomer,
    SummedUser,
    SumOfCustomers,
    SumOfPairs,
    SumOfTurns,
    SumOfUsers,
    TurnsOfPeople,
)
from shared.store.packing import TooLong, pack, unpack
from shared.store.removing import remove_row
from shared.store.rollup_rows import (
    CUSTOMER_VERDICTS,
    PAIRS,
    PARTNER,
    TOTALS,
    USERS,
    LineKind,
    day_key,
    day_named,
    lines_mark,
    totals_key,
)
from shared.store.tables import SCHEMA, Conflict, Operation, Row, Table, delete, etag_of, is_newer, keys, upsert, utc

SUMS: Final = "sum-"
# The days of the usual period that are added up. Yesterday's slices are read again all day, at the age of a day; those
# of the day before not until tomorrow.
_OLDEST: Final = 29 * DAY
_NEWEST: Final = 2 * DAY
# While days go on changing a sum is not made anew with each.
_PATIENCE: Final = timedelta(hours=1)
_PART_ROOM: Final = 700_000
_MOST_PARTS: Final = 3  # that one transaction holds


@dataclass(frozen=True, slots=True)
class SumKind[S]:
    """A kind of sum: its name, the lines that it adds up, what adds them up from a first day on, and what its JSON is
    decoded as."""

    name: str
    of: LineKind[Any]
    adder: Callable[[datetime], Adder[Any]]
    form: Any

    @property
    def rows(self) -> tuple[str, str]:
        """The range of its rows' keys."""
        return f"{SUMS}{self.name}-", f"{SUMS}{self.name}-~"

    def row_key(self, part: int) -> str:
        """The row key of a part."""
        return f"{SUMS}{self.name}-{part}"


USERS_SUM: Final[SumKind[dict[str, dict[str, SummedUser]]]] = SumKind(
    "users", USERS, SumOfUsers, dict[str, dict[str, SummedUser]]
)
TURNS: Final[SumKind[TurnsOfPeople]] = SumKind("turns", USERS, SumOfTurns, TurnsOfPeople)
CUSTOMERS_SUM: Final[SumKind[dict[str, dict[str, SummedCustomer]]]] = SumKind(
    "customers", CUSTOMER_VERDICTS, SumOfCustomers, dict[str, dict[str, SummedCustomer]]
)
PAIRS_SUM: Final[SumKind[PairColumns]] = SumKind("pairs", PAIRS, lambda first: SumOfPairs(), PairColumns)
SUM_KINDS: Final = (USERS_SUM, TURNS, CUSTOMERS_SUM, PAIRS_SUM)


def days_at_rest(now: datetime) -> tuple[datetime, datetime]:
    """The first and the last of the days that sums are of."""
    today = midnight(now)
    return today - _OLDEST, today - _NEWEST


def rests_on(marks: Mapping[datetime, str], first: datetime, last: datetime) -> str | None:
    """What a sum of these days rests on, by the marks of the days that were read; None where one says nothing."""
    within = {day_key(day): mark for day, mark in marks.items() if first <= day <= last}
    return marks_mark({**within, f"from {day_key(first)} to {day_key(last)}": ""}) if all(within.values()) else None


def stands(rows: Sequence[Row], marks: Mapping[datetime, str], at_rest: tuple[datetime, datetime]) -> bool:
    """Whether the rows of a sum are all there, and of these days, first and last, as they have these marks."""
    if not rows or any(is_newer(row) or row["format"] != FORMAT for row in rows):
        return False
    head = rows[0]
    if len(rows) != head["parts"] or len({row["made"] for row in rows}) > 1:
        return False
    return bool(head["restsOn"] == rests_on(marks, *at_rest))


def sums_of_rows[S](
    kind: SumKind[S], rows: Sequence[Row], marks: Mapping[datetime, str], at_rest: tuple[datetime, datetime]
) -> list[Summed[S]]:
    """A sum from its rows, in parts with lines of their own; nothing where it does not stand."""
    if not stands(rows, marks, at_rest):
        return []
    return [
        Summed(*at_rest, unpack("sum", row, kind.form), 0 if place else rows[0]["trimmedDays"])
        for place, row in enumerate(rows)
    ]


async def renew_sums(rollups: Table, marks: Mapping[datetime, str], now: datetime) -> None:
    """Make the sums anew that are not of the days as they stand. `marks`: of all days. One request where they are."""
    first, last = days_at_rest(now)
    wanted = rests_on(marks, first, last)
    known: dict[str, Row] = {}
    async for row in rollups.prefixed(PARTNER, SUMS, ["PartitionKey", "RowKey", "v", "first", "restsOn", "madeAt"]):
        known[str(row["RowKey"])] = row
    if wanted is None:
        return
    for kind in SUM_KINDS:
        mine = {key: row for key, row in known.items() if kind.rows[0] <= key < kind.rows[1]}
        if _is_due(mine.get(kind.row_key(0)), wanted, first, now) and not any(map(is_newer, mine.values())):
            await _Making(rollups, kind, first, last, wanted).make(now, mine)


async def remove_sums(rollups: Table) -> None:
    """Take all of them away: the plan makes them again of what stands now."""
    async for row in rollups.prefixed(PARTNER, SUMS, ["PartitionKey", "RowKey", "v"]):
        if not is_newer(row):
            await remove_row(rollups, row)


async def sums_before(rollups: Table, cutoff: datetime) -> AsyncIterator[Row]:
    """The keys of sums that begin before the cutoff, for retention."""
    async for row in rollups.prefixed(PARTNER, SUMS, ["PartitionKey", "RowKey", "v", "first"]):
        if not is_newer(row) and day_named(row["first"]) < cutoff:
            yield row


def _is_due(row: Row | None, wanted: str, first: datetime, now: datetime) -> bool:
    if row is None or row["first"] != day_key(first):
        return True
    return bool(row["restsOn"] != wanted) and utc(row["madeAt"]) + _PATIENCE <= now


@dataclass(slots=True)
class _Making:
    """One sum as it is made. `etags` are those of the lines that it was made of."""

    rollups: Table
    kind: SumKind[Any]
    first: datetime
    last: datetime
    wanted: str
    etags: dict[str, str] | None = None
    trimmed_days: int = 0

    async def make(self, now: datetime, known: Mapping[str, Row]) -> None:
        """Make and write it, unless the days change meanwhile."""
        adder = await self._added_up()
        if not await self._still_stands():
            return
        parts = self._parts(adder) if adder else []
        head = {
            "v": SCHEMA,
            "format": FORMAT,
            "first": day_key(self.first),
            "last": day_key(self.last),
            "restsOn": self.wanted,
            "madeAt": now,
            "made": uuid4().hex,
            "parts": len(parts),  # 0: too many lines for rows, or such as cannot be added up; the days are read
            "trimmedDays": self.trimmed_days,
        }
        written = [
            _replace({**keys(PARTNER, self.kind.row_key(number)), **head, **part})
            for number, part in enumerate(parts or [{}])
        ]
        beyond = [row for key, row in known.items() if key not in {op[1]["RowKey"] for op in written}]
        try:
            await self.rollups.transact([*written, *(delete(row) for row in beyond)])
        except Conflict:
            return  # another plan made it meanwhile
        if not await self._still_stands():
            for operation in written:
                await remove_row(self.rollups, operation[1])

    async def _added_up(self) -> Adder[Any] | None:
        adder = self.kind.adder(self.first)
        self.etags = {}
        fits = True
        async for row in self.rollups.range(PARTNER, self.kind.of.row_key(self.first), self._end(self.kind.of.prefix)):
            self.etags[str(row["RowKey"])] = etag_of(row)
            if is_newer(row):
                continue  # as answers do
            day = self.kind.of.lines_of(row)
            self.trimmed_days += day.trimmed
            fits = fits and adder.add(day)
        return adder if fits else None

    def _end(self, prefix: str) -> str:
        return f"{prefix}{day_key(self.last)}~"

    async def _still_stands(self) -> bool:
        """Whether the days have the marks, and the lines are those that were added up."""
        of = self.kind.of
        ranges = [(totals_key(self.first), self._end(TOTALS)), (of.row_key(self.first), self._end(of.prefix))]
        marks: dict[datetime, str] = {}
        etags: dict[str, str] = {}
        async for row in self.rollups.ranges(PARTNER, ranges, ["RowKey", "v", "format", "countsMark"]):
            if str(row["RowKey"]).startswith(TOTALS):
                marks[day_named(str(row["RowKey"]))] = lines_mark(row)
            else:
                etags[str(row["RowKey"])] = etag_of(row)
        return rests_on(marks, self.first, self.last) == self.wanted and etags == self.etags

    def _parts(self, adder: Adder[Any]) -> list[dict[str, bytes]]:
        """The columns of each part; none where they do not fit."""
        for of in range(1, _MOST_PARTS + 1):
            try:
                return [pack("sum", adder.part(number, of), _PART_ROOM) for number in range(of)]
            except TooLong:
                continue
        return []


def _replace(row: Row) -> Operation:
    """Nothing of what stood there is to stay: it may name somebody who was erased."""
    verb, checked, *_ = upsert(row)
    return (verb, checked, {"mode": UpdateMode.REPLACE})
