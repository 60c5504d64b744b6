"""MFA in a token, and what Partner Center's gate says of it."""

from __future__ import annotations

import pytest

from tests.tokens.samples import (
    GRAPH,
    PARTNER,
    PARTNER_CENTER,
    PARTNER_CENTER_APP,
    app_token,
    id_token,
    judged,
    user_token,
)


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
