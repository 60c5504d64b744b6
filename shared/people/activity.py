"""Who signed in where, and when last: from the lines of the partner's days. Pure.

Only successful sign-ins in a watched scope count: those that have a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from shared.compliance.coverage import Window, measure
from shared.ledger.counts import PairLines, merge_pairs
from shared.ledger.days import Day, DayCustomers, DayPairs, DayUsers
from shared.ledger.slices import DAY
from shared.ledger.tallies import UserLine, Verdicts
from shared.ledger.trimming import REST
from shared.signin.traits import WATCHED


@dataclass(slots=True)
class Activity:
    """What the days say. `users`, with the strength of each person's MFA, and `customers` are of the scopes asked for,
    and so is `customers_seen`, each customer's last day. `anywhere` are people of every watched scope, `by_scope` how
    many sign-ins with a verdict each had in each, `seen` each user's last day there, `pairs` who signed in to which
    customer. `trimmed_…`: there were too many to keep each, so that one who is missing may have been there."""

    users: dict[str, UserLine] = field(default_factory=dict)
    anywhere: dict[str, UserLine] = field(default_factory=dict)
    customers: dict[str, Verdicts] = field(default_factory=dict)
    customers_seen: dict[str, date] = field(default_factory=dict)
    seen: dict[str, date] = field(default_factory=dict)
    by_scope: dict[str, dict[str, int]] = field(default_factory=dict)
    pairs: PairLines = field(default_factory=dict)
    trimmed_users: bool = False
    trimmed_customers: bool = False
    trimmed_pairs: bool = False

    def add_users(self, day: DayUsers, scopes: Sequence[str]) -> None:
        """Take in a day's people."""
        self.trimmed_users |= day.trimmed
        for scope in WATCHED:
            for user, line in day.lines.get(scope, {}).items():
                if user == REST:
                    continue
                self.seen[user] = max(self.seen.get(user, date.min), day.day.date())
                of_user = self.by_scope.setdefault(user, {})
                of_user[scope] = of_user.get(scope, 0) + line.total
                self.anywhere.setdefault(user, UserLine()).merge(line)
                if scope in scopes:
                    self.users.setdefault(user, UserLine()).merge(line)

    def add_customers(self, day: DayCustomers, scopes: Sequence[str]) -> None:
        """Take in a day's customers."""
        self.trimmed_customers |= day.trimmed
        for scope in scopes:
            for customer, counts in day.lines.get(scope, {}).items():
                if customer != REST and counts.by_verdict.total:
                    self.customers_seen[customer] = max(self.customers_seen.get(customer, date.min), day.day.date())
                    self.customers.setdefault(customer, Verdicts()).merge(counts.by_verdict)

    def add_pairs(self, day: DayPairs) -> None:
        """Take in a day's pairs."""
        self.trimmed_pairs |= day.trimmed
        merge_pairs(self.pairs, {user: customers for user, customers in day.lines.items() if user != REST})

    def narrow_to(self, user: str) -> None:
        """Only that person: whom they signed in to, and how these sign-ins were."""
        customers = self.pairs.get(user, {})
        self.pairs = {user: customers} if customers else {}
        self.customers = {customer: line or Verdicts() for customer, line in customers.items()}

    def never_with_mfa(self) -> set[str]:
        """Those of whom every judged sign-in into a customer was without MFA, as far as days kept verdicts."""
        found = set()
        for user, customers in self.pairs.items():
            lines = [line for line in customers.values() if line is not None]
            if any(line.non_compliant for line in lines) and not any(line.compliant for line in lines):
                found.add(user)
        return found

    def reached_by(self) -> dict[str, set[str]]:
        """The users who signed in to each customer."""
        turned: dict[str, set[str]] = {}
        for user, customers in self.pairs.items():
            for customer in customers:
                turned.setdefault(customer, set()).add(user)
        return turned


def is_wholly_read(tenants: Iterable[str], days: Sequence[Day], window: Window) -> bool:
    """Whether the window was read but for its last day: else nobody can be said to have been absent."""
    measured = measure(tenants, days, window)
    return all(slice_.end > window.now - DAY for tenant in measured for slice_ in tenant.missing)
