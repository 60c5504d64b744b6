"""The signature, and where keys may come from."""

from __future__ import annotations

import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from shared.tokens import Request, TokenError, check_request, read_request
from shared.tokens.keys import allowed_keys_url
from shared.tokens.signature import keys_urls
from tests.tokens.key_server import RIGHT_KEY, WRONG_KEY, KeyServer, answer_of, public, signed, verified
from tests.tokens.samples import (
    GRAPH,
    NOW,
    PARTNER,
    STRANGER,
    Json,
    by_hand,
    part,
    user_token,
)


async def test_the_right_key_makes_the_signature_valid(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    assert await verified(signed(keys[RIGHT_KEY], user_token()), pages) == {
        "checked": True,
        "valid": True,
        "algorithm": "RS256",
        "reason": "Signed by Entra for this tenant.",
    }
    v2 = user_token(ver="2.0", iss=f"https://login.microsoftonline.com/{PARTNER}/v2.0")
    assert (await verified(signed(keys[RIGHT_KEY], v2), pages))["valid"] is True


async def test_no_key_is_asked_for_unless_the_request_says_so(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    token = read_request(signed(keys[RIGHT_KEY], user_token()).encode()).token
    answer = await check_request(Request(token), now=NOW, keys_at=[pages.url("/keys")])
    assert answer["signature"]["checked"] is False
    assert not pages.asked


async def test_another_key_or_a_changed_payload_does_not(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    good = signed(keys[RIGHT_KEY], user_token(amr=["pwd"]))
    header, _, signature = good.split(".")
    for token in (signed(keys[WRONG_KEY], user_token()), f"{header}.{part(user_token())}.{signature}"):
        answer = await verified(token, pages)
        assert (answer["checked"], answer["valid"]) == (True, False)
        assert "not that of the key" in answer["reason"]


async def test_a_failed_check_is_the_first_advice(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    token = read_request(signed(keys[WRONG_KEY], user_token(amr=["pwd"])).encode()).token
    answer = await check_request(Request(token, verify=True), now=NOW, keys_at=[pages.url("/keys")])
    assert answer["advice"][0].startswith("Do not trust this token")


async def test_an_unknown_key_id(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    answer = await verified(signed(keys[RIGHT_KEY], user_token(), kid="nobody's"), pages)
    assert (answer["checked"], answer["valid"]) == (True, False)
    assert "None of the tenant's keys" in answer["reason"]


async def test_a_government_key_is_found_where_the_global_cloud_has_not_got_it(
    keys: dict[str, RSAPrivateKey], pages: KeyServer
) -> None:
    """US Government's v1.0 tokens name the global cloud's issuer and are signed with keys of their own."""
    token = read_request(signed(keys[RIGHT_KEY], user_token()).encode()).token
    pages.answers |= {"/global": answer_of(public(keys[WRONG_KEY], "another")), "/government": pages.answers["/keys"]}
    for paths, valid in (
        (("/global", "/government"), True),
        (("/broken", "/government"), True),
        (("/global", "/global"), False),
        (("/global", "/broken"), None),  # what was not asked may have had it
        (("/broken", "/global"), None),
    ):
        request = Request(token, verify=True)
        answer = await check_request(request, now=NOW, keys_at=[pages.url(path) for path in paths])
        assert answer["signature"]["valid"] is valid, paths


@pytest.mark.parametrize(
    "claims",
    [
        user_token(iss=f"https://sts.windows.net/{STRANGER}/"),
        user_token(iss=f"https://sts.windows.net/{PARTNER}"),
        user_token(iss=f"http://sts.windows.net/{PARTNER}/"),
        user_token(iss=f"https://sts.evil.example/{PARTNER}/"),
        user_token(iss=f"https://login.microsoftonline.com/{PARTNER}/v2.0"),  # v2.0's issuer, ver 1.0
        user_token(ver="2.0"),
        user_token(ver=...),
        user_token(tid=...),
        user_token(tid="common", iss="https://sts.windows.net/common/"),
        user_token(tid=PARTNER + "\n", iss=f"https://sts.windows.net/{PARTNER}\n/"),
        user_token(tid="x/../..", iss="https://sts.windows.net/x/../../"),
        user_token(iss=7),
    ],
)
async def test_a_wrong_issuer_is_refused_without_asking_for_keys(
    claims: Json, keys: dict[str, RSAPrivateKey], pages: KeyServer
) -> None:
    answer = await verified(by_hand(claims), pages)
    assert (answer["checked"], answer["valid"]) == (True, False)
    assert "issuer" in answer["reason"]
    assert not pages.asked


async def test_only_rs256_counts_and_the_token_chooses_no_key(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    right = keys[RIGHT_KEY]
    for token in (
        signed(right, user_token(), "RS512"),
        jwt.encode(user_token(), "a secret of enough bytes for HS256, which is 32", "HS256", {"kid": RIGHT_KEY}),
        signed(right, user_token()).rpartition(".")[0] + ".",
        signed(right, user_token(), kid=...),
    ):
        assert (await verified(token, pages))["valid"] is False
    assert not pages.asked
    own_key: Json = {"jku": pages.url("/evil"), "x5u": pages.url("/evil"), "jwk": public(keys[WRONG_KEY])}
    assert (await verified(signed(keys[WRONG_KEY], user_token(), **own_key), pages))["valid"] is False
    assert pages.asked == {"/keys": 1}


async def test_what_cannot_be_checked_says_so(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    graph = await verified(signed(keys[RIGHT_KEY], user_token(aud=GRAPH), nonce="n"), pages)
    assert (graph["checked"], graph["valid"]) == (False, None)
    assert "nonce" in graph["reason"]
    claims = await verified(json.dumps(user_token()), pages)
    assert (claims["checked"], claims["valid"]) == (False, None)
    assert "Decoded claims" in claims["reason"]
    assert not pages.asked


@pytest.mark.parametrize(
    ("path", "time_out", "words"),
    [
        ("/redirect", 20.0, "did not answer 200"),
        ("/broken", 20.0, "did not answer 200"),
        ("/huge", 20.0, "too long"),
        ("/hang", 0.2, "in time"),
        ("/nothing", 20.0, "not a set of keys"),
    ],
)
async def test_keys_that_cannot_be_had(
    path: str, time_out: float, words: str, keys: dict[str, RSAPrivateKey], pages: KeyServer
) -> None:
    answer = await verified(signed(keys[RIGHT_KEY], user_token()), pages, path, time_out)
    assert (answer["checked"], answer["valid"]) == (False, None)
    assert words in answer["reason"]
    assert pages.arrived.wait(20)
    assert pages.asked == {path: 1}  # nor was a redirect followed


async def test_a_keys_page_that_is_not_there(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    url = pages.url("/keys")
    pages.close()
    request = Request(read_request(signed(keys[RIGHT_KEY], user_token()).encode()).token, verify=True)
    answer = (await check_request(request, now=NOW, keys_at=[url]))["signature"]
    assert (answer["checked"], answer["reason"]) == (False, "The keys page could not be reached.")


async def test_which_keys_count(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    right, token = keys[RIGHT_KEY], signed(keys[RIGHT_KEY], user_token())
    short = generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - too short on purpose
    shared_v2, shared_v1 = "https://login.microsoftonline.com/{tenantid}/v2.0", "https://sts.windows.net/{tenantid}/"
    for body, valid in (
        (answer_of(public(right, issuer=shared_v2)), True),
        (answer_of(public(right, issuer=shared_v1)), True),
        (answer_of(public(right, issuer=f"https://login.microsoftonline.com/{PARTNER}/v2.0")), True),
        (answer_of(public(right, issuer=f"https://login.microsoftonline.com/{STRANGER}/v2.0")), False),
        (answer_of(public(right, issuer=7)), False),
        (answer_of(public(right, use="enc")), False),
        (answer_of(public(right, alg="RS512")), False),
        (answer_of(public(right, kty="oct", k="c2VjcmV0")), False),
        (answer_of(public(right, n="!", e="AQAB")), False),
        (answer_of(public(right, n=7)), False),
        (answer_of({"kid": RIGHT_KEY, "kty": "RSA"}), False),
        (answer_of(), False),
        (answer_of(public(keys[WRONG_KEY]), public(right)), True),  # one id, two keys: either may be it
        (b'{"keys":[7,null,"x"]}', False),
        (b'{"keys":{}}', None),
        (b"[]", None),
        (b'{"keys":[],"keys":[]}', None),
        (b"\xff", None),
    ):
        pages.answers["/keys"] = body
        assert (await verified(token, pages))["valid"] is valid, body
    pages.answers["/keys"] = answer_of(public(short))
    with pytest.warns(jwt.InsecureKeyLengthWarning):
        weak = signed(short, user_token())
    assert (await verified(weak, pages))["valid"] is False


@pytest.mark.parametrize(
    ("issuer", "version", "urls"),
    [
        (
            "https://sts.windows.net/{}/",
            "1.0",
            "https://login.microsoftonline.com/{}/discovery/keys https://login.microsoftonline.us/{}/discovery/keys",
        ),
        ("https://sts.chinacloudapi.cn/{}/", "1.0", "https://login.partner.microsoftonline.cn/{}/discovery/keys"),
        (
            "https://login.microsoftonline.com/{}/v2.0",
            "2.0",
            "https://login.microsoftonline.com/{}/discovery/v2.0/keys",
        ),
        ("https://login.microsoftonline.us/{}/v2.0", "2.0", "https://login.microsoftonline.us/{}/discovery/v2.0/keys"),
        (
            "https://login.partner.microsoftonline.cn/{}/v2.0",
            "2.0",
            "https://login.partner.microsoftonline.cn/{}/discovery/v2.0/keys",
        ),
    ],
)
def test_keys_come_from_the_login_host_of_the_issuers_cloud(issuer: str, version: str, urls: str) -> None:
    token = read_request(by_hand(user_token(iss=issuer.format(PARTNER), ver=version)).encode()).token
    assert keys_urls(token) == tuple(url.format(PARTNER) for url in urls.split())


@pytest.mark.parametrize(
    ("url", "loopback", "allowed"),
    [
        (f"https://login.microsoftonline.com/{PARTNER}/discovery/keys", False, True),
        ("https://login.microsoftonline.us/common/discovery/keys", False, True),
        ("http://login.microsoftonline.com/common/discovery/keys", True, False),
        ("https://login.microsoftonline.com:444/keys", True, False),
        ("https://login.microsoftonline.com@evil.example/keys", True, False),
        ("https://user@login.microsoftonline.com/keys", True, False),
        ("https://login.microsoftonline.com.evil.example/keys", True, False),
        ("https://evil.example/login.microsoftonline.com", True, False),
        ("http://127.0.0.1:8080/keys", True, True),
        ("http://localhost/keys", True, True),
        ("http://[::1]:8080/keys", True, True),
        ("http://127.0.0.1:8080/keys", False, False),
        ("http://127.0.0.1.evil.example/keys", True, False),
        ("http://169.254.169.254/metadata", True, False),
        ("http://127.0.0.1:99999/keys", True, False),
        ("http://127.0.0.1@evil.example/", True, False),
        ("http://user@127.0.0.1/keys", True, False),
        ("http://[::1/keys", True, False),
        ("file:///etc/passwd", True, False),
        ("", True, False),
    ],
)
def test_where_keys_may_come_from(url: str, loopback: bool, allowed: bool) -> None:
    if allowed:
        assert allowed_keys_url(url, loopback=loopback) == url
    else:
        with pytest.raises(TokenError, match=r"^Keys are fetched only"):
            allowed_keys_url(url, loopback=loopback)
