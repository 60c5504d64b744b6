"""The list of findings, newest first, and one of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from pydantic import Field, ValidationInfo, field_validator

from shared.answers.cause_groups import cause_id
from shared.answers.causes import WhatCloses
from shared.answers.directories import tenant_names
from shared.answers.finding_windows import FindingPlace, Walk, micros
from shared.answers.names import Filters, keys_of
from shared.answers.people import is_user
from shared.answers.period import CoveredPage, Standing, read_standing, times_of
from shared.answers.rules import RuleText, texts_of
from shared.app.app import App
from shared.basics.spelling import id_key, is_key
from shared.basics.times import MICROSECOND, OLDEST
from shared.incidents.explain import explain
from shared.incidents.findings import Finding
from shared.ledger.slices import DAY
from shared.posture.gaps import remedy_of, title_of
from shared.rules.assess import Verdict
from shared.rules.cause import Cause
from shared.rules.rule import Severity, SeverityName
from shared.signin.applied import AppliedPolicy
from shared.signin.evidence import Evidence
from shared.store.directory import Loaded
from shared.store.incidents import read_incident
from shared.wire.cursor import from_cursor, to_cursor
from shared.wire.models import (
    Answer,
    AskedTime,
    BadParameter,
    Listed,
    ListQuery,
    Named,
    NotKnown,
    Query,
    RuleId,
    Scopes,
    SeverityFilter,
    ShownCause,
    ShownEvidence,
    ShownHow,
    ShownRule,
    ShownScope,
    ShownStrength,
    ShownVerdict,
    ShownWhy,
    same_id,
    severity_name,
    shown_id,
)

_FAR_APART: Final = 8 * DAY
# One call makes at most ten requests; others are for the directory, an incident, names and what the period is.
_REQUESTS: Final = 5
_EVERY_FINDING: Final = {"from_", "to", "limit", "cursor", "format"}  # these leave out none of their time


class FindingsQuery(ListQuery):
    """Which findings. Filters that are set must all fit; a comma list fits by any of its entries."""

    from_: AskedTime | None = Field(default=None, alias="from", description="Signed in at or after this time.")
    to: AskedTime | None = Field(default=None, description="Signed in before this time.")
    user: Named | None = Field(default=None, description="Object id or user principal name.")
    customer: Named | None = Field(default=None, description="Tenant id or name of a customer.")
    app: Named | None = Field(default=None, description="Id or name of an application.")
    incident: Named | None = Field(default=None, description="Id of an incident: the findings that belong to it.")
    cause: Named | None = Field(default=None, description="Id of a cause: the findings that it made possible.")
    rule: Listed[RuleId] | None = None
    severity: SeverityFilter | None = Field(default=None, description="This severity or a higher one.")
    scope: Scopes | None = None
    verdict: Listed[Verdict] | None = None
    evidence: Listed[Evidence] | None = None

    @field_validator("to")
    @classmethod
    def _after_from(cls, to: datetime | None, info: ValidationInfo) -> datetime | None:
        start = info.data.get("from_")
        if to and start and to <= start:
            raise ValueError("must be later than from")
        return to

    def fits(self, finding: Finding, names: Mapping[str, str]) -> bool:
        """Whether a finding is asked for; its time aside. `names` are the tenants' by key."""
        return (
            is_user(self.user, finding.user, finding.user_name)
            and same_id(self.customer, finding.customer, names.get(finding.customer, ""))
            and same_id(self.app, finding.app, finding.app_name)
            and (self.incident is None or id_key(self.incident) in finding.incidents())
            and (self.cause is None or (bool(finding.cause_kind) and cause_id(finding.cause) == id_key(self.cause)))
            and (self.rule is None or not set(self.rule).isdisjoint(finding.rules))
            and (self.severity is None or finding.severity >= Severity.of(self.severity))
            and (self.scope is None or finding.scope in self.scope)
            and (self.verdict is None or finding.verdict in self.verdict)
            and (self.evidence is None or finding.evidence in self.evidence)
        )


class FindingItem(Answer):
    """One sign-in that breaks rules. Names and what the client sent are as the log gives them: hostile text."""

    id: str
    signed_in_at: datetime
    scope: ShownScope
    evidence: ShownEvidence
    verdict: ShownVerdict
    rules: list[ShownRule]
    severity: SeverityName
    why: ShownWhy | None
    strength: ShownStrength | None
    interactive: bool
    result_code: int
    user_id: str
    user_principal_name: str | None
    user_display_name: str | None
    customer_id: str
    customer_name: str | None
    app_id: str | None
    app_name: str | None
    resource_name: str | None
    client_app: str | None
    user_agent: str | None
    ip_address: str | None
    session_id: str | None
    unique_token_identifier: str | None
    correlation_id: str | None
    cause: ShownCause | None = Field(description="Kind of the cause: why it was possible; null of an attempt.")
    cause_id: str | None = Field(description="The cause among the causes; null of an attempt.")
    incident_ids: list[str]


