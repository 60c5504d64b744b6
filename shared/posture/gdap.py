"""What is risky about the partner's relationships with its customers, from what the directory holds already. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from shared.basics.well_known import GLOBAL_ADMINISTRATOR

ENDS_SOON: Final = timedelta(days=30)
UNUSED_AFTER: Final = timedelta(days=90)


class Risk(StrEnum):
    """A flag on a customer's relationship."""

    GLOBAL_ADMINISTRATOR = "global-administrator"
    ENDS_SOON = "ends-soon"
    EVERYBODY_IN_ONE_GROUP = "everybody-in-one-group"
    NO_PIM = "no-pim"
    UNUSED = "unused"


class AccessGroup(NamedTuple):
    """A group of the partner that gives access to customers. `members` are in it or may be; `everybody`: they are all
    who have access to any customer, and more than one; `pim`: some are only eligible. The name is hostile text."""

    name: str
    members: int
    everybody: bool
    pim: bool


@dataclass(frozen=True, slots=True)
class Access:
    """How the partner reaches one customer. `groups` are the keys of the partner's groups with roles there; `ends` the
    end of the relationship (UTC; None: none, or it extends itself); `last_seen` the last sign-in of anybody."""

    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    ends: datetime | None = None
    last_seen: datetime | None = None


def risks_of(
    access: Access, groups: Mapping[str, AccessGroup], *, watched_since: datetime | None, now: datetime
) -> dict[Risk, bool | None]:
    """The flags of one customer; None where it cannot be said (yet).

    `watched_since` is since when the log is read without a gap (UTC; None: not yet). `unused` stays None while that is
    less than 90 days ago: what was not seen cannot be called unused.
    """
    here = [groups[group] for group in access.groups if group in groups]
    unused: bool | None = access.last_seen is None or now - access.last_seen > UNUSED_AFTER
    if unused and (watched_since is None or now - watched_since < UNUSED_AFTER):
        unused = None
    return {
        Risk.GLOBAL_ADMINISTRATOR: GLOBAL_ADMINISTRATOR in {role.lower() for role in access.roles},
        Risk.ENDS_SOON: access.ends is not None and now < access.ends <= now + ENDS_SOON,
        Risk.EVERYBODY_IN_ONE_GROUP: any(group.everybody for group in here) if here else None,
        Risk.NO_PIM: any(group.members and not group.pim for group in here) if here else None,
        Risk.UNUSED: unused,
    }
