"""The partner's own policies as they are configured, and what they leave open. Pure.

Read with the directory: Conditional Access, security defaults, the domains and their federation. What is asked of them:
is every delegated admin made to do MFA for every application, who is left out and by which rule, are legacy
authentication and device code blocked, which of the three ways of implementing MFA is used, does Entra ID accept the
federation provider's MFA. Whatever cannot be told is told as such, never as covered. Names are hostile text.
Facts: docs/entra-facts.md, "Was there MFA?".
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.basics.spelling import id_key, squeezed
from shared.rules.cause import Configured
from shared.signin.applied import is_mfa_control

_ALL: Final = "all"
_LEGACY_CLIENTS: Final = frozenset({"exchangeactivesync", "other"})
_ANY_CLIENT: Final = frozenset({"all"})


class PolicyState(StrEnum):
    """Whether a policy is enforced. A state that nobody knows is not taken for enforced."""

    ENABLED = "enabled"
    REPORT_ONLY = "report-only"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """Who or what a policy includes or excludes: words ("All", "GuestsOrExternalUsers") and ids, as Graph has them."""

    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    guests: tuple[str, ...] = ()
    applications: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """One Conditional Access policy. `narrowed` names conditions that keep it from some sign-ins (risk, device filter,
    …) beside those of `includes` and `excludes`; `any_control` that one of its controls is enough."""

    id: str
    name: str
    state: PolicyState
    includes: PolicyScope
    excludes: PolicyScope
    clients: tuple[str, ...] = ()
    transfer_methods: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()
    any_control: bool = False
    narrowed: tuple[str, ...] = ()

    @property
    def demands_mfa(self) -> bool:
        """Whether who meets it has done MFA: not where another control is enough."""
        mfa = [is_mfa_control(control) for control in self.controls]
        return all(mfa) and bool(mfa) if self.any_control else any(mfa)

    @property
    def is_enforced(self) -> bool:
        """Whether it is on: report-only enforces nothing."""
        return self.state is PolicyState.ENABLED

    @property
    def blocks(self) -> bool:
        """Whether it blocks what it applies to."""
        return any(squeezed(control) == "block" for control in self.controls)

    @property
    def is_for_everything(self) -> bool:
        """Whether it is for every application, client, place and platform."""
        return (
            _has_all(self.includes.applications)
            and not self.excludes.applications
            and (not self.clients or {squeezed(c) for c in self.clients} >= _ANY_CLIENT)
            and (not self.includes.locations or _has_all(self.includes.locations))
            and not self.excludes.locations
            and (not self.includes.platforms or _has_all(self.includes.platforms))
            and not self.excludes.platforms
            and not self.narrowed
            and not self.transfer_methods
        )


@dataclass(frozen=True, slots=True)
class Federation:
    """A domain of the tenant. `mfa` says what Entra ID does with the provider's MFA: accepted, enforced, rejected or
    "" where it is not told; None where it may not be read."""

    domain: str
    federated: bool
    mfa: str | None = None


@dataclass(frozen=True, slots=True)
class Policies:
    """The policies as read at `read_at` (UTC). None stands for what could not be read: no licence, no permission."""

    read_at: datetime
    conditional_access: tuple[AccessPolicy, ...] | None = None
    security_defaults: bool | None = None
    domains: tuple[Federation, ...] | None = None
    named_locations: Mapping[str, str] = field(default_factory=dict)  # by key (id_key)
    trusts_guest_mfa: bool | None = None
    since: datetime | None = None  # since when they were found like that; None: not kept

    def configured(self) -> Configured | None:
        """What the causes of findings need of them; None where Conditional Access could not be read."""
        if self.conditional_access is None:
            return None
        on = [policy for policy in self.conditional_access if policy.state is not PolicyState.DISABLED]
        return Configured(
            self.read_at,
            frozenset(squeezed(policy.id) for policy in on if policy.demands_mfa),
            frozenset(squeezed(policy.id) for policy in on if not policy.demands_mfa),
            self.since,
        )


class PolicyVerdict(StrEnum):
    """An answer about the policies."""

    YES = "yes"
    NO = "no"
    PARTLY = "partly"
    CANNOT_TELL = "cannot-tell"


@dataclass(frozen=True, slots=True)
class AdminInPolicies:
    """A delegated admin, as far as policies ask. `groups` are the keys of groups and directory roles that they are in;
    `known` those of all whose members are known, so that of these they are in no other. `guest` None where unknown."""

    key: str
    groups: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    guest: bool | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A hole: whom an MFA policy leaves out. `rule` is user, group, role, guest, application, location or platform;
    `what` the id or word."""

    policy: AccessPolicy
    rule: str
    what: str


