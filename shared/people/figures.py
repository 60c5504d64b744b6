"""What the lists about people add up to: the figures of the posture. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import JsonValue

from shared.compliance.coverage import percent
from shared.people.fetched import Account
from shared.people.lists import AccountEntry, Technician, is_current, iso
from shared.rules.posture import DELEGATED_ADMIN_DORMANT, POSTURE_RULES


def posture_figures(
    accounts: Iterable[Account],
    admins: Iterable[Technician],
    findings: Iterable[AccountEntry],
    *,
    security_defaults: bool | None,
    now: datetime,
) -> dict[str, JsonValue]:
    """The tenant-wide requirement as figures of its own (all enabled accounts, guests included), never mixed with the
    delegated sign-ins. `securityDefaults` is null where it is not known."""
    by_rule = dict.fromkeys((rule.id for rule in POSTURE_RULES), 0)
    for entry in findings:
        for rule, _ in entry.fits:
            by_rule[rule] += 1
    every = [*accounts]
    current = [admin for admin in admins if is_current(admin, now)]
    known = [(a.registered, a.capable) for a in current if a.registered is not None]
    return {
        "accounts": _figures([(a.registered, a.capable) for a in every]),
        "guests": _figures([(a.registered, a.capable) for a in every if a.guest]),
        "delegatedAdmins": {
            **_figures(known),
            "total": len(current),
            "dormant": by_rule[DELEGATED_ADMIN_DORMANT.id],
            "offBoarded": sum(1 for admin in current if admin.off_boarded),
        },
        "byRule": {**by_rule},
        "securityDefaults": security_defaults,
        "refreshedAt": iso(now),
    }


def _figures(states: Sequence[tuple[bool | None, bool | None]]) -> dict[str, JsonValue]:
    registered, capable = sum(1 for r, _ in states if r), sum(1 for _, c in states if c)
    return {
        "total": len(states),
        "registered": registered,
        "capable": capable,
        "registeredPercent": percent(registered, len(states) - registered),
        "capablePercent": percent(capable, len(states) - capable),
    }
