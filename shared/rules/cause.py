"""Why a sign-in without MFA was possible: the missing control behind a finding. Pure.

The record speaks first: which policies were looked at and what came of them. Three traps are kept out of it. The
"success" of a whole sign-in does not mean that MFA was enforced, so each policy's own result counts. A report-only
policy enforces nothing. And an empty list of policies means "no policy" or "no permission to see them": only policies
that were read within a day tell which.

What would have stopped a sign-in is a policy that demands MFA; over a way that policies can only block (legacy
authentication, device code) one that blocks it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from shared.basics.spelling import squeezed
from shared.signin.applied import AppliedPolicy, RuleHit, is_custom_control, is_mfa_control

# Policies that were read longer ago say nothing of an empty list.
READ_WITHIN: Final = timedelta(hours=24)
_TARGETS: Final = frozenset({"application", "users"})
# Conditions that are no place, platform or client: a policy with one is for some moments and not for every sign-in.
_MOMENTS: Final = frozenset({"signinrisk", "userrisk", "insiderrisk", "serviceprincipalrisk", "time"})
_BLOCK: Final = frozenset({"block", "blockaccess"})
# Of report-only results those that say "it would have asked", and the one that says "it would have been met".
_WOULD_ASK: Final = ("reportonlyinterrupted", "reportonlyfailure")
_WOULD_BE_MET: Final = "reportonlysuccess"
# Of the documented results of a policy, those that no step below has to guess at.
_KNOWN_RESULTS: Final = frozenset(
    {*_WOULD_ASK, _WOULD_BE_MET, "success", "failure", "notapplied", "notenabled", "reportonlynotapplied"}
)
# Which condition a rule of the log belongs to, for where the log names the rule alone.
_CONDITION_OF: Final = {
    **dict.fromkeys(("allusers", "guest", "groupid", "roleid", "userid", "serviceprovider", "internalguest"), "users"),
    **dict.fromkeys(("b2bcollaborationguest", "b2bcollaborationmember", "b2bdirectconnectuser"), "users"),
    **dict.fromkeys(("otherexternaluser",), "users"),
    **dict.fromkeys(("allapps", "firstpartyapps", "office365", "appid", "acr", "appfilter"), "application"),
    **dict.fromkeys(("microsoftadminportals",), "application"),
    **dict.fromkeys(("alllocations", "insidecorpnet", "alltrustedlocations", "locationid"), "location"),
    **dict.fromkeys(("alldeviceplatforms", "deviceplatform"), "deviceplatform"),
}


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
    customer's tenant; `had_mfa` that MFA is proven, so that only how the sign-in was made is a finding.
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
    had_mfa: bool = False


@dataclass(frozen=True, slots=True)
class Configured:
    """What the tenant's policies demand: the ids of those that demand MFA and of those that do not, be it that another
    control is enough. For a policy that did not apply the log may leave its controls out. They were read last at
    `read_at` and first found like that at `since` (None: then too), both UTC."""

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


def _demands_mfa(policy: AppliedPolicy, configured: Configured | None) -> bool | None:
    """Whether who met a policy has done MFA: by its controls, and where the log leaves them out or names several, of
    which perhaps one is enough, by the policy as configured. None where nobody knows."""
    id_ = squeezed(policy.id)
    if policy.controls and not policy.demands_mfa:
        return False
    if all(map(is_mfa_control, policy.controls)) and policy.controls:
        return True
    if configured and id_ in configured.with_mfa:
        return True
    if configured and id_ in configured.without_mfa:
        return False
    if policy.controls:
        return True
    # Where the log tells what it demanded of the session, it would tell what it demanded of the person.
    return False if policy.session_controls else None


def _was_enforced(seen: Seen, configured: Configured | None) -> bool:
    """Where a policy demanded MFA and was met, no other policy's hole let the sign-in pass."""
    return seen.had_mfa or any(p.is_enforced and _demands_mfa(p, configured) for p in seen.policies)


def _blocks(policy: AppliedPolicy, seen: Seen) -> bool:
    """Whether it would have blocked a sign-in over a way that policies block."""
    return (seen.legacy or seen.device_code) and any(squeezed(control) in _BLOCK for control in policy.controls)


def _beside(policy: AppliedPolicy) -> set[str]:
    """The conditions that were not met, but for those that its own exclusions explain."""
    explained = {_condition_of(hit) for hit in policy.excluded}
    return set() if "" in explained else {squeezed(condition) for condition in policy.unmet} - explained


