"""An incident: the same user, customer and application while it goes on. People and alerts deal with these. Pure.

An incident is the sum of what each slice contributes to it. What happens to it is in shared/incidents/life.py.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.incidents.findings import Finding
from shared.incidents.traits import MOST_OTHERS, capped, traits_of
from shared.rules import RULE
from shared.rules.rule import Severity
from shared.signin.traits import WATCHED

_MANY: Final = 1_000  # traits or customers that are held while they are added up
ALL_SCOPES: Final = frozenset(str(scope) for scope in WATCHED)


class IncidentState(StrEnum):
    """Where an incident stands. SILENCED is by a technical exception."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    SILENCED = "silenced"
    RESOLVED = "resolved"


class Ending(StrEnum):
    """How a resolved incident came to its end. CORRECTED: its records were, so that nothing is left of its findings."""

    NONE = ""
    QUIET = "quiet"
    PERSON = "person"
    CORRECTED = "corrected"


class EventKind(StrEnum):
    """What there is to tell of an incident. LOWERED: records were corrected, and what is left is less severe."""

    OPENED = "opened"
    RAISED = "raised"
    LOWERED = "lowered"
    ONGOING = "ongoing"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Facts:
    """What findings say together.

    `announceable` is the highest severity that may be told already (0: none): rules that rest on evidence wait for the
    first re-read of their slice, since details arrive late. `scopes` are those of the findings; all of them where a row
    says nothing of it (an older version of the app wrote it). `traits` are what the successful sign-ins had about them
    (shared/incidents/traits.py), such as `{"rule:legacy-auth", "country:AT"}`. `customers` are the tenants that were
    reached, by key, of an incident that is about a user alone: as many as a row has room for, none where a row says
    nothing of it.
    """

    count: int
    first: datetime
    last: datetime
    rules: frozenset[str]
    severity: int
    announceable: int
    scopes: frozenset[str] = ALL_SCOPES
    traits: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()

    @property
    def stands(self) -> int:
        """The severity to tell: the highest that may be told, or that of all while none may."""
        return self.announceable or self.severity

    @property
    def rests_on_evidence(self) -> bool:
        """Whether no rule of a protocol is among its rules: those are certain at once."""
        return all(rule not in RULE or RULE[rule].on_evidence for rule in self.rules)


@dataclass(frozen=True, slots=True)
class Who:
    """Whose incident it is. Customer and app are "" for one that is about a user alone."""

    user: str
    user_name: str
    customer: str
    app: str
    app_name: str


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are UTC; None stands for never. `reason` says for people why it stands where it stands.

    `opening` counts how often it opened; this opening is about the sign-ins after `since`. `announced` is the
    highest severity that was told in it (0: none), `tellings` how often, `told_at` when last, `told_last` the
    newest sign-in that people know of. `opened_at` is when this opening began, `raised_at` when its severity last
    rose after it was told, `grew_at` when its last finding came or a person opened it. `acted_at` is when somebody
    acknowledged or snoozed it, `known` the traits that it had then (None: nobody did, or an older version of the
    app wrote it down), `woken_at` when a new trait last woke it. `assignee` and `due` are who looks after it, and
    until which day (a UTC midnight). `unheard` are new traits that may not wake it yet. `revision` counts the lines
    of its history.
    """

    key: str
    who: Who
    facts: Facts
    announced: int = 0
    opening: int = 1
    state: IncidentState = IncidentState.OPEN
    ending: Ending = Ending.NONE
    reason: str = ""
    since: datetime | None = None
    tellings: int = 0
    told_at: datetime | None = None
    told_last: datetime | None = None
    opened_at: datetime | None = None
    raised_at: datetime | None = None
    grew_at: datetime | None = None
    snoozed_until: datetime | None = None
    resolved_at: datetime | None = None
    acted_at: datetime | None = None
    woken_at: datetime | None = None
    known: frozenset[str] | None = None
    unheard: frozenset[str] = frozenset()
    assignee: str = ""
    due: datetime | None = None
    revision: int = 0

    @property
    def is_withdrawn(self) -> bool:
        """Whether nothing is left of its findings."""
        return self.facts.count == 0

    @property
    def customers(self) -> frozenset[str]:
        """The tenants that its findings reached, by key; none where an older version of the app did not note them."""
        return frozenset({self.who.customer}) if self.who.customer else self.facts.customers


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell of an incident. The same thing has the same id each time."""

    id: str
    kind: EventKind
    incident: str
    severity: int


@dataclass(frozen=True, slots=True)
class Telling:
    """A pending event with its incident as it was then, or as it is told.

    `at` is when it happened, UTC. `first_scan`: what the first scan found in the days before the installation. `unread`
    is how many slices that it rests on are not read yet when it is told.
    """

    event: Event
    incident: Incident
    at: datetime
    first_scan: bool
    unread: int = 0


