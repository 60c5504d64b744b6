"""What a token is, and what its `amr` says of MFA."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from shared.tokens.claims import Claims, audiences, has, same, text, texts, version

type KindName = Literal["app-only", "app+user", "id-token", "unknown"]
type MfaName = Literal["present", "absent", "cannot-tell", "not-required"]


class TokenKind(NamedTuple):
    """What the token is, and the sentence that says from what."""

    name: KindName
    reason: str


class Mfa(NamedTuple):
    """What the token says of MFA, and the sentence that says from what."""

    name: MfaName
    reason: str


# Claims that only a token about a person has. `amr` says how a *user* authenticated (docs/entra-facts.md).
_USER_SIGNS: Final = (
    "amr", "altsecid", "email", "family_name", "given_name", "name", "onprem_sid", "preferred_username", "puid",
    "pwd_exp", "unique_name", "upn",
)  # fmt: skip
# OpenID Connect Core: hashes of what was issued beside an ID token. No access token has them.
_ID_TOKEN_HASHES: Final = ("at_hash", "c_hash")


def kind_of(claims: Claims) -> TokenKind:
    """Says what the token is; signs that contradict each other, and too few signs, make it unknown.

    Never guesses app-only, which needs no MFA: that needs `idtyp` app, or no sign at all of a user and a client that
    authenticated itself. Sources: docs/entra-facts.md ("Access tokens"), the Entra reference of access token claims.
    """
    idtyp, scopes = text(claims, "idtyp"), texts(claims, "scp")
    if (has(claims, "idtyp") and idtyp is None) or (has(claims, "scp") and scopes is None):
        return TokenKind("unknown", "its idtyp or scp claim is not readable.")
    hashed = any(has(claims, name) for name in _ID_TOKEN_HASHES)
    user = any(has(claims, name) for name in _USER_SIGNS)
    if idtyp == "app":
        if scopes or user or hashed:
            return TokenKind("unknown", "idtyp says app-only, but other claims speak of a user.")
        return TokenKind("app-only", "idtyp is app.")
    if idtyp not in (None, "user"):
        return TokenKind("unknown", "its idtyp is neither app nor user.")
    if scopes or idtyp == "user":
        if hashed:
            return TokenKind(
                "unknown", "it has claims of an access token (scp or idtyp) and of an ID token (at_hash or c_hash)."
            )
        return TokenKind("app+user", "scp is in tokens of users only." if scopes else "idtyp is user.")
    return _kind_without_scopes(claims, id_token=hashed or has(claims, "nonce"), user=user)


def _kind_without_scopes(claims: Claims, *, id_token: bool, user: bool) -> TokenKind:
    client = text(claims, "appid") or text(claims, "azp")
    acr = text(claims, "appidacr") or text(claims, "azpacr")
    audience = next(iter(audiences(claims)), None)
    if id_token:
        return TokenKind("id-token", "it has a nonce or a hash that only ID tokens have, and no scp.")
    if user:
        if client or acr or (audience and "://" in audience):
            return TokenKind("app+user", "its claims speak of a user and of a client or a resource.")
        if audience and (has(claims, "sub") or has(claims, "oid")):
            return TokenKind("id-token", "its claims speak of a user, and it has neither scp nor a client.")
        return TokenKind("unknown", "its claims speak of a user, but too few of them are there.")
    subject, principal = text(claims, "sub"), text(claims, "oid")
    if not client or acr == "0" or (subject and principal and not same(subject, principal)):
        # acr 0 is a public client, which cannot act for itself; oid and sub are the same for an application only.
        return TokenKind("unknown", "it has no scp, and is not what an application gets for itself either.")
    if same(subject, principal) or texts(claims, "roles") or acr in ("1", "2"):
        return TokenKind("app-only", "it has a client and no scp, and nothing in it speaks of a user.")
    return TokenKind("unknown", "it has neither scp nor roles, and too few other claims.")


def mfa_of(claims: Claims, kind: KindName) -> Mfa:
    """Says whether `amr` holds `mfa`. Never raises: an `amr` of a wrong type is one that cannot be told.

    amr exists in v1.0 tokens only: a v2.0 token without it proves nothing. `ngcmfa` (MFA for the enrolment of a
    credential) alone is not known to pass (docs/entra-facts.md, "Access tokens").
    """
    if kind == "app-only":
        return Mfa("not-required", "An application cannot do MFA, and Partner Center does not ask it to.")
    if "amr" not in claims:
        if version(claims) == "1.0" and kind == "app+user":
            return Mfa("absent", "The v1.0 token has no amr claim.")
        return Mfa("cannot-tell", "The token has no amr claim, and a v2.0 token never has one: nothing is said of MFA.")
    methods = texts(claims, "amr")
    if methods is None:
        return Mfa("cannot-tell", "The amr claim is not readable: it is neither a list of texts nor a text.")
    if "mfa" in methods:
        return Mfa("present", "amr holds mfa.")
    if "ngcmfa" in methods:
        return Mfa("cannot-tell", "amr holds ngcmfa but not mfa, and ngcmfa alone is not known to pass.")
    return Mfa("absent", "amr does not hold mfa.")
