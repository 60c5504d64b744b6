"""What a summary is made of: numbers by day and scope, of everything, of one customer, one person or one application.

Pure. What was not recorded of these is None, and never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.ledger.counts_json import PairColumns
from shared.ledger.days import CustomerDay, Day, DayApps, DayGroups, DayPairs, DayUsers
from shared.ledger.finding_groups import FindingGroup
from shared.ledger.sums import Summed
from shared.ledger.tallies import ScopeCounts, Tally, UserLine, Verdicts
from shared.ledger.tops import TopLine, Tops
from shared.rules.assess import Verdict
from shared.signin.traits import Scope

type ByScope = Mapping[str, ScopeCounts]


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers by day (a UTC midnight) and scope. `is_graded`: evidence, rules, why and attempts are told too, and not
    verdicts alone. `has_strength`: the compliant are told by strength."""

    by_day: Mapping[datetime, ByScope]
    tops: Tops = field(default_factory=Tops)
    is_graded: bool = True
    has_strength: bool = True

    def of_scopes(self, scopes: Iterable[str]) -> ScopeCounts:
        """The sum over all days, of these scopes."""
        whole = ScopeCounts()
        for day in self.by_day:
            whole.merge(self.of_day(day, scopes))
        return whole

    def of_day(self, day: datetime, scopes: Iterable[str]) -> ScopeCounts:
        """The sum over these scopes on one day."""
        whole = ScopeCounts()
        for scope in scopes:
            counts = self.by_day.get(day, {}).get(scope)
            if counts is not None:
                whole.merge(counts)
        return whole


def figures_of_days(days: Sequence[Day]) -> Figures:
    """Of everything."""
    tops = Tops()
    for day in days:
        tops.merge(day.tops)
    return Figures({day.day: day.counts.scopes for day in days}, tops)


def figures_of_customer(
    days: Sequence[CustomerDay], pairs: Iterable[DayPairs | Summed[PairColumns]], customer: str
) -> Figures:
    """Of one customer; the worst people are those of its pairs."""
    tops = Tops()
    for of_days in pairs:
        if of_days.trimmed:
            trimmed_days = of_days.trimmed_days if isinstance(of_days, Summed) else 1
            tops.left_out["users"] = tops.left_out.get("users", 0) + trimmed_days
        for user, verdicts in of_days.lines.of_customer(customer).items():
            if user and verdicts is not None:
                top = tops.users.setdefault(user, TopLine())
                top.scopes.setdefault(str(Scope.CUSTOMER), Verdicts()).merge(verdicts)
    return Figures({day.day: day.scopes for day in days}, tops)


def figures_of_user(days: Iterable[DayUsers], user: str) -> Figures:
    """Of one person: verdicts and strength."""
    by_day = {
        day.day: {scope: _of_user(lines[user]) for scope, lines in day.lines.items() if user in lines} for day in days
    }
    return Figures(by_day, is_graded=False)


def figures_of_app(days: Iterable[DayApps], app: str) -> Figures:
    """Of one application: verdicts."""
    by_day: dict[datetime, dict[str, ScopeCounts]] = {}
    for day in days:
        of_day = by_day.setdefault(day.day, {})
        for scope, apps in day.lines.items():
            whole = Verdicts()
            for line in apps.get(app, {}).values():
                whole.merge(line)
            if whole.total:
                of_day[scope] = _of_verdicts(whole)
    return Figures(by_day, is_graded=False, has_strength=False)


def accepted_sign_ins(
    days: Iterable[DayGroups],
    scopes: Iterable[str],
    accepts: Callable[[datetime, FindingGroup], bool],
    only: Callable[[FindingGroup], bool] = lambda _: True,
    verdict: Verdict = Verdict.NON_COMPLIANT,
) -> int:
    """How many sign-ins of these scopes and that verdict an approved exception accepts, by their day."""
    wanted = {*map(str, scopes)}
    return sum(
        n
        for day in days
        for group, n in day.lines.items()
        if group.verdict == verdict
        and group.scope in wanted
        and not group.is_rest
        and only(group)
        and accepts(day.day, group)
    )


def _of_user(line: UserLine) -> ScopeCounts:
    counts = _of_verdicts(line)
    counts.strength = dict(line.strength)
    return counts


def _of_verdicts(verdicts: Verdicts) -> ScopeCounts:
    tally: Tally = {
        str(Verdict.COMPLIANT): verdicts.compliant,
        str(Verdict.NON_COMPLIANT): verdicts.non_compliant,
        str(Verdict.UNKNOWN): verdicts.unknown,
    }
    return ScopeCounts(verdicts=tally)
