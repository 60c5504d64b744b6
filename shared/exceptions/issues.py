"""The six common issues of the source, with what to say of each (docs/entra-facts.md, "The requirement"). Pure data."""

from __future__ import annotations

from typing import Final, NamedTuple


class CommonIssue(NamedTuple):
    """A reason that partners give. `may_be_valid`: whether an exception can be asked for because of it at all."""

    number: int
    title: str
    may_be_valid: bool
    guidance: str


_ISSUES: Final = (
    CommonIssue(
        1,
        "needs more time to implement MFA",
        False,
        "More time is no valid reason. Plan now: agents can still register and verify when they are prompted. "
        "Registering alone does not enable an account for MFA.",
    ),
    CommonIssue(
        2,
        "users who do not use delegated privileges have no MFA",
        False,
        "These users never sign in to a customer tenant, so enforcement there does not touch them and needs no "
        "exception. The requirement that every account of the partner tenant uses MFA still does.",
    ),
    CommonIssue(
        3,
        "low-privileged user accounts used by devices as service accounts",
        False,
        "These accounts never sign in to a customer tenant, so enforcement there does not touch them and needs no "
        "exception. The requirement that every account of the partner tenant uses MFA still does.",
    ),
    CommonIssue(
        4,
        "cannot use the Microsoft Authenticator app",
        False,
        "A clean-desk policy is no valid reason. Security defaults register an authenticator app and nothing else, so "
        "use Microsoft Entra ID P1 or P2, or a third-party MFA, with other methods, such as hardware keys.",
    ),
    CommonIssue(
        5,
        "legacy authentication cannot do MFA",
        False,
        "Legacy authentication is no valid reason: move off it. Exchange Online takes it nowhere any more but for SMTP "
        "AUTH, which the end of December 2026 switches off by default. App passwords, which the requirement once "
        "allowed for legacy protocols, are still non-compliant here. Asking for more time is no reason either: agents "
        "can register and verify when they are prompted, and registering alone does not enable an account for MFA.",
    ),
    CommonIssue(
        6,
        "a third-party MFA that Entra does not recognise",
        True,
        "This may be a valid reason. First have the vendor confirm that its product cannot send the claim "
        "authenticationmethodsreferences with the value multipleauthn, and that External MFA of Entra is not possible "
        "either. Conditional Access custom controls never count as MFA.",
    ),
)
ISSUES: Final = {issue.number: issue for issue in _ISSUES}
# Rules that break because of legacy authentication belong to this issue, whatever the request says.
LEGACY: Final = 5
# No MFA can be asked for in a password flow, so no third party's explains one (docs/entra-facts.md, "ROPC").
PASSWORD_FLOWS: Final = frozenset({"password-flow", "password-flow-attempt"})
INTERACTIVE_INSTEAD: Final = (
    "In a password flow no MFA can be asked for, of whatever maker: give the application an interactive flow."
)
# The rules whose breach an MFA that Entra does not see explains: of evidence, and nothing else. A device code, a
# skipped MFA or a mere non-interactive sign-in is the same whoever makes the MFA.
EXPLAINED: Final = frozenset(
    {
        "interactive-without-mfa",
        "non-interactive-without-mfa",
        "third-party-mfa-unrecognised",
        "mfa-evidence-unknown",
    }
)
UNEXPLAINED: Final = (
    "A third-party MFA that Entra does not recognise explains sign-ins whose MFA is not seen, and nothing else: "
    + ", ".join(sorted(EXPLAINED))
    + "."
)
