"""What Partner Center says to a token: whether it takes it at all, and its MFA gate (docs/entra-facts.md)."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypedDict

from shared.basics.well_known import PARTNER_CENTER_APP, PARTNER_CENTER_URL
from shared.tokens.claims import Claims, audiences
from shared.tokens.kind import Mfa, TokenKind

PARTNER_CENTER_AUDIENCES: Final = frozenset({PARTNER_CENTER_URL, PARTNER_CENTER_APP})
"""Partner Center's API and application id (docs/entra-facts.md)."""

_CHALLENGE: Final = 'Bearer error="invalid_token"'
_ERROR_CODE: Final = "900421"
_ERROR_CODE_SOURCE: Final = "secondary sources (partners' blogs of 2026), not Microsoft's own reference"


class Validity(NamedTuple):
    """What is wrong with a token before anybody asks for MFA. `genuine` is None where no signature was checked."""

    genuine: bool | None = None
    foreign_issuer: bool = False
    expired: bool = False
    early: bool = False


class PartnerCenter(TypedDict):
    """What Partner Center answers. `ifGenuine`: accepted on the word of the claims, for no signature was checked. The
    last three are those of the refusal for lack of MFA, else null."""

    accepted: bool
    ifGenuine: bool
    status: Literal[200, 401]
    reason: str
    header: dict[str, str] | None
    errorCode: str | None
    errorCodeSource: str | None


def audience_fits(claims: Claims, expected: str | None) -> bool:
    """Whether `aud` is or holds the expected audience (None: Partner Center's), but for case and a slash at the end."""
    wanted = PARTNER_CENTER_AUDIENCES if expected is None else {_canonical(expected)}
    if wanted & PARTNER_CENTER_AUDIENCES:  # whoever names one of Partner Center's names means it by any
        wanted = PARTNER_CENTER_AUDIENCES
    return not wanted.isdisjoint(map(_canonical, audiences(claims)))


def partner_center(kind: TokenKind, mfa: Mfa, *, audience_ok: bool, validity: Validity) -> PartnerCenter:
    """Whether the token is taken: first what makes it no token at all, then its time, then MFA."""
    if refusal := _no_token(kind, validity, audience_ok=audience_ok):
        return _refused(refusal)
    if validity.expired:
        return _refused("The token has expired.")
    if validity.early:
        return _refused("The token is not valid yet.")
    if kind.name == "app-only":
        return _accepted("App-only: MFA is not required.", validity)
    if mfa.name == "present":
        return _accepted("App+User with MFA: amr holds mfa.", validity)
    return {
        "accepted": False,
        "ifGenuine": False,
        "status": 401,
        "reason": "MFA required" if mfa.name == "absent" else f"MFA required: {mfa.reason}",
        "header": {"WWW-Authenticate": _CHALLENGE},
        "errorCode": _ERROR_CODE,
        "errorCodeSource": _ERROR_CODE_SOURCE,
    }


def _canonical(audience: str) -> str:
    return audience.strip().casefold().removesuffix("/")


def _no_token(kind: TokenKind, validity: Validity, *, audience_ok: bool) -> str | None:
    if validity.genuine is False:
        return "The signature check failed: Entra did not issue this token."
    if validity.foreign_issuer:
        return "iss and tid name different tenants: Entra issues no such token."
    if kind.name == "id-token":
        return "An ID token is not an access token."
    if not audience_ok:
        return "Wrong audience: the token is not for the expected resource."
    return f"It cannot be told what the token is: {kind.reason}" if kind.name == "unknown" else None


def _accepted(reason: str, validity: Validity) -> PartnerCenter:
    unproven = validity.genuine is None
    return {
        "accepted": True,
        "ifGenuine": unproven,
        "status": 200,
        "reason": f"{reason} If the token is genuine: its signature was not checked." if unproven else reason,
        "header": None,
        "errorCode": None,
        "errorCodeSource": None,
    }


def _refused(reason: str) -> PartnerCenter:
    return {
        "accepted": False,
        "ifGenuine": False,
        "status": 401,
        "reason": reason,
        "header": None,
        "errorCode": None,
        "errorCodeSource": None,
    }
