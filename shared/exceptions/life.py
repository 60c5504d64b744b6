"""What happens to a technical exception: requested, then approved, then expired or withdrawn. Pure.

Only common issue 6 can be asked for, and only with its three documents and the vendor's confirmation named. Every
change is a line of a history that only grows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from shared.exceptions.issues import INTERACTIVE_INSTEAD, ISSUES, LEGACY, PASSWORD_FLOWS
from shared.exceptions.model import APPROVED, EXPIRED, REQUESTED, WITHDRAWN, Papers, TechnicalException
from shared.ledger.slices import DAY
from shared.rules import RULE

SYSTEM: Final = "system"
REMINDERS: Final = (14, 3)  # days before the end
LONGEST: Final = timedelta(days=366)
# As far back as a summary can look.
EARLIEST: Final = timedelta(days=90)


class Wrong(NamedTuple):
    """What keeps a request from being taken."""

    field: str
    detail: str


class Unacceptable(Exception):  # noqa: N818 - what is wrong with the request
    """A request that can be read and not be taken; `wrong` says why, one sentence a member."""

    def __init__(self, wrong: Collection[Wrong]) -> None:
        super().__init__("; ".join(f"{w.field}: {w.detail}" for w in wrong))
        self.wrong = tuple(wrong)


class NotNow(Exception):  # noqa: N818
    """A change does not fit the exception's state; the text says why."""


class OwnRequest(Exception):  # noqa: N818
    """Nobody accepts a risk that they asked for themselves."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the history. `at` is UTC."""

    number: int
    at: datetime
    by: str
    action: str
    detail: str


@dataclass(frozen=True, slots=True)
class Step:
    """An exception after something happened, and the line that says so."""

    after: TechnicalException
    line: Line


def why_not(
    *,
    common_issue: int,
    title: str,
    reason: str,
    owner: str,
    named: bool,
    rules: Collection[str],
    starts_on: date | None,
    expires_on: date | None,
    papers: Papers,
    claim_impossible: bool,
    external_impossible: bool,
    today: date,
) -> list[Wrong]:
    """Everything that is wrong with a request; nothing when it can be taken. `named`: a user, application or customer
    is."""
    issue = ISSUES[common_issue]
    if not issue.may_be_valid:
        return [Wrong("commonIssue", f"Issue {issue.number} ({issue.title}) cannot be excepted. {issue.guidance}")]
    wrong = [
        Wrong(field, f"must be named: {what}")
        for field, value, what in (
            ("title", title, "what people call it"),
            ("reason", reason, "the technical issue that has no workaround"),
            ("owner", owner, "who answers for it"),
            ("mfa.vendor", papers.vendor, "whose MFA it is"),
            ("mfa.product", papers.product, "which product it is"),
            ("mfa.integration", papers.integration, "federation or custom-control"),
            ("documents.configuration", papers.configuration, "the configuration of the third-party MFA"),
            (
                "documents.testResult",
                papers.test_result,
                "the result of the partner security requirement test, run as the account",
            ),
            ("documents.purchaseOrder", papers.purchase_order, "the purchase order of the solution in use or planned"),
            ("vendorConfirmation.by", papers.confirmed_by, f"who confirmed it. {issue.guidance}"),
            ("vendorConfirmation.on", papers.confirmed_on, "the day of the confirmation"),
            ("vendorConfirmation.reference", papers.confirmation, "where the confirmation is kept"),
        )
        if not value.strip()
    ]
    if not claim_impossible:
        wrong.append(
            Wrong(
                "vendorConfirmation.cannotSendMultipleauthn",
                "must be confirmed (true) by the vendor: " + issue.guidance,
            )
        )
    if not external_impossible:
        wrong.append(
            Wrong(
                "vendorConfirmation.cannotUseExternalMfa", "must be confirmed (true): External MFA does count as MFA."
            )
        )
    if papers.confirmed_on > today.isoformat():
        wrong.append(Wrong("vendorConfirmation.on", "must not be in the future."))
    if not named:
        wrong.append(Wrong("user", "a user, an app or a customer must be named: no exception covers everybody."))
    if not rules:
        wrong.append(Wrong("rules", "the rules whose breach is accepted must be named."))
    legacy = sorted(rule for rule in rules if RULE[rule].common_issue == LEGACY)
    if legacy:
        wrong.append(Wrong("rules", f"{', '.join(legacy)} cannot be excepted. {ISSUES[LEGACY].guidance}"))
    if flows := sorted(PASSWORD_FLOWS.intersection(rules)):
        wrong.append(Wrong("rules", f"{', '.join(flows)} cannot be excepted. {INTERACTIVE_INSTEAD}"))
    return wrong + _wrong_dates(starts_on, expires_on, today)


