"""What was fetched so far, and what there is to ask next. Pure.

A refresh has no phases: from what is known follows what is still to be asked, until nothing is. So one that was cut off
goes on from the pages that were kept, in whatever order they came.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from shared.basics.spelling import id_key
from shared.graph.directory import (
    ADMIN_ROLES,
    GONE,
    UNLICENSED,
    AnyPage,
    Ask,
    AssignmentPart,
    CustomerPart,
    HolderPart,
    ObjectPart,
    PageKind,
    RegistrationPart,
    RelationshipPart,
    first_url,
)
from shared.graph.problems import BadAnswer

_ENDED = ("expired", "terminated")


class Link(NamedTuple):
    """A GDAP relationship with a customer. Times are UTC; None where Graph gives none."""

    id: str
    customer: str
    name: str | None
    status: str
    activated: datetime | None
    ends: datetime | None
    auto_extends: bool
    roles: tuple[str, ...]

    @property
    def in_effect(self) -> bool:
        """Whether the partner's people may have access by it now: it was activated and is not taken down yet."""
        return self.activated is not None and self.status not in _ENDED

    @property
    def ended(self) -> bool:
        """Whether it gave access once and gives none any more."""
        return self.activated is not None and self.status in _ENDED


class Grant(NamedTuple):
    """A group's share in a relationship, and since when."""

    group: str
    created: datetime | None


class Holder(NamedTuple):
    """Who holds or may take something: a person or a group, and since when (None: not told)."""

    id: str
    is_group: bool
    since: datetime | None = None


class Account(NamedTuple):
    """An enabled account of the partner's tenant, as the registration report has it."""

    key: str
    id: str
    user_principal_name: str | None
    display_name: str | None
    guest: bool
    admin: bool
    registered: bool
    capable: bool
    methods: tuple[str, ...]


