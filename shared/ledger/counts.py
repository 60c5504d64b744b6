"""What is counted of sign-ins, and how counts of slices and days are added up. Pure.

Counts are recomputed from the slices' heads and never incremented, so that no crash or repetition can bend them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from msgspec import convert

from shared.ledger import counts_v1
from shared.ledger.counts_json import (
    groups_json,
    groups_of_json,
    lines_json,
    pairs_json,
    pairs_of_json,
    portals_json,
    portals_of_json,
)
from shared.ledger.finding_groups import Groups, group_of
from shared.ledger.samples import (
    Sample,
    Samples,
    add_sample,
    is_wanted,
    merge_samples,
    samples_json,
    samples_of_json,
)
from shared.ledger.tallies import NOT_RECORDED, AppLine, ScopeCounts, Tally, UserLine, Verdicts, count
from shared.ledger.trimming import trim_apps, trim_customers, trim_groups, trim_pairs, trim_portals, trim_users
from shared.rules.assess import Assessment, Verdict
from shared.rules.cause import Cause
from shared.signin.traits import Identity, Scope

# How counts are written; a lower number was written by an older version of the app, which recorded less.
FORMAT: Final = 3
# How many people, customers, applications or groups of findings keep a line of their own; the room of a row may allow
# fewer (shared/store/rollups.py).
MOST_LINES: Final = 20_000
# Of a slice or a few hours: there may be far more pairs than people, and a day adds these up eight times.
MOST_PAIRS: Final = 20_000
MOST_GROUPS: Final = 10_000
MOST_PORTALS: Final = 10_000
_COUNTED: Final = (Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN)
_LONGEST_NAME: Final = 200
_NO_TIME: Final = datetime.min.replace(tzinfo=UTC)


class Protocol(StrEnum):
    """How an application signs people in; the first that fits."""

    ROPC = "ropc"
    LEGACY = "legacy"
    DEVICE_CODE = "device-code"
    INTERACTIVE = "interactive"
    SILENT = "silent"
    NOT_RECORDED = NOT_RECORDED


class Seen(NamedTuple):
    """What the counts need of one sign-in; `id` and `at` (UTC) for the sample, "" where it is to be in none."""

    assessment: Assessment
    user: str
    user_name: str
    customer: str
    app: str
    app_name: str
    protocol: str = Protocol.NOT_RECORDED
    cause: Cause | None = None
    id: str = ""
    at: datetime = _NO_TIME


type UserLines = dict[str, dict[str, UserLine]]  # by scope and user
type CustomerLines = dict[str, dict[str, ScopeCounts]]  # by scope and customer
type AppLines = dict[str, dict[str, dict[str, AppLine]]]  # by scope, application and protocol
# By user and customer, of the scope customer; None where an older version of the app noted the pair and no number.
type PairLines = dict[str, dict[str, Verdicts | None]]
# By application and user: who opened it interactively in the partner's own tenant. NOT_RECORDED stands for the people
# of sign-ins of which an older version of the app noted the application alone.
type PortalLines = dict[str, dict[str, Verdicts]]


@dataclass(slots=True)
class Counts:
    """The counts of a slice or a day.

    `scopes` holds the totals of each watched scope, `apart` counts what cannot or need not do MFA: apps, agents,
    devices, people out of scope. The rest are lines, which are trimmed where there are too many: `REST` then stands for
    those left out, so that the sums stay exact. `samples` are some of the compliant sign-ins. `names` are display names
    by key, hostile text as all of the log.
    """

    scopes: dict[str, ScopeCounts] = field(default_factory=dict)
    apart: Tally = field(default_factory=dict)
    users: UserLines = field(default_factory=dict)
    customers: CustomerLines = field(default_factory=dict)
    apps: AppLines = field(default_factory=dict)
    pairs: PairLines = field(default_factory=dict)
    portals: PortalLines = field(default_factory=dict)
    groups: Groups = field(default_factory=dict)
    samples: Samples = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, seen: Seen) -> None:
        """Count one sign-in."""
        self.add_place(seen)
        self.add_person(seen)
        if seen.assessment.verdict is Verdict.COMPLIANT and seen.id and is_wanted(self.samples, seen.id):
            self.add_sample(seen)

    def add_place(self, seen: Seen, n: int = 1) -> None:
        """Count `n` sign-ins where only what leads where matters, not who it was."""
        assessment = seen.assessment
        if not assessment.is_watched:
            is_user = assessment.identity is Identity.USER
            count(self.apart, str(assessment.scope if is_user else assessment.identity), n)
            return
        scope = str(assessment.scope)
        _count_in(_line(self.scopes, scope, ScopeCounts), assessment, n)
        _count_in(_line(_line(self.customers, scope, dict), seen.customer, ScopeCounts), assessment, n)
        app = _line(_line(_line(self.apps, scope, dict), seen.app, dict), str(seen.protocol), AppLine)
        if assessment.verdict in _COUNTED:
            app.count(assessment.verdict, n)
        else:
            app.attempts += n
        self._name(seen.app, seen.app_name)

    def add_person(self, seen: Seen, n: int = 1) -> None:
        """Count `n` sign-ins where it matters who it was."""
        assessment = seen.assessment
        if not assessment.is_watched:
            return
        self._name(seen.user, seen.user_name)
        group = group_of(assessment, seen.user, seen.customer, seen.app, seen.cause)
        if group:
            self.groups[group] = self.groups.get(group, 0) + n
        if assessment.verdict not in _COUNTED:
            return
        user = _line(_line(self.users, str(assessment.scope), dict), seen.user, UserLine)
        user.count(assessment.verdict, n)
        if assessment.strength is not None:
            count(user.strength, str(assessment.strength), n)
        if assessment.scope is Scope.CUSTOMER:
            pair = _line(_line(self.pairs, seen.user, dict), seen.customer, Verdicts)
            if pair is not None:
                pair.count(assessment.verdict, n)
        elif assessment.scope is Scope.PARTNER_TENANT and seen.protocol == Protocol.INTERACTIVE:
            _line(_line(self.portals, seen.app, dict), seen.user, Verdicts).count(assessment.verdict, n)

    def add_sample(self, seen: Seen) -> None:
        """Keep a compliant sign-in, where it is one of those to keep."""
        add_sample(self.samples, _sample_of(str(seen.assessment.scope), seen))

    def _name(self, key: str, name: str) -> None:
        """Of several names the last in the alphabet, so that the order of counting changes nothing."""
        if key and name:
            name = name[:_LONGEST_NAME]
            known = self.names.get(key)
            if known is None or name > known:
                self.names[key] = name

    def merge(self, other: Counts) -> None:
        """Add another's counts. Takes nothing of the other's as its own: it may be merged again."""
        for scope, counts in other.scopes.items():
            self.scopes.setdefault(scope, ScopeCounts()).merge(counts)
        for key, n in other.apart.items():
            count(self.apart, key, n)
        for scope, users in other.users.items():
            merge_users(self.users.setdefault(scope, {}), users)
        for scope, customers in other.customers.items():
            merge_customers(self.customers.setdefault(scope, {}), customers)
        for scope, apps in other.apps.items():
            merge_apps(self.apps.setdefault(scope, {}), apps)
        merge_pairs(self.pairs, other.pairs)
        merge_portals(self.portals, other.portals)
        for group, n in other.groups.items():
            self.groups[group] = self.groups.get(group, 0) + n
        merge_samples(self.samples, other.samples)
        for key, name in other.names.items():
            self._name(key, name)

    def to_json(self, most: int = MOST_LINES) -> dict[str, Any]:
        """The counts as a JSON object, with at most so many lines of a kind. The sums stay exact."""
        users = {scope: trim_users(lines, most) for scope, lines in self.users.items()}
        apps = {scope: trim_apps(lines, most) for scope, lines in self.apps.items()}
        shown = {key for by_scope in (users, apps) for lines in by_scope.values() for key in lines}
        return {
            "format": FORMAT,
            "scopes": lines_json(self.scopes),
            "apart": dict(self.apart),
            "users": lines_json(users),
            "customers": lines_json({scope: trim_customers(lines, most) for scope, lines in self.customers.items()}),
            "apps": lines_json(apps),
            "pairs": pairs_json(trim_pairs(self.pairs, min(most, MOST_PAIRS))),
            "portals": portals_json(trim_portals(self.portals, min(most, MOST_PORTALS))),
            "groups": groups_json(trim_groups(self.groups, min(most, MOST_GROUPS))),
            "samples": samples_json(self.samples),
            "names": {key: name for key, name in self.names.items() if key in shown},
        }

    @property
    def longest(self) -> int:
        """The number of lines of the kind that has the most, pairs not counted; at least one."""
        kinds = (self.users, self.customers, self.apps)
        return max(1, len(self.groups), *(len(of_scope) for kind in kinds for of_scope in kind.values()))

    def shapes(self) -> Iterator[dict[str, Any]]:
        """The counts as JSON objects with fewer and fewer lines, for where there is little room."""
        most = MOST_LINES
        while most > 1:
            yield self.to_json(most)
            most //= 2

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Counts:
        """The counts that to_json gave, or that version 1 of the app wrote."""
        if value.get("format", 1) <= counts_v1.FORMAT:
            return cls(**counts_v1.members(value))
        apps = convert(value["apps"], dict[str, dict[str, dict[str, AppLine]]])
        return cls(
            scopes=convert(value["scopes"], dict[str, ScopeCounts]),
            apart=dict(value["apart"]),
            users=convert(value["users"], dict[str, dict[str, UserLine]]),
            customers=convert(value["customers"], dict[str, dict[str, ScopeCounts]]),
            apps=apps,
            pairs=pairs_of_json(value["pairs"]),
            portals=portals_of_json(value["portals"]) if "portals" in value else _portals_untold(apps),
            groups=groups_of_json(value["groups"]),
            samples=samples_of_json(value.get("samples", ())),
            names=dict(value["names"]),
        )


def total(parts: Iterable[Counts]) -> Counts:
    """The sum of counts."""
    whole = Counts()
    for part in parts:
        whole.merge(part)
    return whole


def merge_users(mine: dict[str, UserLine], theirs: dict[str, UserLine]) -> None:
    """Add another's lines by user."""
    for key, line in theirs.items():
        mine.setdefault(key, UserLine()).merge(line)


