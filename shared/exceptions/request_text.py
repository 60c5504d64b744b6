"""What a request for an exception at Partner Center holds: text as Markdown, and what to attach. Pure.

What must be in it: docs/entra-facts.md, "The requirement".

Text of people and of the log is escaped, so that it stays text wherever the Markdown is shown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from shared.exceptions.model import TechnicalException
from shared.rules import RULE
from shared.wire.text import clean, hyphenated

_MARKS: Final = re.compile(r"([\\`*_{}\[\]()<>#+!|~&]|^-)")
_SCHEME: Final = re.compile(r"(?i)\b(ht)tp(s?)(?=:)")
_WWW: Final = re.compile(r"(?i)\bwww(?=\.)")  # many readers make a link of that alone
_LONGEST: Final = 2000

# How it is filed since 2021, and how the first version of the source had it.
FILED_NOW: Final = (
    "File it in Partner Center as Global admin or Admin agent: Help + support, CSP, Accounts/Onboarding/Access, "
    '"MFA - Request for exception". It is answered in up to three working days.'
)
FILED_AS_OF_2020: Final = "Until 2021: Support, Partner support requests, New request."


class Example(NamedTuple):
    """A sign-in that it covers. `at` is UTC; the rest is text of the log."""

    at: datetime
    user: str
    app: str
    customer: str
    id: str
    correlation_id: str


@dataclass(frozen=True, slots=True)
class SignInsSeen:
    """What was seen since `since` of the sign-ins that its rules hit, whatever their verdict: how many, by rule, and
    some of them. `beside` are other rules that they break too, `covered` how many break none. `percent` is the share of
    the log that was read (None: nothing expected)."""

    since: datetime
    until: datetime
    sign_ins: int
    covered: int
    by_rule: Mapping[str, int]
    beside: Mapping[str, int]
    users: Mapping[str, int]
    names: Mapping[str, str]
    examples: Sequence[Example]
    percent: float | None


def attachments(exception: TechnicalException) -> list[tuple[str, str]]:
    """What to attach: the kind of document, and where it is."""
    papers = exception.papers
    named = [
        ("Configuration of the third-party MFA", papers.configuration),
        ("Result of the partner security requirement test, run as the account", papers.test_result),
        ("Purchase order of the solution in use or planned", papers.purchase_order),
        (f"Confirmation by {papers.confirmed_by}, {papers.confirmed_on}", papers.confirmation),
    ]
    return [*named, *(("Further evidence", other) for other in papers.others)]


def request_text(exception: TechnicalException, seen: SignInsSeen, partner: str) -> str:
    """The text to paste into the request."""
    papers, covers = exception.papers, exception.covers
    lines = [
        f"# MFA - Request for exception: {text(exception.title)}",
        "",
        FILED_NOW,
        "",
        "## Who asks",
        "",
        f"- Partner tenant: `{hyphenated(partner)}`",
        f"- Answers for it: {text(exception.owner)}",
        f"- Period asked for: {exception.starts:%Y-%m-%d} until {exception.ends:%Y-%m-%d} (UTC, the last day excluded)",
        f"- Users: {_whose(covers.user, 'all', seen.names)}",
        f"- Application: {_whose(covers.app, 'all', seen.names)}",
        f"- Customer tenant: {_whose(covers.customer, 'all', seen.names)}",
        "",
        "## The technical issue",
        "",
        text(exception.reason),
        "",
        "Common issue 6: a third-party MFA that Microsoft Entra ID does not recognise.",
        "",
        "## The third-party MFA",
        "",
        f"- Vendor and product: {text(papers.vendor)}, {text(papers.product)}",
        f"- Integrated by: {text(papers.integration)}",
        (
            f"- Confirmed by {text(papers.confirmed_by)} on {text(papers.confirmed_on)}: it cannot send the claim "
            "`authenticationmethodsreferences` with the value `multipleauthn`, and External MFA is not possible."
        ),
        "",
        "## What the sign-in log shows",
        "",
        f"From {seen.since:%Y-%m-%d} to {seen.until:%Y-%m-%d %H:%M} UTC: {seen.sign_ins} "
        f"{'sign-in that breaks' if seen.sign_ins == 1 else 'sign-ins that break'} its rules, of {len(seen.users)} "
        f"{'user' if len(seen.users) == 1 else 'users'}. "
        + (f"{seen.percent:g} % of the log of that time was read." if seen.percent is not None else "No log was read."),
        "",
    ]
    lines += [_rule_line(rule, n) for rule, n in seen.by_rule.items()]
    if seen.beside:
        more = f"{seen.sign_ins - seen.covered} of them break other rules too, which this request does not name"
        lines += ["", f"{more}; such a sign-in stays as it is:", ""]
        lines += [_rule_line(rule, n) for rule, n in seen.beside.items()]
    if seen.examples:
        lines += ["", "| time (UTC) | user | application | customer tenant | request id | correlation id |"]
        lines += ["|---|---|---|---|---|---|"]
        lines += [_row(example) for example in seen.examples]
    lines += ["", "## Attachments", ""]
    lines += [f"{n}. {text(kind)}: {text(where)}" for n, (kind, where) in enumerate(attachments(exception), 1)]
    return "\n".join(lines) + "\n"


def text(value: str) -> str:
    """One line in which Markdown finds nothing to do."""
    return _WWW.sub(r"\g<0>\\", _SCHEME.sub(r"hxxp\2", _MARKS.sub(r"\\\1", clean(value, _LONGEST))))


def _rule_line(rule: str, n: int) -> str:
    return f"- {text(RULE[rule].title) if rule in RULE else text(rule)} (`{rule}`): {n}"


def _row(example: Example) -> str:
    cells = (example.user, example.app, example.customer, example.id, example.correlation_id)
    return f"| {example.at:%Y-%m-%d %H:%M:%S} | " + " | ".join(text(cell) for cell in cells) + " |"


def _whose(key: str, all_: str, names: Mapping[str, str]) -> str:
    if not key:
        return all_
    return f"{text(names[key])} (`{hyphenated(key)}`)" if names.get(key) else f"`{hyphenated(key)}`"
