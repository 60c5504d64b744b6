"""What is read, and what unreadable input gets."""

from __future__ import annotations

import json

import jwt
import pytest

from shared.tokens import MAX_BYTES, TokenError, check, read_request
from tests.tokens.samples import (
    GRAPH,
    NOW,
    by_hand,
    judged,
    part,
    user_token,
)


def test_tokens_of_pyjwt_and_by_hand_are_read_alike() -> None:
    claims = user_token()
    keyed = jwt.encode(claims, "a secret of enough bytes for HS256, which is 32", algorithm="HS256")
    for token in (keyed, by_hand(claims), json.dumps(claims)):
        assert read_request(token.encode()).token.claims == claims


@pytest.mark.parametrize(
    "dressed",
    [
        "{}",
        "Bearer {}",
        "bearer  {}",
        " \r\n{}\n\n",
        "\ufeff{}",
        '"{}"',
        "'{}'",
        '\n "Bearer {}" \n',
        "\ufeff Bearer\u0020{}",
        "Authorization: Bearer {}",
    ],
)
def test_a_prefix_white_space_quotes_and_a_mark_are_fine(dressed: str) -> None:
    token = by_hand(user_token())
    assert read_request(dressed.replace("{}", token).encode()).token.compact == token


def test_a_token_whose_signature_was_cut_off_is_read_and_told() -> None:
    """As people do before they hand a token to somebody else."""
    token = by_hand(user_token()).rpartition(".")[0] + "."
    answer = check(read_request(token.encode()).token, now=NOW)
    assert answer["partnerCenter"]["accepted"]
    assert answer["partnerCenter"]["ifGenuine"]
    assert "If the token is genuine" in answer["partnerCenter"]["reason"]
    assert answer["signature"]["checked"] is False
    assert "not signed" in answer["signature"]["reason"]


@pytest.mark.parametrize("behind", ["", ".[Signature]", "\n.\n[Signature]\n", "."])
def test_header_and_claims_as_jwt_ms_shows_them(behind: str) -> None:
    claims = user_token(note="}.{")
    text = f"{json.dumps({'typ': 'JWT', 'alg': 'RS256'}, indent=2)}.{json.dumps(claims, indent=2)}{behind}"
    token = read_request(text.encode()).token
    assert (token.claims, token.header) == (claims, None)
    assert read_request(json.dumps(claims).encode()).token.claims == claims


def test_an_unasked_signature_check_is_told() -> None:
    answer = check(read_request(by_hand(user_token()).encode()).token, now=NOW)
    assert answer["signature"] == {
        "checked": False,
        "valid": None,
        "algorithm": "RS256",
        "reason": "The signature was not checked: nobody asked for it.",
    }
    assert judged(user_token())["signature"]["reason"].startswith("Decoded claims have no signature")


def test_a_request_body_holds_a_token_or_claims_and_options() -> None:
    token = by_hand(user_token())
    full = read_request(
        json.dumps({"token": f"Bearer {token}", "expectAudience": f" {GRAPH} ", "verify": True}).encode()
    )
    assert (full.token.compact, full.expect_audience, full.verify) == (token, GRAPH, True)
    bare = read_request(json.dumps({"claims": user_token(), "expectAudience": None, "verify": None}).encode())
    assert (bare.token.claims, bare.expect_audience, bare.verify) == (user_token(), None, False)


