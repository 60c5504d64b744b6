"""An incident: the same user, customer and application while it goes on. People and alerts deal with these. Pure.

An incident is the sum of what each slice contributes to it. What it has told is kept with it, so that a scan that runs
twice announces once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Final

from shared.findings import Finding
from shared.rules import RULE
from shared.rules.rule import Severity

OPEN: Final = "open"
RESOLVED: Final = "resolved"
WITHDRAWN: Final = "withdrawn: its records were corrected"


@dataclass(frozen=True, slots=True)
class Facts:
    """What findings say together. `announceable` is the highest severity that may be told already (0: none): rules
    that rest on evidence wait for the first re-read of their slice, since details arrive late."""

    count: int
    first: datetime
    last: datetime
    rules: frozenset[str]
    severity: int
    announceable: int


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
    """`announced` is the highest severity that was told (0: none); `opening` counts how often it opened."""

    key: str
    who: Who
    facts: Facts
    announced: int = 0
    opening: int = 1
    state: str = OPEN
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something to tell of an incident: opened, raised or withdrawn. The same thing has the same id each time."""

    id: str
    kind: str
    incident: str
    severity: int


def contributions(findings: Iterable[Finding], *, settled: bool) -> dict[str, tuple[Who, Facts]]:
    """What the findings of a slice add, by incident. `settled`: the slice was read at its first re-read or later."""
    members: dict[str, list[tuple[Finding, tuple[tuple[str, Severity], ...]]]] = {}
    for finding in findings:
        for key, fits in finding.incidents().items():
            members.setdefault(key, []).append((finding, fits))
    return {key: _contribution(of_key, settled=settled) for key, of_key in members.items()}


def _contribution(
    members: list[tuple[Finding, tuple[tuple[str, Severity], ...]]], *, settled: bool
) -> tuple[Who, Facts]:
    fits = [fit for _, member in members for fit in member]
    facts = Facts(
        count=len(members),
        first=min(finding.at for finding, _ in members),
        last=max(finding.at for finding, _ in members),
        rules=frozenset(rule for rule, _ in fits),
        severity=int(max(severity for _, severity in fits)),
        announceable=int(max((s for rule, s in fits if settled or not RULE[rule].on_evidence), default=0)),
    )
    newest = max((finding for finding, _ in members), key=lambda finding: (finding.at, finding.id))
    if newest.is_about_user(fits[0][0]):
        return Who(newest.user, newest.user_name, "", "", ""), facts
    return Who(newest.user, newest.user_name, newest.customer, newest.app, newest.app_name), facts


def total(parts: Iterable[Facts]) -> Facts | None:
    """The sum of what slices contribute; None when nothing is left."""
    counted = [part for part in parts if part.count > 0]
    if not counted:
        return None
    return Facts(
        count=sum(part.count for part in counted),
        first=min(part.first for part in counted),
        last=max(part.last for part in counted),
        rules=frozenset[str]().union(*(part.rules for part in counted)),
        severity=max(part.severity for part in counted),
        announceable=max(part.announceable for part in counted),
    )


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
    )


def counted_on(incident: Facts | None, old: Facts | None, new: Facts) -> Facts:
    """An incident's facts after a contribution that only grew."""
    if incident is None or incident.count == 0:
        return new
    both = total([incident, new])
    assert both is not None  # noqa: S101 - two contributions that count
    return replace(both, count=incident.count + new.count - (old.count if old else 0))


def after(before: Incident | None, key: str, who: Who, facts: Facts | None) -> tuple[Incident | None, Event | None]:
    """The incident with these facts, and what there is to tell of it. Without facts its findings were all withdrawn."""
    if facts is None:
        if before is None or before.facts.count == 0:
            return before, None
        told = _event("withdrawn", before, before.announced) if before.announced else None
        gone = replace(before.facts, count=0, announceable=0)
        return replace(before, facts=gone, state=RESOLVED, reason=WITHDRAWN, announced=0), told
    if before is None:
        now = Incident(key, who, facts)
    elif before.state == RESOLVED and before.facts.count == 0:
        now = replace(before, facts=facts, state=OPEN, reason="", opening=before.opening + 1)
    else:
        now = replace(before, facts=facts)
    if facts.announceable <= now.announced:
        return now, None
    told = _event("raised" if now.announced else "opened", now, facts.announceable)
    return replace(now, announced=facts.announceable), told


def _event(kind: str, incident: Incident, severity: int) -> Event:
    identity = f"{incident.key}\n{kind}\n{severity}\n{incident.opening}"
    return Event(sha256(identity.encode()).hexdigest()[:32], kind, incident.key, severity)
