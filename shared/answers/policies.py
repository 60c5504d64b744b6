"""The partner's own policies as they are configured, and what they leave open: who is made to do MFA, who is left out
and how many sign-ins went that way, what is blocked, whose MFA counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from shared.answers.people import technicians_of
from shared.answers.period import PeriodQuery, read_standing, span_of
from shared.answers.policy_texts import (
    COVERED,
    DEVICE_CODE,
    LEGACY,
    MISSING,
    PROVIDER_MFA,
    WAYS,
    rule_part_name,
)
from shared.app.app import App
from shared.compliance.coverage import Coverage
from shared.compliance.summary import Period
from shared.graph.policies import DOMAINS, FEDERATION
from shared.people.lists import Technician, is_current
from shared.posture.cover import mfa_coverage
from shared.posture.holes import Hole, holes_of, people_in, why_uncovered
from shared.posture.policies import (
    AdminInPolicies,
    Federation,
    MfaWay,
    Policies,
    PolicyState,
    PolicyVerdict,
    blocks_device_code,
    blocks_legacy,
    way_of,
)
from shared.posture.reading import policies_of
from shared.rules.assess import Verdict
from shared.rules.cause import Cause
from shared.store.days import days_of_groups
from shared.store.people import TECHNICIANS, load_list
from shared.store.policies import KeptPolicies, load_policies
from shared.wire.models import HEADLINE_NAMES, Answer, Scopes, shown_id

_MOST_NAMED: Final = 20
_LACKING: Final = (Verdict.NON_COMPLIANT, Verdict.UNKNOWN)


class PoliciesQuery(PeriodQuery):
    """Of which period and scopes the sign-ins are counted that went through holes."""

    scope: Scopes = Field(default=HEADLINE_NAMES, description="Sign-ins of these scopes; all: each.")


class PolicyAnswer(Answer):
    """An answer about the policies, and what it rests on or why nobody can tell."""

    answer: PolicyVerdict
    sentence: str


class UncoveredPerson(Answer):
    """A delegated admin whom no policy makes do MFA everywhere, and why. Names are hostile text."""

    user_id: str
    user_principal_name: str | None
    reason: str


class MfaForAll(PolicyAnswer):
    """Whether every delegated admin has to do MFA for every application."""

    covered: int = Field(description="How many have to.")
    uncovered: int = Field(description="How many do not.")
    unsure: int = Field(description="Of how many it cannot be told.")
    people: list[UncoveredPerson] = Field(description="The first twenty who need not, and then of whom nobody knows.")


class ExclusionPart(Answer):
    """What is left out: an id or a word of the policy, and its name, which is hostile text."""

    id: str
    name: str | None


class PolicyExclusion(Answer):
    """Whom or what one policy leaves out by one kind of rule. Which of several groups a sign-in was in the log does not
    say. `configured` false: sign-ins went through it, and the policy of today has no such exclusion."""

    policy_id: str
    policy_name: str = Field(description="Hostile text.")
    rule: Literal["user", "group", "role", "guest", "application", "location", "platform", "other"] = Field(
        description="By what it leaves them out."
    )
    configured: bool
    parts: list[ExclusionPart] = Field(description="The first twenty.")
    people: int | None = Field(description="How many delegated admins it leaves out; null where that cannot be told.")
    sign_ins: int = Field(description="Sign-ins without proof of MFA in the period that went this way.")


class FederatedDomain(Answer):
    """A domain whose people sign in at another provider, and what Entra ID does with that provider's MFA."""

    domain: str
    provider_mfa: Literal["accepted", "enforced", "rejected", "not-set", "cannot-tell"]
    sentence: str


class UnreadPart(Answer):
    """A part of the policies that could not be read, and why: the permission or licence that is missing."""

    part: str
    problem: str


class PoliciesAnswer(Answer):
    """The policies as they were read last."""

    period: Period
    coverage: Coverage
    read_at: datetime | None = Field(description="When they were read last, UTC; null while they never were.")
    since: datetime | None = Field(description="Since when they are known to stand like that, UTC.")
    way: MfaWay
    way_sentence: str
    security_defaults: bool | None
    trusts_guest_mfa: bool | None = Field(
        description="Whether MFA that guests did in their home tenant counts; null where it could not be read."
    )
    mfa_for_all: MfaForAll
    legacy_blocked: PolicyAnswer
    device_code_blocked: PolicyAnswer
    exclusions: list[PolicyExclusion] = Field(description="Those of the most sign-ins first.")
    report_only: list[str] = Field(description="Policies that demand MFA and enforce nothing: hostile text.")
    federated_domains: list[FederatedDomain]
    missing: list[UnreadPart]


