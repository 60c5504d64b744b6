"""Partner Center's MFA gate, judged from the claims alone: mission.md, section 2."""

from __future__ import annotations

from typing import Final, Literal, TypedDict

from shared.tokens.claims import Claims, audiences
from shared.tokens.kind import Kind, Mfa

PARTNER_CENTER_AUDIENCES: Final = frozenset(
    {"https://api.partnercenter.microsoft.com", "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"}
)
"""Partner Center's API and application id (docs/entra-facts.md)."""

_CHALLENGE: Final = 'Bearer error="invalid_token"'
_ERROR_CODE: Final = "900421"
_ERROR_CODE_SOURCE: Final = "secondary sources (partners' blogs of 2026), not Microsoft's own reference"


class PartnerCenter(TypedDict):
    """What Partner Center answers. The last three are those of the refusal for lack of MFA, else null."""

    accepted: bool
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


def partner_center(kind: Kind, mfa: Mfa, *, audience_ok: bool) -> PartnerCenter:
    """The gate alone: neither the time nor the signature is asked here."""
    if kind.name == "id-token":
        return _refused("An ID token is not an access token.")
    if not audience_ok:
        return _refused("Wrong audience: the token is not for the expected resource.")
    if kind.name == "unknown":
        return _refused(f"It cannot be told what the token is: {kind.reason}")
    if kind.name == "app-only":
        return _accepted("App-only: MFA is not required.")
    if mfa.name == "present":
        return _accepted("App+User with MFA: amr holds mfa.")
    return {
        "accepted": False,
        "status": 401,
        "reason": "MFA required" if mfa.name == "absent" else f"MFA required: {mfa.reason}",
        "header": {"WWW-Authenticate": _CHALLENGE},
        "errorCode": _ERROR_CODE,
        "errorCodeSource": _ERROR_CODE_SOURCE,
    }


def _canonical(audience: str) -> str:
    return audience.strip().casefold().removesuffix("/")


def _accepted(reason: str) -> PartnerCenter:
    return {
        "accepted": True, "status": 200, "reason": reason, "header": None, "errorCode": None, "errorCodeSource": None,
    }  # fmt: skip


def _refused(reason: str) -> PartnerCenter:
    return {
        "accepted": False, "status": 401, "reason": reason, "header": None, "errorCode": None, "errorCodeSource": None,
    }  # fmt: skip
