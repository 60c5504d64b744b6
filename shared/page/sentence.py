"""What a person reads in ten seconds, and what it rests on. Pure.

No sentence is glad without its trust line: until when the log was read, how much of it, and whether alerts are on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.wire.text import percentage

_LATE: Final = timedelta(hours=3)
_OLD: Final = timedelta(hours=24)  # the directory is refreshed every six hours


@dataclass(frozen=True, slots=True)
class Grounds:
    """What figures rest on. Times are UTC; percentages are null where nothing could be divided. `quarantined` records
    could not be read, `accepted` ones neither, which an operator accepted; `dead_channels` are set up wrongly, so that
    nobody there is told; `cannot_read`: something keeps a tenant's log from being read now."""

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
    share = f"{percentage(standing.compliance)} of {standing.judged - standing.unknown:,} sign-ins had MFA"
    if standing.unknown and standing.worst_case is not None:
        unknown = _count(standing.unknown, "that says nothing", "that say nothing")
        return f"{share} ({percentage(standing.worst_case)} if the {unknown} had none)."
    return f"{share}."


def trust(grounds: Grounds) -> list[str]:
    """What figures rest on, the part that is worst first."""
    told = [_alerts(grounds), *_channels(grounds), _read_until(grounds), *_covered(grounds), *_unread_records(grounds)]
    return [text for _, text in sorted([*told, _directory(grounds)], key=lambda part: -part[0])]


def _alerts(grounds: Grounds) -> tuple[int, str]:
    if grounds.paused_until is not None:
        return 3, f"alerts are paused until {grounds.paused_until:%d %b %H:%M} UTC"
    return (0, "alerts are on") if grounds.alerts_ready else (2, "no channel is set up: nobody is told")


def _channels(grounds: Grounds) -> list[tuple[int, str]]:
    if not grounds.dead_channels:
        return []
    return [(2, f"{_count(grounds.dead_channels, 'channel', 'channels')} cannot be used: nobody there is told")]


def _read_until(grounds: Grounds) -> tuple[int, str]:
    if grounds.measured_until is None or not grounds.read_anything:
        return 3, "nothing was read to its end yet"
    until, age = f"{grounds.measured_until:%d %b %H:%M} UTC", grounds.now - grounds.measured_until
    if age > _LATE:
        return 2, f"nothing newer than {until} was read without a gap, {ago(age)} ago"
    return 0, f"read without a gap until {until}"


def _covered(grounds: Grounds) -> list[tuple[int, str]]:
    if grounds.covered is None:
        return []
    return [(0 if grounds.covered == 100 else 1, f"{percentage(grounds.covered)} of the period was read")]


def _unread_records(grounds: Grounds) -> list[tuple[int, str]]:
    told = []
    if grounds.quarantined:
        told.append((2, f"{_count(grounds.quarantined, 'record', 'records')} could not be read"))
    if grounds.accepted:
        told.append((0, f"{_count(grounds.accepted, 'record', 'records')} accepted as unreadable"))
    return told or [(0, "0 records in quarantine")]


def _directory(grounds: Grounds) -> tuple[int, str]:
    if grounds.directory_at is None:
        return 2, "the directory was not read yet"
    age = grounds.now - grounds.directory_at
    return (1 if age > _OLD else 0), f"directory {ago(age)} old"


def ago(age: timedelta) -> str:
    """How long something is ago, in one unit."""
    seconds = max(0, int(age / timedelta(seconds=1)))
    for unit, length, most in (("s", 1, 120), ("min", 60, 7_200), ("h", 3_600, 172_800)):
        if seconds < most:
            return f"{seconds // length} {unit}"
    return f"{seconds // 86_400} days"


def can_be_trusted(grounds: Grounds) -> bool:
    """Whether a good figure may be shown as good: all was read, nothing is in quarantine, alerts are not paused."""
    return (
        grounds.covered == 100
        and grounds.read_anything
        and grounds.quarantined == 0
        and grounds.paused_until is None
        and grounds.measured_until is not None
        and grounds.now - grounds.measured_until <= _LATE
        and grounds.directory_at is not None
    )


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"