def _wrong_dates(starts_on: date | None, expires_on: date | None, today: date) -> list[Wrong]:
    wrong = []
    if starts_on is None:
        wrong.append(Wrong("startsOn", "must be named: the first day (UTC) whose risk is accepted."))
    elif starts_on < today - EARLIEST:
        wrong.append(Wrong("startsOn", f"must not be more than {EARLIEST.days} days ago."))
    if expires_on is None:
        wrong.append(Wrong("expiresOn", "must be named: every exception ends; on that day (UTC) it holds no more."))
    elif expires_on <= today:
        wrong.append(Wrong("expiresOn", "must be in the future."))
    if starts_on and expires_on and expires_on <= starts_on:
        wrong.append(Wrong("expiresOn", "must be after startsOn."))
    elif starts_on and expires_on and expires_on - starts_on > LONGEST:
        wrong.append(Wrong("expiresOn", f"must be within {LONGEST.days} days of startsOn: ask again then."))
    return wrong


def requested(new: TechnicalException) -> Step:
    """It was asked for."""
    return Step(new, Line(1, new.requested_at, new.requested_by, "requested", new.reason))


def approved(before: TechnicalException, by: str, comment: str, ticket: str, now: datetime, *, four_eyes: bool) -> Step:
    """Somebody accepts the risk; with `four_eyes` not who asked for it. Raises NotNow, OwnRequest."""
    state = before.state_at(now)
    if state != REQUESTED:
        raise NotNow(f"It is {state}; only what is requested can be approved.")
    if four_eyes and by == before.requested_by:
        raise OwnRequest("You asked for it, so somebody else with the role Operator must approve it.")
    ticket = ticket or before.ticket
    detail = " ".join(part for part in (f"ticket {ticket}" if ticket else "", comment) if part)
    after = replace(before, state=APPROVED, approved_at=now, approved_by=by, ticket=ticket)
    return _noted(after, now, by, "approved", detail)


def withdrawn(before: TechnicalException, by: str, now: datetime) -> Step:
    """Somebody takes it back: it accepts nothing from this UTC day on. Raises NotNow."""
    state = before.state_at(now)
    if state not in (REQUESTED, APPROVED):
        raise NotNow(f"It is {state} already.")
    return _noted(replace(before, state=WITHDRAWN, withdrawn_at=now), now, by, "withdrawn", "")


def with_time(before: TechnicalException, now: datetime) -> Step | None:
    """Note that it is over. None while it is not, or was noted."""
    if before.state_at(now) == before.state:
        return None
    return _noted(replace(before, state=EXPIRED), now, SYSTEM, "expired", f"it was {before.state}")


def reminder_due(exception: TechnicalException, now: datetime) -> int:
    """Which reminder is due, in days before the end; 0 for none. Of several that have passed, the last."""
    if not exception.is_in_effect(now):
        return 0
    last = min((days for days in REMINDERS if exception.ends - days * DAY <= now), default=0)
    return last if exception.reminded == 0 or last < exception.reminded else 0


def reminded(before: TechnicalException, days: int, detail: str, now: datetime) -> Step:
    """It was reminded of."""
    return _noted(replace(before, reminded=days), now, SYSTEM, "reminded", detail)


def _noted(after: TechnicalException, now: datetime, by: str, action: str, detail: str) -> Step:
    after = replace(after, revision=after.revision + 1)
    return Step(after, Line(after.revision, now, by, action, detail))
