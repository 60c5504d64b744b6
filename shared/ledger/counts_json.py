"""The JSON of lines of counts. Ids that many lines share stand in a list once, and the lines name their places: an id
is most of a line, and nothing squeezes it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from msgspec import Struct, convert, to_builtins

from shared.ledger.finding_groups import FindingGroup, Groups
from shared.ledger.tallies import Verdicts
from shared.rules.cause import Cause


def mark_of(counts: Mapping[str, Any]) -> str:
    """16 hex digits that change with the counts."""
    return sha256(json.dumps(counts, sort_keys=True).encode()).hexdigest()[:16]


def lines_json(lines: Mapping[str, object]) -> dict[str, Any]:
    """Lines by key, of the classes of tallies.py."""
    made: dict[str, Any] = to_builtins(lines)
    return made


def pairs_json(pairs: Mapping[str, Mapping[str, Verdicts | None]]) -> dict[str, Any]:
    """Pairs of a user and a customer: each customer once, and each user with the places of theirs and the numbers
    there; null numbers where an older version of the app recorded none."""
    place = _places(customer for customers in pairs.values() for customer in customers)

    def of_user(customers: Mapping[str, Verdicts | None]) -> dict[str, list[int | None]]:
        entries = sorted(customers.items(), key=lambda entry: entry[0])
        return {
            "at": [place[customer] for customer, _ in entries],
            "compliant": [None if v is None else v.compliant for _, v in entries],
            "nonCompliant": [None if v is None else v.non_compliant for _, v in entries],
            "unknown": [None if v is None else v.unknown for _, v in entries],
        }

    return {"customers": [*place], "users": {user: of_user(customers) for user, customers in pairs.items()}}


class UserColumns(Struct, rename="camel", gc=False):
    """Where one person signed in: the places of the customers, and the numbers at each. Tuples of numbers are nothing
    that the garbage collector looks at twice."""

    at: tuple[int, ...]
    compliant: tuple[int | None, ...]
    non_compliant: tuple[int | None, ...]
    unknown: tuple[int | None, ...]


class PairColumns(Struct):
    """The pairs of a day as pairs_json gave them. There are tens of thousands in a period: who only asks who was where
    makes nothing of each."""

    customers: list[str] = []
    users: dict[str, UserColumns] = {}

    def reached(self, user: str) -> list[str]:
        """The customers where somebody signed in."""
        customers = self.customers
        return [customers[at] for at in self.users[user].at]

    def of_user(self, user: str) -> dict[str, Verdicts | None]:
        """The numbers of somebody at each customer; None where none was recorded."""
        columns = self.users.get(user)
        if columns is None:
            return {}
        numbers = zip(columns.compliant, columns.non_compliant, columns.unknown, strict=True)
        return {
            self.customers[at]: None if good is None else Verdicts(good, bad or 0, unknown or 0)
            for at, (good, bad, unknown) in zip(columns.at, numbers, strict=True)
        }

    def of_customer(self, customer: str) -> dict[str, Verdicts | None]:
        """The numbers of everybody at a customer."""
        if customer not in self.customers:
            return {}
        place = self.customers.index(customer)
        there: dict[str, Verdicts | None] = {}
        for user, columns in self.users.items():
            if place not in columns.at:
                continue
            number = columns.at.index(place)
            good, bad, unknown = (of[number] for of in (columns.compliant, columns.non_compliant, columns.unknown))
            there[user] = None if good is None else Verdicts(good, bad or 0, unknown or 0)
        return there


def pairs_of_json(value: Mapping[str, Any]) -> dict[str, dict[str, Verdicts | None]]:
    """The pairs that pairs_json gave."""
    columns = convert(value, PairColumns)
    return {user: columns.of_user(user) for user in columns.users}


def portals_json(portals: Mapping[str, Mapping[str, Verdicts]]) -> dict[str, Any]:
    """Portals and who opened each: each person once, and each portal with the places of its people and the numbers."""
    place = _places(user for users in portals.values() for user in users)

    def of_portal(users: Mapping[str, Verdicts]) -> dict[str, list[int]]:
        entries = sorted(users.items(), key=lambda entry: entry[0])
        return {
            "at": [place[user] for user, _ in entries],
            "compliant": [v.compliant for _, v in entries],
            "nonCompliant": [v.non_compliant for _, v in entries],
            "unknown": [v.unknown for _, v in entries],
        }

    return {"users": [*place], "portals": {app: of_portal(users) for app, users in portals.items()}}


def portals_of_json(value: Mapping[str, Any]) -> dict[str, dict[str, Verdicts]]:
    """The portals that portals_json gave."""
    users = value["users"]
    portals: dict[str, dict[str, Verdicts]] = {}
    for app, columns in value["portals"].items():
        of_app = portals.setdefault(app, {})
        numbers = zip(columns["at"], columns["compliant"], columns["nonCompliant"], columns["unknown"], strict=True)
        for at, *verdicts in numbers:  # two ids may have become one since, by an erasure
            of_app.setdefault(users[at], Verdicts()).merge(Verdicts(*verdicts))
    return portals


def groups_json(groups: Groups) -> dict[str, Any]:
    """Groups of findings: each id and each list of rules once, and each group with their places."""
    users = _places(group.user for group in groups)
    customers = _places(group.customer for group in groups)
    apps = _places(group.app for group in groups)
    rules = {rules: i for i, rules in enumerate(sorted({group.rules for group in groups}))}
    causes = {cause: i for i, cause in enumerate(sorted({group.cause for group in groups if group.cause}))}
    return {
        "users": [*users],
        "customers": [*customers],
        "apps": [*apps],
        "rules": [[*of_group] for of_group in rules],
        "causes": [cause._asdict() for cause in causes],
        "groups": [
            {
                "scope": group.scope,
                "user": users[group.user],
                "customer": customers[group.customer],
                "app": apps[group.app],
                "rules": rules[group.rules],
                "verdict": group.verdict,
                **({"why": group.why} if group.why is not None else {}),
                **({"cause": causes[group.cause]} if group.cause else {}),
                "signIns": n,
            }
            for group, n in sorted(groups.items(), key=lambda entry: entry[0].order)
        ],
    }


def groups_of_json(value: Mapping[str, Any]) -> Groups:
    """The groups that groups_json gave."""
    users, customers, apps = value["users"], value["customers"], value["apps"]
    rules = [tuple(of_group) for of_group in value["rules"]]
    causes = [Cause(**cause) for cause in value.get("causes", ())]
    groups: Groups = {}
    for group in value["groups"]:
        of = FindingGroup(
            scope=group["scope"],
            user=users[group["user"]],
            customer=customers[group["customer"]],
            app=apps[group["app"]],
            rules=rules[group["rules"]],
            verdict=group["verdict"],
            why=group.get("why"),
            cause=causes[group["cause"]] if "cause" in group else None,
        )
        # Two ids may have become one since, by an erasure.
        groups[of] = groups.get(of, 0) + group["signIns"]
    return groups


def _places(keys: Iterable[str]) -> dict[str, int]:
    return {key: place for place, key in enumerate(sorted({*keys}))}