class FindingStep(Answer):
    """A step of the sign-in, as the log has it: hostile text."""

    method: str | None
    statement: str | None
    succeeded: bool | None


class FindingCause(Answer):
    """Why the sign-in was possible. Names of policies and rules are hostile text."""

    kind: ShownCause
    title: str
    policy_id: str | None
    policy_name: str | None
    policy_rule: str | None
    what_closes: WhatCloses


class FindingPolicy(Answer):
    """A Conditional Access policy as this sign-in met it: hostile text."""

    policy_id: str | None
    policy_name: str | None
    result: str | None = Field(description="What came of the policy, as the log has it: notApplied, success, …")
    grant_controls: list[str]
    session_controls: list[str]
    conditions_not_satisfied: list[str]
    included_by: list[str]
    excluded_by: list[str]


class FindingDetail(FindingItem):
    """A finding with what its verdict rests on. `explanation` says it in plain words; the texts are the log's own."""

    explanation: str
    why_possible: FindingCause | None = Field(description="Why it was possible; null of an attempt.")
    policies: list[FindingPolicy] = Field(description="The policies that were looked at: thirty at most.")
    requirements: list[str] = Field(description="What demanded MFA, as the log has it.")
    original_request_id: str | None
    rule_texts: dict[str, RuleText]
    how: ShownHow | None
    protocol: str | None
    requirement: str | None
    statement: str | None
    steps: list[FindingStep]
    transfer_method: str | None
    access_type: str | None
    certificate_level: str | None
    country: str | None
    device_name: str | None
    device_trust: str | None
    via_agent: bool
    password_right: bool


class FindingQuery(Query):
    """Which sign-in, where its time is known."""

    signed_in_at: AskedTime | None = Field(default=None, description="Its time: finds it at once.")


class FindingsPage(CoveredPage[FindingItem]):
    """Findings, newest first; with more than four tenants, newest first of each four. `rule_texts` says what the rules
    of the page mean and what to do."""

    rule_texts: dict[str, RuleText]


async def read_findings(app: App, query: FindingsQuery) -> FindingsPage:
    """A page of findings. Raises BadParameter for a wrong cursor, NotKnown for an incident that does not exist."""
    standing = await read_standing(app, await times_of(app, query.from_, query.to))
    directory = await app.known_directory()
    walk = await walk_through(app, query, standing, directory)
    names = tenant_names(directory)
    return FindingsPage(
        items=[finding_item(finding, names) for finding in walk.found],
        rule_texts=texts_of(rule for finding in walk.found for rule in finding.rules),
        cursor=to_cursor(walk.place, query.question("findings")) if walk.place else None,
        period=standing.period,
        coverage=standing.coverage,
    )


async def walk_through(
    app: App, query: FindingsQuery, standing: Standing, directory: Loaded | None, *, outlines: bool = False
) -> Walk:
    """The way to the findings of a page. Raises what read_findings raises."""
    at = query.cursor
    place = from_cursor(at, FindingPlace, query.question("findings")) if at else await _first(app, query)
    filters = Filters(query.customer, query.user, query.app)
    looks = query.model_fields_set - _EVERY_FINDING - filters.ids.keys()
    fits = (lambda finding: query.fits(finding, tenant_names(directory))) if looks else None
    walk = Walk((await app.tables()).slices, app.settings.tenants, fits, place, filters.ids, outlines)
    await walk.go(query.limit, _REQUESTS)
    if not walk.found and query.cursor is None:
        await keys_of(app, filters, standing, directory)
    return walk


async def read_finding(app: App, id_: str, query: FindingQuery) -> FindingDetail:
    """One finding, by the id of its sign-in. Raises NotKnown; BadParameter where there are too many to look through."""
    now = app.clock()
    at = query.signed_in_at
    start = at.replace(microsecond=0) if at else OLDEST
    until = min(start + timedelta(seconds=1), now) if at else now
    place = FindingPlace(start=start, until=until, end=until) if start < until else None
    walk = Walk((await app.tables()).slices, app.settings.tenants, lambda finding: finding.id == id_, place)
    await walk.go(1, _REQUESTS + 3)
    if not walk.found:
        if walk.place is not None and at is None:
            raise BadParameter("signedInAt", "is needed: there are too many findings to look through")
        raise NotKnown("no such finding")
    return finding_detail(walk.found[0], tenant_names(await app.known_directory()))


