"""Why a sign-in without MFA was possible: the missing control behind a finding. Pure.

The record speaks first: which policies were looked at and what came of them. Three traps are kept out of it. The
"success" of a whole sign-in does not mean that MFA was enforced, so each policy's own result counts. A report-only
policy enforces nothing. And an empty list of policies means "no policy" or "no permission to see them": only policies
that were read within a day tell which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from shared.basics.spelling import squeezed
from shared.signin.applied import AppliedPolicy, is_custom_control

# Policies that were read longer ago say nothing of an empty list.
READ_WITHIN: Final = timedelta(hours=24)
_TARGETS: Final = frozenset({"application", "users"})
_REPORT_ONLY: Final = frozenset({"reportonlysuccess", "reportonlyfailure", "reportonlyinterrupted"})
# Of the documented results of a policy, those that no step below has to guess at.
_KNOWN_RESULTS: Final = _REPORT_ONLY | {"success", "failure", "notapplied", "notenabled", "reportonlynotapplied"}


class CauseKind(StrEnum):
    """The causes, in the order in which they are tried."""

    EXCLUDED = "excluded"
    REPORT_ONLY = "report-only"
    CONDITION_MISSED = "condition-missed"
    NOT_MFA_CONTROL = "not-mfa-control"
    REMEMBERED = "remembered"
    LEGACY_NOT_BLOCKED = "legacy-not-blocked"
    DEVICE_CODE_NOT_BLOCKED = "device-code-not-blocked"
    FEDERATION_UNTOLD = "federation-untold"
    CUSTOM_CONTROL = "custom-control"
    CUSTOMER_SIDE = "customer-side"
    NO_POLICY_APPLIED = "no-policy-applied"
    CANNOT_TELL = "cannot-tell"


class Cause(NamedTuple):
    """A cause with its policy. `rule` is what let the sign-in pass: of `excluded` the rule of the policy (groupId,
    serviceProvider, allTrustedLocations, …), of `condition-missed` the condition, of `not-mfa-control` what was
    demanded instead, of `cannot-tell` why not. Policy and rule are hostile text; "" where there is none.

    Example: `Cause(CauseKind.EXCLUDED, "8f…", "MFA for all", "serviceProvider")`.
    """

    kind: str  # a CauseKind; a newer version of the app may know more
    policy_id: str = ""
    policy: str = ""
    rule: str = ""

    @property
    def key(self) -> str:
        """What sign-ins of one gap share: the kind, the policy, the rule."""
        return "/".join((self.kind, squeezed(self.policy_id) or squeezed(self.policy), squeezed(self.rule)))


@dataclass(frozen=True, slots=True)
class Seen:
    """What a cause is worked out from, of one successful sign-in that is a finding. `at` is UTC.

    `remembered`, `trusted_location`, `app_password` say what a skipped MFA rests on; `in_customer` that it went into a
    customer's tenant.
    """

    at: datetime
    policies: tuple[AppliedPolicy, ...] = ()
    in_customer: bool = False
    legacy: bool = False
    device_code: bool = False
    federated: bool = False
    remembered: bool = False
    trusted_location: bool = False
    app_password: bool = False


@dataclass(frozen=True, slots=True)
class Configured:
    """What the tenant's policies demand: the ids of those that demand MFA and of those that do not. For a policy that
    did not apply the log may leave its controls out. They were read last at `read_at` and first found like that at
    `since` (None: then too), both UTC."""

    read_at: datetime
    with_mfa: frozenset[str] = frozenset()
    without_mfa: frozenset[str] = frozenset()
    since: datetime | None = None

    def is_fresh(self, at: datetime) -> bool:
        """Whether the policies were read within a day of that time, or before and after it without a change: so that a
        slice that is read again says what it said."""
        return (self.since or self.read_at) - READ_WITHIN <= at <= self.read_at + READ_WITHIN


def cause_of(seen: Seen, configured: Configured | None = None) -> Cause:
    """Why a successful sign-in without proof of MFA was possible: the first cause that fits."""
    for step in _STEPS:
        if (cause := step(seen, configured)) is not None:
            return cause
    return Cause(CauseKind.CANNOT_TELL, rule=_why_not(seen, configured))


# --- the steps --------------------------------------------------------------------------------------------------------


def _was_enforced(seen: Seen) -> bool:
    """Where a policy demanded MFA and was met, no other policy's hole let the sign-in pass."""
    return any(policy.is_enforced and policy.demands_mfa for policy in seen.policies)


def _may_demand_mfa(policy: AppliedPolicy, configured: Configured | None) -> bool:
    """By its controls; where the log leaves them out, by the policy as configured; where nobody knows, it may."""
    if policy.controls:
        return policy.demands_mfa
    return not (configured and squeezed(policy.id) in configured.without_mfa)


