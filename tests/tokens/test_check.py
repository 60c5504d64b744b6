"""The whole answer: times, tenants, the claims that are shown."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.tokens import Signature, TokenError, check, read_request
from shared.tokens.signature import not_checked
from tests.tokens.samples import (
    CUSTOMER,
    GRAPH,
    NOW,
    PARTNER,
    PARTNER_CENTER,
    STRANGER,
    Json,
    app_token,
    by_hand,
    customer_token,
    judged,
    seconds,
    user_token,
)


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
