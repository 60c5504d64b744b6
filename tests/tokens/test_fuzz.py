"""What must be true of every input to the access token check, whoever wrote it."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.benches.fuzz_token import NOW, SEEDS, WHOLE, _no_leak, compact, mutated, one_input, probe
from shared.tokens import TokenError, check, read_request

often = settings(derandomize=True, deadline=None, database=None, max_examples=120)

NAMES = (
    "aud", "iss", "idp", "tid", "oid", "sub", "appid", "azp", "appidacr", "azpacr", "acr", "idtyp", "ver", "amr", "scp",
    "roles", "wids", "iat", "nbf", "exp", "nonce", "at_hash", "upn", "altsecid", "token", "claims", "verify",
)  # fmt: skip
VALUES = (
    "https://api.partnercenter.microsoft.com", "https://sts.windows.net/t/", "mfa", "ngcmfa", "pwd", "app", "user", "0",
    "1.0", "2.0", "5::1",
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
claim_sets = st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=8), anything, max_size=12)


@often
@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbf")
@example(b"Bearer ")
@example(b'"')
def test_arbitrary_bytes(data: bytes) -> None:
    probe(data)


@often
@given(st.text(max_size=200))
@example("{")
@example("...")
def test_arbitrary_text(text: str) -> None:
    probe(text.encode("utf-8", "surrogatepass"))


@often
@given(payload=st.binary(max_size=200), header=st.binary(max_size=80), signature=st.binary(max_size=80))
def test_arbitrary_parts(payload: bytes, header: bytes, signature: bytes) -> None:
    probe(compact(payload, header=header, signature=signature))


@often
@given(claims=claim_sets, wrap=st.sampled_from(["claims", "token", "envelope"]))
def test_arbitrary_claims(claims: dict[str, object], wrap: str) -> None:
    data = json.dumps(claims).encode()
    if wrap == "token":
        data = compact(data)
    elif wrap == "envelope":
        data = json.dumps({"token": compact(data).decode()}).encode()
    probe(data)


@often
@given(claims=claim_sets, name=st.sampled_from(["iat", "nbf", "exp"]))
def test_nothing_but_a_time_makes_readable_claims_an_error(claims: dict[str, object], name: str) -> None:
    times = {"iat", "nbf", "exp"}
    request = read_request(
        json.dumps({"claims": {k: v for k, v in claims.items() if k not in times} | {name: 7}}).encode()
    )
    assert check(request.token, now=NOW)["claims"][name] == 7


@often
@given(claims=claim_sets, partner=st.sampled_from([None, "t", "h"]))
def test_who_is_not_told_apart_is_not_let_in(claims: dict[str, object], partner: str | None) -> None:
    """Without amr, and with a scp, no combination of other claims is let in."""
    claims = {**claims, "scp": "user_impersonation", "exp": 7, "iat": 7, "nbf": 7}
    claims.pop("amr", None)
    request = read_request(json.dumps({"claims": claims}).encode())
    assert not check(request.token, now=NOW, partner_tenant_id=partner)["partnerCenter"]["accepted"]


@pytest.mark.parametrize("seed", range(4))
def test_mutated_tokens(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - a seeded sample, no secret
    for _ in range(500):
        one_input(rng.choice((b"\x00", b"\x60", b"\xf0")) + mutated(rng, rng.choice(WHOLE)))


def test_the_seeds_reach_every_kind() -> None:
    answers = [probe(compact(seed)) for seed in SEEDS]
    kinds = [answer["kind"] for answer in answers if not isinstance(answer, TokenError)]
    assert kinds == ["app+user", "app-only", "id-token", "app+user"]


def test_the_probe_notices_a_leak() -> None:
    with pytest.raises(AssertionError, match="repeats the input"):
        _no_leak(TokenError("The token eyJhbGciOiJSUzI1NiJ9 is bad."), b"eyJhbGciOiJSUzI1NiJ9.e30.")
    holding = TokenError("It is bad.")
    holding.__context__ = ValueError("eyJhbGciOiJSUzI1NiJ9")
    with pytest.raises(AssertionError, match="carries another"):
        _no_leak(holding, b"x")
