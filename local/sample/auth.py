"""What a record says of how the user proved who they are: the members that evidence is read from.

Each function gives one shape that real logs show (docs/entra-facts.md, "Was there MFA?"). `proves` is the verdict that
a successful sign-in of this shape deserves by docs/semantics.md; "" where only its session can tell.
"""

from __future__ import annotations

from dataclasses import dataclass

COMPLETED = "MFA completed in Azure AD"
BY_CLAIM = "MFA requirement satisfied by claim in the token"
BY_EXTERNAL = "MFA requirement satisfied by claim provided by external provider"
FIRST_BY_CLAIM = "First factor requirement satisfied by claim in the token"

PRIMARY = "Primary authentication"
SECOND = "Multifactor authentication"
SINGLE_FACTOR = "singleFactorAuthentication"
MULTI_FACTOR = "multiFactorAuthentication"

PASSWORDLESS = frozenset(
    {"FIDO2 security key", "Passkey (device-bound)", "Windows Hello for Business", "Passwordless phone sign-in"}
)


@dataclass(frozen=True, slots=True)
class Step:
    """One element of authenticationDetails."""

    method: str
    result: str
    succeeded: bool = True
    requirement: str = PRIMARY
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Auth:
    """The evidence members of one record."""

    proves: str
    requirement: str = SINGLE_FACTOR
    steps: tuple[Step, ...] = ()
    statement: str | None = None
    federated: bool = False
    certificate_level: str | None = None
    """What authenticationProcessingDetails say of a certificate."""


_PASSWORD = Step("Password", "Correct password", detail="Password in the cloud")
_FIRST_BY_CLAIM = Step("Previously satisfied", FIRST_BY_CLAIM)


def mfa_now(method: str) -> Auth:
    """Both factors now: by the one step of a passwordless method, else password and `method`."""
    if method in PASSWORDLESS:
        return Auth("compliant", steps=(Step(method, ""),))
    second = Step(method, COMPLETED, requirement=SECOND)
    return Auth("compliant", MULTI_FACTOR, (_PASSWORD, second), COMPLETED)


def mfa_with_denials(method: str) -> Auth:
    """The user refused the first request and passed the second."""
    denied = Step(method, "MFA denied; user declined the authentication", succeeded=False, requirement=SECOND)
    passed = Step(method, COMPLETED, requirement=SECOND)
    return Auth("compliant", MULTI_FACTOR, (_PASSWORD, denied, passed), COMPLETED)


def mfa_marked_failed(method: str) -> Auth:
    """A completed MFA step that the log marks as not succeeded, and as primary: both are documented slips."""
    step = Step(method, COMPLETED, succeeded=False, requirement=PRIMARY)
    return Auth("compliant", MULTI_FACTOR, (_PASSWORD, step), COMPLETED)


def claim_interactive() -> Auth:
    """An earlier MFA, carried by the token, with its steps."""
    steps = (_FIRST_BY_CLAIM, Step("Previously satisfied", BY_CLAIM, requirement=SECOND))
    return Auth("compliant", MULTI_FACTOR, steps, BY_CLAIM)


def claim_refresh() -> Auth:
    """What most refreshes look like: no steps, and the claim only in additionalDetails."""
    return Auth("compliant", statement=BY_CLAIM)


def requirement_only() -> Auth:
    """Nothing but authenticationRequirement says that there was MFA."""
    return Auth("compliant", MULTI_FACTOR)


def external() -> Auth:
    """A federated provider did MFA and its claim was recognised."""
    steps = (Step("Federated", BY_EXTERNAL, requirement=SECOND),)
    return Auth("compliant", MULTI_FACTOR, steps, BY_EXTERNAL, federated=True)


def silent() -> Auth:
    """A refresh that says nothing: its session has to."""
    return Auth("")


def first_by_claim() -> Auth:
    """Speaks of the first factor only, and says nothing of MFA."""
    return Auth("", steps=(_FIRST_BY_CLAIM,))


def federated_silent() -> Auth:
    """A federated provider answered; whether it did MFA is not said."""
    return Auth("", steps=(Step("Federated", "Authenticated by the federated provider"),), federated=True)


def federated_password() -> Auth:
    """A federated user's password step, with nothing said of MFA."""
    return Auth("", steps=(Step("Password", "Correct password", detail="Federated"),), federated=True)


def certificate(level: str) -> Auth:
    """A certificate, whose level stands in authenticationProcessingDetails alone."""
    proves = "compliant" if level == MULTI_FACTOR else "non-compliant"
    return Auth(proves, steps=(Step("X.509 Certificate", ""),), certificate_level=level)


def refused(method: str) -> Auth:
    """Password right; the user declined the request for MFA."""
    denied = Step(method, "MFA denied; user declined the authentication", succeeded=False, requirement=SECOND)
    return Auth("non-compliant", MULTI_FACTOR, (_PASSWORD, denied), "MFA denied; user declined the authentication")


def contradicting(method: str) -> Auth:
    """MFA was demanded and its step failed, on a record that is a success all the same."""
    failed = Step(method, "MFA not completed", succeeded=False, requirement=SECOND)
    return Auth("unknown", MULTI_FACTOR, (_PASSWORD, failed))


def password_only() -> Auth:
    """One factor, now."""
    return Auth("non-compliant", steps=(_PASSWORD,))


def wrong_password() -> Auth:
    """A first factor that failed."""
    return Auth("non-compliant", steps=(Step("Password", "Invalid username or password.", succeeded=False),))


def not_passed(method: str) -> Auth:
    """Password right; MFA was asked for and not passed."""
    second = Step(method, "Authentication in progress", succeeded=False, requirement=SECOND)
    return Auth("non-compliant", MULTI_FACTOR, (_PASSWORD, second))


def skipped(statement: str) -> Auth:
    """MFA was required and not done: `statement`, in a step and in additionalDetails, says why."""
    step = Step("Previously satisfied", statement, requirement=SECOND)
    return Auth("non-compliant", SINGLE_FACTOR, (_PASSWORD, step), statement)


def skipped_in_status(statement: str) -> Auth:
    """As `skipped`, said by additionalDetails alone, on a record that claims a multi-factor requirement."""
    return Auth("non-compliant", MULTI_FACTOR, (_PASSWORD,), statement)
