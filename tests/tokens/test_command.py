"""The command and the function say the same."""

from __future__ import annotations

import json
import subprocess
import sys

import azure.functions as func
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from functions.token_check import token_check
from shared.app.app import App
from shared.app.settings import load_settings
from shared.tokens import MAX_BYTES, TokenError, read_request
from tests.tokens.key_server import RIGHT_KEY, KeyServer, signed
from tests.tokens.samples import (
    CUSTOMER,
    GRAPH,
    PARTNER,
    ROOT,
    UNUSED_STORAGE,
    by_hand,
    customer_token,
    user_token,
)


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


def test_the_command_says_by_its_exit_code_whether_the_token_is_taken(keys: dict[str, RSAPrivateKey]) -> None:
    for exp, code, line in (
        (4102444800, 0, b"Accepted: App+User with MFA"),
        (1700000000, 1, b"Refused (401): The token has"),
    ):
        result = run(signed(keys[RIGHT_KEY], user_token(nbf=..., iat=..., exp=exp)).encode())
        assert (result.returncode, result.stderr.startswith(line)) == (code, True), result.stderr
        assert json.loads(result.stdout)["partnerCenter"]["accepted"] is (code == 0)
