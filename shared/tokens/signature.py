"""Whether a token was signed by Entra for its tenant. Pure: the keys are an argument, `keys` fetches them.

Nothing that the token names is followed (jku, x5u, jwk and x5c are ignored): the keys come from the login host of the
cloud that its issuer belongs to, the issuer must be exactly the tenant's own, and only RS256 counts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypedDict

import jwt

from shared.tokens.claims import plain
from shared.tokens.reading import Token, TokenError, parse_object

KEY_HOSTS: Final = ("login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn")
"""Entra's login hosts: global, US Government, China (Entra's page on national clouds)."""

# v1.0 issuers and the login hosts of their clouds: US Government has the global cloud's issuer and keys of its own.
_V1_ISSUERS: Final = {
    "sts.windows.net": ("login.microsoftonline.com", "login.microsoftonline.us"),
    "sts.chinacloudapi.cn": ("login.partner.microsoftonline.cn",),
}
_GUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NO_SUCH_KEY: Final = "None of the tenant's keys is the one that the token names (kid)."
_TENANT_PLACEHOLDER: Final = "{tenantid}"  # as Entra writes the issuer of a key that all tenants share


class Signature(TypedDict):
    """What is known of the signature. `valid` is null unless it was checked."""

    checked: bool
    valid: bool | None
    algorithm: str | None
    reason: str


def not_checked(token: Token, reason: str) -> Signature:
    """Says that the signature was not checked, and why; an unsigned token is always told as such."""
    if token.header is None:
        reason = "Decoded claims have no signature that could be checked: anybody can write them."
    elif _unsigned(token):
        reason = "The token is not signed: anybody can write such a token."
    return {"checked": False, "valid": None, "algorithm": _algorithm(token), "reason": reason}


def invalid(token: Token, reason: str) -> Signature:
    """Says that the check failed, and why."""
    return {"checked": True, "valid": False, "algorithm": _algorithm(token), "reason": reason}


def keys_urls(token: Token) -> tuple[str, ...] | Signature:
    """Where the keys of the token's tenant may be, or the answer where no key is needed for it.

    There are URLs only for an RS256 token whose `iss` is exactly the issuer of its `tid` and `ver`.
    """
    if token.header is None:
        return not_checked(token, "")
    if _unsigned(token):
        return invalid(token, "The token is not signed: anybody can write such a token.")
    if token.header.get("alg") != "RS256":
        return invalid(token, "Entra signs with RS256; this token names another algorithm.")
    if token.header.get("nonce") is not None:
        return not_checked(
            token,
            "The header holds a nonce, as in tokens for Microsoft Graph: only the resource itself can check it.",
        )
    if not isinstance(token.header.get("kid"), str):
        return invalid(token, "The header names no key (kid).")
    urls = _urls_of_issuer(token.claims)
    return urls or invalid(
        token, "The issuer is not exactly the one that Entra uses for this tenant (tid) and version (ver)."
    )


def _urls_of_issuer(claims: Mapping[str, object]) -> tuple[str, ...]:
    """Where the keys of that issuer are; nowhere unless it is exactly that of its tenant and version."""
    tenant, version, issuer = (claims.get(name) for name in ("tid", "ver", "iss"))
    if not isinstance(tenant, str) or not _GUID.fullmatch(tenant):
        return ()
    if version == "1.0":
        hosts = next((hosts for sts, hosts in _V1_ISSUERS.items() if issuer == f"https://{sts}/{tenant}/"), ())
        return tuple(f"https://{host}/{tenant}/discovery/keys" for host in hosts)
    if version == "2.0":
        known = (host for host in KEY_HOSTS if issuer == f"https://{host}/{tenant}/v2.0")
        return tuple(f"https://{host}/{tenant}/discovery/v2.0/keys" for host in known)
    return ()


def verify(token: Token, key_set: bytes) -> Signature:
    """Checks the signature against a JSON Web Key Set (RFC 7517) as Entra's keys page answers it.

    Only the signature: times and audience are told elsewhere. Keys of a wrong kind, and keys that say they sign for
    another tenant, do not count.
    """
    where = keys_urls(token)
    if not isinstance(where, tuple):
        return where
    keys = _keys(key_set)
    if keys is None:
        return not_checked(token, "The answer of the keys page is not a set of keys.")
    candidates = [key for key in keys if key.get("kid") == (token.header or {}).get("kid") and _may_sign(key, token)]
    if not candidates:
        return invalid(token, NO_SUCH_KEY)
    if any(_signed_by(key, token.compact or "") for key in candidates):
        return {
            "checked": True,
            "valid": True,
            "algorithm": _algorithm(token),
            "reason": "Signed by Entra for this tenant.",
        }
    return invalid(token, "The signature is not that of the key that the token names.")


def _keys(key_set: bytes) -> list[dict[str, object]] | None:
    try:
        keys = parse_object(key_set.decode("utf-8-sig"), "The set of keys").get("keys")
    except (UnicodeDecodeError, TokenError):
        return None
    return [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else None


def _may_sign(key: dict[str, object], token: Token) -> bool:
    """Whether it is an RSA key for signatures whose issuer, if it names one, is one of this tenant's."""
    if key.get("kty") != "RSA" or key.get("use", "sig") != "sig" or key.get("alg", "RS256") != "RS256":
        return False
    issuer, tenant = key.get("issuer"), str(token.claims["tid"])
    if issuer is None:
        return True
    own = {f"https://{sts}/{tenant}/" for sts in _V1_ISSUERS} | {f"https://{host}/{tenant}/v2.0" for host in KEY_HOSTS}
    return isinstance(issuer, str) and issuer.replace(_TENANT_PLACEHOLDER, tenant) in own


def _signed_by(key: dict[str, object], compact: str) -> bool:
    options: jwt.types.SigOptions = {"verify_signature": True, "enforce_minimum_key_length": True}
    try:
        public = jwt.PyJWK({name: key[name] for name in ("kty", "n", "e") if name in key}, algorithm="RS256")
        jwt.PyJWS().decode_complete(compact, public, algorithms=["RS256"], options=options)
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):  # the last three: n or e is no number
        return False
    return True


def _unsigned(token: Token) -> bool:
    return token.compact is not None and token.compact.endswith(".")


def _algorithm(token: Token) -> str | None:
    algorithm = token.header.get("alg") if token.header is not None else None
    return plain(algorithm, 32) if isinstance(algorithm, str) else None
