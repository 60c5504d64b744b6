"""Counts as version 1 of the app wrote them. What it did not record is not there, and never 0. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.ledger.finding_groups import FindingGroup, Groups, lacking_group
from shared.ledger.tallies import NOT_RECORDED, AppLine, ScopeCounts, UserLine, Verdicts
from shared.rules.assess import Verdict

# How it marked them, or not at all.
FORMAT: Final = 1
_REST: Final = ""


def members(value: Mapping[str, Any]) -> dict[str, Any]:
    """The members of Counts. Numbers by strength, why, protocol and pair are not recorded, `rules` of customers and
    attempts neither (`partial`)."""
    scopes: Mapping[str, Mapping[str, Any]] = value.get("scopes", {})
    return {
        "scopes": {name: _scope(scope) for name, scope in scopes.items()},
        "apart": dict(value.get("apart", {})),
        "users": {
            name: {key: UserLine(*numbers) for key, numbers in scope.get("users", {}).items()}
            for name, scope in scopes.items()
        },
        "customers": {
            name: {key: _customer(*numbers) for key, numbers in scope.get("customers", {}).items()}
            for name, scope in scopes.items()
        },
        "apps": {
            name: {key: {NOT_RECORDED: AppLine(*numbers)} for key, numbers in scope.get("apps", {}).items()}
            for name, scope in scopes.items()
        },
        "pairs": _pairs(value.get("reached", {})),
        "groups": _groups(value.get("lacking", {})),
        "names": dict(value.get("names", {})),
    }


def _scope(scope: Mapping[str, Any]) -> ScopeCounts:
    tallies = {name: dict(scope.get(name, {})) for name in ("verdicts", "evidence", "rules")}
    return ScopeCounts(**tallies, partial=True)


def _customer(compliant: int, non_compliant: int, unknown: int) -> ScopeCounts:
    numbers = {
        str(Verdict.COMPLIANT): compliant,
        str(Verdict.NON_COMPLIANT): non_compliant,
        str(Verdict.UNKNOWN): unknown,
    }
    return ScopeCounts(verdicts={verdict: n for verdict, n in numbers.items() if n}, partial=True)


def _pairs(reached: Mapping[str, Any]) -> dict[str, dict[str, Verdicts | None]]:
    """A person with no customer stands for those that were trimmed."""
    customers = reached.get("customers", [])
    return {
        user: {customers[at]: None for at in places} or {_REST: None}
        for user, places in reached.get("users", {}).items()
    }


def _groups(lacking: Mapping[str, int]) -> Groups:
    groups: Groups = {}
    for text, n in lacking.items():
        group = lacking_group(text) or FindingGroup("", "", "", "", (), str(Verdict.NON_COMPLIANT))
        groups[group] = groups.get(group, 0) + n
    return groups
