"""Rules about the evidence of MFA."""

from typing import Final

from shared.rules.rule import (
    AT_HOME,
    CLOSES,
    FEDERATED,
    NON_INTERACTIVE,
    PASSWORD_ONLY,
    PLAIN,
    SILENT,
    Owner,
    Record,
    Remedy,
    Rule,
    RuleOf,
    Severity,
    Signals,
    refused,
    when,
)
from shared.signin.evidence import Evidence, Why


def _noted(text: str) -> Record:
    """A sign-in that says nothing else than that."""
    return {**SILENT, "status": {"errorCode": 0, "additionalDetails": text}}


def _stepped(*steps: Record) -> Record:
    return {"authenticationDetails": [*steps]}


_PASSWORD: Final[Record] = {"authenticationMethod": "Password", "succeeded": True}
_DENIED: Final[Record] = {
    "authenticationMethod": "Mobile app notification",
    "authenticationStepResultDetail": "MFA denied; user declined the authentication",
    "succeeded": False,
}
_CLAIM: Final = _noted("MFA requirement satisfied by claim in the token")
_APP_PASSWORD: Final = _noted("MFA skipped due to app password")
_DUO: Final[Record] = {
    "appliedConditionalAccessPolicies": [{"result": "success", "enforcedGrantControls": ["RequireDuoMfa"]}]
}
_DECLINED: Final[Record] = {**refused(500121), **_stepped(_PASSWORD, _DENIED)}
_CONTRADICTION: Final = _stepped({"authenticationMethod": "Mobile app notification", "succeeded": False})


INTERACTIVE_WITHOUT_MFA: Final[Rule] = RuleOf(
    id="interactive-without-mfa",
    title="Delegated admin signed in with a single factor",
    attack="T1078.004",
    common_issue=1,
    on_evidence=True,
    meaning="The sign-in was interactive, one factor was used, and nothing in the record or its session shows MFA.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Find out from application, address and time who or what signed in. If nobody knows it, block the "
            "account (Update-MgUser -UserId <account> -AccountEnabled:$false)."
        ),
        now=(
            "Revoke the sessions of the account (Revoke-MgUserSignInSession -UserId <account>), unless a program uses "
            "it: then move that program first."
        ),
        prevent=(
            "Conditional Access, in the partner's tenant: a policy for all users and all resources that grants access "
            "with MFA, without exclusions but the emergency accounts. Without P1: security defaults."
        ),
        check=f"The next sign-in of the account has evidence proven or claim. {CLOSES}",
        link="https://learn.microsoft.com/entra/identity/conditional-access/policy-all-users-mfa-strength",
    ),
    fits=when(Severity.HIGH, lambda s: s.success and s.interactive and s.evidence is Evidence.NONE),
    positive={
        "a password into a customer": PASSWORD_ONLY,
        "a password at home": {**PASSWORD_ONLY, **AT_HOME},
    },
    negative={
        "with MFA": PLAIN,
        "in the background": {**PASSWORD_ONLY, **NON_INTERACTIVE},
        "stopped by the demand for MFA": {**PASSWORD_ONLY, **refused(50076)},
        "nothing is said": SILENT,
    },
)

NON_INTERACTIVE_WITHOUT_MFA: Final[Rule] = RuleOf(
    id="non-interactive-without-mfa",
    title="A token with delegated admin rights was issued without MFA",
    attack="T1550.001",
    on_evidence=True,
    meaning="A token was issued in the background, and what it rests on was a single factor.",
    remedy=Remedy(
        owner=Owner.APPLICATION_OWNER,
        first=(
            "Ask the owner whether the application is theirs and was running then. If nobody knows it, revoke "
            "the sessions of the account (Revoke-MgUserSignInSession -UserId <account>)."
        ),
        now="Have the application sign in again with MFA: its refresh token keeps what its first sign-in proved.",
        prevent=(
            "Conditional Access: demand MFA of the account for all resources, so that no token begins without it. A "
            "service: the Secure Application Model, consented to once with MFA."
        ),
        check=f"The application's next token has evidence claim or session. {CLOSES}",
        link="https://learn.microsoft.com/partner-center/developer/enable-secure-app-model",
    ),
    fits=when(Severity.HIGH, lambda s: s.success and not s.interactive and s.evidence is Evidence.NONE),
    positive={"a token by a password": {**PASSWORD_ONLY, **NON_INTERACTIVE}},
    negative={"with MFA": PLAIN, "interactive": PASSWORD_ONLY, "by an MFA claim": {**_CLAIM, **NON_INTERACTIVE}},
)

MFA_SKIPPED: Final[Rule] = RuleOf(
    id="mfa-skipped",
    title="MFA was skipped for a delegated admin",
    attack="T1556.009",
    on_evidence=True,
    meaning="MFA would have been due and a setting let it pass: a trusted place, a remembered device, an app password.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Ask whether the device, the place or the app password that the finding names is theirs. If it is "
            "not, revoke the sessions of the account (Revoke-MgUserSignInSession -UserId <account>)."
        ),
        now=(
            "Take away what the finding names: the trusted location, the remembered device or the app password "
            "(Entra admin center, Multifactor authentication, Additional cloud-based MFA settings)."
        ),
        prevent=(
            "Per-user MFA settings: no trusted IPs, no remembered devices, no app passwords. Conditional Access: no "
            "location excluded from the policy that demands MFA; sign-in frequency in place of a remembered device."
        ),
        check=f"The next sign-in from that place or device has evidence proven or claim. {CLOSES}",
        link="https://learn.microsoft.com/entra/identity/authentication/howto-mfa-mfasettings",
    ),
    fits=when(Severity.MEDIUM, lambda s: s.success and s.evidence is Evidence.SKIPPED),
    positive={"an app password": _APP_PASSWORD, "only asked to register": _noted("MFA registration prompted")},
    negative={"with MFA": PLAIN, "an MFA claim": _CLAIM, "no success": {**_APP_PASSWORD, **refused(50126)}},
)

