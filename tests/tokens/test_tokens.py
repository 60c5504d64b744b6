"""The access token check: what a token is, the MFA gate, the signature, and what unreadable input gets."""

from __future__ import annotations

import base64
import http.server
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import azure.functions as func
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from functions.token_check import token_check
from shared.app.app import App
from shared.app.settings import load_settings
from shared.tokens import MAX_BYTES, Request, Signature, TokenCheck, TokenError, check, check_request, read_request
from shared.tokens.keys import MAX_KEYS_BYTES, allowed_keys_url
from shared.tokens.signature import keys_urls, not_checked

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PARTNER = "aaaaaaaa-0000-4000-8000-000000000001"
CUSTOMER = "bbbbbbbb-0000-4000-8000-000000000002"
STRANGER = "cccccccc-0000-4000-8000-000000000003"
PARTNER_CENTER = "https://api.partnercenter.microsoft.com"
PARTNER_CENTER_APP = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
GRAPH = "https://graph.microsoft.com"
UNUSED_STORAGE = "AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:1/a"

type Json = dict[str, object]


def seconds(delta: timedelta) -> int:
    return int((NOW + delta).timestamp())


def changed(claims: Mapping[str, object], changes: Mapping[str, object]) -> Json:
    """The claims with the changes; a change to `...` takes the claim away."""
    return {name: value for name, value in {**claims, **changes}.items() if value is not ...}


def user_token(**changes: object) -> Json:
    """Claims of a v1.0 App+User token for Partner Center with MFA, in the partner's own tenant."""
    claims: Json = {
        "aud": PARTNER_CENTER,
        "iss": f"https://sts.windows.net/{PARTNER}/",
        "iat": seconds(timedelta(minutes=-5)),
        "nbf": seconds(timedelta(minutes=-5)),
        "exp": seconds(timedelta(hours=1)),
        "acr": "1",
        "amr": ["pwd", "mfa"],
        "appid": "11111111-0000-4000-8000-000000000001",
        "appidacr": "1",
        "oid": "22222222-0000-4000-8000-000000000001",
        "sub": "pairwise-subject",
        "scp": "user_impersonation",
        "tid": PARTNER,
        "name": "Jane Roe",
        "unique_name": "jane@contoso.example",
        "ipaddr": "192.0.2.7",
        "ver": "1.0",
        "wids": ["62e90394-69f5-4237-9190-012177145e10"],
    }
    return changed(claims, changes)


def app_token(**changes: object) -> Json:
    """Claims of a v1.0 app-only token for Partner Center, as it is issued: no scp, oid and sub the same."""
    principal = "33333333-0000-4000-8000-000000000001"
    claims: Json = {
        "aud": PARTNER_CENTER,
        "iss": f"https://sts.windows.net/{PARTNER}/",
        "idp": f"https://sts.windows.net/{PARTNER}/",
        "exp": seconds(timedelta(hours=1)),
        "appid": "11111111-0000-4000-8000-000000000001",
        "appidacr": "2",
        "oid": principal,
        "sub": principal,
        "tid": PARTNER,
        "ver": "1.0",
    }
    return changed(claims, changes)


def id_token(**changes: object) -> Json:
    claims: Json = {
        "aud": "11111111-0000-4000-8000-000000000001",
        "iss": f"https://login.microsoftonline.com/{PARTNER}/v2.0",
        "exp": seconds(timedelta(hours=1)),
        "nonce": "n-0S6_WzA2Mj",
        "name": "Jane Roe",
        "oid": "22222222-0000-4000-8000-000000000001",
        "sub": "pairwise-subject",
        "tid": PARTNER,
        "ver": "2.0",
    }
    return changed(claims, changes)


def customer_token(**changes: object) -> Json:
    """A partner's technician in a customer's tenant: idp names the home."""
    there: Json = {
        "tid": CUSTOMER,
        "iss": f"https://sts.windows.net/{CUSTOMER}/",
        "idp": f"https://sts.windows.net/{PARTNER}/",
    }
    return user_token(**{**there, **changes})


def judged(claims: Mapping[str, object], *, expect: str | None = None, partner: str | None = None) -> TokenCheck:
    request = read_request(json.dumps(claims).encode())
    return check(request.token, now=NOW, expect_audience=expect, partner_tenant_id=partner)