UNREADABLE: dict[str, bytes | str] = {
    "nothing": b"",
    "white space": b" \n\t ",
    "too long": b"a" * (MAX_BYTES + 1),
    "not UTF-8": b"\xff\xfe\x00e",
    "UTF-16": by_hand(user_token()).encode("utf-16"),
    "NUL": by_hand(user_token()).encode() + b"\x00",
    "NUL within": by_hand(user_token()).encode().replace(b".", b".\x00", 1),
    "not base64": "!!!.???.***",
    "two parts": "eyJhbGciOiJub25lIn0.e30",
    "one part": "eyJhbGciOiJub25lIn0",
    "four parts": "e30.e30.e30.e30",
    "encrypted": "e30.e30.e30.e30.e30",
    "alg none": f"{part({'alg': 'none'})}.{part(user_token())}.",
    "alg none, signed": by_hand(user_token(), {"alg": "none"}),
    "alg NoNe": f"{part({'alg': 'NoNe', 'typ': 'JWT'})}.{part(user_token())}.",
    "alg none of PyJWT": jwt.encode(user_token(), "", algorithm="none"),
    "decoded, more behind": json.dumps({"alg": "RS256"}) + "." + json.dumps(user_token()) + ".more",
    "decoded, named twice": '{"alg":"RS256"}.{"amr":["mfa"],"amr":["pwd"]}.[Signature]',
    "decoded, claims cut off": '{"alg":"RS256"}.{"amr":',
    "two objects": "{}{}",
    "bad padding": by_hand(user_token())[:-1] + "=====",
    "length no base64 has": f"{part({'alg': 'none'})}.A.",
    "line break within": by_hand(user_token()).replace(".", ".\n", 1),
    "header no JSON": f"{part(b'nothing')}.{part({})}.",
    "header an array": f"{part([])}.{part({})}.",
    "header not UTF-8": f"{part(b'\xff')}.{part({})}.",
    "header UTF-16": f"{part(json.dumps({'alg': 'none'}).encode('utf-16'))}.{part({})}.",
    "header names twice": f"{part(b'{"alg":"RS256","alg":"none"}')}.{part({})}.",
    "header kid a number": by_hand({}, {"alg": "RS256", "kid": 7}),
    "header crit": by_hand({}, {"alg": "RS256", "crit": ["x"], "x": 1}),
    "header b64 false": by_hand({}, {"alg": "RS256", "b64": False, "crit": ["b64"]}),
    "payload no JSON": by_hand(b"nothing"),
    "payload empty": f"{part({'alg': 'none'})}..",
    "payload a text": by_hand("claims"),
    "payload null": by_hand(b"null"),
    "payload not UTF-8": by_hand(b'{"aud":"\xff"}'),
    "payload with a mark": by_hand(b"\xef\xbb\xbf{}"),
    "payload names twice": by_hand(b'{"amr":["mfa"],"amr":["pwd"]}'),
    "payload names twice, deep": by_hand(b'{"a":{"b":1,"b":1}}'),
    "payload names twice, escaped": by_hand(b'{"amr":["mfa"],"\\u0061mr":["pwd"]}'),
    "payload NaN": by_hand(b'{"exp":NaN}'),
    "payload Infinity": by_hand(b'{"exp":-Infinity}'),
    "payload overflow": by_hand(b'{"exp":1e999}'),
    "payload overlong integer": by_hand(b'{"exp":' + b"9" * 5000 + b"}"),
    "payload deep": by_hand(b'{"a":' + b"[" * 20000),
    "claims deep": b'{"a":' + b'{"a":' * 12000,
    "claims names twice": b'{"aud":"a","aud":"b"}',
    "claims cut off": b'{"aud":"a"',
    "claims raw NUL": b'{"aud":"a\x00"}',
    "claims NaN": b'{"exp":NaN}',
    "array": b"[]",
    "token answer": json.dumps({"access_token": by_hand(user_token()), "token_type": "Bearer"}),
    "request: both": json.dumps({"token": "e30.e30.", "claims": {}}),
    "request: more": json.dumps({"token": by_hand({}), "tenant": "x"}),
    "request: token a number": json.dumps({"token": 7}),
    "request: token empty": json.dumps({"token": ""}),
    "request: claims a text": json.dumps({"claims": "{}"}),
    "request: claims null": json.dumps({"claims": None}),
    "request: audience a list": json.dumps({"claims": {}, "expectAudience": []}),
    "request: audience empty": json.dumps({"claims": {}, "expectAudience": " "}),
    "request: audience too long": json.dumps({"claims": {}, "expectAudience": "x" * 513}),
    "request: verify a text": json.dumps({"claims": {}, "verify": "true"}),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_unreadable_input_is_one_sentence_that_holds_nothing_of_it(name: str) -> None:
    data = UNREADABLE[name]
    with pytest.raises(TokenError) as caught:
        read_request(data if isinstance(data, bytes) else data.encode())
    error = caught.value
    assert str(error).endswith((".", ")."))
    assert error.__cause__ is None
    assert error.__context__ is None
    assert part(user_token())[:12] not in str(error)


def test_what_is_read_never_shows_itself() -> None:
    token = by_hand(user_token())
    request = read_request(token.encode())
    for text in (repr(request), str(request), repr(request.token), f"{request.token}"):
        assert not any(piece[:12] in text for piece in token.split("."))
        assert "jane" not in text
