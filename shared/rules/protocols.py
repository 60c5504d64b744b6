"""Rules about how the sign-in was made: protocols that cannot do MFA, device codes, non-interactive flows."""

from typing import Final

from shared.rules.rule import (
    AT_HOME,
    CLOSES,
    NON_INTERACTIVE,
    PASSWORD_ONLY,
    PLAIN,
    Owner,
    Policy,
    Record,
    Remedy,
    Rule,
    RuleOf,
    Severity,
    by_scope,
    of_attempt,
    refused,
    when,
)
from shared.signin.outcome import Outcome

_LEGACY: Final[Record] = {**PASSWORD_ONLY, "clientAppUsed": "IMAP4"}
_ROPC: Final[Record] = {
    **PASSWORD_ONLY,
    "authenticationProtocol": "ropc",
    "clientAppUsed": "Mobile Apps and Desktop clients",
}
_DEVICE_CODE: Final[Record] = {"authenticationProtocol": "deviceCode"}

_BLOCK_LEGACY: Final = (
    "https://learn.microsoft.com/entra/identity/conditional-access/policy-block-legacy-authentication"
)
_SECURE_MODEL: Final = "https://learn.microsoft.com/partner-center/developer/enable-secure-app-model"
_FLOWS: Final = "https://learn.microsoft.com/entra/identity/conditional-access/policy-block-authentication-flows"

LEGACY_AUTH: Final[Rule] = RuleOf(
    id="legacy-auth",
    title="Delegated admin signed in by legacy authentication",
    attack="T1078.004",
    common_issue=5,
    meaning="The client speaks a protocol that cannot ask for a second factor, so the password alone opened the door.",
    remedy=Remedy(
        owner=Owner.APPLICATION_OWNER,
        first=(
            "Find out whose client it is, by its name, address and time. If nobody knows it, block the account "
            "and revoke its sessions (Revoke-MgUserSignInSession -UserId <account>)."
        ),
        now="Move the client that the finding names to one with modern authentication, then change the password.",
        prevent=(
            'Conditional Access: a policy that blocks the client apps "Exchange ActiveSync" and "Other clients" for '
            "all users; in Exchange Online an authentication policy and SMTP AUTH off (Set-TransportConfig "
            "-SmtpClientAuthenticationDisabled $true)."
        ),
        check=f"The account's next try with that client is an attempt that was blocked (53003). {CLOSES}",
        link=_BLOCK_LEGACY,
    ),
    fits=lambda s: by_scope(s) if s.success and s.legacy else None,
    positive={
        "IMAP into a customer": _LEGACY,
        "IMAP at home": {**_LEGACY, **AT_HOME},
        "a longer form of the name": {**_LEGACY, "clientAppUsed": "Other clients; IMAP"},
        "another spelling": {**PLAIN, "clientAppUsed": "exchange  active-sync"},
    },
    negative={
        "a browser": PLAIN,
        "a wrong password": {**_LEGACY, **refused(50126)},
        "a modern client with an old name": {**_LEGACY, "clientAppUsed": "Universal Outlook"},
    },
)

PASSWORD_FLOW: Final[Rule] = RuleOf(
    id="password-flow",
    title="Delegated admin signed in by a password flow (ROPC)",
    attack="T1078.004",
    meaning="A program sent the account's password itself. Entra cannot ask for MFA in that flow.",
    remedy=Remedy(
        owner=Owner.APPLICATION_OWNER,
        first=(
            "Find the program by application, address and time. If nobody knows it, somebody else has the "
            "password: block the account (Update-MgUser -UserId <account> -AccountEnabled:$false)."
        ),
        now=(
            "Move the program to the Secure Application Model: register its account for MFA, consent once with MFA, "
            "keep the refresh token in a vault, and test. Then change the password."
        ),
        prevent=(
            "Only when the program runs without its password: Conditional Access that demands MFA of the account for "
            "all resources; a password flow then ends with 50076."
        ),
        check=f"The program's next token has evidence claim or session and another protocol than ropc. {CLOSES}",
        link=_SECURE_MODEL,
    ),
    fits=lambda s: by_scope(s) if s.success and s.password_flow else None,
    positive={
        "ROPC, interactive as it is logged": _ROPC,
        "ROPC in the background": {**_ROPC, **NON_INTERACTIVE},
        "Exchange's own password flow": {**PASSWORD_ONLY, "userAgent": "BAV2ROPC"},
        "ROPC at home": {**_ROPC, **AT_HOME},
    },
    negative={
        "with MFA": PLAIN,
        "a wrong password": {**_ROPC, **refused(50126)},
        "a browser": {**PASSWORD_ONLY, "userAgent": "Mozilla/5.0"},
    },
)

DEVICE_CODE: Final[Rule] = RuleOf(
    id="device-code",
    title="Delegated admin rights used through a device code",
    attack="T1528",
    meaning="Whoever started the device code flow holds the token, which need not be the person who typed the code.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Ask the person, by phone and not by mail, whether they started it. If they did not, block the "
            "account: whoever started it works with their rights now."
        ),
        now=("If the person did not start it: revoke the sessions (Revoke-MgUserSignInSession -UserId <account>)."),
        prevent="Conditional Access, condition authentication flows: block device code flow for all partner accounts.",
        check=f"The next try is a device-code attempt that was blocked (53003). {CLOSES}",
        link=_FLOWS,
    ),
    fits=when(Severity.MEDIUM, lambda s: s.success and s.device_code),
    positive={
        "the flow itself": _DEVICE_CODE,
        "a token that began as one": {**NON_INTERACTIVE, "originalTransferMethod": "deviceCodeFlow"},
    },
    negative={
        "a browser": PLAIN,
        "a step of the flow": {**_DEVICE_CODE, **refused(50199)},
        "another way of transfer": {"originalTransferMethod": "authenticationTransfer"},
    },
)