def _holes(seen: Seen, configured: Configured | None, *results: str) -> Iterable[AppliedPolicy]:
    """Policies with one of these results that may demand MFA: those that surely do come first."""
    if _was_enforced(seen):
        return ()
    found = [p for p in seen.policies if squeezed(p.result) in results and _may_demand_mfa(p, configured)]
    known = configured.with_mfa if configured else frozenset[str]()
    return sorted(found, key=lambda policy: not (policy.demands_mfa or squeezed(policy.id) in known))


def _of(kind: CauseKind, policy: AppliedPolicy, rule: str = "") -> Cause:
    return Cause(kind, policy.id, policy.name, rule)


def _excluded(seen: Seen, configured: Configured | None) -> Cause | None:
    for policy in _holes(seen, configured, "notapplied"):
        if policy.excluded:
            hit = policy.excluded[0]
            return _of(CauseKind.EXCLUDED, policy, hit.rule or hit.condition)
    return None


def _report_only(seen: Seen, configured: Configured | None) -> Cause | None:
    for policy in _holes(seen, configured, *_REPORT_ONLY):
        if policy.demands_mfa or (configured and squeezed(policy.id) in configured.with_mfa):
            return _of(CauseKind.REPORT_ONLY, policy)
    return None


def _condition_missed(seen: Seen, configured: Configured | None) -> Cause | None:
    """A policy that is for this person and application, but not for this place, platform or client. One that is for
    others altogether is no policy with a hole."""
    for policy in _holes(seen, configured, "notapplied"):
        if policy.unmet and not any(condition in _TARGETS for condition in policy.unmet):
            return _of(CauseKind.CONDITION_MISSED, policy, ", ".join(policy.unmet))
    if seen.trusted_location:  # also where a policy demanded MFA: trusted addresses of per-user MFA waive it
        return Cause(CauseKind.CONDITION_MISSED, rule="trusted location")
    return None


def _not_mfa_control(seen: Seen, _configured: Configured | None) -> Cause | None:
    if _was_enforced(seen):
        return None
    for policy in seen.policies:
        if policy.is_enforced and policy.controls and not any(map(is_custom_control, policy.controls)):
            return _of(CauseKind.NOT_MFA_CONTROL, policy, ", ".join(policy.controls))
    return None


def _remembered(seen: Seen, _configured: Configured | None) -> Cause | None:
    return Cause(CauseKind.REMEMBERED) if seen.remembered else None


def _legacy(seen: Seen, _configured: Configured | None) -> Cause | None:
    return Cause(CauseKind.LEGACY_NOT_BLOCKED) if seen.legacy or seen.app_password else None


def _device_code(seen: Seen, _configured: Configured | None) -> Cause | None:
    return Cause(CauseKind.DEVICE_CODE_NOT_BLOCKED) if seen.device_code else None


def _federation(seen: Seen, _configured: Configured | None) -> Cause | None:
    return Cause(CauseKind.FEDERATION_UNTOLD) if seen.federated else None


def _custom_control(seen: Seen, _configured: Configured | None) -> Cause | None:
    for policy in seen.policies:
        custom = [control for control in policy.controls if is_custom_control(control)]
        if policy.is_enforced and custom:
            return _of(CauseKind.CUSTOM_CONTROL, policy, custom[0])
    return None


def _customer_side(seen: Seen, _configured: Configured | None) -> Cause | None:
    """Into a customer without a word of any policy: whether theirs or the partner's would be listed is unverified."""
    return Cause(CauseKind.CUSTOMER_SIDE) if seen.in_customer and not seen.policies else None


def _no_policy(seen: Seen, configured: Configured | None) -> Cause | None:
    if seen.policies:
        unknown = any(squeezed(policy.result) not in _KNOWN_RESULTS for policy in seen.policies)
        return None if unknown or _was_enforced(seen) else Cause(CauseKind.NO_POLICY_APPLIED)
    if configured is not None and configured.is_fresh(seen.at):
        return Cause(CauseKind.NO_POLICY_APPLIED)
    return None


_STEPS: Final[tuple[Callable[[Seen, Configured | None], Cause | None], ...]] = (
    *(_excluded, _report_only, _condition_missed, _not_mfa_control, _remembered, _legacy, _device_code),
    *(_federation, _custom_control, _customer_side, _no_policy),
)


def _why_not(seen: Seen, configured: Configured | None) -> str:
    if not seen.policies:
        return "policies not read within a day" if configured else "policies never read"
    if _was_enforced(seen):
        return "a policy demanded MFA and was met"
    return "a result that is not known"
