"""Causes: the gaps behind open problems, worst first, with the effect on the percentage and what closes each.

A gap is what sign-ins without MFA share: the kind of cause, the policy, the rule that let them pass
(shared/rules/cause.py). Unknown sign-ins are grouped by why nothing is known and by application.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Final, Literal

from pydantic import Field

from shared.answers.cause_groups import CauseGroup, Found, effect_of, grouped, sentence_of
from shared.answers.directories import tenant_names, user_names
from shared.answers.incident_detail import etag_of
from shared.answers.people import paged
from shared.answers.period import CoveredPage, PeriodQuery, Span, Standing, read_standing, span_of
from shared.answers.rules import RuleText, texts_of
from shared.app.app import App
from shared.compliance.coverage import percent
from shared.incidents.model import IncidentState
from shared.ledger.days import DayGroups
from shared.ledger.tallies import NOT_RECORDED, Verdicts
from shared.posture.gaps import Remedy, remedy_of, title_of
from shared.rules import RULE
from shared.rules.cause import Cause, CauseKind
from shared.rules.rule import Owner
from shared.store.days import days_of_groups
from shared.store.outlines import IncidentOutline, outline_incidents
from shared.wire.models import HEADLINE_NAMES, Answer, ListQuery, Scopes, ShownCause, ShownRule, ShownWhy, shown_id

_MOST_NAMED: Final = 20
_LOOK: Final = Remedy(
    ("Open one of the sign-ins in the Entra admin center and look at its tab Authentication details.",),
    "https://learn.microsoft.com/entra/identity/monitoring-health/concept-sign-in-log-activity-details",
)


class CausesQuery(ListQuery, PeriodQuery):
    """Of which period and scopes, and of which verdict."""

    scope: Scopes = Field(default=HEADLINE_NAMES, description="Sign-ins of these scopes; all: each.")
    verdict: Literal["non-compliant", "unknown"] = Field(
        default="non-compliant", description="unknown: why nothing is known, by why and application."
    )


class CausePerson(Answer):
    """Somebody who got in through the gap."""

    user_id: str
    user_principal_name: str | None
    sign_ins: int


class CauseCustomer(Answer):
    """A customer that was reached through it."""

    customer_id: str
    customer_name: str | None
    sign_ins: int


class CauseApplication(Answer):
    """An application that was used."""

    app_id: str | None
    app_name: str | None
    sign_ins: int


class WhatCloses(Answer):
    """What closes a gap: steps for a person. The app changes nothing itself."""

    steps: list[str]
    link: str
    owner: Owner = Field(
        description="Whose step it is: partner-admin (of the partner's Entra ID), application-owner, customer."
    )

    @classmethod
    def of(cls, remedy: Remedy) -> WhatCloses:
        """The remedy as the answers show it."""
        return cls(steps=[*remedy.steps], link=remedy.link, owner=remedy.owner)


class CauseItem(Answer):
    """Sign-ins that one change would mend. The two percentages are of all sign-ins of the scopes: as they stand, and
    without this cause. People, customers and applications are the first twenty, those of the most sign-ins first."""

    id: str
    kind: ShownCause | ShownWhy = Field(description="A kind of cause; of unknown sign-ins, why nothing is known.")
    title: str = Field(description="The gap in one clause; names in it are hostile text.")
    sentence: str
    policy_id: str | None = Field(description="The Conditional Access policy; null where none is named.")
    policy_name: str | None = Field(description="Its name: hostile text.")
    policy_rule: str | None = Field(description="What of the policy let them pass, or why nobody can tell.")
    what_closes: WhatCloses
    rules: list[ShownRule]
    sign_ins: int
    of_all: int = Field(description="How many sign-ins of that verdict there are in the scopes.")
    compliance_percent: float | None
    compliance_percent_if_fixed: float | None
    people: list[CausePerson] = Field(description="Who got in through it, by number of sign-ins.")
    people_count: int = Field(description="How many people got in through it.")
    customers: list[CauseCustomer]
    customers_reached: int = Field(description="At how many customers it happens.")
    applications: list[CauseApplication]
    applications_count: int = Field(description="How many applications were used.")
    truncated: bool = Field(
        description="Of some sign-ins the days were too long to keep who, where or with what: there may be more "
        "people, customers and applications than these, but no more sign-ins."
    )
    first_seen_on: date
    last_seen_on: date
    incident_ids: list[str] = Field(description="Those that are not resolved.")
    etag: str = Field(
        description="The version of all these incidents together: what If-Match says to act on them, of the same "
        "period and scopes. Findings that are added do not change it."
    )


class CausesPage(CoveredPage[CauseItem]):
    """Causes, those first whose mending helps most."""

    sentence: str = Field(description="How few gaps explain how much.")
    not_listed: int = Field(description="Sign-ins of that verdict of which the day's lines were too many to keep each.")
    rule_texts: dict[str, RuleText]


@dataclass(frozen=True, slots=True)
class _Names:
    """Names by key: of people and applications, and of tenants."""

    seen: Mapping[str, str]
    tenants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CausesSeen:
    """What the causes of a period and of some scopes are worked out from. `whole` are the verdicts of all its
    sign-ins."""

    standing: Standing
    scope: Sequence[str]
    days: Sequence[DayGroups]
    incidents: Sequence[IncidentOutline]
    whole: Verdicts
    names: _Names

    def found(self, verdict: str) -> Found:
        """The causes of sign-ins of that verdict."""
        return grouped(self.days, self.scope, verdict)

    def open_of(self, cause: CauseGroup) -> list[IncidentOutline]:
        """The incidents of a cause that are not resolved."""
        return [i for i in self.incidents if i.state != IncidentState.RESOLVED and cause.holds(i)]

    def item(self, cause: CauseGroup, of_all: int) -> CauseItem:
        """A cause as the answers show it. `of_all` is how many sign-ins of its verdict there are."""
        return _item(cause, self.whole, of_all, self.names, self.open_of(cause))


async def see_causes(app: App, span: Span, scope: Sequence[str]) -> CausesSeen:
    """Read what causes are worked out from. Raises BadParameter."""
    standing = await read_standing(app, span)
    tables = await app.tables()
    days = [day async for day in days_of_groups(tables.rollups, span.start, span.last)]
    incidents = await outline_incidents(tables.incidents)
    whole = standing.figures.of_scopes(scope).by_verdict
    directory = await app.known_directory()
    apps = {key: top.name for day in standing.days for key, top in day.tops.apps.items() if top.name}
    names = _Names({**apps, **user_names(standing.days, directory)}, tenant_names(directory))
    return CausesSeen(standing, scope, days, incidents, whole, names)


async def read_causes(app: App, query: CausesQuery) -> CausesPage:
    """A page of causes. Raises BadParameter."""
    seen = await see_causes(app, span_of(app, query.days, query.from_, query.to), query.scope)
    found = seen.found(query.verdict)
    page, cursor = paged(found.groups, query, "causes", lambda each: (f"{10**9 - each.sign_ins:010d}", each.id))
    return CausesPage(
        items=[seen.item(cause, found.of_all) for cause in page],
        cursor=cursor,
        period=seen.standing.period,
        coverage=seen.standing.coverage,
        sentence=sentence_of(found.groups, found.of_all, query.verdict),
        not_listed=found.not_listed,
        rule_texts=texts_of(rule for cause in page for rule in cause.rules),
    )


def version_of(incidents: Iterable[IncidentOutline]) -> str:
    """The version of a cause as people see it: another one when an incident joins or leaves, or when somebody does
    something to one; counting on does not change it."""
    text = "\n".join(sorted(f"{incident.key} {etag_of(incident)}" for incident in incidents))
    return f'"{sha256(text.encode()).hexdigest()[:32]}"'


def _item(
    cause: CauseGroup, whole: Verdicts, of_all: int, names: _Names, incidents: Sequence[IncidentOutline]
) -> CauseItem:
    known = cause.why is None
    now = percent(whole.compliant, whole.non_compliant)
    fixed = percent(whole.compliant + cause.sign_ins, whole.non_compliant - cause.sign_ins) if known else now
    title = title_of(cause.cause) if known else f"{names.seen.get(cause.app) or shown_id(cause.app)}: {cause.why}"
    remedy = remedy_of(cause.cause) if known else _LOOK
    gap = cause.cause or Cause(CauseKind.CANNOT_TELL)
    return CauseItem(
        id=cause.id,
        kind=cause.why or (cause.cause.kind if cause.cause else NOT_RECORDED),
        title=title,
        sentence=f"{title}: {effect_of(cause, of_all, now, fixed)}",
        policy_id=gap.policy_id or None,
        policy_name=gap.policy or None,
        policy_rule=gap.rule or None,
        what_closes=WhatCloses.of(remedy),
        rules=[rule for rule in RULE if rule in cause.rules],  # how it was done comes before what it lacked
        sign_ins=cause.sign_ins,
        of_all=of_all,
        compliance_percent=now,
        compliance_percent_if_fixed=fixed,
        people=[
            CausePerson(user_id=shown_id(key), user_principal_name=names.seen.get(key), sign_ins=n)
            for key, n in _first(cause.users)
        ],
        people_count=len(cause.users),
        customers=[
            CauseCustomer(customer_id=shown_id(key), customer_name=names.tenants.get(key), sign_ins=n)
            for key, n in _first(cause.customers)
        ],
        customers_reached=len(cause.customers),
        applications=[
            CauseApplication(app_id=shown_id(key) or None, app_name=names.seen.get(key), sign_ins=n)
            for key, n in _first(cause.apps)
        ],
        applications_count=len(cause.apps),
        truncated=cause.truncated,
        first_seen_on=min(cause.days),
        last_seen_on=max(cause.days),
        incident_ids=[incident.key for incident in incidents],
        etag=version_of(incidents),
    )


def _first(counted: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))[:_MOST_NAMED]
