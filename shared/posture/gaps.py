"""What a gap is called, and what closes it: steps for a person, with Microsoft's page. Nothing of it is ever applied.

Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.rules.cause import Cause, CauseKind
from shared.rules.rule import Owner

_LEARN: Final = "https://learn.microsoft.com/"
_CONDITIONAL_ACCESS: Final = _LEARN + "entra/identity/conditional-access/"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What closes a gap: steps in their order, for a person in the partner's tenant unless they say otherwise."""

    steps: tuple[str, ...]
    link: str
    owner: Owner = Owner.PARTNER_ADMIN


_REMEDIES: Final = {
    CauseKind.EXCLUDED: Remedy(
        (
            "Open the policy in the Entra admin center: Protection, Conditional Access, Policies.",
            "Under Users, Network or Target resources, look at what it excludes, and who is behind that today.",
            (
                "Take the exclusion out, but for two emergency accounts that are watched; give programs an identity of "
                "their own (a service principal) instead of a person's exclusion."
            ),
        ),
        _CONDITIONAL_ACCESS + "concept-conditional-access-users-groups",
    ),
    CauseKind.REPORT_ONLY: Remedy(
        (
            "Open the policy: it is in report-only mode and lets everybody pass.",
            "Look at its report-only results of the last days in the Conditional Access insights workbook.",
            "Switch it on.",
        ),
        _CONDITIONAL_ACCESS + "concept-conditional-access-report-only",
    ),
    CauseKind.CONDITION_MISSED: Remedy(
        (
            "Open the policy: it was not for this place, platform or client.",
            (
                "Have it apply from any network (no trusted locations excluded), any platform and all client types; "
                "delegated admin rights need MFA wherever somebody signs in."
            ),
        ),
        _CONDITIONAL_ACCESS + "concept-assignment-network",
    ),
    CauseKind.NOT_MFA_CONTROL: Remedy(
        (
            "Open the policy: it applied and was met, but it demands something else than MFA.",
            (
                "Add Require multifactor authentication or an authentication strength, and require all the selected "
                "controls, not one of them."
            ),
        ),
        _CONDITIONAL_ACCESS + "concept-conditional-access-grant",
    ),
    CauseKind.REMEMBERED: Remedy(
        (
            "Switch off remembering multifactor authentication on trusted devices in the service settings of MFA.",
            "Set the sign-in frequency in Conditional Access instead, where people are asked too often.",
        ),
        _LEARN + "entra/identity/authentication/howto-mfa-mfasettings",
    ),
    CauseKind.LEGACY_NOT_BLOCKED: Remedy(
        (
            "Find the program or mailbox behind the sign-ins and move it to modern authentication.",
            "Block legacy authentication for everybody with a Conditional Access policy; remove app passwords.",
        ),
        _CONDITIONAL_ACCESS + "policy-block-legacy-authentication",
        Owner.APPLICATION_OWNER,
    ),
    CauseKind.DEVICE_CODE_NOT_BLOCKED: Remedy(
        (
            "Ask the person whether the device was theirs; if not, revoke the account's sessions.",
            "Block the device code flow with a Conditional Access policy on authentication flows.",
        ),
        _CONDITIONAL_ACCESS + "policy-block-authentication-flows",
    ),
    CauseKind.FEDERATION_UNTOLD: Remedy(
        (
            "The federation provider does not say that it did MFA: have it send the claim multipleauthn, or",
            (
                "set federatedIdpMfaBehavior of the domain to enforceMfaByFederatedIdp or rejectMfaByFederatedIdp: "
                "Entra ID then has MFA done."
            ),
        ),
        _LEARN + "graph/api/resources/internaldomainfederation",
    ),
    CauseKind.CUSTOM_CONTROL: Remedy(
        (
            "A custom control leaves no proof of MFA in the token, so that it does not count with Microsoft.",
            "Move to an external authentication method of the same provider and demand MFA by the policy.",
        ),
        _LEARN + "entra/identity/authentication/how-to-authentication-external-method-manage",
    ),
    CauseKind.CUSTOMER_SIDE: Remedy(
        (
            "The log names no policy for sign-ins into this customer.",
            (
                "Demand MFA of every delegated admin in the partner's own tenant, for all resources: it then holds "
                "they go."
            ),
            (
                "In the customer's tenant, a Conditional Access policy for service provider users does the same; try "
                "it, or security defaults, in a test customer first."
            ),
        ),
        _LEARN + "entra/external-id/authentication-conditional-access",
        Owner.CUSTOMER,
    ),
    CauseKind.NO_POLICY_APPLIED: Remedy(
        (
            "Create a policy that demands MFA of everybody for all resources; leave out two emergency accounts.",
            "Begin in report-only mode for a day, then switch it on.",
        ),
        _CONDITIONAL_ACCESS + "policy-all-users-mfa-strength",
    ),
    CauseKind.CANNOT_TELL: Remedy(
        (
            "Open one of the sign-ins in the Entra admin center: its tab Conditional Access shows what was looked at.",
            "Where policies were not read, grant the app Policy.Read.All (GET /api/preflight says how).",
        ),
        _LEARN + "entra/identity/monitoring-health/concept-sign-in-log-activity-details",
    ),
}
_TITLES: Final = {
    CauseKind.EXCLUDED: "{policy} leaves them out ({rule})",
    CauseKind.REPORT_ONLY: "{policy} only reports and enforces nothing",
    CauseKind.CONDITION_MISSED: "{policy} was not for that sign-in ({rule})",
    CauseKind.NOT_MFA_CONTROL: "{policy} demands something else than MFA ({rule})",
    CauseKind.REMEMBERED: "Devices are remembered, so that nobody is asked for MFA",
    CauseKind.LEGACY_NOT_BLOCKED: "Legacy authentication is not blocked",
    CauseKind.DEVICE_CODE_NOT_BLOCKED: "The device code flow is not blocked",
    CauseKind.FEDERATION_UNTOLD: "The federation provider does not say that it did MFA",
    CauseKind.CUSTOM_CONTROL: "{policy} relies on a custom control, which proves no MFA ({rule})",
    CauseKind.CUSTOMER_SIDE: "Into customers, where the log names no policy",
    CauseKind.NO_POLICY_APPLIED: "No policy demanded MFA",
    CauseKind.CANNOT_TELL: "The log does not say which policy let them in ({rule})",
}
_NOT_RECORDED: Final = "Not recorded: an older version of the app read them"
_RESCAN: Final = Remedy(
    ("Run a rescan of these days: the cause is recorded then.",), _REMEDIES[CauseKind.CANNOT_TELL].link
)


def title_of(cause: Cause | None) -> str:
    """The gap in one clause. Names of policies and rules in it are hostile text."""
    if cause is None:
        return _NOT_RECORDED
    title = _TITLES.get(_kind(cause), _TITLES[CauseKind.CANNOT_TELL])
    if not cause.policy_id and not cause.policy and cause.kind == CauseKind.CONDITION_MISSED:
        return f"MFA is spared for a {cause.rule}"
    name = f"Policy “{cause.policy or cause.policy_id or 'without a name'}”"
    return title.format(policy=name, rule=cause.rule or "no rule named")


def remedy_of(cause: Cause | None) -> Remedy:
    """What closes the gap."""
    return _RESCAN if cause is None else _REMEDIES[_kind(cause)]


def _kind(cause: Cause) -> CauseKind:
    """Its kind; one that a newer version of the app knows can't be told here."""
    return CauseKind(cause.kind) if cause.kind in {*CauseKind} else CauseKind.CANNOT_TELL