def finding_detail(finding: Finding, names: Mapping[str, str]) -> FindingDetail:
    """A finding with all that is kept of it. `names` are the tenants' by key."""
    return FindingDetail(
        **dict(finding_item(finding, names)),
        explanation=explain(finding),
        why_possible=_cause_of(finding.cause),
        policies=[_policy(policy) for policy in finding.policies],
        requirements=[*finding.requirements],
        original_request_id=finding.original_request_id or None,
        rule_texts=texts_of(finding.rules),
        how=finding.how or None,
        protocol=finding.protocol or None,
        requirement=finding.requirement or None,
        statement=finding.statement or None,
        steps=[
            FindingStep(method=s.method or None, statement=s.statement or None, succeeded=s.succeeded)
            for s in finding.steps
        ],
        transfer_method=finding.transfer_method or None,
        access_type=finding.access_type or None,
        certificate_level=finding.certificate_level or None,
        country=finding.country or None,
        device_name=finding.device_name or None,
        device_trust=finding.device_trust or None,
        via_agent=finding.via_agent,
        password_right=finding.password_right,
    )


async def _first(app: App, query: FindingsQuery) -> FindingPlace | None:
    """Where the list begins; None where it is empty: nothing was signed in yet. Raises NotKnown."""
    now = app.clock()
    start, until = query.from_ or OLDEST, min(query.to or now, now)
    if query.incident is not None:
        key = id_key(query.incident)
        found = await read_incident((await app.tables()).incidents, key) if is_key(key) else None
        if found is None:
            raise NotKnown("no such incident")
        facts = found[0].facts
        start, until = max(start, facts.first), min(until, facts.last + MICROSECOND)
    if start >= until:
        return None
    if query.cause is not None and not is_key(id_key(query.cause)):
        raise NotKnown("no such cause")
    # Findings of one customer, person or application lie far apart.
    first = _FAR_APART if query.customer or query.user or query.app else DAY
    return FindingPlace(start=start, until=until, end=until, width=micros(first))


def finding_item(finding: Finding, names: Mapping[str, str]) -> FindingItem:
    """A finding as the answers show it."""
    return FindingItem(
        id=finding.id,
        signed_in_at=finding.at,
        scope=finding.scope,
        evidence=finding.evidence,
        verdict=finding.verdict,
        rules=[*finding.rules],
        severity=severity_name(finding.severity),
        why=finding.why or None,
        strength=finding.strength or None,
        interactive=finding.interactive,
        result_code=finding.code,
        user_id=shown_id(finding.user),
        user_principal_name=finding.user_name or None,
        user_display_name=finding.user_display_name or None,
        customer_id=shown_id(finding.customer),
        customer_name=names.get(finding.customer),
        app_id=shown_id(finding.app) or None,
        app_name=finding.app_name or None,
        resource_name=finding.resource_name or None,
        client_app=finding.client or None,
        user_agent=finding.user_agent or None,
        ip_address=finding.ip or None,
        session_id=finding.session_id or None,
        unique_token_identifier=finding.token_id or None,
        correlation_id=finding.correlation_id or None,
        cause=finding.cause_kind or None,
        cause_id=cause_id(finding.cause) if finding.cause_kind else None,
        incident_ids=[*finding.incidents()],
    )


def _cause_of(cause: Cause | None) -> FindingCause | None:
    if cause is None:
        return None
    return FindingCause(
        kind=cause.kind,
        title=title_of(cause),
        policy_id=cause.policy_id or None,
        policy_name=cause.policy or None,
        policy_rule=cause.rule or None,
        what_closes=WhatCloses.of(remedy_of(cause)),
    )


def _policy(policy: AppliedPolicy) -> FindingPolicy:
    return FindingPolicy(
        policy_id=policy.id or None,
        policy_name=policy.name or None,
        result=policy.result or None,
        grant_controls=[*policy.controls],
        session_controls=[*policy.session_controls],
        conditions_not_satisfied=[*policy.unmet],
        included_by=[hit.rule or hit.condition for hit in policy.included],
        excluded_by=[hit.rule or hit.condition for hit in policy.excluded],
    )
