"""What the night notes in the day that has ended: what an insurer asks for and no sign-in says.

Whom the policies make do MFA and whom they leave out, who has registered, how many people have delegated rights. A
statement of a month reads it months later (shared/statement); what nobody knew that night stays not recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from shared.app.app import App
from shared.basics.spelling import id_key
from shared.ledger.days import Noted
from shared.ledger.slices import DAY, midnight
from shared.people.lists import Technician, from_kept
from shared.posture.cover import mfa_coverage
from shared.posture.policies import (
    AdminInPolicies,
    Policies,
    blocks_device_code,
    blocks_legacy,
    exclusions,
)
from shared.posture.reading import policies_of
from shared.store.days import note_day
from shared.store.directory import Loaded
from shared.store.people import ACCOUNTS, TECHNICIANS, list_facts, load_list
from shared.store.policies import KeptPolicies, load_policies
from shared.store.swap import until_settled

# What was read before that says nothing of the day: the directory is read every six hours.
_OLDEST: Final = 2 * DAY
# An exclusion that names one user is an emergency account; any other leaves out more people than it names.
_NARROW: Final = "user"

type Figures = dict[str, int | float | str | bool | None]


async def note_yesterday(app: App) -> None:
    """Note it in yesterday's roll-up. Raises Conflict when others change that day all the time."""
    tables, now = await app.tables(), app.clock()
    loaded = await app.known_directory()
    kept = await load_policies(tables.directory)
    people = await load_list(tables.directory, TECHNICIANS)
    facts = await list_facts(tables.directory, ACCOUNTS)
    technicians = [from_kept(Technician, entry) for entry in people.entries] if people else []
    known = frozenset(people.facts.get("known", ())) if people else frozenset[str]()
    noted = noted_of(now, loaded, kept, Roster(technicians, known), facts)
    yesterday = midnight(now) - DAY
    await until_settled(f"notes of {yesterday:%Y-%m-%d}", lambda: note_day(tables.rollups, yesterday, noted))


class Roster(NamedTuple):
    """The technicians, and the keys of the groups and roles of which it is known who is in them."""

    technicians: list[Technician]
    known: frozenset[str] = frozenset()


def noted_of(
    now: datetime,
    loaded: Loaded | None,
    kept: KeptPolicies | None,
    roster_list: Roster,
    facts: tuple[datetime, Mapping[str, Any]] | None,
) -> Noted:
    """What is known at that time (UTC). Pure."""
    fresh = kept if kept is not None and kept.read_at >= now - _OLDEST else None
    listed = {technician.key: technician for technician in roster_list.technicians}
    roster = None
    posture: Figures = {}
    if loaded is not None and loaded.at >= now - _OLDEST:
        keys = {id_key(admin.user_id) for admin in loaded.file.delegated_admins if admin.valid(now)}
        roster = len(keys)
        if fresh is not None:
            people = [_person(key, listed.get(key), roster_list.known) for key in sorted(keys)]
            posture |= _of_policies(policies_of(fresh.parts, fresh.read_at), people)
    if facts is not None and facts[0] >= now - _OLDEST:
        posture |= _of_registrations(facts[1])
    return Noted(posture=posture or None, roster=roster, policies=fresh.fingerprint if fresh else None)


def _person(key: str, listed: Technician | None, known: frozenset[str]) -> AdminInPolicies:
    """A delegated admin as policies ask; of one who is not on the list yet no group is known."""
    return AdminInPolicies(key, frozenset(listed.memberships), known, listed.guest) if listed else AdminInPolicies(key)


def _of_policies(policies: Policies, people: list[AdminInPolicies]) -> Figures:
    coverage = mfa_coverage(policies, people)
    figures: Figures = {
        "mfaEnforced": str(coverage.answer),
        "enforcedFor": len(coverage.covered),
        "notEnforcedFor": len(coverage.uncovered),
        "enforcementUnsure": len(coverage.unsure),
        "legacyBlocked": str(blocks_legacy(policies)),
        "deviceCodeBlocked": str(blocks_device_code(policies)),
        "securityDefaults": policies.security_defaults,
    }
    if policies.conditional_access is not None or policies.security_defaults:  # which know no exclusion
        holes = exclusions(policies)
        figures["exclusions"] = len(holes)
        figures["broadExclusions"] = sum(hole.rule != _NARROW for hole in holes)
    return figures


def _of_registrations(facts: Mapping[str, Any]) -> Figures:
    admins = facts.get("delegatedAdmins")
    if not isinstance(admins, Mapping):
        return {}
    # `total` counts all on the roster, the others those whom the report has.
    named = {"admins": "total", "registered": "registered", "capable": "capable"}
    return {name: admins[member] for name, member in named.items() if isinstance(admins.get(member), int)}
