"""Lines of counts where there are too many to keep each: the worst are kept, one line stands for the rest. Pure.

The sums stay exact. Which are kept does not hang on the order in which they were counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.ledger.finding_groups import FindingGroup, Groups
from shared.ledger.tallies import AppLine, ScopeCounts, UserLine, Verdicts, summed

# The key of the one line that stands for all that were trimmed.
REST: Final = ""
# How many gaps keep their sign-ins where nobody of them is named: hostile text may name more policies than there are.
_MOST_GAPS: Final = 50


def trim_users(lines: Mapping[str, UserLine], most: int) -> Mapping[str, UserLine]:
    """At most so many people of a scope, the worst first."""
    kept, left = _parted(lines, most, lambda key: lines[key].badness)
    if not left:
        return lines
    rest = UserLine()
    for key in left:
        rest.merge(lines[key])
    return {**{key: lines[key] for key in kept}, REST: rest}


def trim_customers(lines: Mapping[str, ScopeCounts], most: int) -> Mapping[str, ScopeCounts]:
    """At most so many customers of a scope, the worst first."""
    kept, left = _parted(lines, most, lambda key: lines[key].by_verdict.badness)
    if not left:
        return lines
    rest = ScopeCounts()
    for key in left:
        rest.merge(lines[key])
    return {**{key: lines[key] for key in kept}, REST: rest}


def trim_apps(lines: Mapping[str, dict[str, AppLine]], most: int) -> Mapping[str, dict[str, AppLine]]:
    """At most so many applications of a scope, the worst first; the rest by protocol still."""
    kept, left = _parted(lines, most, lambda key: summed(lines[key].values()).badness)
    if not left:
        return lines
    rest: dict[str, AppLine] = {}
    for key in left:
        for protocol, line in lines[key].items():
            rest.setdefault(protocol, AppLine()).merge(line)
    return {**{key: lines[key] for key in kept}, REST: rest}


def trim_groups(groups: Groups, most: int) -> Groups:
    """At most so many groups, and a few more: first those of the most sign-ins, whole; then what each person has
    besides; the rest by scope, verdict and cause, so that what a gap explains stays exact; at last by scope and
    verdict."""
    if len(groups) <= most:
        return groups
    kept, left = _greatest({group: n for group, n in groups.items() if group.is_whole}, most // 2)
    others = {group: n for group, n in groups.items() if not group.is_whole}
    people, left = _greatest(_added(others, ((group.of_person(), n) for group, n in left.items())), most - len(kept))
    gaps, left = _greatest(_added({}, ((group.rest(cause=True), n) for group, n in left.items())), _MOST_GAPS)
    return _added({**kept, **people}, (*gaps.items(), *((group.rest(), n) for group, n in left.items())))


def _greatest(groups: Groups, most: int) -> tuple[Groups, Groups]:
    """Those of the most sign-ins, and the others; what names nobody comes last."""
    order = sorted(groups, key=lambda group: (group.is_rest, -groups[group], group.order))
    return {group: groups[group] for group in order[:most]}, {group: groups[group] for group in order[most:]}


def _added(groups: Groups, more: Iterable[tuple[FindingGroup, int]]) -> Groups:
    whole = dict(groups)
    for group, n in more:
        whole[group] = whole.get(group, 0) + n
    return whole


def trim_pairs(pairs: Mapping[str, Mapping[str, Verdicts | None]], most: int) -> dict[str, dict[str, Verdicts | None]]:
    """At most so many pairs, whole people: those of the most customers first. REST has the sum of the others."""
    kept: dict[str, dict[str, Verdicts | None]] = {}
    rest: Verdicts | None = Verdicts()
    left = most
    trimmed = False
    for user in sorted(pairs, key=lambda key: (key == REST, -len(pairs[key]), key)):
        left -= len(pairs[user])
        if left >= 0 and user != REST:
            kept[user] = dict(pairs[user])
            continue
        trimmed = True
        for verdicts in pairs[user].values():
            if rest is None or verdicts is None:
                rest = None  # a part of the number is no number
            else:
                rest.merge(verdicts)
    return {**kept, REST: {REST: rest}} if trimmed else kept


def trim_portals(portals: Mapping[str, Mapping[str, Verdicts]], most: int) -> Mapping[str, Mapping[str, Verdicts]]:
    """At most so many people of portals, the worst first; REST has the others of each portal that is kept, and under
    REST those of the others."""
    lines = [(app, user) for app, users in portals.items() for user in users]
    if len(lines) <= most:
        return portals

    def worst(at: tuple[str, str]) -> tuple[bool, tuple[int, int, int], tuple[str, str]]:
        return REST in at, portals[at[0]][at[1]].badness, at

    lines.sort(key=worst)
    kept: dict[str, dict[str, Verdicts]] = {}
    for place, (app, user) in enumerate(lines):
        if place < most and REST not in (app, user):
            kept.setdefault(app, {})[user] = portals[app][user]
        else:
            of_app = kept.setdefault(app if app in kept else REST, {})
            of_app.setdefault(REST, Verdicts()).merge(portals[app][user])
    return kept


def _parted(lines: Mapping[str, object], most: int, badness: Any) -> tuple[list[str], list[str]]:
    """The keys to keep and those that go into the rest; the rest of before is always one of these."""
    if len(lines) <= most:
        return [*lines], []
    worst = sorted(lines, key=lambda key: (key == REST, badness(key), key))
    return worst[: most - 1], worst[most - 1 :]
