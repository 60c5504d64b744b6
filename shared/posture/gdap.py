"""What is risky about the partner's relationships with its customers, from what the directory holds already. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

ENDS_SOON: Final = timedelta(days=30)
UNUSED_AFTER: Final = timedelta(days=90)
# Template id of the role with which a relationship cannot extend itself.
GLOBAL_ADMINISTRATOR: Final = "62e90394-69f5-4237-9190-012177145e10"


class Risk(StrEnum):
    """A flag on a customer's relationship."""

    GLOBAL_ADMINISTRATOR = "global-administrator"
    ENDS_SOON = "ends-soon"
    EVERYBODY_IN_ONE_GROUP = "everybody-in-one-group"
    NO_PIM = "no-pim"
    UNUSED = "unused"


@dataclass(frozen=True, slots=True)
class Access:
    """How the partner reaches one customer. `groups` are the keys of the partner's groups with roles there; `ends` the
    end of the relationship (UTC; None: none, or it extends itself); `last_seen` the last sign-in of anybody."""

    customer: str
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    ends: datetime | None = None
    last_seen: datetime | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """The partner's groups that give access: members by group key, and which of them have eligible (PIM) members."""

    members: Mapping[str, frozenset[str]]
    with_pim: frozenset[str] = frozenset()


def risks_of(access: Access, groups: Groups, *, installed: datetime, now: datetime) -> dict[Risk, bool | None]:
    """The flags of one customer; None where it cannot be said (yet).

    `unused` stays None while the installation is younger than 90 days: what it did not see it cannot call unused.
    """
    people = frozenset[str]().union(*groups.members.values()) if groups.members else frozenset[str]()
    here = [group for group in access.groups if group in groups.members]
    unused: bool | None = access.last_seen is None or now - access.last_seen > UNUSED_AFTER
    if now - installed < UNUSED_AFTER and unused:
        unused = None
    return {
        Risk.GLOBAL_ADMINISTRATOR: GLOBAL_ADMINISTRATOR in access.roles,
        Risk.ENDS_SOON: access.ends is not None and now < access.ends <= now + ENDS_SOON,
        Risk.EVERYBODY_IN_ONE_GROUP: (
            None if not here else len(people) > 1 and any(groups.members[group] == people for group in here)
        ),
        Risk.NO_PIM: None if not here else not any(group in groups.with_pim for group in here),
        Risk.UNUSED: unused,
    }


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """How many customers one technician can reach and how many were reached in the period."""

    reachable: int
    reached: int


def blast_radius(
    accesses: Sequence[Access], groups: Groups, reached: Mapping[str, Iterable[str]]
) -> dict[str, BlastRadius]:
    """By person's key. `reached` are the customers that each person signed in to in the period."""
    reachable: Counter[str] = Counter()
    for access in accesses:
        people = {person for group in access.groups for person in groups.members.get(group, ())}
        reachable.update(people)
    keys = reachable.keys() | reached.keys()
    return {key: BlastRadius(reachable[key], len(set(reached.get(key, ())))) for key in keys}
