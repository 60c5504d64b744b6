"""Rules about how the sign-in was made: protocols that cannot do MFA, device codes, non-interactive flows."""

from shared.rules.rule import (
    AT_HOME,
    NON_INTERACTIVE,
    PASSWORD_ONLY,
    PLAIN,
    Policy,
    Rule,
    Severity,
    by_scope,
    of_attempt,
    refused,
    when,
)
from shared.signin.outcome import Outcome

_LEGACY = {**PASSWORD_ONLY, "clientAppUsed": "IMAP4"}
_ROPC = {**PASSWORD_ONLY, "authenticationProtocol": "ropc", "clientAppUsed": "Mobile Apps and Desktop clients"}

LEGACY_AUTH = Rule(
    id="legacy-auth",
    title="Delegated admin signed in by legacy authentication",
    attack="T1078.004",
    common_issue=5,
    meaning="The client speaks a protocol that cannot ask for a second factor, so the password alone opened the door.",
    what_to_do="Move the client to modern authentication and block legacy authentication for all partner accounts.",
    fits=lambda s: by_scope(s) if s.success and s.legacy else None,
    positive=(
        _LEGACY,
        {**_LEGACY, **AT_HOME},
        {**_LEGACY, "clientAppUsed": "Other clients; IMAP"},
        {**PLAIN, "clientAppUsed": "exchange  active-sync"},
    ),
    negative=(PLAIN, {**_LEGACY, **refused(50126)}, {**_LEGACY, "clientAppUsed": "Universal Outlook"}),
)

PASSWORD_FLOW = Rule(
    id="password-flow",
    title="Delegated admin signed in by a password flow (ROPC)",
    attack="T1078.004",
    meaning="An application sent the user's password itself. Entra cannot prompt for MFA in that flow.",
    what_to_do="Give the application an interactive flow (secure application model), then block the password flow.",
    fits=lambda s: by_scope(s) if s.success and s.password_flow else None,
    positive=(
        _ROPC,
        {**_ROPC, **NON_INTERACTIVE},
        {**PASSWORD_ONLY, "userAgent": "BAV2ROPC"},
        {**_ROPC, **AT_HOME},
    ),
    negative=(PLAIN, {**_ROPC, **refused(50126)}, {**PASSWORD_ONLY, "userAgent": "Mozilla/5.0"}),
)

DEVICE_CODE = Rule(
    id="device-code",
    title="Delegated admin rights used through a device code",
    attack="T1528",
    meaning="Whoever started the device code flow holds the token, which need not be the person who typed the code.",
    what_to_do="Ask the person whether they started it; block device code flow by Conditional Access where not needed.",
    fits=when(Severity.MEDIUM, lambda s: s.success and s.device_code),
    positive=(
        {"authenticationProtocol": "deviceCode"},
        {**NON_INTERACTIVE, "originalTransferMethod": "deviceCodeFlow"},
    ),
    negative=(
        PLAIN,
        {"authenticationProtocol": "deviceCode", **refused(50199)},
        {"originalTransferMethod": "authenticationTransfer"},
    ),
)

LEGACY_AUTH_ATTEMPT = Rule(
    id="legacy-auth-attempt",
    title="Legacy authentication was tried on a delegated admin's account",
    attack="T1110.003",
    common_issue=5,
    meaning="Somebody tried a protocol that cannot do MFA and was stopped; medium when the password was right.",
    what_to_do="Find the client; if nobody knows it and the password was right, reset the password.",
    fits=lambda s: of_attempt(s) if not s.success and s.legacy else None,
    positive=({**_LEGACY, **refused(50126)}, {**_LEGACY, **refused(50076)}, {**_LEGACY, **refused(530035)}),
    negative=(_LEGACY, {**PLAIN, **refused(50126)}),
)

PASSWORD_FLOW_ATTEMPT = Rule(
    id="password-flow-attempt",
    title="A password flow was tried on a delegated admin's account",
    attack="T1110.003",
    meaning="A password was sent directly, by an application or an attacker, and stopped; medium when it was right.",
    what_to_do="Find the application; if nobody knows it and the password was right, reset the password.",
    fits=lambda s: of_attempt(s) if not s.success and s.password_flow else None,
    positive=({**_ROPC, **refused(50126)}, {**_ROPC, **refused(50079)}, {"userAgent": "CBAInPROD", **refused(53003)}),
    negative=(_ROPC, {**PLAIN, **refused(50126)}),
)

DEVICE_CODE_ATTEMPT = Rule(
    id="device-code-attempt",
    title="A device code was tried on a delegated admin's account",
    attack="T1528",
    meaning="Somebody began a device code flow for the account and was stopped; medium when the password was right.",
    what_to_do="Ask the person whether they started it; if not, somebody is phishing for codes.",
    fits=lambda s: of_attempt(s) if s.device_code and s.outcome in (Outcome.BLOCKED, Outcome.FAILED) else None,
    positive=(
        {"authenticationProtocol": "deviceCode", **refused(50126)},
        {"originalTransferMethod": "deviceCodeFlow", **refused(53003)},
    ),
    negative=(
        {"authenticationProtocol": "deviceCode"},
        {"authenticationProtocol": "deviceCode", **refused(50199)},
        {**PLAIN, **refused(53003)},
    ),
)

NON_INTERACTIVE_USE = Rule(
    id="non-interactive",
    title="Delegated admin rights used non-interactively",
    attack="T1550.001",
    meaning="A token was refreshed without the person present. Reported only under the strict policy.",
    what_to_do="Shorten the session lifetime for partner accounts, or accept it under the standard policy.",
    fits=when(Severity.MEDIUM, lambda s: s.success and not s.interactive and s.policy is Policy.STRICT),
    positive=(NON_INTERACTIVE,),
    negative=(PLAIN, {**NON_INTERACTIVE, **refused(50076)}),
)
