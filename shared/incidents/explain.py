"""What happened in one sign-in, in one plain sentence of its own record. Pure.

The sentence rests on this record alone and never on a rule's general text; nothing that the log wrote stands in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.incidents.findings import Finding
from shared.signin.applied import is_custom_control
from shared.signin.evidence import Evidence, Why
from shared.signin.how import How
from shared.signin.methods import method_of
from shared.signin.outcome import Outcome, outcome_of

_HOW: Final[Mapping[str, str]] = {
    How.REMEMBERED_DEVICE: "MFA was skipped because of a remembered device.",
    How.REGISTERED_DEVICE: "MFA was skipped because of a registered device.",
    How.TRUSTED_LOCATION: "MFA was skipped because of a trusted location.",
    How.CORPORATE_NETWORK: "MFA was skipped because the federation service said that the network is the company's own.",
    How.APP_PASSWORD: "MFA was skipped because of an app password.",
    How.WINDOWS_BROKER: "MFA was skipped in the sign-in of Windows' own broker.",
    How.EXPIRED: "An earlier MFA had expired, and it was not done again.",
    How.REGISTRATION_PROMPT: "The person was only asked to register for MFA.",
    How.SKIPPED: "MFA was skipped; the record does not say why.",
    How.PASSWORD_FLOW: "A program sent the password itself; nobody can be asked for MFA in that flow.",
    How.LEGACY_CLIENT: "A legacy client sent the password; nobody can be asked for MFA in its protocol.",
    How.SINGLE_FACTOR_CERTIFICATE: "A certificate that counts as one factor was all that was used.",
    How.SESSION: "The sign-in that began this session was made without MFA, and this one rests on it.",
}
_WHY: Final[Mapping[str, str]] = {
    Why.CONTRADICTION: "The record contradicts itself: MFA was demanded, the second factor failed, and it succeeded.",
    Why.SESSION_MIXED: "Of the sign-ins that began this session some were made with MFA and some without.",
    Why.SECOND_FACTOR_UNCONFIRMED: "A second factor was begun beside the first, and nothing says how it ended.",
    Why.CERTIFICATE_LEVEL_UNTOLD: "A certificate was used, and the record does not say whether it counts as MFA.",
    Why.FEDERATED_SILENT: "Another identity provider signed the person in and did not say whether it did MFA.",
    Why.SESSION_UNSEEN: "Nothing is said of MFA, and the sign-in that began this session was not seen in the log.",
    Why.NO_SESSION: "Nothing is said of MFA, and the record names no session that could tell more.",
}
# Of a sign-in in the background, where that reads otherwise.
_WHY_SILENT: Final[Mapping[str, str]] = {
    Why.FEDERATED_SILENT: (
        "A token was renewed that began with another identity provider, which did not say whether it did MFA."
    ),
    Why.SESSION_UNSEEN: (
        "A token was renewed that says nothing of MFA, and the sign-in that began its session was not seen in the log."
    ),
    Why.NO_SESSION: "A token was renewed that says nothing of MFA, and it names no session that could tell more.",
}
_BY_CONTROL: Final = (
    "A third party's control was met, which tells Entra ID nothing of MFA, and nothing else tells more."
)
_FIRST_FACTORS: Final = (
    ("password", "a password"),
    ("textmessage", "a text message"),
    ("sms", "a text message"),
    ("phonecall", "a phone call"),
    ("email", "a code by e-mail"),
    ("qrcode", "a QR code"),
)


def explain(finding: Finding) -> str:
    """One sentence, such as "MFA was skipped because of a remembered device."."""
    if outcome_of(finding.code) is not Outcome.SUCCESS:
        return _of_attempt(finding)
    if finding.how == How.SINGLE_FACTOR:
        return f"Only {_first_factor(finding)} was used, and nothing in the record shows a second factor."
    if told := _HOW.get(finding.how) or _of_unknown(finding):
        return told
    if "device-code" in finding.rules:
        return "MFA was done, and the token went to whoever had begun the device code flow."
    if finding.evidence in (Evidence.NONE, Evidence.SKIPPED, Evidence.UNKNOWN):
        return "Nothing in the record or its session shows that MFA was done."
    return "A token was used without the person being present; MFA had been done before."


def _of_unknown(finding: Finding) -> str | None:
    """Why nothing is known; None where something is."""
    if finding.why in (Why.SESSION_UNSEEN, Why.NO_SESSION) and _met_a_custom_control(finding):
        return _BY_CONTROL
    return (not finding.interactive and _WHY_SILENT.get(finding.why)) or _WHY.get(finding.why)


def _met_a_custom_control(finding: Finding) -> bool:
    return any(policy.is_enforced and any(map(is_custom_control, policy.controls)) for policy in finding.policies)


def _of_attempt(finding: Finding) -> str:
    if "mfa-denied" in finding.rules:
        known = " after the right password" if finding.password_right else ""
        return f"The person declined the MFA prompt{known}, or reported it as fraud."
    what = "Somebody tried to sign in"
    if "password-flow-attempt" in finding.rules:
        what = "A program sent the password itself"
    elif "legacy-auth-attempt" in finding.rules:
        what = "A legacy client sent the password"
    elif "device-code-attempt" in finding.rules:
        what = "Somebody tried a device code"
    how = "the password was right, and only something after it" if finding.password_right else "the sign-in"
    if finding.password_right:
        return f"{what}; {how} stopped it."
    return f"{what}, and {how} was refused."


def _first_factor(finding: Finding) -> str:
    names = (method_of(step.method).name for step in finding.steps if step.succeeded is not False)
    found = (words for name in names for known, words in _FIRST_FACTORS if name.startswith(known))
    return next(found, "one factor")