def applies_to(policy: AccessPolicy, person: AdminInPolicies) -> PolicyVerdict:
    """Whether a policy is for a person. A group or role whose members are not known makes it unsure."""
    excluded = _is_in(policy.excludes, person)
    if excluded is PolicyVerdict.YES:
        return PolicyVerdict.NO
    included = _is_in(policy.includes, person)
    if included is PolicyVerdict.NO:
        return PolicyVerdict.NO
    return (
        PolicyVerdict.YES
        if (included, excluded) == (PolicyVerdict.YES, PolicyVerdict.NO)
        else PolicyVerdict.CANNOT_TELL
    )


def leaves_out(policy: AccessPolicy, person: AdminInPolicies) -> PolicyVerdict:
    """Whether a policy excludes a person."""
    return _is_in(policy.excludes, person)


def exclusions(policies: Policies) -> list[Exclusion]:
    """The holes of every enforced policy that demands MFA."""
    holes = []
    for policy in policies.conditional_access or ():
        if policy.state is PolicyState.ENABLED and policy.demands_mfa:
            out = policy.excludes
            for rule, parts in (
                ("user", out.users),
                ("group", out.groups),
                ("role", out.roles),
                ("guest", out.guests),
                ("application", out.applications),
                ("location", out.locations),
                ("platform", out.platforms),
            ):
                holes += [Exclusion(policy, rule, part) for part in parts]
    return holes


def blocks_legacy(policies: Policies) -> PolicyVerdict:
    """Whether legacy authentication is blocked for everybody. Security defaults block it."""
    return _blocked(policies, lambda p: {squeezed(client) for client in p.clients} >= _LEGACY_CLIENTS)


def blocks_device_code(policies: Policies) -> PolicyVerdict:
    """Whether the device code flow is blocked for everybody. Security defaults do not block it."""
    if policies.conditional_access is None:
        return PolicyVerdict.CANNOT_TELL
    by_policy = Policies(policies.read_at, policies.conditional_access)
    return _blocked(by_policy, lambda p: any("devicecode" in squeezed(method) for method in p.transfer_methods))


class MfaWay(StrEnum):
    """The ways of implementing MFA that the requirement names."""

    SECURITY_DEFAULTS = "security-defaults"
    CONDITIONAL_ACCESS = "conditional-access"
    FEDERATED_OR_PER_USER = "federated-or-per-user"
    NONE_SEEN = "none-seen"
    CANNOT_TELL = "cannot-tell"


def way_of(policies: Policies) -> MfaWay:
    """Which of the three ways the partner uses."""
    if policies.security_defaults:
        return MfaWay.SECURITY_DEFAULTS
    if any(p.state is PolicyState.ENABLED and p.demands_mfa for p in policies.conditional_access or ()):
        return MfaWay.CONDITIONAL_ACCESS
    if any(domain.federated for domain in policies.domains or ()):
        return MfaWay.FEDERATED_OR_PER_USER
    if policies.conditional_access is None or policies.domains is None:
        return MfaWay.CANNOT_TELL
    return MfaWay.NONE_SEEN


# --- who is in --------------------------------------------------------------------------------------------------------


def _has_all(parts: Collection[str]) -> bool:
    return any(squeezed(part) == _ALL for part in parts)


def _is_in(scope: PolicyScope, person: AdminInPolicies) -> PolicyVerdict:
    ids = {id_key(user) for user in scope.users}
    if _has_all(scope.users) or person.key in ids:
        return PolicyVerdict.YES
    groups = {id_key(group) for group in (*scope.groups, *scope.roles)}
    if groups & person.groups:
        return PolicyVerdict.YES
    for_guests = bool(scope.guests) or any(squeezed(user) == "guestsorexternalusers" for user in scope.users)
    if for_guests and person.guest:
        return PolicyVerdict.CANNOT_TELL if scope.guests else PolicyVerdict.YES
    unknown = not groups <= person.known or (for_guests and person.guest is None)
    return PolicyVerdict.CANNOT_TELL if unknown else PolicyVerdict.NO


def _blocked(policies: Policies, is_about: Callable[[AccessPolicy], bool]) -> PolicyVerdict:
    if policies.security_defaults:
        return PolicyVerdict.YES
    if policies.conditional_access is None:
        return PolicyVerdict.CANNOT_TELL
    answers = [
        PolicyVerdict.PARTLY if _has_holes(policy) else PolicyVerdict.YES
        for policy in policies.conditional_access
        if policy.state is PolicyState.ENABLED and policy.blocks and is_about(policy)
    ]
    return PolicyVerdict.YES if PolicyVerdict.YES in answers else (answers[0] if answers else PolicyVerdict.NO)


def _has_holes(policy: AccessPolicy) -> bool:
    out, in_ = policy.excludes, policy.includes
    left_out = out.users or out.groups or out.roles or out.guests or out.applications or out.locations or out.platforms
    narrow = not _has_all(in_.users) or not _has_all(in_.applications) or bool(policy.narrowed)
    return bool(left_out) or narrow or (bool(in_.locations) and not _has_all(in_.locations))
