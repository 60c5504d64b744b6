"""What is counted of sign-ins, and how counts of slices and days are added up. Pure.

Counts are recomputed from the slices' heads and never incremented, so that no crash or repetition can bend them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from shared.rules.assess import Assessment, Verdict
from shared.signin.traits import WATCHED, Identity, Scope

_PLACE: Final = {Verdict.COMPLIANT: 0, Verdict.NON_COMPLIANT: 1, Verdict.UNKNOWN: 2}
# How many users, customers or applications of a slice or a day keep a line of their own; the rest are one line, "".
MOST_LINES: Final = 3000
REST: Final = ""
# How many pairs of a user and a customer a slice or a day keeps; beyond it users are left out, and REST says so.
MOST_PAIRS: Final = 20_000


class Seen(NamedTuple):
    """What the counts need of one sign-in."""

    assessment: Assessment
    user: str
    user_name: str
    customer: str
    app: str
    app_name: str


type Tally = dict[str, int]
type Lines = dict[str, list[int]]  # key -> [compliant, non-compliant, unknown]
type Reached = dict[str, set[str]]  # user -> customers


@dataclass(slots=True)
class ScopeCounts:
    """The counts of one scope. `verdicts`, `evidence` and `rules` count sign-ins; `users`, `customers`, `apps` hold
    compliant, non-compliant and unknown by key."""

    verdicts: Tally = field(default_factory=dict)
    evidence: Tally = field(default_factory=dict)
    rules: Tally = field(default_factory=dict)
    users: Lines = field(default_factory=dict)
    customers: Lines = field(default_factory=dict)
    apps: Lines = field(default_factory=dict)

    def add(self, seen: Seen) -> None:
        """Count one sign-in."""
        assessment = seen.assessment
        _count(self.verdicts, assessment.verdict)
        _count(self.evidence, assessment.evidence)
        for rule in assessment.rules:
            _count(self.rules, rule)
        place = _PLACE.get(assessment.verdict)
        if place is not None:
            for lines, key in ((self.users, seen.user), (self.customers, seen.customer), (self.apps, seen.app)):
                lines.setdefault(key, [0, 0, 0])[place] += 1

    def merge(self, other: ScopeCounts) -> None:
        """Add another's counts."""
        for mine, theirs in (
            (self.verdicts, other.verdicts),
            (self.evidence, other.evidence),
            (self.rules, other.rules),
        ):
            for key, n in theirs.items():
                _count(mine, key, n)
        for lines, other_lines in (
            (self.users, other.users),
            (self.customers, other.customers),
            (self.apps, other.apps),
        ):
            for key, values in other_lines.items():
                line = lines.setdefault(key, [0, 0, 0])
                for i, n in enumerate(values):
                    line[i] += n


