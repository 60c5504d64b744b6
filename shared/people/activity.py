"""Who signed in where, and when last: from the partner's days. Pure but for the reading of the days.

Only successful sign-ins in a watched scope count: those that have a verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from shared.compliance.coverage import measure
from shared.ledger.counts import REST, Reached
from shared.ledger.days import Day
from shared.ledger.slices import DAY
from shared.signin.traits import WATCHED

type Tallies = dict[str, list[int]]  # key -> [compliant, non-compliant, unknown]


@dataclass(slots=True)
class Activity:
    """What the days say. `users` and `customers` are of the scopes asked for; `seen` is each user's last day in any
    watched scope, `reached` the customers each user signed in to. `trimmed_users` and `trimmed_pairs`: there were too
    many to keep each, so that one who is missing may have been there."""

    users: Tallies = field(default_factory=dict)
    customers: Tallies = field(default_factory=dict)
    seen: dict[str, date] = field(default_factory=dict)
    reached: Reached = field(default_factory=dict)
    trimmed_users: bool = False
    trimmed_pairs: bool = False

    def add(self, day: Day, scopes: Sequence[str]) -> None:
        """Take in a day."""
        for scope in WATCHED:
            counts = day.counts.scopes.get(scope)
            if counts is None:
                continue
            self.trimmed_users |= REST in counts.users
            for user in counts.users:
                self.seen[user] = max(self.seen.get(user, date.min), day.day.date())
            if scope in scopes:
                _sum(self.users, counts.users)
                _sum(self.customers, counts.customers)
        self.trimmed_pairs |= REST in day.counts.reached
        for user, customers in day.counts.reached.items():
            self.reached.setdefault(user, set()).update(customers)

    def reached_by(self) -> Reached:
        """The other way round: the users of each customer."""
        turned: Reached = {}
        for user, customers in self.reached.items():
            for customer in customers:
                turned.setdefault(customer, set()).add(user)
        return turned


def is_wholly_read(
    tenants: Iterable[str], days: Sequence[Day], now: datetime, window: timedelta, width: timedelta
) -> bool:
    """Whether the last `window` was read but for its last day: else nobody can be said to have been absent."""
    measured = measure(tenants, days, now - window, now, width)
    return all(slice_.end > now - DAY for tenant in measured for slice_ in tenant.missing)


def _sum(sums: Tallies, lines: Tallies) -> None:
    for key, values in lines.items():
        if key != REST:
            line = sums.setdefault(key, [0, 0, 0])
            for place, n in enumerate(values):
                line[place] += n
