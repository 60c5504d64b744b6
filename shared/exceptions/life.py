"""What happens to a technical exception: requested, then approved, then expired or withdrawn. Pure.

Only common issue 6 can be asked for, and only with its three documents and the vendor's confirmation named. Every
change is a line of a history that only grows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from shared.exceptions.issues import EXPLAINED, INTERACTIVE_INSTEAD, ISSUES, LEGACY, PASSWORD_FLOWS, UNEXPLAINED
from shared.exceptions.model import ExceptionState, Papers, TechnicalException
from shared.incidents.history import SYSTEM, Line
from shared.ledger.slices import DAY
from shared.rules import RULE

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


class WrongState(Exception):  # noqa: N818
    """A change does not fit the exception's state; the text says why."""


class NoSecondPerson(Exception):  # noqa: N818
    """An exception needs a second person to approve it, and this caller is not; the text says why."""


@dataclass(frozen=True, slots=True)
class ExceptionStep:
    """An exception after something happened, and the line that says so."""

    after: TechnicalException
    line: Line


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for. `user`, `app` and `customer` are ids as they were given, None for any.

    `cannot_send_claim` and `cannot_be_external`: the vendor confirmed that its product can neither send the claim
    multipleauthn nor be External MFA.
    """

    common_issue: int
    title: str
    reason: str
    owner: str
    user: str | None
    app: str | None
    customer: str | None
    rules: Collection[str]
    starts_on: date | None
    expires_on: date | None
    papers: Papers
    cannot_send_claim: bool
    cannot_be_external: bool


def why_not(asked: Asked, today: date) -> list[Wrong]:
    """Everything that is wrong with a request. Returns an empty list when it can be taken."""
    issue = ISSUES[asked.common_issue]
    if not issue.may_be_valid:
        return [Wrong("commonIssue", f"Issue {issue.number} ({issue.title}) cannot be excepted. {issue.guidance}")]
    return [
        *_missing_texts(asked, issue.guidance),
        *_missing_confirmation(asked, issue.guidance, today),
        *_wrong_reach(asked),
        *_wrong_rules(asked),
        *_wrong_dates(asked.starts_on, asked.expires_on, today),
    ]


def _missing_texts(asked: Asked, guidance: str) -> list[Wrong]:
    papers = asked.papers
    needed = (
        ("title", asked.title, "what people call it"),
        ("reason", asked.reason, "the technical issue that has no workaround"),
        ("owner", asked.owner, "who answers for it"),
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
        ("vendorConfirmation.by", papers.confirmed_by, f"who confirmed it. {guidance}"),
        ("vendorConfirmation.on", papers.confirmed_on, "the day of the confirmation"),
        ("vendorConfirmation.reference", papers.confirmation, "where the confirmation is kept"),
    )
    return [Wrong(field, f"must be named: {what}") for field, value, what in needed if not value.strip()]


def _missing_confirmation(asked: Asked, guidance: str, today: date) -> list[Wrong]:
    wrong = []
    if not asked.cannot_send_claim:
        field = "vendorConfirmation.cannotSendMultipleauthn"
        wrong.append(Wrong(field, "must be confirmed (true) by the vendor: " + guidance))
    if not asked.cannot_be_external:
        field = "vendorConfirmation.cannotUseExternalMfa"
        wrong.append(Wrong(field, "must be confirmed (true): External MFA does count as MFA."))
    if asked.papers.confirmed_on > today.isoformat():
        wrong.append(Wrong("vendorConfirmation.on", "must not be in the future."))
    return wrong


def _wrong_reach(asked: Asked) -> list[Wrong]:
    if asked.user or asked.customer:
        return []
    if asked.app:
        return [Wrong("userId", "a user or a customer must be named beside the app: no exception covers everybody.")]
    return [Wrong("userId", "a user, an app or a customer must be named: no exception covers everybody.")]


def _wrong_rules(asked: Asked) -> list[Wrong]:
    if not asked.rules:
        return [Wrong("rules", "the rules whose breach is accepted must be named.")]
    wrong = []
    left = set(asked.rules)
    if legacy := sorted(rule for rule in left if RULE[rule].common_issue == LEGACY):
        wrong.append(Wrong("rules", f"{', '.join(legacy)} cannot be excepted. {ISSUES[LEGACY].guidance}"))
    if flows := sorted(PASSWORD_FLOWS & left):
        wrong.append(Wrong("rules", f"{', '.join(flows)} cannot be excepted. {INTERACTIVE_INSTEAD}"))
    if others := sorted(left - EXPLAINED - PASSWORD_FLOWS - {*legacy}):
        wrong.append(Wrong("rules", f"{', '.join(others)} cannot be excepted. {UNEXPLAINED}"))
    return wrong


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


def requested(new: TechnicalException) -> ExceptionStep:
    """It was asked for."""
    return ExceptionStep(new, Line(1, new.requested_at, new.requested_by, "requested", new.reason))


@dataclass(frozen=True, slots=True)
class Approver:
    """Who wants to approve. `id` is tenant and object id, "" where the app cannot know. `alone`: the app runs for one
    person on their own machine, where there is no second one."""

    name: str
    id: str
    is_person: bool
    alone: bool = False


def approved(before: TechnicalException, by: Approver, comment: str, ticket: str, now: datetime) -> ExceptionStep:
    """A second person accepts the risk. Raises NotNow, NoSecondPerson."""
    state = before.state_at(now)
    if state is not ExceptionState.REQUESTED:
        raise WrongState(f"It is {state}; only what is requested can be approved.")
    if not by.alone:
        _check_second_person(before, by)
    ticket = ticket or before.ticket
    said = (f"ticket {ticket}" if ticket else "", comment, "(local mode: no second person)" if by.alone else "")
    after = replace(
        before, state=ExceptionState.APPROVED, approved_at=now, approved_by=by.name, approved_by_id=by.id, ticket=ticket
    )
    return _noted(after, now, by.name, "approved", " ".join(part for part in said if part))


def _check_second_person(before: TechnicalException, by: Approver) -> None:
    """People are told apart by tenant and object id: a name can be chosen, and one person may have several."""
    if not by.id or not by.is_person:
        raise NoSecondPerson(
            "Only a person who signed in can approve an exception, a second one beside who asked for it. A function "
            "key or a program cannot: use AUTH_MODE easyauth."
        )
    if not before.requested_by_id:
        raise NoSecondPerson(
            "Nobody knows which person asked for it, so nobody can be told to be a second one: withdraw it and let "
            "somebody who signed in ask again."
        )
    if by.id == before.requested_by_id:
        raise NoSecondPerson("You asked for it, so somebody else with the role Operator must approve it.")


def withdrawn(before: TechnicalException, by: str, now: datetime) -> ExceptionStep:
    """Somebody takes it back: it accepts nothing from this UTC day on. Raises NotNow."""
    state = before.state_at(now)
    if state not in (ExceptionState.REQUESTED, ExceptionState.APPROVED):
        raise WrongState(f"It is {state} already.")
    return _noted(replace(before, state=ExceptionState.WITHDRAWN, withdrawn_at=now), now, by, "withdrawn", "")


def with_time(before: TechnicalException, now: datetime) -> ExceptionStep | None:
    """Note that it is over. None while it is not, or was noted."""
    if before.state_at(now) == before.state:
        return None
    return _noted(replace(before, state=ExceptionState.EXPIRED), now, SYSTEM, "expired", f"it was {before.state}")


def reminder_due(exception: TechnicalException, now: datetime) -> int:
    """Which reminder is due, in days before the end; 0 for none. Of several that have passed, the last."""
    if not exception.is_in_effect(now):
        return 0
    last = min((days for days in REMINDERS if exception.ends - days * DAY <= now), default=0)
    return last if exception.reminded == 0 or last < exception.reminded else 0


def reminded(before: TechnicalException, days: int, detail: str, now: datetime) -> ExceptionStep:
    """It was reminded of."""
    return _noted(replace(before, reminded=days), now, SYSTEM, "reminded", detail)


def _noted(after: TechnicalException, now: datetime, by: str, action: str, detail: str) -> ExceptionStep:
    after = replace(after, revision=after.revision + 1)
    return ExceptionStep(after, Line(after.revision, now, by, action, detail))
