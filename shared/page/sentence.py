"""What a person reads in ten seconds, and what it rests on. Pure.

No sentence is glad without its trust line: until when the log was read, how much of it, and whether alerts are on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Standing:
    """What the sentence says. Times are UTC; percentages are null where nothing could be divided. `burning` counts the
    open problems with a sign-in in the last day (None: not counted here), `acknowledged_burning` those that are known;
    `dead_channels` are set up wrongly, so that nobody there is told."""

    now: datetime
    open: int
    critical: int
    burning: int | None
    acknowledged_burning: int
    compliance: float | None
    worst_case: float | None
    judged: int
    without: int
    unknown: int
    covered: float | None
    read_anything: bool
    measured_until: datetime | None
    quarantined: int
    paused_until: datetime | None
    alerts_ready: bool
    dead_channels: int = 0


def headline(standing: Standing) -> str:
    """The first sentence."""
    if not standing.read_anything:
        return "The log is being read for the first time; nothing can be said yet."
    return f"{_problems(standing)} {_share(standing)}"


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
    share = f"{_percent(standing.compliance)} of {standing.judged - standing.unknown:,} sign-ins had MFA"
    if standing.unknown and standing.worst_case is not None:
        unknown = _count(standing.unknown, "that says nothing", "that say nothing")
        return f"{share} ({_percent(standing.worst_case)} if the {unknown} had none)."
    return f"{share}."


def trust(standing: Standing) -> list[str]:
    """What the sentence rests on, the part that is worst first."""
    told: list[tuple[int, str]] = []
    if standing.paused_until is not None:
        told.append((3, f"alerts are paused until {standing.paused_until:%d %b %H:%M} UTC"))
    else:
        told.append((0, "alerts are on") if standing.alerts_ready else (2, "no channel is set up: nobody is told"))
    if standing.dead_channels:
        told.append(
            (2, f"{_count(standing.dead_channels, 'channel', 'channels')} cannot be used: nobody there is told")
        )
    if standing.measured_until is None or not standing.read_anything:
        told.append((3, "nothing was read to its end yet"))
    else:
        behind = standing.now - standing.measured_until
        late = 2 if behind > timedelta(hours=3) else 0
        told.append((late, f"read without a gap until {standing.measured_until:%d %b %H:%M} UTC"))
    if standing.covered is not None:
        told.append((0 if standing.covered == 100 else 1, f"{_percent(standing.covered)} of the period was read"))
    if standing.quarantined:
        told.append((2, f"{_count(standing.quarantined, 'record', 'records')} could not be read"))
    return [text for _, text in sorted(told, key=lambda part: -part[0])]


def can_be_trusted(standing: Standing) -> bool:
    """Whether a good figure may be shown as good: everything was read, nothing is in quarantine, alerts are on."""
    return (
        standing.covered == 100
        and standing.read_anything
        and standing.quarantined == 0
        and standing.paused_until is None
        and standing.measured_until is not None
        and standing.now - standing.measured_until <= timedelta(hours=3)
    )


def _count(n: int, one: str, many: str) -> str:
    return f"{n:,} {one if n == 1 else many}"


def _percent(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + " %"
