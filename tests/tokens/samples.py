"""Tokens and claims for the tests of the token check."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shared.tokens import TokenCheck, check, read_request

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