def part(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def by_hand(claims: object, header: object = None, signature: bytes = b"no signature at all") -> str:
    return f"{part(header or {'typ': 'JWT', 'alg': 'RS256', 'kid': 'k1'})}.{part(claims)}.{part(signature)}"


# --- what the token is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "kind"),
    [
        (user_token(), "app+user"),
        (user_token(ver="2.0", amr=..., appid=..., azp="a", azpacr="0", appidacr=...), "app+user"),
        (user_token(scp=["user_impersonation"]), "app+user"),
        (user_token(scp=..., idtyp="user"), "app+user"),
        (user_token(scp=...), "app+user"),
        (user_token(roles=["Admin"]), "app+user"),
        (app_token(), "app-only"),
        (app_token(idtyp="app"), "app-only"),
        (app_token(sub=..., oid=..., appidacr=..., roles=["Directory.Read.All"]), "app-only"),
        (app_token(scp=""), "app-only"),
        ({"aud": PARTNER_CENTER, "idtyp": "app"}, "app-only"),
        (app_token(appid=..., appidacr=..., azp="a", azpacr="1", ver="2.0"), "app-only"),
        (id_token(), "id-token"),
        (id_token(nonce=...), "id-token"),
        (id_token(nonce=..., at_hash="h", azp="a"), "id-token"),
        (id_token(nonce=..., name=..., c_hash="h"), "id-token"),
        # Signs that contradict each other never make it app-only, which would need no MFA.
        (app_token(idtyp="app", scp="user_impersonation"), "unknown"),
        (app_token(idtyp="app", amr=["pwd"]), "unknown"),
        (app_token(appidacr="0"), "unknown"),
        (app_token(sub="somebody"), "unknown"),
        (app_token(appid=...), "unknown"),
        (user_token(at_hash="h"), "unknown"),
        (app_token(idtyp="device"), "unknown"),
        (app_token(idtyp=True), "unknown"),
        (app_token(scp=7), "unknown"),
        (app_token(scp={"user_impersonation": True}), "unknown"),
        ({"appid": "a"}, "unknown"),
        ({"amr": ["mfa"]}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_kind(claims: Json, kind: str) -> None:
    answer = judged(claims)
    assert answer["kind"] == kind
    if kind in ("unknown", "id-token"):
        assert not answer["partnerCenter"]["accepted"]


@pytest.mark.parametrize("claims", [app_token(amr=["pwd"]), app_token(upn="x@y.example"), app_token(altsecid="5::1")])
def test_any_sign_of_a_user_keeps_a_token_from_being_app_only(claims: Json) -> None:
    assert judged(claims)["kind"] == "app+user"
    assert not judged(claims)["partnerCenter"]["accepted"]


# --- MFA and the gate -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amr", "mfa"),
    [
        (["pwd", "mfa"], "present"),
        (["mfa"], "present"),
        (["ngcmfa", "mfa"], "present"),
        ("pwd mfa", "present"),
        ("mfa", "present"),
        (["pwd"], "absent"),
        ("pwd", "absent"),
        ([], "absent"),
        (["MFA"], "absent"),  # values are compared exactly
        (["xmfa", "mfax"], "absent"),
        (["pwd", "ngcmfa"], "cannot-tell"),
        (["mfa", 1], "cannot-tell"),
        (["mfa", None], "cannot-tell"),
        ([["mfa"]], "cannot-tell"),
        ({"mfa": True}, "cannot-tell"),
        (True, "cannot-tell"),
        (7, "cannot-tell"),
        (None, "cannot-tell"),
    ],
)
def test_amr(amr: object, mfa: str) -> None:
    answer = judged(user_token(amr=amr))
    assert answer["mfa"] == mfa
    gate = answer["partnerCenter"]
    assert gate["accepted"] == (mfa == "present")
    assert gate["status"] == (200 if mfa == "present" else 401)


def test_app_user_without_mfa_gets_the_documented_refusal() -> None:
    assert judged(user_token(amr=["pwd"]))["partnerCenter"] == {
        "accepted": False,
        "ifGenuine": False,
        "status": 401,
        "reason": "MFA required",
        "header": {"WWW-Authenticate": 'Bearer error="invalid_token"'},
        "errorCode": "900421",
        "errorCodeSource": "secondary sources (partners' blogs of 2026), not Microsoft's own reference",
    }


def test_a_v1_token_without_amr_says_no_mfa_and_a_v2_token_says_nothing() -> None:
    assert judged(user_token(amr=...))["mfa"] == "absent"
    issuer = f"https://login.microsoftonline.com/{PARTNER}/v2.0"
    for claims in (
        user_token(amr=..., ver="2.0", iss=issuer),
        user_token(amr=..., ver=..., iss=issuer),  # the issuer tells the version
        user_token(amr=..., ver=..., iss=..., appid=..., appidacr=..., azp="a"),  # the client's claim does
        {"aud": PARTNER_CENTER, "scp": "user_impersonation"},  # nothing does
    ):
        answer = judged(claims)
        assert answer["mfa"] == "cannot-tell"
        assert answer["partnerCenter"]["reason"].startswith("MFA required: ")
        assert any("v1.0" in line for line in answer["advice"])


def test_ngcmfa_alone_is_refused_and_says_why() -> None:
    answer = judged(user_token(amr=["pwd", "ngcmfa"]))
    assert (answer["mfa"], answer["partnerCenter"]["status"]) == ("cannot-tell", 401)
    assert "ngcmfa alone is not known to pass" in answer["partnerCenter"]["reason"]
    assert any("ngcmfa" in line for line in answer["advice"])


def test_app_only_needs_no_mfa() -> None:
    answer = judged(app_token())
    assert (answer["mfa"], answer["partnerCenter"]["status"], answer["advice"]) == ("not-required", 200, [])


@pytest.mark.parametrize(
    ("audience", "expect", "accepted"),
    [
        (PARTNER_CENTER, None, True),
        (PARTNER_CENTER + "/", None, True),
        (PARTNER_CENTER.replace("api", "API"), None, True),
        (PARTNER_CENTER_APP, None, True),
        (PARTNER_CENTER_APP.upper(), None, True),
        (PARTNER_CENTER_APP, PARTNER_CENTER, True),  # two names of one resource
        (PARTNER_CENTER, PARTNER_CENTER + "/", True),
        (GRAPH, None, False),
        (PARTNER_CENTER + ".evil.example", None, False),
        (PARTNER_CENTER + "//", None, False),
        (PARTNER_CENTER.replace("https", "http"), None, False),
        (GRAPH, GRAPH + "/", True),
        (PARTNER_CENTER, GRAPH, False),
        (None, None, False),
        ([PARTNER_CENTER], None, True),
        ([GRAPH, PARTNER_CENTER + "/"], None, True),  # a list may hold it, as for every reader of RFC 7519
        ([GRAPH], None, False),
        ([], None, False),
        ([PARTNER_CENTER, 7], None, False),
        ({PARTNER_CENTER: 1}, None, False),
        (f"{GRAPH} {PARTNER_CENTER}", None, False),
    ],
)
def test_audience(audience: object, expect: str | None, accepted: bool) -> None:
    gate = judged(user_token(aud=audience), expect=expect)["partnerCenter"]
    assert gate["accepted"] is accepted
    assert accepted or (gate["reason"].startswith("Wrong audience") and gate["errorCode"] is None)


def test_a_wrong_audience_is_told_before_missing_mfa_and_for_app_only_too() -> None:
    assert judged(user_token(aud=GRAPH, amr=["pwd"]))["partnerCenter"]["reason"].startswith("Wrong audience")
    answer = judged(app_token(aud=GRAPH))
    assert answer["audience"] == GRAPH
    assert answer["partnerCenter"]["status"] == 401
    assert any("resource or scope" in line for line in answer["advice"])


def test_an_id_token_is_refused_whatever_it_says_of_mfa() -> None:
    answer = judged(id_token(aud=PARTNER_CENTER_APP, amr=["pwd", "mfa"]))
    assert (answer["kind"], answer["mfa"]) == ("id-token", "present")
    assert answer["partnerCenter"]["reason"] == "An ID token is not an access token."
    assert judged(id_token())["mfa"] == "cannot-tell"


@pytest.mark.parametrize(
    ("amr", "word"), [(["pwd"], "Secure Application Model"), (["fed"], "multipleauthn"), (["wia"], "multipleauthn")]
)
def test_advice_says_what_to_change(amr: list[str], word: str) -> None:
    advice = " ".join(judged(user_token(amr=amr))["advice"])
    assert word in advice
    assert "interactively" in advice
    assert ("multipleauthn" in advice) == (amr != ["pwd"])
    assert judged(user_token())["advice"] == []


# --- times, tenants, claims -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exp", "nbf", "expired", "early"),
    [
        (1, -1, False, False),
        (0, 0, True, False),  # exp is the first second in which it is refused, nbf the first in which it is good
        (-1, -2, True, False),
        (2, 1, False, True),
        (..., ..., None, None),
    ],
)
def test_outside_its_time_a_token_is_refused(
    exp: object, nbf: object, expired: bool | None, early: bool | None
) -> None:
    at = [seconds(timedelta(seconds=time)) if isinstance(time, int) else time for time in (exp, nbf)]
    answer = judged(user_token(exp=at[0], nbf=at[1]))
    assert (answer["expired"], answer["notYetValid"]) == (expired, early)
    gate = answer["partnerCenter"]
    assert gate["accepted"] is not (expired or early or False)
    assert gate["accepted"] or gate["reason"] == (
        "The token has expired." if expired else "The token is not valid yet."
    )
    assert len(answer["advice"]) == bool(expired) + bool(early)
    assert len(answer["notes"]) == (expired is None)


def test_what_no_token_is_comes_before_its_time_and_mfa() -> None:
    """Whoever reads `accepted` alone must not be told yes of a token that Entra did not issue."""
    failed: Signature = {**not_checked(read_request(by_hand(user_token()).encode()).token, "x"), "valid": False}
    forged = check(read_request(by_hand(user_token()).encode()).token, now=NOW, signature=failed)["partnerCenter"]
    assert (forged["accepted"], forged["status"]) == (False, 401)
    assert "signature check failed" in forged["reason"]
    foreign = judged(user_token(iss=f"https://sts.windows.net/{STRANGER}/"))["partnerCenter"]
    assert (foreign["accepted"], foreign["reason"]) == (
        False,
        "iss and tid name different tenants: Entra issues no such token.",
    )


def test_the_command_says_by_its_exit_code_whether_the_token_is_taken(keys: dict[str, RSAPrivateKey]) -> None:
    for exp, code, line in (
        (4102444800, 0, b"Accepted: App+User with MFA"),
        (1700000000, 1, b"Refused (401): The token has"),
    ):
        result = run(signed(keys[RIGHT_KEY], user_token(nbf=..., iat=..., exp=exp)).encode())
        assert (result.returncode, result.stderr.startswith(line)) == (code, True), result.stderr
        assert json.loads(result.stdout)["partnerCenter"]["accepted"] is (code == 0)


def test_times_may_have_fractions() -> None:
    answer = judged(user_token(exp=seconds(timedelta(0)) + 1.75, nbf=float(seconds(timedelta(0)))))
    assert (answer["expired"], answer["notYetValid"]) == (False, False)
    assert answer["claims"]["exp"] == seconds(timedelta(seconds=1))


def test_of_several_audiences_the_one_that_fits_is_told() -> None:
    assert judged(user_token(aud=[GRAPH, PARTNER_CENTER]))["audience"] == PARTNER_CENTER
    answer = judged(user_token(aud=[GRAPH, STRANGER]))
    assert (answer["audience"], answer["claims"]["aud"]) == (GRAPH, [GRAPH, STRANGER])


@pytest.mark.parametrize("name", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", ["1793491200", True, -1, -0.5, 253402300799.5, 10**30, [], {}])
def test_a_time_that_is_none_is_an_error(name: str, value: object) -> None:
    with pytest.raises(TokenError, match=f"^The claim {name} is not a time"):
        judged(user_token(**{name: value}))


@pytest.mark.parametrize(
    ("claims", "partner", "delegated"),
    [
        (customer_token(), PARTNER, CUSTOMER),
        (customer_token(), None, CUSTOMER),
        (customer_token(), PARTNER.upper(), CUSTOMER),
        (customer_token(idp=f"https://login.microsoftonline.com/{PARTNER}/v2.0"), PARTNER, CUSTOMER),
        (customer_token(idp=f"https://sts.windows.net/{STRANGER}/"), PARTNER, None),  # somebody else's guest
        (customer_token(idp="live.com"), PARTNER, None),
        (customer_token(idp=f"https://sts.evil.example/{PARTNER}/"), None, None),
        (customer_token(idp=f"https://sts.windows.net/{CUSTOMER}/"), PARTNER, None),  # the customer's own user
        (customer_token(idp=...), PARTNER, None),
        (customer_token(idp=..., altsecid="5::10030000A0B1C2D3"), PARTNER, CUSTOMER),
        (customer_token(idp=..., altsecid="5::10030000A0B1C2D3"), None, None),
        (customer_token(idp=..., altsecid="1:live.com:0003"), PARTNER, None),
        (customer_token(idp=..., iss=f"https://sts.windows.net/{PARTNER}/"), PARTNER, CUSTOMER),
        (customer_token(idp=7), PARTNER, None),
        (customer_token(tid=...), PARTNER, CUSTOMER),  # the issuer names the tenant too
        (user_token(), PARTNER, None),
        (user_token(), None, None),
        (app_token(tid=CUSTOMER), PARTNER, None),  # an application has its own rights, not a delegated admin's
    ],
)
def test_delegated_to(claims: Json, partner: str | None, delegated: str | None) -> None:
    answer = judged(claims, partner=partner)
    assert answer["delegatedTo"] == delegated
    assert any("B2B guest" in note for note in answer["notes"]) == (delegated is not None)


def test_tenants_that_differ_are_noted() -> None:
    answer = judged(user_token(iss=f"https://sts.windows.net/{STRANGER}/"))
    assert answer["tenantId"] == PARTNER
    assert answer["notes"] == ["iss and tid name different tenants; Entra issues no such token."]


def test_only_the_safe_claims_are_shown_and_names_are_not() -> None:
    answer = judged(user_token(upn="jane@contoso.example", email="jane@contoso.example", groups=["secret-group"]))
    assert answer["claims"] == {
        name: value for name, value in user_token().items() if name not in ("name", "unique_name", "ipaddr", "sub")
    }
    assert not {"Jane", "contoso", "192.0.2", "secret-group"} & set(json.dumps(answer).replace("@", " ").split())
    assert "contoso" not in json.dumps(answer)


def test_sizes_are_capped_and_wrong_types_named() -> None:
    long = judged(user_token(idp="x" * 9000, roles=["r" * 200] * 51, scp="s" * 9000, oid={"a": 1}, wids=7, acr=1))
    assert long["claims"]["idp"] == "x" * 512 + "…"
    assert long["claims"]["scp"] == "s" * 2048 + "…"
    assert long["claims"]["roles"] == ["r" * 128 + "…"] * 50 + ["…"]
    assert long["unreadableClaims"] == ["oid", "acr", "wids"]
    assert not {"oid", "acr", "wids"} & long["claims"].keys()


def test_hostile_text_stays_plain_text() -> None:
    hostile = "<script>alert(1)</script>\x00\x1b[2J\u202e\ud800"
    answer = judged(user_token(appid=hostile, tid=hostile))
    text = "<script>alert(1)</script>\x00\x1b[2J\u202e\ufffd"
    assert (answer["claims"]["appid"], answer["tenantId"]) == (text, text)
    assert "\x1b" not in json.dumps(answer)


# --- reading ----------------------------------------------------------------------------------------------------------


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


# --- the signature ----------------------------------------------------------------------------------------------------

RIGHT_KEY, WRONG_KEY = "right-key", "wrong-key"


@pytest.fixture(scope="module")
def keys() -> dict[str, RSAPrivateKey]:
    return {name: generate_private_key(public_exponent=65537, key_size=2048) for name in (RIGHT_KEY, WRONG_KEY)}


def public(key: RSAPrivateKey, kid: str = RIGHT_KEY, **more: object) -> Json:
    return {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig", **more}


def answer_of(*keys_: Json) -> bytes:
    return json.dumps({"keys": keys_}).encode()


class KeyServer:
    """A real keys page on this machine, with the ways in which one can misbehave."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()
        self.arrived, self.let_go = threading.Event(), threading.Event()
        pages = self

        class Page(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                pages.asked[self.path] += 1
                pages.arrived.set()
                if self.path == "/hang":
                    pages.let_go.wait()
                    return
                status = {"/redirect": 302, "/broken": 500}.get(self.path, 200)
                body = pages.answers.get(self.path, b"")
                self.send_response(status)
                if self.path == "/redirect":
                    self.send_header("Location", "/keys")
                if self.path == "/huge":
                    body = b" " * (MAX_KEYS_BYTES + 1)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                pass  # a client that stops reading is what some of these tests are about

        self.server = Server(("127.0.0.1", 0), Page)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server.server_port}{path}"

    def close(self) -> None:
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def pages(keys: dict[str, RSAPrivateKey]) -> Iterator[KeyServer]:
    server = KeyServer()
    server.answers["/keys"] = answer_of(public(keys[WRONG_KEY], "another"), public(keys[RIGHT_KEY]))
    yield server
    server.close()


def signed(key: RSAPrivateKey, claims: Mapping[str, object], algorithm: str = "RS256", /, **header: object) -> str:
    return jwt.encode(dict(claims), key, algorithm=algorithm, headers=changed({"kid": RIGHT_KEY}, header))


async def verified(token: str, pages: KeyServer, path: str = "/keys", time_out: float = 20.0) -> Signature:
    request = Request(token=read_request(token.encode()).token, verify=True)
    keys_at = allowed_keys_url(pages.url(path), loopback=True)
    return (await check_request(request, now=NOW, keys_at=[keys_at], time_out=time_out))["signature"]


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


# --- the command and the function -------------------------------------------------------------------------------------


def run(data: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "local.commands.token", *options]
    return subprocess.run(command, input=data, capture_output=True, check=False, cwd=ROOT, timeout=60)  # noqa: S603


def test_the_command_prints_the_answer(keys: dict[str, RSAPrivateKey], pages: KeyServer) -> None:
    claims = customer_token(aud=GRAPH, exp=4102444800, amr=["pwd"])
    token = signed(keys[RIGHT_KEY], claims).encode()
    result = run(
        token, "--expect-audience", GRAPH, "--partner-tenant-id", PARTNER, "--verify", "--keys-url", pages.url("/keys")
    )
    assert (result.returncode, result.stderr) == (1, b"Refused (401): MFA required\n")
    answer = json.loads(result.stdout)
    assert (answer["kind"], answer["mfa"], answer["expired"]) == ("app+user", "absent", False)
    assert (answer["partnerCenter"]["reason"], answer["delegatedTo"]) == ("MFA required", CUSTOMER)
    assert answer["signature"]["valid"] is True
    assert token.rpartition(b".")[2] not in result.stdout


@pytest.mark.parametrize(
    "options", [("TOKEN",), ("--expect-audience",), ("--expect-audience", " "), ("--keys-url", "TOKEN")]
)
def test_misuse_of_the_command_exits_2_and_repeats_nothing(options: tuple[str, ...]) -> None:
    token = by_hand(user_token())
    result = run(token.encode(), *(option.replace("TOKEN", token) for option in options))
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.count(b"\n") == 1
    assert not any(piece.encode()[:12] in result.stderr for piece in token.split("."))


@pytest.mark.parametrize("data", [b"", by_hand(b'{"exp":NaN}').encode(), b"a" * (MAX_BYTES + 9)])
def test_unreadable_input_to_the_command_exits_2_with_one_sentence(data: bytes) -> None:
    result = run(data)
    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.count(b"\n") == 1
    assert b"Traceback" not in result.stderr


async def post(body: bytes) -> func.HttpResponse:
    settings = {"auth_mode": "key", "partner_tenant_id": PARTNER, "AzureWebJobsStorage": UNUSED_STORAGE}
    app = App(load_settings(**settings))
    try:
        return await token_check.serve(app, func.HttpRequest("POST", "/api/token-check", body=body))
    finally:
        await app.close()


async def test_the_function_answers_what_the_command_prints() -> None:
    claims = user_token(exp=4102444800)
    for body in (by_hand(claims).encode(), json.dumps({"token": by_hand(claims)}).encode()):
        response = await post(body)
        assert (response.status_code, response.mimetype) == (200, "application/json")
        assert response.headers["Cache-Control"] == "no-store"
        assert json.loads(response.get_body()) == json.loads(run(body, "--partner-tenant-id", PARTNER).stdout)


async def test_the_function_gives_a_problem_for_what_it_cannot_read() -> None:
    token = by_hand(b'{"exp":"jane@contoso.example"}')
    response = await post(token.encode())
    assert (response.status_code, response.mimetype) == (400, "application/problem+json")
    problem = json.loads(response.get_body())
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert problem["detail"].startswith("The claim exp is not a time")
    assert b"jane" not in response.get_body()


def test_deep_input_is_refused_wherever_the_stack_stands() -> None:
    def below(depth: int) -> None:
        if depth:
            below(depth - 1)
            return
        with pytest.raises(TokenError, match="nested too deeply"):
            read_request(b'{"a":' * 12000)

    below(400)