def contributions(
    findings: Iterable[Finding], *, settled: bool, among: Container[str] | None = None
) -> dict[str, tuple[Who, Facts]]:
    """What the findings of a slice add, by incident: to all, or to those `among`. `settled`: the slice was read at its
    first re-read or later. Findings are let go as they are added up."""
    sums: dict[str, _Sum] = {}
    for finding in findings:
        for key, fits in finding.incidents().items():
            if among is None or key in among:
                if key not in sums:
                    sums[key] = _Sum(finding, fits)
                sums[key].add(finding, fits, settled=settled)
    return {key: of_key.contribution() for key, of_key in sums.items()}


class _Sum:
    """What one slice contributes to one incident, added up finding by finding."""

    __slots__ = (
        *("count", "severity", "announceable", "first", "last", "newest", "who", "is_about_user"),
        *("rules", "scopes", "traits", "customers"),
    )

    def __init__(self, finding: Finding, fits: Sequence[tuple[str, Severity]]) -> None:
        self.count = self.severity = self.announceable = 0
        self.first = self.last = finding.at
        self.is_about_user = finding.is_about_user(fits[0][0])
        self.newest = finding.at, finding.id
        self.who = self._who(finding)
        self.rules: set[str] = set()
        self.scopes: set[str] = set()
        self.traits: set[str] = set()
        self.customers: set[str] = set()

    def add(self, finding: Finding, fits: Sequence[tuple[str, Severity]], *, settled: bool) -> None:
        """Count a finding in which these rules count."""
        self.count += 1
        self.first, self.last = min(self.first, finding.at), max(self.last, finding.at)
        if (finding.at, finding.id) > self.newest:
            self.newest, self.who = (finding.at, finding.id), self._who(finding)
        self.rules.update(rule for rule, _ in fits)
        self.scopes.add(str(finding.scope))
        self.severity = max(self.severity, *(int(severity) for _, severity in fits))
        told = (int(severity) for rule, severity in fits if settled or not RULE[rule].on_evidence)
        self.announceable = max(self.announceable, *told, 0)
        self.traits.update(traits_of(finding, fits))
        self.customers.add(finding.customer)
        if len(self.traits) > _MANY:
            self.traits = {*capped(self.traits)}
        if len(self.customers) > _MANY:
            self.customers = {*_most(self.customers)}

    def contribution(self) -> tuple[Who, Facts]:
        """All of it together."""
        facts = Facts(
            count=self.count,
            first=self.first,
            last=self.last,
            rules=frozenset(self.rules),
            severity=self.severity,
            announceable=self.announceable,
            scopes=frozenset(self.scopes),
            traits=capped(self.traits),
            customers=_most(self.customers) if self.is_about_user else frozenset(),
        )
        return self.who, facts

    def _who(self, newest: Finding) -> Who:
        if self.is_about_user:
            return Who(newest.user, newest.user_name, "", "", "")
        return Who(newest.user, newest.user_name, newest.customer, newest.app, newest.app_name)


def total(parts: Iterable[Facts], since: datetime | None = None) -> Facts | None:
    """The sum of what slices contribute; None when nothing is left. Only sign-ins after `since` may be announced."""
    counted = [part for part in parts if part.count > 0]
    if not counted:
        return None
    return Facts(
        count=sum(part.count for part in counted),
        first=min(part.first for part in counted),
        last=max(part.last for part in counted),
        rules=frozenset[str]().union(*(part.rules for part in counted)),
        severity=max(part.severity for part in counted),
        announceable=max(part.announceable if _is_after(part, since) else 0 for part in counted),
        scopes=frozenset[str]().union(*(part.scopes for part in counted)),
        traits=capped(trait for part in counted for trait in part.traits),
        customers=_most(customer for part in counted for customer in part.customers),
    )


def _most(customers: Iterable[str]) -> frozenset[str]:
    """As many of them as a row has room for, whatever the order in which they come."""
    return frozenset(sorted(set(customers))[:MOST_OTHERS])


def _is_after(part: Facts, since: datetime | None) -> bool:
    return since is None or part.last > since


def only_grew(old: Facts | None, new: Facts | None) -> bool:
    """Whether a contribution only added to what it was, so that its incident can be counted on without the others."""
    if old is None or old.count == 0:
        return True
    return (
        new is not None
        and new.count >= old.count
        and new.first <= old.first
        and new.last >= old.last
        and new.rules >= old.rules
        and new.severity >= old.severity
        and new.announceable >= old.announceable
        and new.scopes >= old.scopes
        and new.traits >= old.traits
        and new.customers >= old.customers
    )


def adds(old: Facts | None, new: Facts | None) -> bool:
    """Whether a contribution says something that it did not say before."""
    if new is None or new.count == 0:
        return False
    return old is None or (new.count, new.announceable) > (old.count, old.announceable) or new.last > old.last


def counted_on(incident: Facts | None, old: Facts | None, new: Facts, since: datetime | None = None) -> Facts:
    """An incident's facts after a contribution that only grew."""
    fresh = new if _is_after(new, since) else replace(new, announceable=0)
    if incident is None or incident.count == 0:
        return fresh
    both = total([incident, fresh])
    assert both is not None  # noqa: S101 - two contributions that count
    return replace(both, count=incident.count + new.count - (old.count if old else 0))
