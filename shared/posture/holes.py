"""The holes in policies that demand MFA: by what they leave out whom, and how many sign-ins went that way. Pure.

A policy is for somebody or something unless it excludes them; the log says by which rule a policy left a sign-in out,
in words of its own (docs/entra-facts.md, "Was there MFA?"). Here the two meet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.basics.spelling import id_key, squeezed
from shared.posture.cover import TooMany, counted_policies, left_open, policies_for
from shared.posture.policies import (
    AccessPolicy,
    AdminInPolicies,
    Policies,
    PolicyVerdict,
    applies_to,
    exclusions,
    leaves_out,
)
from shared.rules.cause import Cause, CauseKind

GUESTS: Final = "guestsorexternalusers"
_CLIENTS: Final = {
    "browser": "browsers",
    "mobileappsanddesktopclients": "apps on phones and desktops",
    "exchangeactivesync": "Exchange ActiveSync",
    "other": "other (legacy) clients",
}
# What the log calls the rules (conditionalAccessRuleSatisfied), and, where it names none, the conditions.
_KIND_OF_RULE: Final = {
    "userid": "user",
    "groupid": "group",
    "roleid": "role",
    "guest": "guest",
    "serviceprovider": "guest",
    **dict.fromkeys(("internalguest", "b2bcollaborationguest", "b2bcollaborationmember"), "guest"),
    **dict.fromkeys(("b2bdirectconnectuser", "otherexternaluser"), "guest"),
    **dict.fromkeys(("appid", "allapps", "firstpartyapps", "office365", "acr", "appfilter"), "application"),
    "microsoftadminportals": "application",
    **dict.fromkeys(("application", "applications"), "application"),
    **dict.fromkeys(("alllocations", "insidecorpnet", "alltrustedlocations", "locationid"), "location"),
    **dict.fromkeys(("location", "locations"), "location"),
    **dict.fromkeys(("alldeviceplatforms", "deviceplatform", "deviceplatforms"), "platform"),
}


@dataclass(frozen=True, slots=True)
class Hole:
    """What one policy leaves out by one kind of rule (user, group, role, guest, application, location or platform).
    `parts` are the ids and words. `sign_ins` without proof of MFA went through it; `told` is what the log called it
    where no exclusion of today explains it, else "". Which of several groups it was the log does not say."""

    policy_id: str
    policy: str
    rule: str
    parts: tuple[str, ...]
    sign_ins: int
    told: str = ""


def holes_of(policies: Policies, causes: Mapping[Cause, int]) -> list[Hole]:
    """Every exclusion of the enforced policies that demand MFA, those of the most sign-ins first; behind them what went
    through exclusions that are there no more. `causes` are the sign-ins of a period by their cause."""
    parts: dict[tuple[str, str], list[str]] = {}
    named: dict[str, AccessPolicy] = {}
    for each in exclusions(policies):
        rule = "guest" if each.rule == "user" and squeezed(each.what) == GUESTS else each.rule
        parts.setdefault((squeezed(each.policy.id), rule), []).append(each.what)
        named[squeezed(each.policy.id)] = each.policy
    went = Counter[tuple[str, str]]()
    gone: dict[Cause, int] = {}
    for cause, n in causes.items():
        if cause.kind == CauseKind.EXCLUDED:
            key = squeezed(cause.policy_id), _KIND_OF_RULE.get(squeezed(cause.rule), "")
            if key in parts:
                went[key] += n
            else:
                gone[cause] = gone.get(cause, 0) + n
    found = [Hole(named[of].id, named[of].name, rule, tuple(w), went[of, rule]) for (of, rule), w in parts.items()]
    found += [
        Hole(cause.policy_id, cause.policy, _KIND_OF_RULE.get(squeezed(cause.rule), "other"), (), n, cause.rule)
        for cause, n in gone.items()
    ]
    return sorted(found, key=lambda hole: (bool(hole.told), -hole.sign_ins, hole.policy, hole.policy_id, hole.rule))


def people_in(hole: Hole, people: Iterable[AdminInPolicies]) -> list[AdminInPolicies] | None:
    """The delegated admins whom a hole leaves out; None where it is about something else, or who is in a group is not
    known."""
    every = [*people]
    keys = {id_key(part) for part in hole.parts}
    if hole.told:
        return None
    if hole.rule == "user":
        return [person for person in every if person.key in keys]
    if hole.rule in ("group", "role"):
        return [p for p in every if keys & p.groups] if all(keys <= p.known for p in every) else None
    if hole.rule == "guest" and all(squeezed(part) == GUESTS for part in hole.parts):
        return [p for p in every if p.guest] if all(p.guest is not None for p in every) else None
    return None


def why_uncovered(policies: Policies, person: AdminInPolicies) -> str:
    """Why nobody makes a delegated admin do MFA everywhere, in words. Names of policies are hostile text."""
    if policies.security_defaults is None and policies.conditional_access is None:
        return "The policies could not be read."
    demanding = [p for p in policies.conditional_access or () if p.demands_mfa and p.is_enforced]
    wide = [policy for policy in demanding if policy.is_for_everything]
    if out := [policy.name for policy in wide if leaves_out(policy, person) is PolicyVerdict.YES]:
        return f"Left out of {_quoted(out)}."
    theirs = policies_for(counted_policies(policies), person, sure=True)
    if any(policy.demands_mfa for policy in theirs):
        named = _quoted(policy.name for policy in theirs)
        return f"{named} leave{'s' if len(theirs) == 1 else ''} open: {_opened(theirs, policies.named_locations)}."
    if wide:
        return f"{_quoted([policy.name for policy in wide])} is for others."
    if partly := [policy.name for policy in demanding if applies_to(policy, person) is not PolicyVerdict.NO]:
        return f"{_quoted(partly)} demands MFA, but not at every moment or over every flow."
    return "No policy that is on demands MFA of them."


def _opened(policies: Sequence[AccessPolicy], places: Mapping[str, str]) -> str:
    """A kind of sign-in that these policies leave open, in words. Names of places are hostile text."""
    try:
        found = left_open(policies)
    except TooMany:
        found = None
    if found is None:
        return "what they name is too much to be added up"
    told = [
        _side("", found.application, {}, "any application that none of them names"),
        _side("over ", found.client, _CLIENTS, ""),
        _side("on ", found.platform, {}, "a platform that none of them names"),
        _side("from ", found.location, {"alltrusted": "trusted places", **places}, "a place that none of them names"),
    ]
    return ", ".join(filter(None, told)) or "every sign-in"


def _side(before: str, parts: Sequence[str] | None, names: Mapping[str, str], other: str) -> str:
    if parts is None:
        return ""
    return before + (" and ".join(names.get(part) or part for part in parts) or other)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"“{name}”" for name in names)
