"""Which sign-ins of the last weeks an exception is about: those that its rules hit, whatever their verdict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.exceptions.issues import EXPLAINED
from shared.exceptions.model import Covers
from shared.ledger.slices import DAY, midnight
from shared.rules import RULE
from shared.store.days import days_of_groups
from shared.store.tables import Table

LOOK_BACK: Final = 30 * DAY


@dataclass(slots=True)
class Hits:
    """Numbers of sign-ins: by rule that is named, by person, and by rule that is not named and that they break too.
    `covered` break no other rule, so that an approval silences them."""

    by_rule: Counter[str] = field(default_factory=Counter)
    users: Counter[str] = field(default_factory=Counter)
    beside: Counter[str] = field(default_factory=Counter)
    covered: int = 0

    @property
    def rules_beside(self) -> list[str]:
        """The rules that one could name too: one cause often breaks two, and an exception that names one of them
        silences nothing."""
        return [rule for rule in RULE if rule in self.beside and rule in EXPLAINED]


async def read_hits(rollups: Table, covers: Covers, now: datetime) -> Hits:
    """What it is about in the last 30 days: one request, more where the days are long."""
    hits = Hits()
    async for day in days_of_groups(rollups, midnight(now - LOOK_BACK), now):
        for group, n in day.lines.items():
            if not covers.hits(group.user, group.customer, group.app, group.rules):
                continue
            hits.users[group.user] += n
            for rule in group.rules:
                (hits.by_rule if rule in covers.rules else hits.beside)[rule] += n
            if covers.rules.issuperset(group.rules):
                hits.covered += n
    return hits