@dataclass(slots=True)
class Counts:
    """The counts of a slice, a day or a period.

    `apart` counts what cannot or need not do MFA: apps, agents, devices, people out of scope. `lacking` counts the
    non-compliant by who, where, with what and which rules: exceptions are weighed against it. `reached` tells which
    users signed in to which customers. `names` are display names by key, hostile text as all of the log.
    """

    scopes: dict[str, ScopeCounts] = field(default_factory=dict)
    apart: Tally = field(default_factory=dict)
    lacking: Tally = field(default_factory=dict)
    reached: Reached = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def add(self, seen: Seen) -> None:
        """Count one sign-in."""
        assessment = seen.assessment
        if assessment.identity is not Identity.USER:
            _count(self.apart, str(assessment.identity))
            return
        if assessment.scope not in WATCHED:
            _count(self.apart, str(assessment.scope))
            return
        self.scopes.setdefault(str(assessment.scope), ScopeCounts()).add(seen)
        if assessment.scope is Scope.CUSTOMER and assessment.verdict in _PLACE:
            self.reached.setdefault(seen.user, set()).add(seen.customer)
        if assessment.verdict is Verdict.NON_COMPLIANT:
            rules = ",".join(assessment.rules)
            _count(self.lacking, "|".join((assessment.scope, seen.user, seen.customer, seen.app, rules)))
        for key, name in ((seen.user, seen.user_name), (seen.app, seen.app_name)):
            if key and name:
                self.names[key] = name[:200]

    def merge(self, other: Counts) -> None:
        """Add another's counts."""
        for scope, counts in other.scopes.items():
            self.scopes.setdefault(scope, ScopeCounts()).merge(counts)
        for key, n in other.apart.items():
            _count(self.apart, key, n)
        for key, n in other.lacking.items():
            _count(self.lacking, key, n)
        for user, customers in other.reached.items():
            self.reached.setdefault(user, set()).update(customers)
        self.names.update(other.names)

    def to_json(self, most: int = MOST_LINES) -> dict[str, Any]:
        """The counts as a JSON object, with at most so many lines of a kind. The sums stay exact."""
        scopes: dict[str, dict[str, Any]] = {
            name: {
                "verdicts": scope.verdicts,
                "evidence": scope.evidence,
                "rules": scope.rules,
                "users": _trimmed(scope.users, most),
                "customers": _trimmed(scope.customers, most),
                "apps": _trimmed(scope.apps, most),
            }
            for name, scope in self.scopes.items()
        }
        shown = {key for scope in scopes.values() for lines in (scope["users"], scope["apps"]) for key in lines}
        return {
            "scopes": scopes,
            "apart": self.apart,
            "lacking": _trimmed_tally(self.lacking, most),
            "reached": _indexed(self.reached, MOST_PAIRS * most // MOST_LINES),
            "names": {key: name for key, name in self.names.items() if key in shown},
        }

    def shapes(self) -> Iterator[dict[str, Any]]:
        """The counts as JSON objects with fewer and fewer lines, for where there is little room."""
        most = MOST_LINES
        while most > 1:
            yield self.to_json(most)
            most //= 4

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> Counts:
        """The counts that to_json gave."""
        return cls(
            scopes={name: ScopeCounts(**scope) for name, scope in value.get("scopes", {}).items()},
            apart=value.get("apart", {}),
            lacking=value.get("lacking", {}),
            reached=_unindexed(value.get("reached", {})),
            names=value.get("names", {}),
        )


def total(parts: Iterable[Counts]) -> Counts:
    """The sum of counts."""
    whole = Counts()
    for part in parts:
        whole.merge(part)
    return whole


def _count(tally: Tally, key: str, n: int = 1) -> None:
    tally[str(key)] = tally.get(str(key), 0) + n


def _trimmed(lines: Lines, most: int) -> Lines:
    if len(lines) <= most:
        return lines
    worst = sorted(lines.items(), key=lambda line: (line[0] == REST, -line[1][1], -line[1][2], -line[1][0], line[0]))
    kept = dict(worst[: most - 1])
    rest = [sum(place) for place in zip(*(values for _, values in worst[most - 1 :]), strict=True)]
    return {**kept, REST: rest}


def _trimmed_tally(tally: Tally, most: int) -> Tally:
    """The greatest, and the rest as one."""
    if len(tally) <= most:
        return tally
    greatest = sorted(tally.items(), key=lambda entry: (entry[0] == REST, -entry[1], entry[0]))
    return {**dict(greatest[: most - 1]), REST: sum(n for _, n in greatest[most - 1 :])}


def _indexed(reached: Reached, most: int) -> dict[str, Any]:
    """Each customer once, and users with the places of theirs: those of the most customers first, as far as there is
    room. REST stands for who is left out."""
    users: dict[str, list[str]] = {}
    left = most
    for user, customers in sorted(reached.items(), key=lambda entry: (entry[0] == REST, -len(entry[1]), entry[0])):
        left -= len(customers) + 1
        users[user if left >= 0 else REST] = sorted(customers) if left >= 0 else []
    places = {customer: i for i, customer in enumerate(sorted({c for of_user in users.values() for c in of_user}))}
    return {"customers": [*places], "users": {user: [places[c] for c in of_user] for user, of_user in users.items()}}


def _unindexed(value: dict[str, Any]) -> Reached:
    customers = value.get("customers", [])
    return {user: {customers[i] for i in places} for user, places in value.get("users", {}).items()}
