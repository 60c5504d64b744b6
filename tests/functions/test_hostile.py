"""What hostile bodies, cursors and parameters get: a short sentence, never a failure, never an echo."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
import pytest_asyncio

from functions.alerts import alerts, send_again
from functions.answers import coverage, findings
from functions.exceptions import exceptions, request_exception, withdraw_request
from functions.http import ENDPOINTS, Endpoint, NoBody, RawBody
from functions.incidents import incidents, update_incident
from functions.ops import pause, rescan_period
from functions.people import technicians
from functions.self_test import start_test
from functions.unknown import refusal
from shared.app.app import App
from shared.rules.rule import PARTNER
from tests.functions.asking import Reply, app_over, ask

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
JSON = {"Content-Type": "application/json", "If-Match": "*"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(azurite: str) -> AsyncIterator[App]:
    async with app_over(azurite, NOW, PARTNER) as made:
        yield made


async def _send(endpoint: Endpoint, app: App, body: object) -> Reply:
    return await ask(endpoint, app, headers=JSON, body=json.dumps(body).encode(), path={"id": "0" * 32})


@pytest.mark.parametrize(
    ("endpoint", "body", "wrong"),
    [
        (request_exception, {"commonIssue": 1, "rules": [[]]}, ["rules"]),
        (request_exception, {"commonIssue": 1, "rules": [{}]}, ["rules"]),
        (request_exception, {"commonIssue": True}, ["commonIssue"]),
        (request_exception, {"commonIssue": 6, "startsOn": 0}, ["startsOn"]),
        (
            request_exception,
            {"commonIssue": 6, "vendorConfirmation": {"cannotSendMultipleauthn": "on", "cannotUseExternalMfa": 1}},
            ["vendorConfirmation.cannotSendMultipleauthn", "vendorConfirmation.cannotUseExternalMfa"],
        ),
        (request_exception, {"commonIssue": 6, "mfa": {"integration": "adfs"}}, ["mfa.integration"]),
        (pause, {"until": 0}, ["until"]),
        (rescan_period, {"from": "2026-11-01", "to": "9999-12-31T23:59:59.999999Z"}, ["body"]),
        (rescan_period, {"from": "2026-11-01", "to": "2026-11-02", "tenant": [1]}, ["tenant"]),
    ],
)
async def test_a_body_is_taken_for_what_it_says(app: App, endpoint: Endpoint, body: Any, wrong: list[str]) -> None:
    reply = await _send(endpoint, app, body)
    assert (reply.status, reply.wrong) == (400, wrong), reply.text


@pytest.mark.parametrize("body", [{"id": "x"}, [], "x", {"comment": True}])
async def test_a_route_that_takes_no_body_refuses_one_and_takes_an_empty_one(app: App, body: object) -> None:
    for endpoint in (withdraw_request, send_again):
        assert (await _send(endpoint, app, body)).status == 400, endpoint.name
        assert (await _send(endpoint, app, {})).status == 404
        assert (await ask(endpoint, app, headers=JSON, path={"id": "0" * 32})).status == 404


@pytest.mark.parametrize("body", [{"state": 1}, {"comment": True}, {"until": 0}, {"due": 1}, {"state": ["open"]}])
async def test_a_change_is_taken_for_what_it_says(app: App, body: object) -> None:
    reply = await _send(update_incident, app, body)
    assert (reply.status, reply.wrong) == (400, [*dict(body)]), reply.text  # type: ignore[call-overload]


async def test_members_that_nobody_knows_are_not_echoed_at_length(app: App) -> None:
    reply = await _send(request_exception, app, {f"{n:04d}" + "x" * 900: 1 for n in range(90)})
    assert reply.status == 400
    assert len(reply.json["errors"]) == 20
    assert len(reply.text) < 6_000


async def test_a_body_whose_members_are_all_optional_may_be_left_out(app: App) -> None:
    assert (await ask(start_test, app)).status == 200
    assert (await ask(start_test, app, headers={"Content-Type": "text/plain"})).status == 415
    assert (await ask(pause, app)).status == 415


def _bodies() -> list[Any]:
    deep: Any = []
    for _ in range(500):
        deep = [deep]
    return [None, [], {}, 1, "x", True, deep, {"user": [[]]}, {"until": "9999-12-31T23:59:59Z"}, {"channel": {}}]


@pytest.mark.parametrize(
    "endpoint", [e for e in ENDPOINTS if e.body is not NoBody and not issubclass(e.body, RawBody)], ids=lambda e: e.name
)
async def test_no_body_makes_a_failure(app: App, endpoint: Endpoint) -> None:
    for body in _bodies():
        assert (await _send(endpoint, app, body)).status < 500


def forged(question: str, place: object) -> str:
    """A cursor as anybody can make one: its checksum has no key."""
    body = json.dumps(place, separators=(",", ":")).encode()
    check = sha256(question.encode() + b"\n" + body).digest()[:12]
    return base64.urlsafe_b64encode(check + body).decode().rstrip("=")


TIMES = ("0001-01-01T00:00:00Z", "2026-11-02T12:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-11-02T12:00:00")


@pytest.mark.parametrize("at", TIMES)
@pytest.mark.parametrize("number", [0, 1, 10**12])
async def test_no_cursor_makes_a_failure(app: App, at: str, number: int) -> None:
    window = {"start": at, "until": at, "end": at, "group": number, "width": number, "passed": None}
    made: list[tuple[Endpoint, object]] = [
        (findings, window),
        (findings, {**window, "passed": ["", -number]}),
        (incidents, {"first": number, "width": number, "passed": [at, ""]}),
        (coverage, {"at": at, "tenant": "", "kind": ""}),
        (exceptions, {"at": at, "id": ""}),
        (technicians, {"order": ["\x00", "~" * number if number < 2 else ""]}),
        (alerts, {"row": "delivery-" + "'\x00" * (number % 7)}),
    ]
    for endpoint, place in made:
        question = endpoint.query().question(endpoint.route)  # type: ignore[attr-defined]
        reply = await ask(endpoint, app, f"cursor={forged(question, place)}")
        assert reply.status in (200, 400), (endpoint.route, place, reply.text)


async def test_an_unknown_address_and_a_wrong_method_are_told_apart() -> None:
    assert refusal("http://x/api/nothing?x=1").status == 404
    assert refusal("http://[").status == 404
    wrong = refusal("http://x/api/Incidents/abc")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, PATCH")
