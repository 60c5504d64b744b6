"""Numbers of sign-ins: by verdict, by evidence, by rule, by strength. Pure.

Each class is a JSON object by the names of its members, empty ones left out; `merge` adds another's numbers. There are
tens of thousands of them at once, none in a circle: the garbage collector passes them over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, field

from shared.rules.assess import Verdict
from shared.signin.evidence import Strength

type Tally = dict[str, int]

# The key for what was counted before the app recorded it: so that the parts add up to the whole, and none reads 0.
NOT_RECORDED: Final = "not-recorded"


def count(tally: Tally, key: str, n: int = 1) -> None:
    """Add `n` to one number of a tally."""
    tally[key] = tally.get(key, 0) + n


def add(mine: Tally, theirs: Mapping[str, int]) -> None:
    """Add another tally."""
    for key, n in theirs.items():
        mine[key] = mine.get(key, 0) + n


def with_remainder(tally: Mapping[str, int], whole: int) -> Tally:
    """The tally with what it lacks of `whole` as NOT_RECORDED, so that it adds up.

    >>> with_remainder({"app": 2}, 5)
    {'app': 2, 'not-recorded': 3}
    """
    lacks = whole - sum(tally.values())
    return {**tally, NOT_RECORDED: lacks} if lacks > 0 else dict(tally)


class Verdicts(Struct, rename="camel", omit_defaults=True, gc=False):
    """Successful sign-ins by verdict."""

    compliant: int = 0
    non_compliant: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """How many there are."""
        return self.compliant + self.non_compliant + self.unknown

    @property
    def badness(self) -> tuple[int, int, int]:
        """Sorts the worst first: most non-compliant, then most unknown, then the lower share; where nothing is amiss
        the busiest."""
        amiss = self.non_compliant or self.unknown
        return -self.non_compliant, -self.unknown, self.compliant if amiss else -self.compliant

    def count(self, verdict: str, n: int = 1) -> None:
        """Add sign-ins of a verdict; other verdicts than these three are none of its numbers."""
        if verdict == Verdict.COMPLIANT:
            self.compliant += n
        elif verdict == Verdict.NON_COMPLIANT:
            self.non_compliant += n
        elif verdict == Verdict.UNKNOWN:
            self.unknown += n

    def merge(self, other: Verdicts | TalliedVerdicts) -> None:
        """Add another's numbers."""
        self.compliant += other.compliant
        self.non_compliant += other.non_compliant
        self.unknown += other.unknown


class TalliedVerdicts(Struct, rename="kebab", gc=False):
    """The same three, as a tally of ScopeCounts has them."""

    compliant: int = 0
    non_compliant: int = 0
    unknown: int = 0


class CustomerVerdicts(Struct, gc=False):
    """Of the ScopeCounts of a customer what lists show: there are thousands, each day."""

    verdicts: TalliedVerdicts = field(default_factory=TalliedVerdicts)


def summed(lines: Iterable[Verdicts]) -> Verdicts:
    """All of them together."""
    whole = Verdicts()
    for line in lines:
        whole.merge(line)
    return whole


class UserLine(Verdicts):
    """One person's sign-ins; the compliant ones by strength."""

    strength: Tally = field(default_factory=dict)

    @property
    def weakest(self) -> str | None:
        """The weakest strength among the compliant sign-ins; None where none was told."""
        told = [s for s in Strength if self.strength.get(s) and s is not Strength.UNTOLD]
        return str(told[-1]) if told else None

    def merge(self, other: Verdicts | TalliedVerdicts) -> None:
        """Add another's numbers."""
        super().merge(other)
        if isinstance(other, UserLine):
            add(self.strength, other.strength)


class AppLine(Verdicts):
    """The sign-ins to one application over one protocol. `attempts` did not succeed."""

    attempts: int = 0

    def merge(self, other: Verdicts | TalliedVerdicts) -> None:
        """Add another's numbers."""
        super().merge(other)
        if isinstance(other, AppLine):
            self.attempts += other.attempts


class ScopeCounts(Struct, rename="camel", omit_defaults=True, gc=False):
    """All that is counted of one scope, or of one customer in a scope.

    `verdicts` and `evidence` count sign-ins, `not-applicable` those that did not succeed, which `attempts` has by
    outcome. `why` adds up to unknown and `strength` to compliant; what either lacks of it was not recorded. `partial`
    means that an older version of the app counted some of it: `attempts`, and `rules` of a customer, say too little.
    """

    verdicts: Tally = field(default_factory=dict)
    evidence: Tally = field(default_factory=dict)
    rules: Tally = field(default_factory=dict)
    why: Tally = field(default_factory=dict)
    strength: Tally = field(default_factory=dict)
    attempts: Tally = field(default_factory=dict)
    partial: bool = False

    def merge(self, other: ScopeCounts) -> None:
        """Add another's numbers."""
        add(self.verdicts, other.verdicts)
        add(self.evidence, other.evidence)
        add(self.rules, other.rules)
        add(self.why, other.why)
        add(self.strength, other.strength)
        add(self.attempts, other.attempts)
        self.partial |= other.partial

    @property
    def by_verdict(self) -> Verdicts:
        """The three verdicts that compliance is made of."""
        of = self.verdicts.get
        return Verdicts(of(Verdict.COMPLIANT, 0), of(Verdict.NON_COMPLIANT, 0), of(Verdict.UNKNOWN, 0))
