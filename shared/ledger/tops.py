"""The worst lines of a day or a period: people, customers, applications. Pure.

A day keeps as many as a small row holds, so that a summary of many days takes one request. Where a day had more, the
numbers of a line may be too low, and it says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct, convert, to_builtins
from msgspec import field as member

from shared.ledger.counts import AppLines, Counts, CustomerLines, UserLines
from shared.ledger.tallies import Verdicts
from shared.ledger.trimming import REST


class TopLine(Struct, omit_defaults=True):
    """One person, customer or application: a name as the log gives it, and the verdicts by scope."""

    name: str = ""
    scopes: dict[str, Verdicts] = member(default_factory=dict)

    def of_scopes(self, scopes: Iterable[str]) -> Verdicts:
        """Its verdicts in these scopes."""
        whole = Verdicts()
        for scope in scopes:
            if scope in self.scopes:
                whole.merge(self.scopes[scope])
        return whole


type TopLines = dict[str, TopLine]


@dataclass(slots=True)
class Tops:
    """The worst lines by key. `left_out` counts the lines that found no room, by kind: `users`, `customers`, `apps`."""

    users: TopLines = field(default_factory=dict)
    customers: TopLines = field(default_factory=dict)
    apps: TopLines = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)

    def merge(self, other: Tops) -> None:
        """Add another day's."""
        for mine, theirs in (
            (self.users, other.users),
            (self.customers, other.customers),
            (self.apps, other.apps),
        ):
            for key, line in theirs.items():
                known = mine.setdefault(key, TopLine())
                known.name = max(known.name, line.name)
                for scope, verdicts in line.scopes.items():
                    known.scopes.setdefault(scope, Verdicts()).merge(verdicts)
        for kind, n in other.left_out.items():
            self.left_out[kind] = self.left_out.get(kind, 0) + n

    def to_json(self, most: int) -> dict[str, Any]:
        """The worst as a JSON object, at most so many of a kind."""
        kinds = {"users": self.users, "customers": self.customers, "apps": self.apps}
        kept = {kind: _worst(lines, most) for kind, lines in kinds.items()}
        left = {
            kind: self.left_out.get(kind, 0) + len(lines) - len(kept[kind])
            for kind, lines in kinds.items()
            if self.left_out.get(kind, 0) or len(lines) > len(kept[kind])
        }
        made: dict[str, Any] = to_builtins({**kept, "leftOut": left})
        return made

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> Tops:
        """What to_json gave."""
        return cls(
            users=convert(value.get("users", {}), dict[str, TopLine]),
            customers=convert(value.get("customers", {}), dict[str, TopLine]),
            apps=convert(value.get("apps", {}), dict[str, TopLine]),
            left_out=dict(value.get("leftOut", {})),
        )


def tops_of(counts: Counts) -> Tops:
    """All lines of a day's counts, as tops: `to_json` keeps the worst."""
    tops = Tops(
        _by_key(counts.users, counts.names),
        _customers(counts.customers),
        _apps(counts.apps, counts.names),
    )
    for kind, lines in (("users", counts.users), ("customers", counts.customers), ("apps", counts.apps)):
        if any(REST in of_scope for of_scope in lines.values()):
            tops.left_out[kind] = 1  # at least: lines were trimmed before
    return tops


def worst_first(lines: Mapping[str, Verdicts]) -> Sequence[str]:
    """The keys, most non-compliant first, then most unknown, then most compliant."""
    return sorted(lines, key=lambda key: (*lines[key].badness, key))


def _worst(lines: TopLines, most: int) -> TopLines:
    if len(lines) <= most:
        return lines
    whole = {key: line.of_scopes(line.scopes) for key, line in lines.items()}
    return {key: lines[key] for key in worst_first(whole)[:most]}


def _by_key(lines: UserLines, names: Mapping[str, str]) -> TopLines:
    tops: TopLines = {}
    for scope, of_scope in lines.items():
        for key, line in of_scope.items():
            _note(tops, key, scope, line, names)
    return tops


def _customers(lines: CustomerLines) -> TopLines:
    tops: TopLines = {}
    for scope, of_scope in lines.items():
        for key, counts in of_scope.items():
            _note(tops, key, scope, counts.by_verdict, {})
    return tops


def _apps(lines: AppLines, names: Mapping[str, str]) -> TopLines:
    tops: TopLines = {}
    for scope, of_scope in lines.items():
        for key, protocols in of_scope.items():
            for line in protocols.values():
                _note(tops, key, scope, line, names)
    return tops


def _note(tops: TopLines, key: str, scope: str, verdicts: Verdicts, names: Mapping[str, str]) -> None:
    if key == REST or not verdicts.total:
        return
    line = tops.setdefault(key, TopLine(name=names.get(key, "")[:80]))
    line.scopes.setdefault(scope, Verdicts()).merge(verdicts)
