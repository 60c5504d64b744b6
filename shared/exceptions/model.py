"""What a technical exception is, and what it covers. Pure.

It holds from the UTC midnight of its first day to that of its last (half-open): the roll-ups keep days, so whole days
are accepted or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.incidents.life import Accepts
from shared.incidents.model import Facts, Who
from shared.ledger.finding_groups import FindingGroup
from shared.ledger.slices import midnight


class ExceptionState(StrEnum):
    """Where an exception stands. EXPIRED: its last day is over, whether or not it was ever approved."""

    REQUESTED = "requested"
    APPROVED = "approved"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Covers:
    """Which sign-ins. `user`, `customer` and `app` are keys (hex ids), "" for any; at least one is set."""

    user: str
    customer: str
    app: str
    rules: frozenset[str]

    def fits(self, user: str, customer: str, app: str, rules: frozenset[str]) -> bool:
        """Whether all that was broken is accepted: one rule more, and it is not."""
        return bool(rules) and rules <= self.rules and self._is_there(user, customer, app)

    def hits(self, user: str, customer: str, app: str, rules: Iterable[str]) -> bool:
        """Whether it is about what was broken, be it in part."""
        return not self.rules.isdisjoint(rules) and self._is_there(user, customer, app)

    def _is_there(self, user: str, customer: str, app: str) -> bool:
        return self.user in ("", user) and self.customer in ("", customer) and self.app in ("", app)


@dataclass(frozen=True, slots=True)
class Papers:
    """What the request to Partner Center needs (docs/entra-facts.md, "The requirement"). Each says in words
    where the document is.

    `confirmed_by`, `confirmed_on` and `confirmation` name the vendor's confirmation: who, when (YYYY-MM-DD), where.
    """

    vendor: str
    product: str
    integration: str
    configuration: str
    test_result: str
    purchase_order: str
    confirmed_by: str
    confirmed_on: str
    confirmation: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TechnicalException:
    """A technical exception. Times are UTC, None for never; `starts` and `ends` are midnights, `ends` is outside.

    `state` is the last that was noted: ask `state_at`. `reminded` is the reminder sent last, in days before the end
    (0: none). `revision` counts the lines of its history. `requested_by_id` and `approved_by_id` are who these people
    are (tenant and object id), "" where the app could not know; the names beside them are for show.
    """

    id: str
    title: str
    reason: str
    owner: str
    common_issue: int
    covers: Covers
    papers: Papers
    ticket: str
    starts: datetime
    ends: datetime
    requested_at: datetime
    requested_by: str
    approved_at: datetime | None = None
    approved_by: str = ""
    withdrawn_at: datetime | None = None
    state: ExceptionState = ExceptionState.REQUESTED
    reminded: int = 0
    revision: int = 1
    requested_by_id: str = ""
    approved_by_id: str = ""

    def state_at(self, now: datetime) -> ExceptionState:
        """The state by that time: what is over is expired, also before anybody noted it."""
        goes_on = self.state in (ExceptionState.REQUESTED, ExceptionState.APPROVED)
        return ExceptionState.EXPIRED if goes_on and self.ends <= now else self.state

    def is_in_effect(self, now: datetime) -> bool:
        """Whether it silences now."""
        return self.state is ExceptionState.APPROVED and self.starts <= now < self.ends

    def accepts_day(self, day: datetime) -> bool:
        """Whether the risk of that day (a UTC midnight) was accepted. Of one that was withdrawn only the days on which
        it was in effect: from that of its approval, until that of its withdrawal."""
        if self.approved_at is None:
            return False
        if self.withdrawn_at is not None:
            first, end = midnight(self.approved_at), midnight(self.withdrawn_at)
            return max(self.starts, first) <= day < min(self.ends, end)
        return self.starts <= day < self.ends

    @property
    def shown(self) -> str:
        """How an incident says what silences it."""
        return f"technical exception {self.id} until {self.ends:%Y-%m-%d}"


def accepting(exceptions: Iterable[TechnicalException], now: datetime) -> Accepts:
    """Says of an incident which exception silences it now: the one that ends last; "" for none."""
    holding = sorted((e for e in exceptions if e.is_in_effect(now)), key=lambda e: (e.ends, e.id), reverse=True)

    def accepts(who: Who, facts: Facts) -> str:
        fit = (e for e in holding if e.covers.fits(who.user, who.customer, who.app, facts.rules))
        return next((e.shown for e in fit), "")

    return accepts


def accepts_sign_ins(exceptions: Sequence[TechnicalException], day: datetime, group: FindingGroup) -> bool:
    """Whether the risk of these sign-ins was accepted for their day."""
    rules = frozenset(group.rules)
    return any(e.accepts_day(day) and e.covers.fits(group.user, group.customer, group.app, rules) for e in exceptions)
