"""What a person reads in ten seconds, and what it rests on. Pure.

No sentence is glad without its trust line: until when the log was read, how much of it, and whether alerts are on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from shared.wire.text import percentage

_LATE: Final = timedelta(hours=3)
_OLD: Final = timedelta(hours=24)  # the directory is refreshed every six hours


@dataclass(frozen=True, slots=True)
class Grounds:
    """What figures rest on. Times are UTC; percentages are null where nothing could be divided. `quarantined` records
    could not be read, `accepted` ones neither, which an operator accepted; `dead_channels` are set up wrongly, so that
    nobody there is told; `cannot_read`: something keeps a tenant's log from being read now. `gaps` counts the slices
    that are not complete by what keeps them (words for people)."""

    now: datetime
    covered: float | None
    read_anything: bool
    measured_until: datetime | None
    quarantined: int
    paused_until: datetime | None
    alerts_ready: bool
    directory_at: datetime | None
    dead_channels: int = 0
    accepted: int = 0
    paused_by: str | None = None
    cannot_read: bool = False
    gaps: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the sentence says. `burning` counts the open problems with a sign-in in the last day (None: not counted
    here), `acknowledged_burning` those that are known. `of` names whose figures they are, where not all are."""

    grounds: Grounds
    open: int
    critical: int
    burning: int | None
    acknowledged_burning: int
    compliance: float | None
    worst_case: float | None
    judged: int
    without: int
    unknown: int
    of: str = ""


class Headline(NamedTuple):
    """What is open, and which share had MFA; "" where nothing can be said of that."""

    problems: str
    share: str


def headline(standing: Standing) -> Headline:
    """What is read first."""
    if not standing.grounds.read_anything and standing.grounds.cannot_read:
        return Headline("The sign-in log cannot be read; nothing can be said.", "")
    if not standing.grounds.read_anything:
        return Headline("The log is being read for the first time; nothing can be said yet.", "")
    whose = f"{standing.of}: " if standing.of else ""
    return Headline(f"{whose}{_problems(standing)}", _share(standing))


def _problems(standing: Standing) -> str:
    if standing.open == 0:
        if standing.acknowledged_burning:
            known = _count(standing.acknowledged_burning, "problem that is known is", "problems that are known are")
            return f"No problem is open; {known} still happening."
        return "No problem is open."
    gravest = f", {standing.critical} of them critical" if standing.critical else ""
    burning = ""
    if standing.burning is not None:
        burning = f", {standing.burning} still happening" if standing.burning else ", none seen in the last day"
    return f"{_count(standing.open, 'problem is', 'problems are')} open{gravest}{burning}."


def _share(standing: Standing) -> str:
    if standing.compliance is None:
        return "No sign-in of the period could be judged."
    told = _count(standing.judged - standing.unknown, "sign-in", "sign-ins")
    share = f"{percentage(standing.compliance)} of {told} had MFA"
    if standing.unknown and standing.worst_case is not None:
        unknown = _count(standing.unknown, "that says nothing", "that say nothing")
        return f"{share} ({percentage(standing.worst_case)} if the {unknown} had none)."
    return f"{share}."


class About(StrEnum):
    """What a ground speaks of."""

    READING = "reading"
    TELLING = "telling"
    DIRECTORY = "directory"


class Ground(NamedTuple):
    """One thing that figures rest on. `doubt` says how much it speaks against them, 0 not at all."""

    doubt: int
    text: str
    about: About


class Trust(NamedTuple):
    """What speaks against the figures, the worst first, and what they rest on for the rest."""

    doubts: Sequence[str]
    rests_on: Sequence[str]


def trust(grounds: Grounds) -> Trust:
    """What figures rest on, and every reason there is to take care with them."""
    told = sorted(_all(grounds), key=lambda ground: -ground.doubt)
    return Trust([g.text for g in told if g.doubt], [g.text for g in told if not g.doubt])


def doubted(grounds: Grounds) -> frozenset[About]:
    """What speaks against the figures; nothing where a good one may be shown as good."""
    return frozenset(ground.about for ground in _all(grounds) if ground.doubt)


def _all(grounds: Grounds) -> list[Ground]:
    reading = [*_cannot_read(grounds), _read_until(grounds), *_covered(grounds), *_unread_records(grounds)]
    return [_alerts(grounds), *_channels(grounds), *reading, _directory(grounds)]


def _alerts(grounds: Grounds) -> Ground:
    if grounds.paused_until is not None:
        return Ground(3, f"alerts are paused until {grounds.paused_until:%d %b %H:%M} UTC", About.TELLING)
    if not grounds.alerts_ready:
        return Ground(2, "no channel is set up: nobody is told", About.TELLING)
    return Ground(0, "alerts are on", About.TELLING)


def _channels(grounds: Grounds) -> list[Ground]:
    if not grounds.dead_channels:
        return []
    which = _count(grounds.dead_channels, "channel", "channels")
    return [Ground(2, f"{which} cannot be used: nobody there is told", About.TELLING)]


def _cannot_read(grounds: Grounds) -> list[Ground]:
    return [Ground(4, "the sign-in log cannot be read now", About.READING)] if grounds.cannot_read else []


def _read_until(grounds: Grounds) -> Ground:
    if grounds.measured_until is None or not grounds.read_anything:
        return Ground(3, "nothing was read to its end yet", About.READING)
    until, age = f"{grounds.measured_until:%d %b %H:%M} UTC", grounds.now - grounds.measured_until
    if age > _LATE:
        late = f"nothing newer than {until} was read without a gap, {ago(age)} ago"
        return Ground(2, late, About.READING)
    return Ground(0, f"read without a gap until {until}", About.READING)


def _covered(grounds: Grounds) -> list[Ground]:
    if grounds.covered is None:
        return [Ground(1, "no slice of the period is over yet", About.READING)] if grounds.read_anything else []
    read = f"{percentage(grounds.covered)} of the period was read"
    if grounds.covered == 100:
        return [Ground(0, read, About.READING)]
    why = ", ".join(f"{_count(n, 'slice', 'slices')} {words}" for words, n in grounds.gaps.items())
    return [Ground(1, f"{read} ({why})" if why else read, About.READING)]


def _unread_records(grounds: Grounds) -> list[Ground]:
    told = []
    if grounds.quarantined:
        told.append(Ground(2, f"{_count(grounds.quarantined, 'record', 'records')} could not be read", About.READING))
    if grounds.accepted:
        accepted = f"{_count(grounds.accepted, 'record', 'records')} accepted as unreadable"
        told.append(Ground(0, accepted, About.READING))
    return told or [Ground(0, "0 records in quarantine", About.READING)]


def _directory(grounds: Grounds) -> Ground:
    if grounds.directory_at is None:
        return Ground(2, "the directory was not read yet", About.DIRECTORY)
    age = grounds.now - grounds.directory_at
    if age > _OLD:
        return Ground(1, f"the directory is {ago(age)} old: who joined since is not known", About.DIRECTORY)
    return Ground(0, f"directory {ago(age)} old", About.DIRECTORY)


def ago(age: timedelta) -> str:
    """How long something is ago, in one unit."""
    seconds = max(0, int(age / timedelta(seconds=1)))
    for unit, length, most in (("s", 1, 120), ("min", 60, 7_200), ("h", 3_600, 172_800)):
        if seconds < most:
            return f"{seconds // length} {unit}"
    return f"{seconds // 86_400} days"


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
