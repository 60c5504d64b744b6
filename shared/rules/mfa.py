"""Rules about the evidence of MFA."""

from shared.rules.rule import (
    AT_HOME,
    FEDERATED,
    NON_INTERACTIVE,
    PASSWORD_ONLY,
    PLAIN,
    SILENT,
    Rule,
    Severity,
    Signals,
    refused,
    when,
)
from shared.signin.evidence import Evidence, Why

_CLAIM = {**SILENT, "status": {"errorCode": 0, "additionalDetails": "MFA requirement satisfied by claim in the token"}}
_APP_PASSWORD = {**SILENT, "status": {"errorCode": 0, "additionalDetails": "MFA skipped due to app password"}}

_DUO = {"appliedConditionalAccessPolicies": [{"result": "success", "enforcedGrantControls": ["RequireDuoMfa"]}]}
_DECLINED = {
    "status": {"errorCode": 500121},
    "authenticationDetails": [
        {"authenticationMethod": "Password", "succeeded": True},
        {
            "authenticationMethod": "Mobile app notification",
            "authenticationStepResultDetail": "MFA denied; user declined the authentication",
            "succeeded": False,
        },
    ],
}
_CONTRADICTION = {"authenticationDetails": [{"authenticationMethod": "Mobile app notification", "succeeded": False}]}


def _of_unknown(signals: Signals) -> Severity:
    """Medium where what is said disagrees; low where little is said."""
    return Severity.MEDIUM if signals.why in (Why.CONTRADICTION, Why.SESSION_MIXED) else Severity.LOW


INTERACTIVE_WITHOUT_MFA = Rule(
    id="interactive-without-mfa",
    title="Delegated admin signed in with a single factor",
    attack="T1078.004",
    common_issue=1,
    on_evidence=True,
    meaning="The person signed in with one factor and nothing in the record or its session shows MFA.",
    what_to_do="Require MFA for this account by Conditional Access or security defaults, and revoke its sessions.",
    fits=when(Severity.HIGH, lambda s: s.success and s.interactive and s.evidence is Evidence.NONE),
    positive=(PASSWORD_ONLY, {**PASSWORD_ONLY, **AT_HOME}),
    negative=(PLAIN, {**PASSWORD_ONLY, **NON_INTERACTIVE}, {**PASSWORD_ONLY, **refused(50076)}, SILENT),
)

NON_INTERACTIVE_WITHOUT_MFA = Rule(
    id="non-interactive-without-mfa",
    title="A token with delegated admin rights was issued without MFA",
    attack="T1550.001",
    on_evidence=True,
    meaning="A token was issued in the background, and what it rests on was a single factor.",
    what_to_do="Revoke the user's sessions and have the application sign in again with MFA.",
    fits=when(Severity.HIGH, lambda s: s.success and not s.interactive and s.evidence is Evidence.NONE),
    positive=({**PASSWORD_ONLY, **NON_INTERACTIVE},),
    negative=(PLAIN, PASSWORD_ONLY, {**_CLAIM, **NON_INTERACTIVE}),
)

MFA_SKIPPED = Rule(
    id="mfa-skipped",
    title="MFA was skipped for a delegated admin",
    attack="T1556.009",
    on_evidence=True,
    meaning="MFA would have been due and a setting let it pass: a trusted place, a remembered device, an app password.",
    what_to_do="Remove the trusted location, the remembered-device setting or the app password for partner accounts.",
    fits=when(Severity.MEDIUM, lambda s: s.success and s.evidence is Evidence.SKIPPED),
    positive=(
        _APP_PASSWORD,
        {**SILENT, "status": {"errorCode": 0, "additionalDetails": "MFA registration prompted"}},
    ),
    negative=(PLAIN, _CLAIM, {**_APP_PASSWORD, "status": {"errorCode": 50126}}),
)

THIRD_PARTY_MFA_UNRECOGNISED = Rule(
    id="third-party-mfa-unrecognised",
    title="A federated sign-in came back without a recognised MFA claim",
    attack="T1199",
    common_issue=6,
    on_evidence=True,
    meaning="The identity provider may have done MFA, but it did not tell Entra so in a form that counts.",
    what_to_do=(
        "Have the provider send authenticationmethodsreferences = multipleauthn, or use External MFA; only where "
        "neither is possible, ask for a technical exception (common issue 6)."
    ),
    fits=when(
        Severity.MEDIUM,
        lambda s: s.success and s.provider and s.evidence in (Evidence.NONE, Evidence.UNKNOWN),
    ),
    positive=({**PASSWORD_ONLY, **FEDERATED}, {**SILENT, **FEDERATED}, {**PASSWORD_ONLY, **_DUO}, {**SILENT, **_DUO}),
    negative=(
        {**PLAIN, **FEDERATED},
        PASSWORD_ONLY,
        {
            **FEDERATED,
            "authenticationDetails": [
                {"authenticationStepResultDetail": "MFA requirement satisfied by claim provided by external provider"}
            ],
        },
    ),
)

MFA_EVIDENCE_UNKNOWN = Rule(
    id="mfa-evidence-unknown",
    title="Nothing shows whether MFA was done",
    attack="T1199",
    on_evidence=True,
    meaning="Neither the record nor its session says anything of MFA, so it cannot be called compliant.",
    what_to_do="Demand MFA by policy for these sign-ins: then the log says so each time.",
    fits=lambda s: _of_unknown(s) if s.evidence is Evidence.UNKNOWN else None,
    positive=(SILENT, {**SILENT, **NON_INTERACTIVE}, _CONTRADICTION),
    negative=(PLAIN, PASSWORD_ONLY, _CLAIM, {**SILENT, **refused(50126)}),
)

MFA_DENIED = Rule(
    id="mfa-denied",
    title="A delegated admin refused an MFA prompt",
    attack="T1621",
    on_evidence=True,
    meaning="The person declined the prompt or reported fraud: somebody else may have the password.",
    what_to_do="Ask the person at once; if they did not sign in, reset the password and revoke the sessions.",
    fits=lambda s: (Severity.HIGH if s.password_right else Severity.MEDIUM) if s.refused and not s.success else None,
    positive=(_DECLINED, {**_DECLINED, "status": {"errorCode": 500121, "additionalDetails": "Fraud code entered"}}),
    negative=(PLAIN, {**PLAIN, **refused(500121)}, {**_DECLINED, "status": {"errorCode": 0}}),
)
