"""What a token is: app-only, app and user, an ID token."""

from __future__ import annotations

import pytest

from tests.tokens.samples import (
    PARTNER_CENTER,
    Json,
    app_token,
    id_token,
    judged,
    user_token,
)


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
