"""What is counted of sign-ins, and how counts of slices and days are added up. Pure.

Counts are recomputed from the slices' heads and never incremented, so that no crash or repetition can bend them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from shared.signin.assess import Assessment, Verdict
from shared.signin.traits import WATCHED, Identity

_PLACE: Final = {Verdict.COMPLIANT: 0, Verdict.NON_COMPLIANT: 1, Verdict.UNKNOWN: 2}
# How many users, customers or applications of a slice or a day keep a line of their own; the rest are one line, "".
MOST_LINES: Final = 3000
REST: Final = ""


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
    non-compliant by who, where, with what and which rules: exceptions are weighed against it. `names` are display
    names by key, hostile text as all of the log.
    """

    scopes: dict[str, ScopeCounts] = field(default_factory=dict)
    apart: Tally = field(default_factory=dict)
    lacking: Tally = field(default_factory=dict)
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
        self.names.update(other.names)

    def to_json(self) -> dict[str, Any]:
        """The counts as a JSON object, trimmed to what a table row holds."""
        return {
            "scopes": {
                name: {
                    "verdicts": scope.verdicts,
                    "evidence": scope.evidence,
                    "rules": scope.rules,
                    "users": _trimmed(scope.users),
                    "customers": _trimmed(scope.customers),
                    "apps": _trimmed(scope.apps),
                }
                for name, scope in self.scopes.items()
            },
            "apart": self.apart,
            "lacking": self.lacking,
            "names": dict(sorted(self.names.items())[: 2 * MOST_LINES]),
        }

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> Counts:
        """The counts that to_json gave."""
        return cls(
            scopes={name: ScopeCounts(**scope) for name, scope in value.get("scopes", {}).items()},
            apart=value.get("apart", {}),
            lacking=value.get("lacking", {}),
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


def _trimmed(lines: Lines) -> Lines:
    if len(lines) <= MOST_LINES:
        return lines
    worst = sorted(lines.items(), key=lambda line: (line[0] == REST, -line[1][1], -line[1][2], -line[1][0], line[0]))
    kept = dict(worst[: MOST_LINES - 1])
    rest = kept.setdefault(REST, [0, 0, 0])
    for _, values in worst[MOST_LINES - 1 :]:
        for i, n in enumerate(values):
            rest[i] += n
    return kept
