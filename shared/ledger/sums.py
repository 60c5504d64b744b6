"""Lines of many days added up, for who asks what a period was and not which day: who was where, how often, when last.
Pure.

What a sum says is what adding the days says. Each adder takes in one day after the other, so that a month is never held
as days, and gives JSON in parts, each with lines of its own: a row holds only so much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final, Protocol
from zlib import crc32

from msgspec import Raw, Struct
from msgspec.json import decode

from shared.ledger.counts import PairLines, merge_pairs
from shared.ledger.counts_json import lines_json, pairs_json
from shared.ledger.days import DayCustomers, DayLines, DayPairs, DayUsers
from shared.ledger.slices import DAY
from shared.ledger.tallies import CustomerVerdicts, UserLine
from shared.ledger.trimming import REST

# Beyond so many pairs a sum of them would take more memory than the plan has beside it.
MOST_PAIRS: Final = 300_000


class SummedUser(UserLine):
    """A person's sign-ins on several days; `seen` is how many days after the first of the sum the last of them lies."""

    seen: int = 0


class SummedCustomer(CustomerVerdicts):
    """The sign-ins to a customer on several days; `seen` as of people, of days with a verdict."""

    seen: int = 0


@dataclass(frozen=True, slots=True)
class Summed[T]:
    """The lines of the days from `first` to `last` (UTC midnights) added up. `trimmed_days`: on how many of them there
    were too many to keep each."""

    first: datetime
    last: datetime
    lines: T
    trimmed_days: int = 0

    @property
    def trimmed(self) -> bool:
        """Whether there were too many to keep each on some day."""
        return self.trimmed_days > 0

    @property
    def dates(self) -> list[date]:
        """Its days, by how many days after the first they lie."""
        return [(self.first + n * DAY).date() for n in range((self.last - self.first) // DAY + 1)]


class TurnsOfPeople(Struct):
    """What each person did day by day, undecoded but for the one who is asked for. `days` are those with a row, as how
    many days after the first they lie."""

    days: list[int] = []
    users: dict[str, Raw] = {}

    def of_user(self, user: str, first: datetime) -> list[DayUsers]:
        """The days, with the lines of that person alone."""
        lines: dict[int, dict[str, dict[str, UserLine]]] = {day: {} for day in self.days}
        if user in self.users:
            for scope, turns in decode(self.users[user], type=dict[str, list[SummedUser]]).items():
                for turn in turns:
                    lines[turn.seen][scope] = {user: turn}
        return [DayLines(first + day * DAY, of_day) for day, of_day in lines.items()]


type SummedUsers = Summed[dict[str, dict[str, SummedUser]]]
type SummedCustomers = Summed[dict[str, dict[str, SummedCustomer]]]


class Adder[L](Protocol):
    """Adds up the lines of days."""

    def add(self, day: DayLines[L]) -> bool:
        """Take in a day; False where these lines cannot be added up."""

    def part(self, number: int, of: int) -> Any:
        """The JSON of one of so many parts."""


@dataclass(slots=True)
class SumOfUsers:
    """People by scope."""

    first: datetime
    lines: dict[str, dict[str, SummedUser]] = field(default_factory=dict)

    def add(self, day: DayUsers) -> bool:
        """Take in a day."""
        for scope, users in day.lines.items():
            mine = self.lines.setdefault(scope, {})
            for user, line in users.items():
                known = mine.setdefault(user, SummedUser())
                known.merge(line)
                known.seen = max(known.seen, _since(self.first, day))
        return True

    def part(self, number: int, of: int) -> Any:
        """The JSON of a part."""
        return _by_scope(self.lines, number, of)


@dataclass(slots=True)
class SumOfTurns:
    """What each person did day by day."""

    first: datetime
    days: list[int] = field(default_factory=list)
    users: dict[str, dict[str, list[SummedUser]]] = field(default_factory=dict)

    def add(self, day: DayUsers) -> bool:
        """Take in a day."""
        at = _since(self.first, day)
        self.days.append(at)
        for scope, users in day.lines.items():
            for user, line in users.items():
                if user != REST:
                    turn = SummedUser(line.compliant, line.non_compliant, line.unknown, line.strength, at)
                    self.users.setdefault(user, {}).setdefault(scope, []).append(turn)
        return True

    def part(self, number: int, of: int) -> Any:
        """The JSON of a part."""
        return {"days": self.days, "users": lines_json(_of_part(self.users, number, of))}


@dataclass(slots=True)
class SumOfCustomers:
    """Customers by scope: the verdicts alone."""

    first: datetime
    lines: dict[str, dict[str, SummedCustomer]] = field(default_factory=dict)

    def add(self, day: DayCustomers) -> bool:
        """Take in a day."""
        for scope, customers in day.lines.items():
            mine = self.lines.setdefault(scope, {})
            for customer, line in customers.items():
                of = line.verdicts
                if of.compliant or of.non_compliant or of.unknown:
                    known = mine.setdefault(customer, SummedCustomer())
                    known.verdicts.compliant += of.compliant
                    known.verdicts.non_compliant += of.non_compliant
                    known.verdicts.unknown += of.unknown
                    known.seen = max(known.seen, _since(self.first, day))
        return True

    def part(self, number: int, of: int) -> Any:
        """The JSON of a part."""
        return _by_scope(self.lines, number, of)


@dataclass(slots=True)
class SumOfPairs:
    """Who signed in to which customer. Days of which some pair has no number are not added up: what is asked of those
    hangs on the day."""

    pairs: PairLines = field(default_factory=dict)

    def add(self, day: DayPairs) -> bool:
        """Take in a day."""
        of_day = {user: day.lines.of_user(user) for user in day.lines.users}
        if any(None in customers.values() for customers in of_day.values()):
            return False
        merge_pairs(self.pairs, of_day)
        return sum(map(len, self.pairs.values())) <= MOST_PAIRS

    def part(self, number: int, of: int) -> Any:
        """The JSON of a part."""
        return pairs_json(_of_part(self.pairs, number, of))


def _since(first: datetime, day: DayLines[Any]) -> int:
    return (day.day - first) // DAY


def _by_scope(lines: Mapping[str, Mapping[str, Any]], number: int, of: int) -> Any:
    """The JSON of a part of lines by scope."""
    return {scope: lines_json(_of_part(of_scope, number, of)) for scope, of_scope in lines.items()}


def _of_part[T](lines: Mapping[str, T], number: int, of: int) -> dict[str, T]:
    """The lines of a part: the same key is always in the same one."""
    if of == 1:
        return dict(lines)
    return {key: line for key, line in lines.items() if crc32(key.encode("utf-8", "surrogatepass")) % of == number}
