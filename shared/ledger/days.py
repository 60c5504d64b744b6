"""A UTC day: what its slices add up to, how far each was read, and the worst lines of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from shared.ledger.counts import FORMAT, AppLines, Counts, PortalLines, UserLines
from shared.ledger.counts_json import PairColumns
from shared.ledger.finding_groups import Groups
from shared.ledger.head import Head, SliceState
from shared.ledger.samples import Samples
from shared.ledger.slices import midnight
from shared.ledger.tallies import CustomerVerdicts, ScopeCounts, Tally
from shared.ledger.tops import Tops
from shared.signin.traits import HEADLINE

# A day is added up in blocks, so that one slice that changed leaves most of the day as it is. Of 96 slices a day a
# change then takes 12 heads and 8 blocks; neither many small blocks nor few large ones take less.
BLOCK: Final = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one slice was read. Times are UTC. `due` is when the lack of its next read counts (None: sealed);
    `consistent` that the log did not shrink since; `quarantined` how many of its records could not be read, and
    `accepted` with how many of these an operator put up."""

    tenant: str
    start: datetime
    end: datetime
    whole: bool
    due: datetime | None
    parked: bool
    problem: str
    consistent: bool = True
    quarantined: int = 0
    accepted: int = 0

    @property
    def lacks_quarantined(self) -> bool:
        """Whether records of it could not be read, and nobody accepted that."""
        return self.quarantined > self.accepted

    def is_read(self, now: datetime) -> bool:
        """Whether it was read to its end and no re-read is overdue; some of its records may stand in quarantine."""
        return self.whole and (self.due is None or now <= self.due)

    def is_complete(self, now: datetime) -> bool:
        """Whether what was read is all that the log is known to say, at that time."""
        return self.is_read(now) and not self.lacks_quarantined


@dataclass(frozen=True, slots=True)
class Totals:
    """What a day's sign-ins add up to, without any lines."""

    scopes: dict[str, ScopeCounts] = field(default_factory=dict)
    apart: Tally = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noted:
    """What the nightly run noted of a day; None where it noted nothing. `posture` holds figures by name, `roster` is
    how many people had delegated rights, `policies` names the policies in force by a fingerprint."""

    posture: Mapping[str, int | float | str | bool | None] | None = None
    roster: int | None = None
    policies: str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """One day's roll-up, without its lines.

    `rules_versions` says how many slices were judged by which version of the rules. `trimmed` names the kinds of lines
    (users, customers, apps, pairs, portals, groups) of which there were too many to keep each. A `format` below FORMAT
    is of an older version of the app: what that did not record is not there. `lines_mark` changes with the day's lines;
    "" where nothing can be told from it.
    """

    day: datetime
    counts: Totals
    reach: Sequence[Reach]
    tops: Tops = field(default_factory=Tops)
    rules_versions: Tally = field(default_factory=dict)
    trimmed: frozenset[str] = frozenset()
    noted: Noted = field(default_factory=Noted)
    format: int = FORMAT
    lines_mark: str = ""

    @property
    def quarantined(self) -> int:
        """How many records could not be read."""
        return sum(reach.quarantined for reach in self.reach)

    @property
    def accepted_quarantine(self) -> int:
        """With how many of these an operator put up."""
        return sum(min(reach.accepted, reach.quarantined) for reach in self.reach)


@dataclass(frozen=True, slots=True)
class DayReach:
    """How far a day was read, and its counts, for who looks at a year of them. `is_sealed`: every tenant that the app
    reads was read from midnight to midnight, to its end, and is not read again, with nothing in quarantine; then
    `reach` is left empty."""

    day: datetime
    reach: Sequence[Reach] = ()
    is_sealed: bool = False
    counts: Totals = field(default_factory=Totals)

    @property
    def non_compliant(self) -> int:
        """Its sign-ins without MFA in the headline's scopes."""
        scopes = (self.counts.scopes[scope] for scope in HEADLINE if scope in self.counts.scopes)
        return sum(scope.by_verdict.non_compliant for scope in scopes)


@dataclass(frozen=True, slots=True)
class DayLines[T]:
    """The lines of one kind of a day. `trimmed`: there were too many to keep each, REST stands for those left out.
    `names` are display names by key, as far as this kind has any."""

    day: datetime
    lines: T
    names: Mapping[str, str] = field(default_factory=dict)
    trimmed: bool = False


type DayUsers = DayLines[UserLines]
type DayCustomers = DayLines[dict[str, dict[str, CustomerVerdicts]]]
type DayApps = DayLines[AppLines]
type DayPairs = DayLines[PairColumns]
type DayPortals = DayLines[PortalLines]
type DayGroups = DayLines[Groups]
type DaySamples = DayLines[Samples]


@dataclass(frozen=True, slots=True)
class CustomerDay:
    """One customer's day, by scope."""

    day: datetime
    scopes: dict[str, ScopeCounts]


def block_of(at: datetime) -> int:
    """Which block of its day holds a slice that begins then."""
    return (at.hour * 3600 + at.minute * 60 + at.second) // int(BLOCK.total_seconds())


def block_starts(at: datetime) -> datetime:
    """When the block begins that holds a slice that begins then; UTC."""
    return midnight(at) + block_of(at) * BLOCK


def head_mark(heads: Iterable[Head]) -> str:
    """What a block's roll-up depends on."""
    return _mark(f"{h.slice.name} {h.generation} {h.state} {h.batch} {h.accepted_quarantine}" for h in heads)


def counts_mark(heads: Iterable[Head]) -> str:
    """What a block's counts depend on: less, since most re-reads change how far a slice was read and nothing else."""
    return _mark(
        f"{h.slice.name} {h.state is SliceState.SPLIT} {h.counts_mark or (h.generation, h.batch)}" for h in heads
    )


def marks_mark(marks: Mapping[str, str]) -> str:
    """What the day depends on: the marks of its blocks, by name."""
    return _mark(f"{name} {mark}" for name, mark in sorted(marks.items()))


def _mark(parts: Iterable[str]) -> str:
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def totals_of(counts: Counts) -> Totals:
    """The counts without their lines."""
    return Totals(counts.scopes, counts.apart)
