"""Who is a delegated admin by what, and which tenants are customers by which relationships. Pure.

A person is on the roster by a group that has a share in a GDAP relationship, by a DAP group, by a further group of the
settings or by one of the admin roles, also where they are only eligible for it (PIM).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shared.graph.directory import ADMIN_ROLES
from shared.people.fetched import Fetched, Link
from shared.posture.gdap import AccessGroup


class RosterPerson(NamedTuple):
    """A delegated admin. `roles` are held now, `eligible` can be taken. `since` is the earliest date the source tells
    (None: none). `reachable` counts the customers whose relationships the person's groups share in; what DAP or a
    directory role reaches besides is told nowhere."""

    id: str
    roles: tuple[str, ...]
    eligible: tuple[str, ...]
    since: datetime | None
    reachable: int


class Tenant(NamedTuple):
    """A customer. `roles` are template ids; `start` and `end` span the relationships in effect (None: not told).
    `groups` are the keys of the groups that share in them, `people` counts who is in one of those, or may be."""

    id: str
    name: str | None
    roles: tuple[str, ...]
    start: datetime | None
    end: datetime | None
    auto_extends: bool
    groups: tuple[str, ...] = ()
    people: int = 0


class Span(NamedTuple):
    """A relationship that is over: when it gave access to which tenant."""

    tenant: str
    name: str | None
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Roster:
    """What a complete read of the directory says. `groups` are those that give access to customers, by key."""

    people: Sequence[RosterPerson]
    customers: Sequence[Tenant]
    ended: Sequence[Span]
    groups: Mapping[str, AccessGroup] = field(default_factory=dict)


@dataclass(slots=True)
class _Draft:
    held: set[str] = field(default_factory=set)
    eligible: set[str] = field(default_factory=set)
    since: datetime | None = None
    reach: int = 0  # a bit a customer


class _Share(NamedTuple):
    user: str
    eligible: bool
    since: datetime | None


def build_roster(fetched: Fetched, further_groups: Sequence[str]) -> Roster:
    """The roster of what was fetched, in the order of ids."""
    customers = _customers(fetched)
    reach, granted = _reach(fetched, {customer.id: i for i, customer in enumerate(customers)})
    drafts: dict[str, _Draft] = {}
    inside: dict[str, set[str]] = {group: set() for group in granted}
    unconditional = fetched.agent_groups | {group.lower() for group in further_groups}
    for group in sorted(unconditional | set(granted)):
        name = fetched.group_names.get(group, group)
        for share in _shares(fetched, group, frozenset()):
            since = share.since if group in unconditional else _later(share.since, granted[group])
            _note(drafts, share._replace(since=since), name, reach.get(group, 0))
            if group in granted:
                inside[group].add(share.user)
    for role, name in ADMIN_ROLES.items():
        for share in _role_shares(fetched, role):
            _note(drafts, share, name, 0)
    people = [
        RosterPerson(user, tuple(sorted(d.held)), tuple(sorted(d.eligible - d.held)), d.since, d.reach.bit_count())
        for user, d in sorted(drafts.items())
    ]
    return Roster(people, _with_people(customers, inside), _ended(fetched), _access_groups(fetched, inside))


def _access_groups(fetched: Fetched, inside: Mapping[str, set[str]]) -> dict[str, AccessGroup]:
    """The groups that give access to customers."""
    everybody = set[str]().union(*inside.values())
    return {
        group: AccessGroup(
            name=fetched.group_names.get(group, group),
            members=len(users),
            everybody=len(everybody) > 1 and users == everybody,
            pim=any(fetched.eligible.get(part) for part in (group, *fetched.nested.get(group, []))),
        )
        for group, users in inside.items()
    }


def _with_people(customers: Sequence[Tenant], inside: Mapping[str, set[str]]) -> list[Tenant]:
    """The customers with how many people reach each: mostly many customers share the same few groups."""
    counted: dict[tuple[str, ...], int] = {}
    for customer in customers:
        if customer.groups not in counted:
            counted[customer.groups] = len(set[str]().union(*(inside.get(group, ()) for group in customer.groups)))
    return [customer._replace(people=counted[customer.groups]) for customer in customers]


def _note(drafts: dict[str, _Draft], share: _Share, name: str, reach: int) -> None:
    draft = drafts.setdefault(share.user, _Draft())
    (draft.eligible if share.eligible else draft.held).add(name)
    draft.reach |= reach
    if share.since is not None:
        draft.since = share.since if draft.since is None else min(draft.since, share.since)


def _shares(fetched: Fetched, group: str, passed: frozenset[str]) -> Iterator[_Share]:
    """Everybody who is in a group or may be: transitive members, and the eligible of it and of the groups in it."""
    for user in fetched.members.get(group, []):
        yield _Share(user, eligible=False, since=None)
    for part in (group, *fetched.nested.get(group, [])):
        for holder in fetched.eligible.get(part, []):
            if not holder.is_group:
                yield _Share(holder.id, eligible=True, since=holder.since)
            elif holder.id not in passed:
                for share in _shares(fetched, holder.id, passed | {group}):
                    yield _Share(share.user, eligible=True, since=_later(share.since, holder.since))


def _role_shares(fetched: Fetched, role: str) -> Iterator[_Share]:
    for eligible, holders in ((False, fetched.role_holders), (True, fetched.role_eligible)):
        for holder in holders.get(role, []):
            if not holder.is_group:
                yield _Share(holder.id, eligible, holder.since)
                continue
            for share in _shares(fetched, holder.id, frozenset()):
                since = _later(share.since, holder.since) if eligible else share.since
                yield _Share(share.user, eligible or share.eligible, since)


def _reach(fetched: Fetched, place: dict[str, int]) -> tuple[dict[str, int], dict[str, datetime | None]]:
    """Of each group with a share in a relationship in effect: its customers as bits, and since when (None: untold)."""
    reach: dict[str, int] = {}
    since: dict[str, datetime | None] = {}
    for link in fetched.links.values():
        if not link.in_effect:
            continue
        for grant in fetched.grants.get(link.id, []):
            reach[grant.group] = reach.get(grant.group, 0) | 1 << place[link.customer]
            given = _later(grant.created, link.activated)
            known = since.get(grant.group, given)
            since[grant.group] = min(known, given) if known and given else None
    return reach, since


def _customers(fetched: Fetched) -> list[Tenant]:
    """The customers of now: those with a relationship in effect, and those that Graph lists while none of theirs has
    ended."""
    by_tenant: dict[str, list[Link]] = {}
    for link in fetched.links.values():
        by_tenant.setdefault(link.customer, []).append(link)
    tenants = []
    for tenant in sorted(set(by_tenant) | set(fetched.customers)):
        links = by_tenant.get(tenant, [])
        current = [link for link in links if link.in_effect]
        if not current and (tenant not in fetched.customers or any(link.ended for link in links)):
            continue
        ends = [link.ends for link in current if link.ends]
        tenants.append(
            Tenant(
                id=tenant,
                name=fetched.customers.get(tenant) or next((link.name for link in links if link.name), None),
                roles=tuple(sorted({role for link in current for role in link.roles})),
                start=min((link.activated for link in current if link.activated), default=None),
                end=max(ends, default=None),
                auto_extends=any(link.auto_extends for link in current),
                groups=tuple(sorted({grant.group for link in current for grant in fetched.grants.get(link.id, [])})),
            )
        )
    return tenants


def _ended(fetched: Fetched) -> list[Span]:
    return sorted(
        Span(link.customer, link.name, link.activated, link.ends)
        for link in fetched.links.values()
        if link.ended and link.activated and link.ends and link.activated < link.ends
    )


def _later(first: datetime | None, second: datetime | None) -> datetime | None:
    """The later of two times; None where either is not told, because then the whole is not."""
    return None if first is None or second is None else max(first, second)
