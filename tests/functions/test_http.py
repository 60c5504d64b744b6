"""Who is let in, what is asked, and how answers and refusals look."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Literal

import azure.functions as func
import pytest
import pytest_asyncio
from azure.core.exceptions import ServiceRequestError
from pydantic import BaseModel, ConfigDict, Field

from functions.http import Call, Endpoint, NoQuery, describe
from functions.ops import rescan_period
from functions.parsing import parse_query
from functions.problems import Problem
from functions.who import Role, auth_level
from shared.app.app import App
from shared.app.settings import SettingsError, load_settings
from shared.rules.rule import PARTNER
from shared.wire.models import Answer, AskedTime, Listed, Query, ScopeName, Whole
from tests.functions.asking import ask

_ROLE_CLAIM = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"


class _Query(Query):
    days: Whole = Field(default=30, ge=1, le=90)
    since: AskedTime | None = None
    scope: Listed[ScopeName] = ("customer",)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")

    state: Literal["open", "resolved"]


class _Said(Answer):
    caller: str | None
    seen: str


async def _read(call: Call[_Query]) -> _Said:
    """Tell who asked what."""
    return _Said(caller=call.caller.name if call.caller else None, seen=call.query.model_dump_json())


async def _change(call: Call[NoQuery, _Body]) -> _Said:
    return _Said(caller=call.caller.name if call.caller else None, seen=f"{call.path['id']} {call.body.state}")


async def _open(call: Call[NoQuery]) -> _Said:
    return _Said(caller=call.caller.name if call.caller else None, seen="")


async def _broken(call: Call[NoQuery]) -> _Said:
    raise ZeroDivisionError("the secret is hunter2")


async def _without_storage(call: Call[NoQuery]) -> _Said:
    raise ServiceRequestError("no route to secret-account.table.core.windows.net")


READ = describe(_read, "GET", "read", Role.READER)
CHANGE = describe(_change, "PATCH", "things/{id}", Role.OPERATOR)
OPEN = describe(_open, "GET", "open", None)


def _app(mode: str) -> App:
    return App(
        load_settings(auth_mode=mode, partner_tenant_id=PARTNER, AzureWebJobsStorage="UseDevelopmentStorage=true")
    )


@pytest_asyncio.fixture
async def local() -> AsyncIterator[App]:
    app = _app("local")
    yield app
    await app.close()


@pytest_asyncio.fixture
async def key() -> AsyncIterator[App]:
    app = _app("key")
    yield app
    await app.close()


@pytest_asyncio.fixture
async def easy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")
    app = _app("easyauth")
    yield app
    await app.close()


def _principal(*roles: str, role_type: str = "roles", name: str = "ada@partner.example") -> dict[str, str]:
    claims = [{"typ": "preferred_username", "val": name}, {"typ": "name", "val": "Ada"}]
    claims += [{"typ": role_type, "val": role} for role in roles]
    text = json.dumps({"auth_typ": "aad", "name_typ": "name", "role_typ": _ROLE_CLAIM, "claims": claims})
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(text.encode()).decode()}


# --- who may ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "reads", "changes"),
    [
        (_principal("Reader"), 200, 403),
        (_principal("Operator"), 200, 200),
        (_principal("Reader", "Operator"), 200, 200),
        (_principal("Operator", role_type=_ROLE_CLAIM), 200, 200),
        (_principal(), 403, 403),
        (_principal("Owner", "reader"), 403, 403),
        (_principal("Operator", role_type="groups"), 403, 403),
        ({}, 401, 401),
        ({"X-MS-CLIENT-PRINCIPAL": ""}, 401, 401),
        ({"X-MS-CLIENT-PRINCIPAL": "%%%"}, 401, 401),
        ({"X-MS-CLIENT-PRINCIPAL": "é"}, 401, 401),
        ({"X-MS-CLIENT-PRINCIPAL": base64.b64encode(b"[]").decode()}, 401, 401),
        ({"X-MS-CLIENT-PRINCIPAL": base64.b64encode(b'{"claims":[{"typ":"roles"}]}').decode()}, 401, 401),
        ({"X-MS-CLIENT-PRINCIPAL-NAME": "ada@partner.example"}, 401, 401),
    ],
)
async def test_easy_auth_lets_in_by_app_role(easy: App, headers: dict[str, str], reads: int, changes: int) -> None:
    read = await ask(READ, easy, headers=headers)
    sent = {**headers, "Content-Type": "application/json"}
    change = await ask(CHANGE, easy, headers=sent, body=b'{"state":"open"}', path={"id": "7"})
    assert (read.status, change.status) == (reads, changes)
    for reply in (read, change):
        if reply.status in (401, 403):
            assert reply.kind == "application/problem+json"
            assert reply.json["status"] == reply.status
            assert ("WWW-Authenticate" in reply.headers) == (reply.status == 401)
        else:
            assert reply.json["caller"] == "ada@partner.example"


@pytest.mark.parametrize("value", [None, "False", "0", ""])
async def test_a_principal_is_not_believed_where_easy_auth_is_off(
    monkeypatch: pytest.MonkeyPatch, easy: App, value: str | None
) -> None:
    if value is None:
        monkeypatch.delenv("WEBSITE_AUTH_ENABLED")
    else:
        monkeypatch.setenv("WEBSITE_AUTH_ENABLED", value)
    assert (await ask(READ, easy, headers=_principal("Operator"))).status == 401


async def test_a_forged_principal_changes_nothing_where_keys_or_nobody_let_in(
    monkeypatch: pytest.MonkeyPatch, key: App, local: App
) -> None:
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")
    for forged in (_principal("Operator", name="mallory"), _principal(), {"X-MS-CLIENT-PRINCIPAL": "%%%"}):
        assert (await ask(READ, key, headers=forged)).json["caller"] == "function-key"
        assert (await ask(READ, local, headers=forged)).json["caller"] == "local"


async def test_an_open_route_asks_nobody(easy: App, key: App) -> None:
    for app in (easy, key):
        reply = await ask(OPEN, app)
        assert (reply.status, reply.json["caller"]) == (200, None)


@pytest.mark.parametrize("address", ["http://evil.example:7071", "http://127.0.0.1.evil.example", "http://["])
async def test_local_mode_answers_to_loopback_addresses_alone(local: App, address: str) -> None:
    assert (await ask(READ, local, address=address)).status == 403
    for loopback in ("http://localhost:7071", "http://[::1]:7071", "http://127.0.0.1"):
        assert (await ask(READ, local, address=loopback)).status == 200


@pytest.mark.parametrize(
    ("mode", "host", "level"),
    [
        ("easyauth", "app.azurewebsites.net", func.AuthLevel.ANONYMOUS),
        ("key", "app.azurewebsites.net", func.AuthLevel.FUNCTION),
        ("key", None, func.AuthLevel.FUNCTION),
        ("local", "127.0.0.1:7071", func.AuthLevel.ANONYMOUS),
        ("local", None, func.AuthLevel.ANONYMOUS),
    ],
)
async def test_the_host_asks_for_a_key_in_key_mode_alone(mode: str, host: str | None, level: func.AuthLevel) -> None:
    app = _app(mode)
    assert auth_level(app.settings, {"WEBSITE_HOSTNAME": host} if host else {}) is level
    await app.close()


async def test_local_mode_is_refused_where_others_could_reach_the_app(local: App) -> None:
    with pytest.raises(SettingsError, match="AUTH_MODE"):
        auth_level(local.settings, {"WEBSITE_HOSTNAME": "app.azurewebsites.net"})


# --- what is asked ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("days=0", ["days"]),
        ("days=91", ["days"]),
        ("days=", ["days"]),
        ("days", ["days"]),
        ("days=ten", ["days"]),
        ("days=1.0", ["days"]),
        ("days=1_0", ["days"]),
        ("days=%2B7", ["days"]),
        ("days=%207", ["days"]),
        ("days=%D9%A3", ["days"]),  # an Arabic three
        ("days=99999999999999999999", ["days"]),
        ("days=1&days=1", ["days"]),
        ("Days=1", ["Days"]),
        ("day=1", ["day"]),
        ("code=secret", ["code"]),
        ("scope=device", ["scope"]),
        ("scope=customer,,partner-center", ["scope"]),
        ("since=yesterday", ["since"]),
        ("since=1700000000", ["since"]),
        ("since=2026-13-01", ["since"]),
        ("since=2026-11-02T25:00:00Z", ["since"]),
        ("since=1999-12-31", ["since"]),
        ("since=9999-12-31T23:59:59-14:00", ["since"]),
        ("days=0&scope=none&x=1", ["days", "scope", "x"]),
        ("x=1&x=2&days=", ["x", "days"]),
        ("%ff=1", ["\ufffd"]),
        ("&".join(f"a{i}=1" for i in range(60)), []),
    ],
)
async def test_a_wrong_query_is_a_problem_that_names_the_parameter(local: App, query: str, wrong: list[str]) -> None:
    reply = await ask(READ, local, query)
    assert (reply.status, reply.kind) == (400, "application/problem+json")
    assert reply.wrong == wrong
    assert reply.json["title"] == "Bad Request"
    assert all(name in reply.json["detail"] for name in wrong)
    assert "secret" not in reply.text


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        ("", {"days": 30, "since": None, "scope": ["customer"]}),
        ("days=90&scope=partner-tenant,customer,customer", {"days": 90, "scope": ["partner-tenant", "customer"]}),
        ("scope=partner-tenant%2Ccustomer", {"scope": ["partner-tenant", "customer"]}),
        ("since=2026-11-02", {"since": "2026-11-02T00:00:00Z"}),
        ("since=2026-11-02T09:30:00.25%2B02:00", {"since": "2026-11-02T07:30:00.250000Z"}),
        ("since=2026-11-02T09:30", {"since": "2026-11-02T09:30:00Z"}),
    ],
)
async def test_a_right_query_is_read(local: App, query: str, seen: dict[str, object]) -> None:
    reply = await ask(READ, local, query)
    assert reply.status == 200
    assert json.loads(reply.json["seen"]).items() >= seen.items()


async def test_a_function_key_in_the_query_is_the_hosts_business(key: App) -> None:
    reply = await ask(READ, key, "code=s3cret&days=7")
    assert reply.status == 200
    assert "s3cret" not in reply.text


def test_a_problem_does_not_repeat_what_was_sent() -> None:
    with pytest.raises(Problem) as caught:
        parse_query("http://x/?scope=hunter2&days=hunter2&since=hunter2", _Query)
    assert b"hunter2" not in caught.value.response().get_body()


@pytest.mark.parametrize(
    ("kind", "body", "status", "wrong"),
    [
        ("application/json", b'{"state":"resolved"}', 200, []),
        ("Application/JSON; charset=utf-8", b'{"state":"open"}', 200, []),
        ("text/plain", b'{"state":"open"}', 415, []),  # what a foreign page's form could send
        ("", b'{"state":"open"}', 415, []),
        ("application/json", b'{"state":"gone"}', 400, ["state"]),
        ("application/json", b"{}", 400, ["state"]),
        ("application/json", b'{"state":"open","more":1}', 400, ["more"]),
        ("application/json", b"{", 400, ["body"]),
        ("application/json", b"\xff", 400, ["body"]),
        ("application/json", b" " * 100_001, 413, []),
    ],
)
async def test_a_body_is_parsed_or_refused(local: App, kind: str, body: bytes, status: int, wrong: list[str]) -> None:
    reply = await ask(CHANGE, local, headers={"Content-Type": kind}, body=body, path={"id": "7"})
    assert reply.status == status
    assert reply.wrong == wrong


# --- how it looks -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "status"),
    [
        (describe(_broken, "GET", "broken", Role.READER), HTTPStatus.INTERNAL_SERVER_ERROR),
        (describe(_without_storage, "GET", "broken", Role.READER), HTTPStatus.SERVICE_UNAVAILABLE),
    ],
)
async def test_a_failure_is_a_problem_without_details_and_a_traceback_in_the_log(
    local: App, caplog: pytest.LogCaptureFixture, endpoint: Endpoint, status: HTTPStatus
) -> None:
    with caplog.at_level(logging.ERROR):
        reply = await ask(endpoint, local)
    assert (reply.status, reply.kind, reply.json["title"]) == (status, "application/problem+json", status.phrase)
    assert "secret" not in reply.text
    assert "secret" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize("endpoint", [READ, OPEN, describe(_broken, "GET", "broken", None)])
async def test_every_answer_is_kept_nowhere_and_taken_for_what_it_is(local: App, endpoint: Endpoint) -> None:
    for query in ("", "x=1"):
        headers = (await ask(endpoint, local, query)).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


# --- pages of other sites ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://anything.example"}, 415),
        ({"Sec-Fetch-Site": "none"}, 415),
        ({"Origin": "http://127.0.0.1:7071"}, 415),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "Same-Site"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:8080"}, 403),
        ({"Origin": "http://127.0.0.1:7071.evil.example"}, 403),
    ],
)
async def test_a_page_of_another_site_can_have_nothing_done(local: App, headers: dict[str, str], status: int) -> None:
    reply = await ask(rescan_period, local, headers=headers)
    assert reply.status == status, reply.text
