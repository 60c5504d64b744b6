"""Bytes to a token or claims, strictly, without checking any signature.

No error holds a part of what was read, in its text, its cause or its context: each is raised outside the `except` that
noticed it, because the errors of json, base64 and PyJWT hold the input.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import jwt

MAX_BYTES = 64 * 1024
"""The most that is read. Entra keeps tokens below what fits an HTTP header; this leaves ample room."""

_MAX_AUDIENCE = 512
_ENVELOPE = frozenset({"token", "claims", "expectAudience", "verify"})
_TOKEN_ANSWER = frozenset({"access_token", "accessToken", "id_token", "refresh_token"})
_COMPACT = re.compile(r"[A-Za-z0-9_.=-]+")
_PREFIX = re.compile(r"(?:authorization\s*:\s*)?bearer\s+", re.IGNORECASE)
_BEHIND_CLAIMS = re.compile(r"\s*(?:\.\s*(?:\[signature\])?)?\s*", re.IGNORECASE)  # as jwt.ms ends them
_SPACE = re.compile(r"[ \t\n\r]*")


class TokenError(Exception):
    """What was handed in cannot be read. The text is one constant sentence that says why."""


class _RefusedError(ValueError):
    """JSON that Python's reader takes and this one does not. The text is a constant sentence."""


@dataclass(frozen=True, repr=False)  # no repr: it would show the token
class Token:
    """A token that was read, or claims that somebody decoded. Nothing in it was verified."""

    claims: Mapping[str, object]
    header: Mapping[str, object] | None = None  # None where only claims were handed in
    compact: str | None = None  # the token as it was written, for the signature


@dataclass(frozen=True, repr=False)
class Request:
    """What is asked: a token, the audience it should have (None: Partner Center's), whether to check its signature."""

    token: Token
    expect_audience: str | None = None
    verify: bool = False


def read_request(data: bytes) -> Request:
    """Reads a token, claims as a JSON object, or `{"token" | "claims", "expectAudience"?, "verify"?}`.

    In: at most MAX_BYTES of UTF-8. A byte-order mark, white space and quotes round it and a "Bearer " before the token
    are fine; so are header and claims decoded, with a dot between them, as jwt.ms shows them. Raises TokenError.
    """
    text = _text_of(data)
    if not text.startswith("{"):
        return Request(read_token(text))
    body, end = _object_at(text, 0, "The input")
    if (dot := _SPACE.match(text, end)) and text.startswith(".", dot.end()):
        return Request(Token(claims=_claims_behind_header(text, dot.end() + 1)))
    _nothing_behind(text, end, "The input")
    if "token" in body or "claims" in body:
        return _envelope(body)
    if body.keys() & _TOKEN_ANSWER:
        raise TokenError("This is the whole answer of a token request: hand in only the access token in it.")
    return Request(Token(claims=body))


def _text_of(data: bytes) -> str:
    """The input as text, without white space round it. Raises TokenError where it is none, or nothing."""
    if len(data) > MAX_BYTES:
        raise TokenError("The input is longer than 64 KiB; no access token is.")
    try:
        text: str | None = data.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = None
    if text is None:
        raise TokenError("The input is not UTF-8 text.")
    if not text:
        raise TokenError("The input is empty: hand in an access token, or its claims as a JSON object.")
    return text


def expected_audience(text: str) -> str:
    """The audience that somebody expects, without white space round it. Raises TokenError if empty or too long."""
    text = text.strip()
    if not 0 < len(text) <= _MAX_AUDIENCE:
        raise TokenError("The expected audience must be a URL or an application id of at most 512 characters.")
    return text


