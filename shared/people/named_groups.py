"""Who is in the groups and directory roles that Conditional Access policies name: so that it can be told whom a policy
leaves out, and whom it does not."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from shared.basics.events import log_event
from shared.basics.spelling import id_key
from shared.graph.client import GraphClient
from shared.graph.directory import AnyPage, Ask, HolderPart, ObjectPart, PageKind, fetch, first_url
from shared.graph.problems import GraphProblem
from shared.posture.policies import Policies, PolicyState

# A group with more pages (of 999) counts as one whose members are not known, and so does what comes behind the most.
_MOST_PAGES: Final = 20
_MOST: Final = 100
_DIGITS: Final = 32  # of an id; what else stands there is a word


@dataclass(frozen=True, slots=True)
class NamedGroups:
    """The groups and roles that policies name and whose members are known, each by its key (id_key), with the keys of
    its people, and the groups' names, which are hostile text. One that is missing could not be read; `problem` is the
    sentence that says why."""

    members: dict[str, frozenset[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    problem: str = ""

    def kept(self) -> dict[str, Any]:
        """What is kept with the list of technicians, whose entries say who is in which."""
        return {"known": sorted(self.members), "groupNames": self.names, "groupsProblem": self.problem}


async def read_named_groups(client: GraphClient, policies: Policies) -> NamedGroups:
    """Ask Graph for the members of every group and role that a policy names and that is on, be it to report only.

    Raises nothing that Graph says: what it does not tell stays unknown, and the first reason is kept.
    """
    found = NamedGroups()
    try:
        for group in _ids(policies, "groups"):
            users, _ = await _objects(client, Ask(PageKind.MEMBERS, group))
            if users is not None:
                found.members[id_key(group)] = users
            (named, *_) = (*(await _page(client, Ask(PageKind.GROUP, group))).value, None)
            if isinstance(named, ObjectPart) and named.display_name:
                found.names[id_key(group)] = named.display_name
        for role in _ids(policies, "roles"):
            users, groups = await _objects(client, Ask(PageKind.ROLE_HOLDERS, role))
            for group in groups:  # a group may hold a role
                inside, _ = await _objects(client, Ask(PageKind.MEMBERS, group))
                users = None if users is None or inside is None else users | inside
            if users is not None:
                found.members[id_key(role)] = users
    except GraphProblem as problem:
        log_event("policy_groups_unread", problem=type(problem).__name__)
        return replace(found, problem=str(problem))
    return found


def _ids(policies: Policies, kind: str) -> list[str]:
    """The ids of a kind that the policies name, in lower case as they are asked for."""
    on = [p for p in policies.conditional_access or () if p.state is not PolicyState.DISABLED]
    named = {part.strip().lower() for p in on for scope in (p.includes, p.excludes) for part in getattr(scope, kind)}
    return sorted(part for part in named if len(id_key(part)) == _DIGITS)[:_MOST]


async def _page(client: GraphClient, ask: Ask, url: str = "") -> AnyPage:
    return await fetch(client, ask, url or first_url(client.base_url, ask))


async def _objects(client: GraphClient, ask: Ask) -> tuple[frozenset[str] | None, list[str]]:
    """The keys of the users of a list, and the ids of the groups in it. None where it has too many pages."""
    users: set[str] = set()
    groups: list[str] = []
    url: str | None = ""
    for _ in range(_MOST_PAGES):
        page = await _page(client, ask, url or "")
        for item in page.value:
            part = item.principal if isinstance(item, HolderPart) else item
            id_ = item.principal_id if isinstance(item, HolderPart) else item.id
            if part is not None and part.is_group:
                groups.append(id_.lower())
            elif part is None or part.is_user:
                users.add(id_key(id_))
        url = page.next_link
        if url is None:
            return frozenset(users), groups
    return None, groups
