"""The rules: what each means, what to do, and how severe it is where."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from typing import Final, Literal

from shared.basics.well_known import PARTNER_CENTER_APP
from shared.exceptions.issues import ISSUES, CommonIssue
from shared.rules import RULE, RULES
from shared.rules.assess import assess
from shared.rules.posture import POSTURE_RULE, POSTURE_RULES, PostureRule
from shared.rules.rule import (
    AT_HOME,
    CUSTOMER,
    PARTNER,
    PLAIN,
    TECHNICIAN,
    Owner,
    Policy,
    Record,
    Rule,
    Severity,
    SeverityName,
)
from shared.signin.decoding import decode_page
from shared.signin.directory import Customer, DelegatedAdmin, Directory, DirectoryFile
from shared.signin.model import SignIn
from shared.signin.traits import Scope
from shared.wire.models import Answer, ListQuery, Page, ScopeName, severity_name

_ATTACK: Final = "https://attack.mitre.org/techniques/{path}/"
# What lays the plain sign-in of the cases into each scope.
_INTO: Final[dict[ScopeName, Record]] = {
    "customer": {},
    "partner-center": {**AT_HOME, "appId": PARTNER_CENTER_APP},
    "partner-tenant": AT_HOME,
    "guest": {"crossTenantAccessType": "b2bCollaboration"},
}


class RuleText(Answer):
    """What people need of a rule beside a finding or an incident: `first` is for the first minutes, `what_to_do` mends
    it."""

    title: str
    meaning: str
    first: str
    what_to_do: str


class CommonIssueText(Answer):
    """One of the six reasons that partners give for missing MFA. `may_be_excepted`: whether an exception can be asked
    for because of it."""

    number: int
    title: str
    may_be_excepted: bool
    guidance: str


class RuleItem(RuleText):
    """A rule. `kind` says whether it is about a sign-in or about an account. `severities` has the scopes in which it
    can fit, each with the severities that it can have there; one entry, `account`, for a rule about accounts.
    `on_evidence`: it rests on details that may arrive late. `strict_only`: only under POLICY=strict.
    `what_to_do` is one command or click, for its `owner`; `prevent` says which policy
    keeps it from coming back, `check` how one sees that it worked, `link` is Microsoft's page."""

    id: str
    kind: Literal["sign-in", "account"]
    severities: dict[str, list[SeverityName]]
    attack_technique: str
    attack_link: str
    common_issue: CommonIssueText | None
    on_evidence: bool
    strict_only: bool
    owner: Owner
    prevent: str
    check: str
    link: str


class RulesQuery(ListQuery):
    """All rules; there are few."""


class RulesPage(Page[RuleItem]):
    """The rules about sign-ins, then those about accounts, each in the order of their table. They are of no period: the
    same whatever was read."""


def read_rules() -> RulesPage:
    """All rules."""
    every = [*map(_sign_in_rule, RULES), *map(_account_rule, POSTURE_RULES)]
    return RulesPage(items=every, cursor=None, total=len(every))


def texts_of(rules: Iterable[str]) -> dict[str, RuleText]:
    """The texts of these rules by id, sorted; a rule of a newer version of the app has none."""
    found: dict[str, RuleText] = {}
    for id_ in sorted(set(rules)):
        rule = RULE.get(id_) or POSTURE_RULE.get(id_)
        if rule is not None:
            found[id_] = RuleText(
                title=rule.title, meaning=rule.meaning, first=rule.remedy.first, what_to_do=rule.what_to_do
            )
    return found


def common_issue_text(issue: CommonIssue) -> CommonIssueText:
    """An issue as answers show it."""
    return CommonIssueText(
        number=issue.number, title=issue.title, may_be_excepted=issue.may_be_valid, guidance=issue.guidance
    )


def _sign_in_rule(rule: Rule) -> RuleItem:
    standard = _severities(rule, Policy.STANDARD)
    return _item(
        rule,
        kind="sign-in",
        severities=standard or _severities(rule, Policy.STRICT),
        on_evidence=rule.on_evidence,
        strict_only=not standard,
    )


def _account_rule(rule: PostureRule) -> RuleItem:
    fits = {severity for case in rule.positive.values() if (severity := rule.fits(case)) is not None}
    return _item(rule, kind="account", severities={"account": _named(fits)}, on_evidence=False, strict_only=False)


def _item(
    rule: Rule | PostureRule,
    *,
    kind: Literal["sign-in", "account"],
    severities: dict[str, list[SeverityName]],
    on_evidence: bool,
    strict_only: bool,
) -> RuleItem:
    issue = ISSUES.get(rule.common_issue or 0)
    return RuleItem(
        id=rule.id,
        kind=kind,
        title=rule.title,
        meaning=rule.meaning,
        what_to_do=rule.what_to_do,
        severities=severities,
        attack_technique=rule.attack,
        attack_link=_ATTACK.format(path=rule.attack.replace(".", "/")),
        common_issue=common_issue_text(issue) if issue else None,
        on_evidence=on_evidence,
        strict_only=strict_only,
        first=rule.remedy.first,
        owner=rule.remedy.owner,
        prevent=rule.remedy.prevent,
        check=rule.remedy.check,
        link=rule.remedy.link,
    )


def _severities(rule: Rule, policy: Policy) -> dict[str, list[SeverityName]]:
    """What the rule's own cases come to in each scope."""
    found: dict[str, set[Severity]] = {}
    for scope, into in _INTO.items():
        records = [{**PLAIN, **case, **into} for case in rule.positive.values()]
        for severity in _judged(json.dumps({"value": records}), rule.id, scope, policy):
            found.setdefault(scope, set()).add(severity)
    return {scope: _named(severities) for scope, severities in found.items()}


@cache
def _judged(page: str, rule: str, scope: ScopeName, policy: Policy) -> tuple[Severity, ...]:
    assessments = [
        assess(record, _sample_directory(), policy)
        for record in decode_page(page.encode()).records
        if isinstance(record, SignIn)
    ]
    return tuple(dict(a.fits)[rule] for a in assessments if a.scope is Scope(scope) and rule in a.rules)


@cache
def _sample_directory() -> Directory:
    return Directory.of(
        DirectoryFile(
            partner_tenant_id=PARTNER,
            customers=[Customer(tenant_id=CUSTOMER)],
            delegated_admins=[DelegatedAdmin(user_id=TECHNICIAN)],
        )
    )


def _named(severities: Iterable[Severity]) -> list[SeverityName]:
    return [severity_name(severity) for severity in sorted(set(severities), reverse=True)]