def merge_customers(mine: dict[str, ScopeCounts], theirs: dict[str, ScopeCounts]) -> None:
    """Add another's lines by customer."""
    for key, counts in theirs.items():
        mine.setdefault(key, ScopeCounts()).merge(counts)


def merge_apps(mine: dict[str, dict[str, AppLine]], theirs: dict[str, dict[str, AppLine]]) -> None:
    """Add another's lines by application and protocol."""
    for app, protocols in theirs.items():
        of_app = mine.setdefault(app, {})
        for protocol, line in protocols.items():
            of_app.setdefault(protocol, AppLine()).merge(line)


def merge_pairs(mine: PairLines, theirs: PairLines) -> None:
    """Add another's pairs. One without a number has none with others' added either."""
    for user, customers in theirs.items():
        of_user = mine.setdefault(user, {})
        for customer, verdicts in customers.items():
            known = of_user.setdefault(customer, Verdicts())
            if known is None or verdicts is None:
                of_user[customer] = None
            else:
                known.merge(verdicts)


def merge_portals(mine: PortalLines, theirs: PortalLines) -> None:
    """Add another's portals."""
    for app, users in theirs.items():
        of_app = mine.setdefault(app, {})
        for user, line in users.items():
            of_app.setdefault(user, Verdicts()).merge(line)