LEGACY_AUTH_ATTEMPT: Final[Rule] = RuleOf(
    id="legacy-auth-attempt",
    title="Legacy authentication was tried on a delegated admin's account",
    attack="T1110.003",
    common_issue=5,
    meaning="A protocol that cannot do MFA was tried and stopped; where the severity is medium the password was right.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Look at severity and address: where it is low, somebody guesses; where it is medium, somebody has "
            "the right password and only MFA or a policy stands in between."
        ),
        now=(
            "If nobody knows the client and the password was right: reset the password (Entra admin center, Users, "
            "Reset password)."
        ),
        prevent="Conditional Access: block legacy authentication for all users, so that a right password is no use.",
        check="No further attempt comes from the client, or each is blocked and the password was wrong.",
        link=_BLOCK_LEGACY,
    ),
    fits=lambda s: of_attempt(s) if not s.success and s.legacy else None,
    positive={
        "a wrong password": {**_LEGACY, **refused(50126)},
        "the right one, stopped by MFA": {**_LEGACY, **refused(50076)},
        "blocked by security defaults": {**_LEGACY, **refused(530035)},
    },
    negative={"a success": _LEGACY, "a browser": {**PLAIN, **refused(50126)}},
)

PASSWORD_FLOW_ATTEMPT: Final[Rule] = RuleOf(
    id="password-flow-attempt",
    title="A password flow was tried on a delegated admin's account",
    attack="T1110.003",
    meaning="A program sent a password itself and was stopped; where the severity is medium the password was right.",
    remedy=Remedy(
        owner=Owner.APPLICATION_OWNER,
        first=(
            "Look at severity and address: where it is low, a program guesses; where it is medium, it sends "
            "the right password and only MFA or a policy stands in between."
        ),
        now=(
            "Find the program by application, address and time. If nobody knows it and the password was right: reset "
            "the password (Entra admin center, Users, Reset password)."
        ),
        prevent="Conditional Access: demand MFA of the account for all resources, so that a right password is no use.",
        check="No further attempt comes from the program.",
        link="https://learn.microsoft.com/entra/identity-platform/v2-oauth-ropc",
    ),
    fits=lambda s: of_attempt(s) if not s.success and s.password_flow else None,
    positive={
        "a wrong password": {**_ROPC, **refused(50126)},
        "the right one, stopped by MFA": {**_ROPC, **refused(50079)},
        "Exchange's, stopped by a policy": {"userAgent": "CBAInPROD", **refused(53003)},
    },
    negative={"a success": _ROPC, "a browser": {**PLAIN, **refused(50126)}},
)

DEVICE_CODE_ATTEMPT: Final[Rule] = RuleOf(
    id="device-code-attempt",
    title="A device code was tried on a delegated admin's account",
    attack="T1528",
    meaning="A device code flow for the account was stopped; where the severity is medium the password was right.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Ask the person, by phone and not by mail, whether a code was sent to them and by whom; keep the "
            "message that it came with."
        ),
        now=(
            "If the person did not start it, somebody is phishing for codes: warn the others, and where the password "
            "was right reset it."
        ),
        prevent="Conditional Access, condition authentication flows: block device code flow for all partner accounts.",
        check="No further attempt comes, or each is blocked.",
        link=_FLOWS,
    ),
    fits=lambda s: of_attempt(s) if s.device_code and s.outcome in (Outcome.BLOCKED, Outcome.FAILED) else None,
    positive={
        "a wrong password": {**_DEVICE_CODE, **refused(50126)},
        "a token of one, stopped by a policy": {"originalTransferMethod": "deviceCodeFlow", **refused(53003)},
    },
    negative={
        "a success": _DEVICE_CODE,
        "a step of the flow": {**_DEVICE_CODE, **refused(50199)},
        "a browser": {**PLAIN, **refused(53003)},
    },
)

NON_INTERACTIVE_USE: Final[Rule] = RuleOf(
    id="non-interactive",
    title="Delegated admin rights used non-interactively",
    attack="T1550.001",
    meaning="A token was refreshed without the person present. Reported only under the strict policy.",
    remedy=Remedy(
        owner=Owner.PARTNER_ADMIN,
        first=(
            "Look whether address, device and application are those of the person's other sign-ins. If they "
            "are not, revoke the sessions (Revoke-MgUserSignInSession -UserId <account>)."
        ),
        now="Nothing where the person was at work then: refreshes of an open portal are usual.",
        prevent="Conditional Access, session: a sign-in frequency for partner accounts; or POLICY=standard.",
        check="Fewer such findings; they are no violation of the requirement.",
        link="https://learn.microsoft.com/entra/identity/conditional-access/concept-session-lifetime",
    ),
    fits=when(Severity.MEDIUM, lambda s: s.success and not s.interactive and s.policy is Policy.STRICT),
    positive={"a refresh": NON_INTERACTIVE},
    negative={"interactive": PLAIN, "no success": {**NON_INTERACTIVE, **refused(50076)}},
)