def _condition_of(hit: RuleHit) -> str:
    """The condition that a rule belongs to; "" where nobody knows."""
    return squeezed(hit.condition) or _CONDITION_OF.get(squeezed(hit.rule), "")


def _holes(seen: Seen, configured: Configured | None, *results: str) -> Iterable[AppliedPolicy]:
    """Policies with one of these results that may demand MFA: those that surely do come first, and of these those that
    nothing but their exclusions kept away."""
    if _was_enforced(seen, configured):
        return ()
    told = {policy: _demands_mfa(policy, configured) for policy in seen.policies if squeezed(policy.result) in results}
    return sorted(
        (p for p, demands in told.items() if demands is not False), key=lambda p: (not told[p], bool(_beside(p)))
    )


def _of(kind: CauseKind, policy: AppliedPolicy, rule: str = "") -> Cause:
    return Cause(kind, policy.id, policy.name, rule)


def _excluded(seen: Seen, configured: Configured | None) -> Cause | None:
    """Left out of a policy that is for this application and person otherwise. One that blocks is a hole only where
    nothing but whom it excludes kept it away: most block other places or clients."""
    for policy in _holes(seen, configured, "notapplied"):
        if policy.excluded and not _beside(policy) & _TARGETS:
            return _left_out(policy)
    for policy in seen.policies:
        by_person = any(_condition_of(hit) == "users" for hit in policy.excluded)
        if by_person and not _beside(policy) and squeezed(policy.result) == "notapplied" and _blocks(policy, seen):
            return _left_out(policy)
    return None


def _left_out(policy: AppliedPolicy) -> Cause:
    hit = policy.excluded[0]
    return _of(CauseKind.EXCLUDED, policy, hit.rule or hit.condition)


def _report_only(seen: Seen, configured: Configured | None) -> Cause | None:
    """It would have asked; or, where nothing of it says so, it was there and enforced nothing."""
    for result in (*_WOULD_ASK, _WOULD_BE_MET):
        for policy in _holes(seen, configured, result):
            others = any(not is_mfa_control(control) for control in policy.controls)
            if _demands_mfa(policy, configured) and not (result == _WOULD_BE_MET and others):
                return _of(CauseKind.REPORT_ONLY, policy)
    for policy in seen.policies:
        if squeezed(policy.result) in _WOULD_ASK and _blocks(policy, seen):
            return _of(CauseKind.REPORT_ONLY, policy)
    return None


def _condition_missed(seen: Seen, configured: Configured | None) -> Cause | None:
    """A policy that is for this person and application, but not for this place, platform or client. One that is for
    others altogether is no policy with a hole; one for risky moments comes behind the others."""
    missed = [p for p in _holes(seen, configured, "notapplied") if p.unmet and not _squeezed(p.unmet) & _TARGETS]
    for policy in sorted(missed, key=lambda policy: bool(_squeezed(policy.unmet) & _MOMENTS)):
        return _of(CauseKind.CONDITION_MISSED, policy, ", ".join(policy.unmet))
    if seen.trusted_location:  # also where a policy demanded MFA: trusted addresses of per-user MFA waive it
        return Cause(CauseKind.CONDITION_MISSED, rule="trusted location")
    return None


def _squeezed(names: Iterable[str]) -> set[str]:
    return {squeezed(name) for name in names}


def _not_mfa_control(seen: Seen, configured: Configured | None) -> Cause | None:
    """It demands something else, or MFA or something else; what was met was not MFA."""
    if _was_enforced(seen, configured):
        return None
    for policy in seen.policies:
        if policy.is_enforced and policy.controls and not any(map(is_custom_control, policy.controls)):
            others = [control for control in policy.controls if not is_mfa_control(control)]
            return _of(CauseKind.NOT_MFA_CONTROL, policy, ", ".join(others))
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
        asked = _was_enforced(seen, configured) or _failed(seen, configured)
        return None if unknown or asked else Cause(CauseKind.NO_POLICY_APPLIED)
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
    if _was_enforced(seen, configured):
        return "a policy demanded MFA and was met"
    if _failed(seen, configured):
        return "a policy demanded MFA and was not met"
    return "a result that is not known"


def _failed(seen: Seen, configured: Configured | None) -> bool:
    """Whether a policy demanded MFA in vain, which a success contradicts."""
    return any(squeezed(p.result) == "failure" and _demands_mfa(p, configured) for p in seen.policies)