@dataclass(slots=True)
class _Progress:
    """How far one question is answered: how many pages came, where the next is (None: all came), where they were."""

    pages: int = 0
    next_url: str | None = ""
    urls: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Fetched:
    """What was read of Graph's directory. Keys are ids as Graph spells them; of all but relationships in
    lower case."""

    customers: dict[str, str | None] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    grants: dict[str, list[Grant]] = field(default_factory=dict)
    agent_groups: set[str] = field(default_factory=set)
    group_names: dict[str, str] = field(default_factory=dict)
    gone_groups: set[str] = field(default_factory=set)
    members: dict[str, list[str]] = field(default_factory=dict)
    nested: dict[str, list[str]] = field(default_factory=dict)
    eligible: dict[str, list[Holder]] = field(default_factory=dict)
    role_holders: dict[str, list[Holder]] = field(default_factory=dict)
    role_eligible: dict[str, list[Holder]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    without_pim: bool = False
    _progress: dict[Ask, _Progress] = field(default_factory=dict)

    def add(self, ask: Ask, number: int, page: AnyPage) -> bool:
        """Take in a page, the number-th of its question; False for one that does not follow what is known.

        Raises BadAnswer when its next page is one that came already.
        """
        progress = self._progress.setdefault(ask, _Progress())
        if progress.next_url is None or number != progress.pages:
            return False
        if page.next_link is not None and page.next_link in progress.urls:
            raise BadAnswer(f"Graph's pages ({ask.kind}) go round in a circle.")
        progress.pages += 1
        progress.next_url = page.next_link
        if page.next_link is not None:
            progress.urls.add(page.next_link)
        for item in page.value:
            self._take(ask, item)
        if page.missing == GONE:
            self.gone_groups.add(ask.of)
        elif page.missing == UNLICENSED:
            self.without_pim = True
        return True

    def pages(self, ask: Ask) -> int:
        """How many pages of a question came."""
        return self._progress[ask].pages if ask in self._progress else 0

    def is_answered(self, ask: Ask) -> bool:
        """Whether all pages of a question came."""
        return ask in self._progress and self._progress[ask].next_url is None

    def open_asks(self, wanted: Iterable[Ask], base_url: str) -> Iterator[tuple[Ask, str]]:
        """Of these questions, those that are not wholly answered, each with the URL to ask next."""
        for ask in wanted:
            if not self.is_answered(ask):
                yield ask, (self._progress[ask].next_url if ask in self._progress else "") or first_url(base_url, ask)

    def _take(self, ask: Ask, item: object) -> None:
        match item:
            case CustomerPart():
                self.customers[_key(item.tenant_id)] = item.display_name
            case RelationshipPart():
                self._take_relationship(item)
            case AssignmentPart():
                if item.status != "deleted":
                    grant = Grant(_key(item.access_container.access_container_id), item.created_date_time)
                    self.grants.setdefault(ask.of, []).append(grant)
            case ObjectPart():
                self._take_object(ask, item)
            case HolderPart():
                self._take_holder(ask, item)
            case RegistrationPart():
                self._take_registration(item)

    def _take_object(self, ask: Ask, item: ObjectPart) -> None:
        """A member of a group, or a group itself."""
        key = _key(item.id)
        if ask.kind is not PageKind.MEMBERS:
            self.group_names[key] = item.display_name or item.id
            if ask.kind is PageKind.AGENT_GROUPS:
                self.agent_groups.add(key)
        elif item.is_group:
            self.nested.setdefault(ask.of, []).append(key)
        elif item.is_user:
            self.members.setdefault(ask.of, []).append(key)

    def _take_relationship(self, item: RelationshipPart) -> None:
        if item.customer is None or not id_key(item.customer.tenant_id):
            return  # nobody accepted it yet
        self.links[item.id] = Link(
            id=item.id,
            customer=_key(item.customer.tenant_id or ""),
            name=item.customer.display_name,
            status=sys.intern(item.status),
            activated=item.activated_date_time,
            ends=item.end_date_time,
            auto_extends=(item.auto_extend_duration or "PT0S") not in ("PT0S", "P0D"),
            roles=tuple(sys.intern(role.lower()) for role in item.roles),
        )

    def _take_holder(self, ask: Ask, item: HolderPart) -> None:
        if item.access_id == "owner" or (item.principal and not (item.principal.is_user or item.principal.is_group)):
            return  # an owner is no member; a service principal no person
        holder = Holder(_key(item.principal_id), bool(item.principal and item.principal.is_group), item.start_date_time)
        where = {
            PageKind.ELIGIBLE: self.eligible,
            PageKind.ROLE_HOLDERS: self.role_holders,
            PageKind.ROLE_ELIGIBLE: self.role_eligible,
        }[ask.kind]
        where.setdefault(ask.of, []).append(holder)

    def _take_registration(self, item: RegistrationPart) -> None:
        key = id_key(item.id)
        self.accounts[key] = Account(
            key=key,
            id=_key(item.id),
            user_principal_name=item.user_principal_name,
            display_name=item.user_display_name,
            guest=(item.user_type or "").lower() == "guest",
            admin=bool(item.is_admin),
            registered=item.is_mfa_registered,
            capable=item.is_mfa_capable,
            methods=tuple(sys.intern(method[:64]) for method in (item.methods_registered or [])[:20]),
        )

    # --- what follows from it -----------------------------------------------------------------------------------------

    def granted_groups(self) -> set[str]:
        """The groups that have a share in a relationship that is in effect."""
        return {grant.group for link in self.links.values() if link.in_effect for grant in self.grants.get(link.id, [])}

    def groups_with_rights(self, further: Sequence[str]) -> set[str]:
        """Every group whose members are delegated admins or hold one of the roles, those it follows from included."""
        groups = self.granted_groups() | self.agent_groups | {_key(group) for group in further}
        for role in ADMIN_ROLES:
            holders = (*self.role_holders.get(role, []), *self.role_eligible.get(role, []))
            groups |= {holder.id for holder in holders if holder.is_group}
        rest = [*groups]
        while rest:  # a group may be eligible for a group
            group = rest.pop()
            for part in (group, *self.nested.get(group, [])):
                found = {holder.id for holder in self.eligible.get(part, []) if holder.is_group} - groups
                groups |= found
                rest += found
        return groups


def roster_asks(fetched: Fetched, further_groups: Sequence[str]) -> list[Ask]:
    """Every question whose answer the roster and the customers need, as far as is known by now."""
    asks = [Ask(PageKind.CUSTOMERS), Ask(PageKind.RELATIONSHIPS), Ask(PageKind.AGENT_GROUPS)]
    asks += [Ask(kind, role) for role in ADMIN_ROLES for kind in (PageKind.ROLE_HOLDERS, PageKind.ROLE_ELIGIBLE)]
    asks += [Ask(PageKind.ASSIGNMENTS, link.id) for link in fetched.links.values() if link.in_effect]
    for group in sorted(fetched.groups_with_rights(further_groups)):
        if group not in fetched.agent_groups:
            asks.append(Ask(PageKind.GROUP, group))
        asks += [Ask(PageKind.MEMBERS, group), Ask(PageKind.ELIGIBLE, group)]
        asks += [Ask(PageKind.ELIGIBLE, nested) for nested in sorted(fetched.nested.get(group, []))]
    return [*dict.fromkeys(asks)]


def registration_asks(_: Fetched, __: Sequence[str]) -> list[Ask]:
    """Every question whose answer the posture needs."""
    return [Ask(PageKind.REGISTRATIONS)]


def _key(text: str) -> str:
    """An id as it is kept and asked with: as Graph spells it, in lower case."""
    return sys.intern(text.strip().lower())
