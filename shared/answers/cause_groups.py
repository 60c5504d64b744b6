"""Sign-ins that are alike, put together by what would mend them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import Final

from shared.ledger.days import DayGroups
from shared.ledger.finding_groups import FindingGroup
from shared.ledger.tallies import NOT_RECORDED
from shared.rules.cause import Cause
from shared.store.outlines import IncidentOutline

_MOST_IN_SENTENCE: Final = 3
_MOSTLY: Final = 0.9


@dataclass(slots=True)
class CauseGroup:
    """Sign-ins that share a gap (`key`); `why` and `app` are those of unknown sign-ins. `truncated`: of some it is not
    kept who, where or with what, so that there may be more of these."""

    key: str
    cause: Cause | None = None
    why: str | None = None
    app: str = ""
    sign_ins: int = 0
    rules: set[str] = field(default_factory=set)
    users: Counter[str] = field(default_factory=Counter)
    customers: Counter[str] = field(default_factory=Counter)
    apps: Counter[str] = field(default_factory=Counter)
    days: set[date] = field(default_factory=set)
    truncated: bool = False
    _seen: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def id(self) -> str:
        """The same cause has the same id."""
        return sha256(self.key.encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def add(self, group: FindingGroup, n: int, day: date) -> None:
        """Count sign-ins that are alike."""
        self.sign_ins += n
        self.rules.update(group.rules)
        self.days.add(day)
        self.truncated |= not group.is_whole
        if group.user:
            self.users[group.user] += n
            self._seen.add((group.user, "", ""))
        if group.is_whole:
            self.customers[group.customer] += n
            self.apps[group.app] += n
            self._seen.add((group.user, group.customer, group.app))

    def holds(self, incident: IncidentOutline) -> bool:
        """Whether an incident is about sign-ins of this cause."""
        return (incident.user, incident.customer, incident.app) in self._seen and not incident.rules.isdisjoint(
            self.rules
        )


@dataclass(frozen=True, slots=True)
class Found:
    """The causes, and how many sign-ins stand in lines that were trimmed away, so that nobody knows theirs."""

    groups: list[CauseGroup]
    not_listed: int

    @property
    def of_all(self) -> int:
        """How many sign-ins of that verdict there are."""
        return sum(cause.sign_ins for cause in self.groups) + self.not_listed


def cause_id(cause: Cause | None) -> str:
    """The id under which the causes have it."""
    return CauseGroup(_gap_key(cause)).id


def grouped(days: Iterable[DayGroups], scopes: Sequence[str], verdict: str) -> Found:
    """The sign-ins of these scopes and that verdict by cause."""
    found: dict[str, CauseGroup] = {}
    not_listed = 0
    for day in days:
        for group, n in day.lines.items():
            if group.verdict != verdict or group.scope not in scopes:
                continue
            if not group.is_whole and (group.cause is None or verdict == "unknown"):
                not_listed += n
                continue
            key = _key_of(group, verdict)
            cause = found.get(key)
            if cause is None:
                cause = found[key] = _group_of(group, verdict, key)
            cause.add(group, n, day.day.date())
    return Found([*found.values()], not_listed)


def _key_of(group: FindingGroup, verdict: str) -> str:
    return _joined("", group.app, group.why or "") if verdict == "unknown" else _gap_key(group.cause)


def _group_of(group: FindingGroup, verdict: str, key: str) -> CauseGroup:
    if verdict == "unknown":
        return CauseGroup(key, why=group.why or NOT_RECORDED, app=group.app)
    return CauseGroup(key, cause=group.cause)


def _gap_key(cause: Cause | None) -> str:
    return _joined("gap", cause.key if cause else NOT_RECORDED)


def _joined(*parts: str) -> str:
    """Parts as one text that no part can forge."""
    return "".join(f"{len(part)}:{part}" for part in parts)


def sentence_of(groups: Sequence[CauseGroup], of_all: int, verdict: str) -> str:
    """How few gaps explain how much: as many as it takes for nine in ten, three at most."""
    if not of_all:
        return "Nothing to explain: no sign-in of that kind in the period."
    worst = sorted(groups, key=lambda group: (-group.sign_ins, group.id))
    explained, few = 0, 0
    while few < min(_MOST_IN_SENTENCE, len(worst)) and explained < _MOSTLY * of_all:
        explained += worst[few].sign_ins
        few += 1
    what = "sign-ins without MFA" if verdict == "non-compliant" else "sign-ins of which nothing is known"
    share = 100 * explained // of_all  # cut and not rounded: 100 % are all of them
    people = len(worst[0].users) if worst else 0
    gaps = "1 gap explains" if few == 1 else f"{few} gaps explain"
    share_it = "1 person shares" if people == 1 else f"{people} people share"
    at_least = "at least " if worst and worst[0].truncated else ""
    return f"{gaps} {share} % of {of_all:,} {what}; {at_least}{share_it} the first."


def effect_of(cause: CauseGroup, of_all: int, now: float | None, fixed: float | None) -> str:
    """How much of the whole a cause is, and what closing it does to the percentage."""
    people = f"{len(cause.users)} {'person' if len(cause.users) == 1 else 'people'}"
    people = f"at least {people}" if cause.truncated else people
    if cause.why is not None:
        return f"{cause.sign_ins:,} of {of_all:,} sign-ins of which nothing is known, {people}."
    what = f"{cause.sign_ins:,} of {of_all:,} sign-ins without MFA, {people}"
    return f"{what}; closing it lifts {now} % to {fixed} %."
