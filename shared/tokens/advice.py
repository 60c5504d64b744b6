"""What to change, and what to know besides. The sentences are constants: nothing of the token is in them."""

from __future__ import annotations

from typing import Final, NamedTuple

from shared.tokens.claims import Claims, has, is_foreign_issuer, texts, version
from shared.tokens.kind import KindName, MfaName
from shared.tokens.signature import Signature

_FORGED: Final = "Do not trust this token: its signature check failed."
_SENT_THE_WRONG_ONE: Final = "Hand in the access token that came with the ID token: APIs take no other."
_AUDIENCE: Final = (
    "Ask for a token for Partner Center: resource or scope of https://api.partnercenter.microsoft.com. To judge a token"
    " for another resource, name that as the expected audience."
)
_UNKNOWN: Final = "Hand in the whole token, or all of its claims, as it was issued."
_INTERACTIVE: Final = (
    "Sign the user in interactively (OpenID Connect authorization code flow) with an account that is registered and"
    " enabled for MFA, not with the password flow (ROPC), where Entra cannot ask for MFA."
)
_SECURE_MODEL: Final = (
    "Use the Secure Application Model, before MFA is enforced tenant-wide: register the application's own account for"
    " MFA, consent once with MFA, keep the new refresh token in a vault and exchange it per tenant, test, and only then"
    " enforce. A refresh token keeps what its sign-in proved: one from before MFA needs a new consent."
)
_FEDERATED: Final = (
    "The account is federated: let its provider do MFA and send authenticationmethodsreferences = multipleauthn to"
    " Entra (common issue 6), or use Entra's own or External MFA."
)
_V1: Final = (
    "Ask for a token of a v1.0 resource such as Partner Center: only v1.0 tokens carry amr. For an API of your own set"
    " requestedAccessTokenVersion to 1, or read MFA from the sign-in log."
)
_NGCMFA: Final = (
    "ngcmfa stands for the MFA of enrolling a credential: sign in again with an ordinary MFA prompt, so that amr holds"
    " mfa."
)
_UNREADABLE: Final = "Hand in amr as it was issued: a list of texts."
_TRY: Final = (
    "To see Partner Center's own view send the header ValidateMfa: true and read isMfaCompliant (from secondary"
    " sources)."
)
_EXPIRED: Final = "The token has expired: get a new one."
_EARLY: Final = "The token is not valid yet: wait, or set the clock of this machine right."

APP_ONLY: Final = (
    "Not every operation of the Partner Center API takes an app-only token: the prerequisites of each say whether it "
    "needs App+User."
)
_TENANTS_DIFFER: Final = "iss and tid name different tenants; Entra issues no such token."
_NO_EXPIRY: Final = "The token does not say when it expires."
_GUEST: Final = (
    "A token does not tell a delegated admin from a B2B guest: crossTenantAccessType in the sign-in log does."
)


class Judged(NamedTuple):
    """What was found of a token. `expired` and `early` are None where the token does not say."""

    kind: KindName
    mfa: MfaName
    audience_ok: bool
    expired: bool | None
    early: bool | None
    signature: Signature


def advice_for(claims: Claims, judged: Judged) -> list[str]:
    """What the owner of the application has to change, most urgent first; empty where nothing is wrong."""
    said = (
        (judged.signature["valid"] is False, _FORGED),
        (judged.kind == "id-token", _SENT_THE_WRONG_ONE),
        (judged.kind != "id-token" and not judged.audience_ok, _AUDIENCE),
        (judged.kind == "unknown", _UNKNOWN),
    )
    times = ((judged.expired, _EXPIRED), (judged.early, _EARLY))
    of_mfa = _mfa_advice(claims, judged.mfa) if judged.kind == "app+user" and judged.mfa != "present" else []
    return [*(text for holds, text in said if holds), *of_mfa, *(text for holds, text in times if holds)]


def _mfa_advice(claims: Claims, mfa: MfaName) -> list[str]:
    methods = texts(claims, "amr")
    if mfa == "cannot-tell":
        if "amr" not in claims:
            return [_V1 if version(claims) != "1.0" else _UNKNOWN, _TRY]
        return [_UNREADABLE if methods is None else _NGCMFA, _TRY]
    federated = not {"fed", "wia"}.isdisjoint(methods or ())
    return [_INTERACTIVE, _SECURE_MODEL, *([_FEDERATED] if federated else []), _TRY]


def notes_for(claims: Claims, kind: KindName, *, delegated: bool) -> list[str]:
    """What is to be known of the token and asks for no change."""
    notes = [APP_ONLY] if kind == "app-only" else []
    if is_foreign_issuer(claims):
        notes.append(_TENANTS_DIFFER)
    if not has(claims, "exp"):
        notes.append(_NO_EXPIRY)
    if delegated:
        notes.append(_GUEST)
    return notes