async def read_policies_answer(app: App, query: PoliciesQuery) -> PoliciesAnswer:
    """The policies, and the sign-ins of a period that went through their holes. Raises BadParameter."""
    span = span_of(app, query.days, query.from_, query.to)
    tables = await app.tables()
    standing = await read_standing(app, span)
    kept = await load_policies(tables.directory)
    people = await load_list(tables.directory, TECHNICIANS)
    causes: Counter[Cause] = Counter()
    async for day in days_of_groups(tables.rollups, span.start, span.last):
        for group, n in day.lines.items():
            if group.cause is not None and group.scope in query.scope and group.verdict in _LACKING:
                causes[group.cause] += n
    roster = _Roster(technicians_of(people), people.facts if people else {}, span.now)
    policies = policies_of(kept.parts, kept.read_at, since=kept.since) if kept else Policies(span.now)
    return PoliciesAnswer(
        period=standing.period,
        coverage=standing.coverage,
        read_at=kept.read_at if kept else None,
        since=kept.since if kept else None,
        way=way_of(policies),
        way_sentence=WAYS[way_of(policies)],
        security_defaults=policies.security_defaults,
        trusts_guest_mfa=policies.trusts_guest_mfa,
        mfa_for_all=_mfa_for_all(policies, roster),
        legacy_blocked=_told(blocks_legacy(policies), LEGACY),
        device_code_blocked=_told(blocks_device_code(policies), DEVICE_CODE),
        exclusions=[_exclusion(hole, policies, roster) for hole in holes_of(policies, causes)],
        report_only=[
            p.name for p in policies.conditional_access or () if p.state is PolicyState.REPORT_ONLY and p.demands_mfa
        ],
        federated_domains=[_domain(domain) for domain in policies.domains or () if domain.federated],
        missing=_missing(kept, roster, federation=app.settings.read_federation),
    )


class _Roster:
    """The delegated admins of now, as far as policies ask."""

    def __init__(self, technicians: Sequence[Technician], facts: Mapping[str, Any], now: datetime) -> None:
        current = [t for t in technicians if is_current(t, now)]
        known = frozenset(facts.get("known", ()))
        self.people = [AdminInPolicies(t.key, frozenset(t.memberships), known, t.guest) for t in current]
        self.names = {t.key: t.user_principal_name for t in current}
        self.group_names: Mapping[str, str] = facts.get("groupNames", {})
        self.problem = str(facts.get("groupsProblem") or "")


def _told(answer: PolicyVerdict, sentences: Mapping[str, str]) -> PolicyAnswer:
    return PolicyAnswer(answer=answer, sentence=sentences[answer])


def _mfa_for_all(policies: Policies, roster: _Roster) -> MfaForAll:
    told = mfa_coverage(policies, roster.people)
    open_ = [p for p in roster.people if p.key in told.uncovered] + [p for p in roster.people if p.key in told.unsure]
    return MfaForAll(
        answer=told.answer,
        sentence=COVERED[told.answer].format(
            covered=len(told.covered), unsure=len(told.unsure), all=len(roster.people)
        ),
        covered=len(told.covered),
        uncovered=len(told.uncovered),
        unsure=len(told.unsure),
        people=[
            UncoveredPerson(
                user_id=shown_id(person.key),
                user_principal_name=roster.names[person.key],
                reason=(
                    why_uncovered(policies, person)
                    if person.key in told.uncovered
                    else "It hangs on a group, role or kind of guest of which it is not known who is in it."
                ),
            )
            for person in open_[:_MOST_NAMED]
        ],
    )


def _exclusion(hole: Hole, policies: Policies, roster: _Roster) -> PolicyExclusion:
    inside = people_in(hole, roster.people)
    names = {**roster.group_names, **policies.named_locations, **roster.names}
    return PolicyExclusion(
        policy_id=hole.policy_id,
        policy_name=hole.policy,
        rule=hole.rule,
        configured=not hole.told,
        parts=[
            ExclusionPart(id=part, name=rule_part_name(hole.rule, part, names))
            for part in (hole.parts or (hole.told,))[:_MOST_NAMED]
        ],
        people=None if inside is None else len(inside),
        sign_ins=hole.sign_ins,
    )


def _domain(domain: Federation) -> FederatedDomain:
    mfa = "cannot-tell" if domain.mfa is None else domain.mfa or "not-set"
    return FederatedDomain(domain=domain.domain, provider_mfa=mfa, sentence=PROVIDER_MFA[mfa])


def _missing(kept: KeptPolicies | None, roster: _Roster, *, federation: bool) -> list[UnreadPart]:
    if kept is None:
        return [UnreadPart(part="all", problem=MISSING["all"])]
    found = [UnreadPart(part=part, problem=problem) for part, problem in sorted(kept.problems.items())]
    if not federation:
        found += [UnreadPart(part=part, problem=MISSING[part]) for part in (DOMAINS, FEDERATION)]
    if roster.problem:
        found.append(UnreadPart(part="groups", problem=roster.problem))
    return found
