"""The cause of a finding: what its record says, put to the causes in order. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from shared.basics.spelling import squeezed
from shared.incidents.findings import Finding
from shared.rules.assess import Verdict
from shared.rules.cause import Cause, Configured, Seen, cause_of
from shared.signin.applied import is_custom_control
from shared.signin.details import text_of
from shared.signin.how import How
from shared.signin.traits import Scope

_LEGACY: Final = "legacy-auth"
_DEVICE_CODE: Final = "device-code"
_THIRD_PARTY: Final = "third-party-mfa-unrecognised"
_ASKED: Final = frozenset({Verdict.NON_COMPLIANT, Verdict.UNKNOWN})


def cause_of_finding(finding: Finding, configured: Configured | None = None) -> Cause | None:
    """Why it was possible; None for an attempt, which was stopped, and for a sign-in that had MFA, unless a policy
    could have blocked how it was made (device code).

    `configured` are the tenant's policies as they were read last; they count for a sign-in within a day of it.
    """
    rules = frozenset(finding.rules)
    had_mfa = finding.verdict == Verdict.COMPLIANT
    if finding.code != 0 or not (finding.verdict in _ASKED or (had_mfa and _DEVICE_CODE in rules)):
        return None
    custom = any(p.is_enforced and any(map(is_custom_control, p.controls)) for p in finding.policies)
    # Exchange's own password flow signs in for clients that know no other way.
    exchange = finding.how == How.PASSWORD_FLOW and squeezed(finding.protocol) != "ropc"
    seen = Seen(
        at=finding.at,
        policies=finding.policies,
        in_customer=finding.scope == Scope.CUSTOMER,
        legacy=_LEGACY in rules or exchange,
        device_code=_DEVICE_CODE in rules,
        federated=_THIRD_PARTY in rules and not custom,
        remembered=finding.how == How.REMEMBERED_DEVICE,
        trusted_location=finding.how in (How.TRUSTED_LOCATION, How.CORPORATE_NETWORK),
        app_password=finding.how == How.APP_PASSWORD,
        had_mfa=had_mfa,
    )
    return cause_of(seen, configured)


def with_cause(finding: Finding, configured: Configured | None) -> Finding:
    """The finding with its cause, as far as it has one."""
    cause = cause_of_finding(finding, configured)
    if cause is None:
        return finding
    return replace(
        finding,
        cause_kind=str(cause.kind),
        cause_policy_id=text_of(cause.policy_id),
        cause_policy=text_of(cause.policy),
        cause_rule=text_of(cause.rule),
    )