def _portals_untold(apps: AppLines) -> PortalLines:
    """The portals of counts that say nothing of their people."""
    lines = {key: protocols.get(Protocol.INTERACTIVE) for key, protocols in apps.get(Scope.PARTNER_TENANT, {}).items()}
    return {
        key: {NOT_RECORDED: Verdicts(line.compliant, line.non_compliant, line.unknown)}
        for key, line in lines.items()
        if line is not None and line.total
    }


def _sample_of(scope: str, seen: Seen) -> Sample:
    assessment = seen.assessment
    return Sample(
        id=seen.id,
        at=seen.at,
        scope=scope,
        user=seen.user,
        customer=seen.customer,
        app=seen.app,
        protocol=str(seen.protocol),
        evidence=str(assessment.evidence),
        strength=str(assessment.strength or ""),
    )


def _line[L](lines: dict[str, Any], key: str, new: Callable[[], L]) -> L:
    """A line by its key, made where there is none: most are there."""
    line = lines.get(key)
    if line is None and key not in lines:
        line = lines[key] = new()
    return line  # type: ignore[return-value]  # lines that an older version counted may be None


def _count_in(counts: ScopeCounts, assessment: Assessment, n: int) -> None:
    count(counts.verdicts, str(assessment.verdict), n)
    count(counts.evidence, str(assessment.evidence), n)
    for rule in assessment.rules:
        count(counts.rules, rule, n)
    if assessment.verdict not in _COUNTED:
        count(counts.attempts, str(assessment.outcome), n)
    if assessment.why is not None:
        count(counts.why, str(assessment.why), n)
    if assessment.strength is not None:
        count(counts.strength, str(assessment.strength), n)
