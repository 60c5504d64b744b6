"""Claims by type: what is there, what is readable, and the part of them that may be shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from shared.tokens.reading import TokenError

type Claims = Mapping[str, object]
type Shown = str | int | list[str]

_TEXTS: Final = ("iss", "idp", "tid", "oid", "appid", "azp", "appidacr", "azpacr", "acr", "idtyp", "ver")
_TEXTS_OR_LISTS: Final = ("aud", "amr", "scp")
_LISTS: Final = ("roles", "wids")
_TIMES: Final = ("iat", "nbf", "exp")
_MAX_TEXT, _MAX_SCOPES, _MAX_ITEM, _MAX_ITEMS = 512, 2048, 128, 50
_LAST_SECOND: Final = 253402300799  # the end of the year 9999

# The issuers of Entra's clouds, v1.0 and v2.0: where a tenant's id stands in `iss` and `idp`.
_ISSUER = re.compile(
    r"https://(?:sts\.windows\.net|sts\.chinacloudapi\.cn|login\.microsoftonline\.com|login\.microsoftonline\.us"
    r"|login\.partner\.microsoftonline\.cn)/([^/\s]{1,64})(/v2\.0)?/?"
)


def has(claims: Claims, name: str) -> bool:
    """Whether the claim is there, readable or not. A null is as good as absent."""
    return claims.get(name) is not None


def text(claims: Claims, name: str) -> str | None:
    """The claim if it is a text that is not empty."""
    value = claims.get(name)
    return value if isinstance(value, str) and value.strip() else None


def texts(claims: Claims, name: str) -> tuple[str, ...] | None:
    """The claim if it is a list of texts, or one text of values divided by spaces; None if it is anything else."""
    value = claims.get(name)
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return None


def audiences(claims: Claims) -> tuple[str, ...]:
    """Whom the token is for. Entra writes one text; RFC 7519 allows a list, of which any counts."""
    if text(claims, "aud"):
        return (str(claims["aud"]),)
    return (texts(claims, "aud") or ()) if isinstance(claims.get("aud"), list) else ()


def instant(claims: Claims, name: str) -> int | None:
    """The claim in whole seconds since 1970 (UTC), None if absent. RFC 7519 allows fractions, which are cut off. Raises
    TokenError if it is anything else."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise TokenError(
            f"The claim {name} is not a time: it must be a number, the seconds since 1970, before the year 10000."
        )
    return int(value)


def issuer_tenant(issuer: str | None) -> str | None:
    """The tenant that an Entra issuer or identity provider URL names, None for any other."""
    match = _ISSUER.fullmatch(issuer or "")
    return match[1] if match else None


def tenant(claims: Claims) -> str | None:
    """The tenant that the token is for."""
    return text(claims, "tid") or issuer_tenant(text(claims, "iss"))


def version(claims: Claims) -> str | None:
    """`1.0` or `2.0`: what `ver` says, else what the issuer or the names of the client claims imply, else None."""
    said = text(claims, "ver")
    if said in ("1.0", "2.0"):
        return said
    issuer = _ISSUER.fullmatch(text(claims, "iss") or "")
    if issuer:
        return "2.0" if issuer[2] else "1.0"
    if has(claims, "appid") or has(claims, "appidacr"):
        return "1.0"
    return "2.0" if has(claims, "azp") or has(claims, "azpacr") else None


def same(left: str | None, right: str | None) -> bool:
    """Whether two ids are there and the same; ids do not differ by case."""
    return left is not None and right is not None and left.casefold() == right.casefold()


def shown(claims: Claims) -> tuple[dict[str, Shown], list[str]]:
    """The safe subset of the claims, and the names in it whose type is wrong.

    No name, no mail address, no user name, no network address. Sizes are capped (a cut is marked with …) and what a
    hostile token says stays plain text. Raises TokenError for a time that is none.
    """
    safe: dict[str, Shown] = {}
    for name in _TEXTS + _TEXTS_OR_LISTS + _LISTS + _TIMES:
        value = claims.get(name)
        if name in _TIMES:
            second = instant(claims, name)
            if second is not None:
                safe[name] = second
        elif isinstance(value, str) and name not in _LISTS:
            safe[name] = plain(value, _MAX_SCOPES if name == "scp" else _MAX_TEXT)
        elif isinstance(value, list) and name not in _TEXTS and texts(claims, name) is not None:
            safe[name] = [plain(item, _MAX_ITEM) for item in value[:_MAX_ITEMS]] + ["…"] * (len(value) > _MAX_ITEMS)
    unreadable = [name for name in _TEXTS + _TEXTS_OR_LISTS + _LISTS if name not in safe and name in claims]
    return safe, unreadable


def plain(value: str, longest: int = _MAX_TEXT) -> str:
    """The text, cut at `longest` characters; half surrogate pairs, which are not text, become U+FFFD."""
    cut = value[:longest] + "…" * (len(value) > longest)
    return cut.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def is_foreign_issuer(claims: Claims) -> bool:
    """Whether `iss` names another tenant than `tid`."""
    issuer = issuer_tenant(text(claims, "iss"))
    return issuer is not None and has(claims, "tid") and not same(issuer, text(claims, "tid"))