def read_token(text: str) -> Token:
    """Reads a token in the compact form (RFC 7515), signed or not. Raises TokenError."""
    text = _undressed(text)
    if not _COMPACT.fullmatch(text):
        raise TokenError(
            "The input is neither an access token nor a JSON object: it holds characters that no token has."
        )
    parts = text.split(".")
    if len(parts) == 5:
        raise TokenError("The token is encrypted (five parts): only the resource that it is for can read it.")
    if len(parts) != 3:
        raise TokenError("The token does not have the three parts, divided by dots, of a JSON Web Token.")
    header_text, payload_text = _decoded(text, parts[0])
    # Read again, strictly: PyJWT takes members named twice and NaN.
    header = parse_object(header_text, "The token's header")
    if str(header.get("alg")).casefold() == "none":
        raise TokenError(
            "The token is not signed (its header says alg none), so it is no access token: anybody can write such a"
            " token. To have claims judged all the same, hand in the claims as a JSON object."
        )
    return Token(claims=parse_object(payload_text, "The token's payload"), header=header, compact=text)


def _undressed(text: str) -> str:
    """Without quotes, as command lines and programs print them, and without "Bearer "."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1].strip()
    return _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text


def _decoded(text: str, header: str) -> tuple[str, str]:
    """The texts of header and payload. Raises TokenError."""
    try:
        decoded = jwt.PyJWS().decode_complete(text, options={"verify_signature": False})
        return jwt.utils.base64url_decode(header).decode("utf-8"), decoded["payload"].decode("utf-8")
    except (jwt.PyJWTError, ValueError):
        pass
    raise TokenError(
        "The token is not a readable JSON Web Token: its parts are not base64url text of UTF-8 JSON, or its header"
        " is not valid (refresh tokens and authorization codes cannot be read)."
    )


def parse_object(text: str, what: str) -> dict[str, object]:
    """Parses a JSON object strictly: no member named twice, no NaN or infinite number, no overlong integer.

    `what` begins the sentence of the TokenError that it raises.
    """
    value, end = _object_at(text, 0, what)
    _nothing_behind(text, end, what)
    return value


def _object_at(text: str, start: int, what: str) -> tuple[dict[str, object], int]:
    """The object that begins there, behind white space, and where it ends."""
    problem = f"{what} is not JSON."
    space = _SPACE.match(text, start)
    try:
        found: tuple[object, int] = _DECODER.raw_decode(text, space.end() if space else start)
    except _RefusedError as refusal:
        problem = f"{what} {refusal}"
    except ValueError:
        pass
    except RecursionError:
        problem = f"{what} is nested too deeply."
    else:
        value, end = found
        if isinstance(value, dict):
            return value, end
        problem = f"{what} is not a JSON object."
    raise TokenError(problem)


def _nothing_behind(text: str, end: int, what: str) -> None:
    if not _SPACE.fullmatch(text, end):
        raise TokenError(f"{what} is not JSON.")


def _claims_behind_header(text: str, start: int) -> dict[str, object]:
    claims, end = _object_at(text, start, "The part behind the header")
    if not _BEHIND_CLAIMS.fullmatch(text, end):
        raise TokenError("The input holds something behind its claims that is no signature.")
    return claims


def _envelope(body: Mapping[str, object]) -> Request:
    if not body.keys() <= _ENVELOPE or ("token" in body) == ("claims" in body):
        raise TokenError(
            "A request holds either token or claims, and besides only expectAudience and verify; this one does not."
        )
    audience, verify = body.get("expectAudience"), body.get("verify")
    if audience is not None and not isinstance(audience, str):
        raise TokenError("expectAudience must be text.")
    if verify is not None and not isinstance(verify, bool):
        raise TokenError("verify must be true or false.")
    return Request(
        token=_token_of(body),
        expect_audience=None if audience is None else expected_audience(audience),
        verify=bool(verify),
    )


def _token_of(body: Mapping[str, object]) -> Token:
    if "claims" in body:
        claims = body["claims"]
        if not isinstance(claims, dict):
            raise TokenError("claims must be a JSON object.")
        return Token(claims=claims)
    token = body["token"]
    if not isinstance(token, str):
        raise TokenError("token must be text.")
    return read_token(token)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _RefusedError("names a member twice, so that readers may disagree about it.")
    return members


def _no_constant(_: str) -> object:
    raise _RefusedError("holds a number that JSON does not have (NaN or Infinity).")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _RefusedError("holds a number that is too large.")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
