"""The whole answer about one token, from its claims, the clock and what is known of its signature. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict

from shared.tokens.advice import Judged, advice_for, notes_for
from shared.tokens.claims import (
    Claims,
    Shown,
    audiences,
    instant,
    is_foreign_issuer,
    issuer_tenant,
    plain,
    same,
    shown,
    tenant,
    text,
)
from shared.tokens.gate import PartnerCenter, Validity, audience_fits, partner_center
from shared.tokens.kind import KindName, MfaName, kind_of, mfa_of
from shared.tokens.reading import Token
from shared.tokens.signature import Signature, not_checked

_ENTRA_GUEST: Final = "5::"  # how altsecid begins for an account of another Entra tenant; seen in tokens, undocumented


class TokenCheck(TypedDict):
    """The answer of `POST /api/token-check` and of `python -m local token`."""

    kind: KindName
    kindReason: str
    mfa: MfaName
    mfaReason: str
    partnerCenter: PartnerCenter
    tenantId: str | None
    delegatedTo: str | None
    audience: str | None
    expired: bool | None
    notYetValid: bool | None
    signature: Signature
    claims: dict[str, Shown]
    unreadableClaims: list[str]
    advice: list[str]
    notes: list[str]


def check(
    token: Token,
    *,
    now: datetime,
    expect_audience: str | None = None,
    partner_tenant_id: str | None = None,
    signature: Signature | None = None,
) -> TokenCheck:
    """Judges a token that was read.

    `now` has a time zone. `expect_audience` None means Partner Center's. `partner_tenant_id`, where known, keeps guests
    of other organisations from looking like the partner's technicians. `signature` None: it was not asked for.
    `expired` and `notYetValid` are null where the token does not say. Raises TokenError where iat, nbf or exp is no
    time; nothing else in the claims raises.
    """
    claims = token.claims
    safe, unreadable = shown(claims)
    kind = kind_of(claims)
    mfa = mfa_of(claims, kind.name)
    audience_ok = audience_fits(claims, expect_audience)
    checked = signature or not_checked(token, "The signature was not checked: nobody asked for it.")
    expires, begins, second = instant(claims, "exp"), instant(claims, "nbf"), now.timestamp()
    expired = None if expires is None else second >= expires
    early = None if begins is None else second < begins
    own_tenant, customer = tenant(claims), delegated_to(claims, kind.name, partner_tenant_id)
    validity = Validity(
        genuine=checked["valid"],
        foreign_issuer=is_foreign_issuer(claims),
        expired=expired is True,
        early=early is True,
    )
    named = audiences(claims)
    audience = next((a for a in named if audience_fits({"aud": a}, expect_audience)), named[0] if named else None)
    return {
        "kind": kind.name,
        "kindReason": kind.reason,
        "mfa": mfa.name,
        "mfaReason": mfa.reason,
        "partnerCenter": partner_center(kind, mfa, audience_ok=audience_ok, validity=validity),
        "tenantId": None if own_tenant is None else plain(own_tenant),
        "delegatedTo": None if customer is None else plain(customer),
        "audience": None if audience is None else plain(audience),
        "expired": expired,
        "notYetValid": early,
        "signature": checked,
        "claims": safe,
        "unreadableClaims": unreadable,
        "advice": advice_for(claims, Judged(kind.name, mfa.name, audience_ok, expired, early, checked)),
        "notes": notes_for(claims, kind.name, delegated=customer is not None),
    }


def delegated_to(claims: Claims, kind: KindName, partner_tenant_id: str | None) -> str | None:
    """The customer tenant, where a user of another Entra tenant (the partner's, if that is known) acts in it.

    None where that is not so or cannot be known. `idp` names the user's home. Where it is absent, only a known partner
    tenant helps: the user is its own if `iss` names it (Entra's reference: use iss if idp is absent), or likely so if
    altsecid is that of a guest and the token is for another tenant.
    """
    target, idp = tenant(claims), text(claims, "idp")
    if kind != "app+user" or target is None or same(target, partner_tenant_id):
        return None
    if idp is not None:
        home = issuer_tenant(idp)
        foreign = home is not None and not same(home, target)
        return target if foreign and (partner_tenant_id is None or same(home, partner_tenant_id)) else None
    if partner_tenant_id is None:
        return None
    guest = (text(claims, "altsecid") or "").startswith(_ENTRA_GUEST)
    return target if guest or same(issuer_tenant(text(claims, "iss")), partner_tenant_id) else None
