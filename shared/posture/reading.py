"""The policies from Graph's JSON. What is missing or of another type counts as not set; nothing here raises. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.basics.spelling import id_key, squeezed
from shared.posture.policies import AccessPolicy, Federation, Policies, PolicyScope, PolicyState

_STATES: Final = {"enabled": PolicyState.ENABLED, "enabledforreportingbutnotenforced": PolicyState.REPORT_ONLY}
_BEHAVIOURS: Final = {
    "acceptifmfadonebyfederatedidp": "accepted",
    "enforcemfabyfederatedidp": "enforced",
    "rejectmfabyfederatedidp": "rejected",
}
_STRENGTH: Final = "authenticationStrength"
_WEAK_STRENGTH: Final = "strengthOfOneFactor"
# The conditions that are read. Whatever else is set keeps a policy from some sign-ins: risk, devices, and what comes.
_READ: Final = frozenset({"users", "applications", "clientapptypes", "locations", "platforms", "authenticationflows"})


def policy_of(part: Mapping[str, object], strengths: Mapping[str, str] | None = None) -> AccessPolicy:
    """A policy from Graph's conditionalAccessPolicy. What is missing or of another type counts as not set.

    `strengths` says by id (id_key) what each authentication strength satisfies, for a policy that only names its own.
    """
    conditions, grants = _map(part, "conditions"), _map(part, "grantControls")
    users, apps = _map(conditions, "users"), _map(conditions, "applications")
    strength = _strength(grants.get("authenticationStrength"), strengths or {})
    controls = (*_texts(grants.get("builtInControls")), *_texts(grants.get("customAuthenticationFactors")))
    narrowed = [name for name, value in conditions.items() if squeezed(name) not in _READ and _is_set(value)]
    narrowed += ["applicationFilter"] if apps.get("applicationFilter") else []
    return AccessPolicy(
        id=_text(part.get("id")),
        name=_text(part.get("displayName")),
        state=_STATES.get(squeezed(_text(part.get("state"))), PolicyState.DISABLED),
        includes=_scope(conditions, users, apps, "include"),
        excludes=_scope(conditions, users, apps, "exclude"),
        clients=_texts(conditions.get("clientAppTypes")),
        transfer_methods=_words(_map(conditions, "authenticationFlows").get("transferMethods")),
        controls=(*controls, *strength),
        any_control=squeezed(_text(grants.get("operator"))) == "or" and len(controls) + len(strength) > 1,
        narrowed=tuple(narrowed),
    )


def _strength(value: object, known: Mapping[str, str]) -> tuple[str, ...]:
    """The control of an authentication strength. One that a tenant made itself may be content with a password: then it
    is none of MFA."""
    if not isinstance(value, Mapping) or not value:
        return ()
    satisfies = squeezed(_text(value.get("requirementsSatisfied")) or known.get(id_key(_text(value.get("id"))), ""))
    return (_STRENGTH if satisfies in ("", "mfa") else _WEAK_STRENGTH,)


def policies_of(parts: Mapping[str, object], read_at: datetime, *, since: datetime | None = None) -> Policies:
    """The policies from what Graph said, by the names of shared/graph/policies.py; a part that is missing was not
    read. `since` is since when they are known to stand like that."""
    policies, domains, federation = parts.get("conditionalAccess"), parts.get("domains"), parts.get("federation")
    defaults = _map(parts, "securityDefaults").get("isEnabled")
    trusts = _map(_map(parts, "crossTenantAccess"), "inboundTrust").get("isMfaAccepted")
    strengths = {
        id_key(_text(part.get("id"))): _text(part.get("requirementsSatisfied"))
        for part in _maps(parts.get("authenticationStrengths"))
    }
    by_domain = federation if isinstance(federation, Mapping) else None
    return Policies(
        read_at=read_at,
        conditional_access=(
            tuple(policy_of(part, strengths) for part in _maps(policies)) if isinstance(policies, list) else None
        ),
        security_defaults=defaults if isinstance(defaults, bool) else None,
        domains=tuple(_federation(d, by_domain) for d in _maps(domains)) if isinstance(domains, list) else None,
        named_locations={
            id_key(_text(p.get("id"))): _text(p.get("displayName")) for p in _maps(parts.get("namedLocations"))
        },
        trusts_guest_mfa=trusts if isinstance(trusts, bool) else None,
        since=since,
    )


def _federation(domain: Mapping[str, object], by_domain: Mapping[str, object] | None) -> Federation:
    told = None if by_domain is None else _maps(by_domain.get(_text(domain.get("id"))))
    return federation_of(domain, told)


def federation_of(domain: Mapping[str, object], configurations: Sequence[Mapping[str, object]] | None) -> Federation:
    """A domain, from Graph's domain and its federationConfiguration (None: it was not read)."""
    federated = squeezed(_text(domain.get("authenticationType"))) == "federated"
    mfa = None
    if federated and configurations is not None:
        told = [squeezed(_text(part.get("federatedIdpMfaBehavior"))) for part in configurations]
        mfa = _BEHAVIOURS.get(told[0], "") if told else ""
    return Federation(_text(domain.get("id")).lower(), federated, mfa)


def _scope(
    conditions: Mapping[str, object], users: Mapping[str, object], apps: Mapping[str, object], way: str
) -> PolicyScope:
    guests = _map(users, f"{way}GuestsOrExternalUsers")
    actions = _texts(apps.get("includeUserActions")) if way == "include" else ()
    return PolicyScope(
        users=_texts(users.get(f"{way}Users")),
        groups=_texts(users.get(f"{way}Groups")),
        roles=_texts(users.get(f"{way}Roles")),
        guests=_words(guests.get("guestOrExternalUserTypes")),
        applications=_texts(apps.get(f"{way}Applications")) or actions,
        locations=_texts(_map(conditions, "locations").get(f"{way}Locations")),
        platforms=_texts(_map(conditions, "platforms").get(f"{way}Platforms")),
    )


def _is_set(value: object) -> bool:
    """Whether anything stands in it."""
    if isinstance(value, Mapping):
        return any(_is_set(part) for name, part in value.items() if not str(name).startswith("@"))
    return bool(value)


def _map(part: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = part.get(name)
    return value if isinstance(value, Mapping) else {}


def _maps(value: object) -> list[Mapping[str, object]]:
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:256] if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(part[:256] for part in value if isinstance(part, str) and part) if isinstance(value, list) else ()


def _words(value: object) -> tuple[str, ...]:
    """The members of a flags enum: "b2bCollaborationGuest,serviceProvider"."""
    return tuple(word.strip() for word in _text(value).split(",") if word.strip()) or _texts(value)
