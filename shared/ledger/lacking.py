"""TODO."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from shared.ledger.days import Day


class Lacking(NamedTuple):
    """Non-compliant sign-ins that an exception may accept: the day, and whose, where and with what. Keys as counted."""

    day: datetime
    scope: str
    user: str
    customer: str
    app: str
    rules: frozenset[str]


def lacking_of(day: Day) -> Iterator[tuple[Lacking, int]]:
    """The non-compliant sign-ins of a day, without those whose key hostile text made ambiguous."""
    for key, n in day.counts.lacking.items():
        parts = key.split("|")
        if len(parts) == len(Lacking._fields) - 1:
            scope, user, customer, app, rules = parts
            yield Lacking(day.day, scope, user, customer, app, frozenset(rules.split(","))), n
