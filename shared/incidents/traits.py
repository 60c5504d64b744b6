"""What a successful sign-in had about it, so that whoever acknowledged an incident hears of another attack in it. Pure.

A trait is a word such as `rule:legacy-auth`, `country:AT` or `client:mozilla/. (windows nt .)`. Addresses are none:
they change with every train ride. A client is its user agent without digits, so that an update is no news.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shared.incidents.findings import UNKNOWN_RULE, Finding
from shared.rules.rule import Severity
from shared.signin.evidence import Evidence

# An attacker chooses the user agent: so many of them a contribution or an incident keeps, the first by the alphabet.
MOST_CLIENTS: Final = 200
MOST_OTHERS: Final = 1000
_LONGEST: Final = 100
_CLIENT: Final = "client:"
_COUNTRY: Final = "country:"
_NAMED: Final = {
    "rule": "rule",
    "country": "country",
    "client": "kind of client",
    "customer": "customer",
    "app": "application",
}


def traits_of(finding: Finding, fits: Iterable[tuple[str, Severity]]) -> Iterator[str]:
    """The traits of a finding in an incident in which these rules count; none unless it was a success."""
    if finding.evidence == Evidence.NOT_APPLICABLE:
        return
    rules = [rule for rule, _ in fits]
    yield from (f"rule:{rule}" for rule in rules)
    if finding.country:
        yield f"{_COUNTRY}{finding.country[:_LONGEST].upper()}"
    if finding.user_agent:
        yield _CLIENT + _family(finding.user_agent)
    if UNKNOWN_RULE in rules:  # its incident is about the user alone
        yield f"customer:{finding.customer[:_LONGEST]}"
        yield f"app:{finding.app[:_LONGEST]}"


def _family(user_agent: str) -> str:
    return " ".join(re.sub(r"\d+", "", user_agent).lower().split())[:_LONGEST]


def capped(traits: Iterable[str]) -> frozenset[str]:
    """As many of them as a row has room for, whatever the order in which they come."""
    distinct = sorted(set(traits))
    clients = [trait for trait in distinct if trait.startswith(_CLIENT)]
    others = [trait for trait in distinct if not trait.startswith(_CLIENT)]
    return frozenset((*others[:MOST_OTHERS], *clients[:MOST_CLIENTS]))


def without_personal(traits: Sequence[str] | None) -> list[str] | None:
    """The traits that say nothing of what the person signs in with, or from where; None for None."""
    return None if traits is None else [trait for trait in traits if not trait.startswith((_CLIENT, _COUNTRY))]


def described(trait: str) -> str:
    """A trait for people: `country:AT` becomes "a new country (AT)". What stands in brackets is hostile text."""
    kind, _, value = trait.partition(":")
    return f"{_begin(kind)}{value})"


def undescribed(text: str) -> str:
    """A text made of `described` that says no more what the person signs in with, or from where. What stands in
    brackets may hold anything, so all that comes behind the first such trait goes with it."""
    personal = (text.find(_begin(trait.rstrip(":"))) for trait in (_CLIENT, _COUNTRY))
    first = min((place for place in personal if place >= 0), default=None)
    return text if first is None else f"{text[:first]}something new"


def _begin(kind: str) -> str:
    return f"a new {_NAMED.get(kind, kind)} ("