THIRD_PARTY_MFA_UNRECOGNISED: Final[Rule] = RuleOf(
    id="third-party-mfa-unrecognised",
    title="Another provider's MFA came back in no form that counts",
    attack="T1199",
    common_issue=6,
    on_evidence=True,
    meaning=(
        "A federated identity provider, or a third party's Conditional Access control, may have done MFA and did not "
        "tell Entra so in a form that counts."
    ),
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Look the sign-in up in the provider's own log, by account and time. If no second factor stands "
            "there, revoke the sessions of the account (Revoke-MgUserSignInSession -UserId <account>)."
        ),
        now=(
            "Have the provider send authenticationmethodsreferences = multipleauthn, or replace the custom control by "
            "External MFA; only where neither is possible, ask for a technical exception (common issue 6)."
        ),
        prevent=(
            "Federation: federatedIdpMfaBehavior = enforceMfaByFederatedIdp. Custom controls: an external "
            "authentication method in their place, since they never count as MFA."
        ),
        check=f"The next sign-in through the provider has evidence external, proven or claim. {CLOSES}",
        link="https://learn.microsoft.com/entra/identity/authentication/how-to-authentication-external-method-manage",
    ),
    fits=when(
        Severity.MEDIUM,
        lambda s: s.success and s.provider and s.evidence in (Evidence.NONE, Evidence.UNKNOWN),
    ),
    positive={
        "a federated password": {**PASSWORD_ONLY, **FEDERATED},
        "a federated sign-in that says nothing": {**SILENT, **FEDERATED},
        "a password and Duo's control": {**PASSWORD_ONLY, **_DUO},
        "Duo's control and nothing else": {**SILENT, **_DUO},
    },
    negative={
        "federated, and MFA by Entra": {**PLAIN, **FEDERATED},
        "a password": PASSWORD_ONLY,
        "the provider's claim": {
            **FEDERATED,
            **_stepped(
                {"authenticationStepResultDetail": "MFA requirement satisfied by claim provided by external provider"}
            ),
        },
    },
)


def _of_unknown(signals: Signals) -> Severity:
    """Medium where what is said disagrees; low where little is said."""
    return Severity.MEDIUM if signals.why in (Why.CONTRADICTION, Why.SESSION_MIXED) else Severity.LOW


MFA_EVIDENCE_UNKNOWN: Final[Rule] = RuleOf(
    id="mfa-evidence-unknown",
    title="Nothing shows whether MFA was done",
    attack="T1199",
    on_evidence=True,
    meaning="Record and session do not show whether MFA was done, so the sign-in cannot be called compliant.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Look at the finding's steps and its session, and ask whether application, address and time are "
            "known. If they are not, block the account until they are."
        ),
        now=(
            "Revoke the sessions of the account (Revoke-MgUserSignInSession -UserId <account>): the next sign-in says "
            "what this one does not."
        ),
        prevent=(
            "Conditional Access, in the partner's tenant: demand MFA for all resources; then each token says that the "
            "requirement was satisfied."
        ),
        check=f"The next sign-ins of the account have evidence proven, claim or session. {CLOSES}",
        link="https://learn.microsoft.com/entra/identity/monitoring-health/concept-sign-in-log-activity-details",
    ),
    fits=lambda s: _of_unknown(s) if s.evidence is Evidence.UNKNOWN else None,
    positive={
        "nothing is said": SILENT,
        "nothing is said in the background": {**SILENT, **NON_INTERACTIVE},
        "the record contradicts itself": _CONTRADICTION,
    },
    negative={
        "with MFA": PLAIN,
        "a password": PASSWORD_ONLY,
        "a claim": _CLAIM,
        "failed": {**SILENT, **refused(50126)},
    },
)

MFA_DENIED: Final[Rule] = RuleOf(
    id="mfa-denied",
    title="A delegated admin refused an MFA prompt",
    attack="T1621",
    on_evidence=True,
    meaning="The prompt was declined or reported as fraud: somebody else may have the password.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Ask the person at once, by phone and not by mail, whether they signed in. If they did not, block "
            "the account (Update-MgUser -UserId <account> -AccountEnabled:$false)."
        ),
        now=(
            "If it was not the person: reset the password and revoke the sessions "
            "(Revoke-MgUserSignInSession -UserId <account>)."
        ),
        prevent=(
            "Authentication methods: report suspicious activity switched on, number matching; better a method that "
            "cannot be pushed: passkeys or certificates by an authentication strength."
        ),
        check="No further prompt is refused, and the person knows each sign-in that follows.",
        link="https://learn.microsoft.com/entra/identity/authentication/howto-mfa-mfasettings#report-suspicious-activity",
    ),
    fits=lambda s: (Severity.HIGH if s.password_right else Severity.MEDIUM) if s.refused and not s.success else None,
    positive={
        "declined after the right password": _DECLINED,
        "reported as fraud": {"status": {"errorCode": 500121, "additionalDetails": "MFA denied; Fraud code entered"}},
    },
    negative={
        "with MFA": PLAIN,
        "not answered": {**PLAIN, **refused(500121)},
        "declined once and passed then": {**_DECLINED, **refused(0)},
    },
)
