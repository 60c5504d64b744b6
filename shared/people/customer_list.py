"""The list of customers that answers show: relationships, whose groups open them, when anybody was last there. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.basics.spelling import id_key
from shared.people.lists import DORMANT_AFTER, CustomerEntry, Sources, iso, last_day, latest
from shared.people.roster import Roster
from shared.posture.gdap import AccessGroup
from shared.signin.directory import DirectoryFile


def customers(file: DirectoryFile, sources: Sources) -> list[CustomerEntry]:
    """The customers of now and those that left not long ago, in the order of their keys."""
    found = []
    for key, period in latest(((id_key(c.tenant_id), c) for c in file.customers), sources.now):
        tenant = sources.tenants.get(key) if sources.tenants is not None else None
        old = sources.customers_before.get(key)
        entry = (old or CustomerEntry(key, period.tenant_id))._replace(
            id=period.tenant_id,
            display_name=period.display_name or (old.display_name if old else None),
            valid_from=iso(period.from_),
            valid_to=iso(period.to),
            seen=last_day(old.seen if old else None, sources.activity.customers_seen.get(key)),
        )
        if tenant:
            entry = entry._replace(
                roles=[*tenant.roles],
                start=iso(tenant.start),
                end=iso(tenant.end),
                auto_extends=tenant.auto_extends,
                groups=[*tenant.groups],
                people=tenant.people,
            )
        found.append(entry)
    return found


def customer_facts(
    before: tuple[datetime, Mapping[str, Any]] | None, roster: Roster | None, sources: Sources
) -> dict[str, Any]:
    """What is kept of the list as a whole: the groups that give access, and since when the log is watched without a
    gap, so that a customer who was not seen may be called unused. `before`: when it was made last, and what it said."""
    at, old = before or (None, {})
    watched = old.get("watchedSince")
    unbroken = at is not None and at >= sources.now - DORMANT_AFTER
    whole = sources.wholly_read and not sources.activity.trimmed_customers
    return {
        "groups": {key: group._asdict() for key, group in roster.groups.items()} if roster else old.get("groups", {}),
        "watchedSince": (watched if unbroken and watched else iso(sources.now)) if whole else None,
    }


def access_groups_of(facts: Mapping[str, Any]) -> dict[str, AccessGroup]:
    """The groups that customer_facts kept, by key."""
    return {key: AccessGroup(**group) for key, group in facts.get("groups", {}).items()}
