"""Who signed in where, and when last: from the lines of the partner's days. Pure.

Only successful sign-ins in a watched scope count: those that have a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date

from shared.compliance.coverage import Window, measure
from shared.ledger.counts import PairLines, merge_pairs
from shared.ledger.counts_json import PairColumns, UserColumns
from shared.ledger.days import Day, DayCustomers, DayPairs, DayUsers
from shared.ledger.slices import DAY
from shared.ledger.sums import Summed, SummedCustomer, SummedCustomers, SummedUser, SummedUsers
from shared.ledger.tallies import UserLine, Verdicts
from shared.ledger.trimming import REST
from shared.signin.traits import WATCHED


@dataclass(slots=True)
class Activity:
    """What the days say. `users`, with the strength of each person's MFA, and `customers` are of the scopes asked for,
    and so is `customers_seen`, each customer's last day. `anywhere` are people of every watched scope, `by_scope` how
    many sign-ins with a verdict each had in each, `seen` each user's last day there, `reached` the customers that each
    user signed in to, and `there` these sign-ins together, None where some day recorded no number. `trimmed_…`: there
    were too many to keep each, so that one who is missing may have been there."""

    users: dict[str, UserLine] = field(default_factory=dict)
    anywhere: dict[str, Verdicts] = field(default_factory=dict)
    customers: dict[str, Verdicts] = field(default_factory=dict)
    customers_seen: dict[str, date] = field(default_factory=dict)
    seen: dict[str, date] = field(default_factory=dict)
    by_scope: dict[str, dict[str, int]] = field(default_factory=dict)
    reached: dict[str, set[str]] = field(default_factory=dict)
    there: dict[str, Verdicts | None] = field(default_factory=dict)
    trimmed_users: bool = False
    trimmed_customers: bool = False
    trimmed_pairs: bool = False

    def add_users(self, days: DayUsers | SummedUsers, scopes: Sequence[str]) -> None:
        """Take in the people of a day, or of several days together."""
        self.trimmed_users |= days.trimmed
        dates = days.dates if isinstance(days, Summed) else [days.day.date()]
        for scope in WATCHED:
            is_asked_for = scope in scopes
            for user, line in days.lines.get(scope, {}).items():
                if user == REST:
                    continue
                on = dates[line.seen] if isinstance(line, SummedUser) else dates[0]
                self._add_user(user, line, scope, on)
                if is_asked_for:
                    mine = self.users.get(user)
                    if mine is None:  # there are thousands: most are copied and few added
                        strength = dict(line.strength)
                        self.users[user] = UserLine(line.compliant, line.non_compliant, line.unknown, strength)
                    else:
                        mine.merge(line)

    def _add_user(self, user: str, line: UserLine, scope: str, on: date) -> None:
        known = self.anywhere.get(user)
        if known is None:
            self.anywhere[user] = Verdicts(line.compliant, line.non_compliant, line.unknown)
            self.by_scope[user], self.seen[user] = {scope: line.total}, on
            return
        known.merge(line)
        if on > self.seen[user]:
            self.seen[user] = on
        of_user = self.by_scope[user]
        of_user[scope] = of_user.get(scope, 0) + line.total

    def add_customers(self, days: DayCustomers | SummedCustomers, scopes: Sequence[str]) -> None:
        """Take in the customers of a day, or of several days together."""
        self.trimmed_customers |= days.trimmed
        dates = days.dates if isinstance(days, Summed) else [days.day.date()]
        for scope in scopes:
            for customer, line in days.lines.get(scope, {}).items():
                of = line.verdicts
                if customer == REST or not (of.compliant or of.non_compliant or of.unknown):
                    continue
                on = dates[line.seen] if isinstance(line, SummedCustomer) else dates[0]
                known = self.customers.get(customer)
                if known is None:
                    self.customers[customer] = Verdicts(of.compliant, of.non_compliant, of.unknown)
                    self.customers_seen[customer] = on
                else:
                    known.merge(of)
                    self.customers_seen[customer] = max(self.customers_seen[customer], on)

    def add_pairs(self, days: DayPairs | Summed[PairColumns]) -> None:
        """Take in the pairs of a day, or of several days together."""
        self.trimmed_pairs |= days.trimmed
        for user, columns in days.lines.users.items():
            if user != REST:
                known = self.reached.get(user)
                if known is None:
                    self.reached[user] = set(days.lines.reached(user))
                else:
                    known.update(days.lines.reached(user))
                self.there[user] = _together(self.there.get(user, Verdicts()), columns)

    def narrow_to(self, user: str, days: Iterable[DayPairs | Summed[PairColumns]]) -> None:
        """Only that person: whom they signed in to, and how these sign-ins were."""
        pairs: PairLines = {}
        for day in days:
            merge_pairs(pairs, {user: day.lines.of_user(user)})
        self.reached = {user: self.reached[user]} if user in self.reached else {}
        self.there = {user: self.there[user]} if user in self.there else {}
        self.customers = {customer: line or Verdicts() for customer, line in pairs.get(user, {}).items()}

    def never_with_mfa(self) -> set[str]:
        """Those of whom every judged sign-in into a customer was without MFA, as far as days kept verdicts."""
        return {user for user, line in self.there.items() if line and line.non_compliant and not line.compliant}

    def reached_by(self, wanted: AbstractSet[str]) -> dict[str, set[str]]:
        """The users who signed in to each of these customers."""
        turned: dict[str, set[str]] = {}
        for user, customers in self.reached.items():
            for customer in customers & wanted:
                turned.setdefault(customer, set()).add(user)
        return turned


def _together(known: Verdicts | None, columns: UserColumns) -> Verdicts | None:
    """With the numbers of a day, at all customers."""
    if known is None or None in columns.compliant:
        return None
    known.compliant += sum(columns.compliant)  # type: ignore[arg-type]  # where one is a number all are
    known.non_compliant += sum(columns.non_compliant)  # type: ignore[arg-type]
    known.unknown += sum(columns.unknown)  # type: ignore[arg-type]
    return known


def is_wholly_read(tenants: Iterable[str], days: Sequence[Day], window: Window) -> bool:
    """Whether the window was read but for its last day: else nobody can be said to have been absent."""
    measured = measure(tenants, days, window)
    return all(slice_.end > window.now - DAY for tenant in measured for slice_ in tenant.missing)
