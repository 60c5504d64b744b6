"""The answers through the real worker: the host's own HTTP, Easy Auth's header, real storage."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from local.host.process import HostProcess
from local.stage.stack import CHECKOUT, load_directory_file, make_pack_key
from shared.basics.spelling import id_key
from shared.incidents.findings import Finding
from shared.ledger.slices import partition_of
from shared.rules.rule import CUSTOMER, PARTNER, Severity
from shared.statement.manifest import check_pack
from shared.store.findings import finding_row
from shared.store.tables import Tables, upsert
from tests.scan.harness import DIRECTORY

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

_NEVER = "0 0 0 1 1 *"
_TIMERS = ("SCAN_SCHEDULE", "ALERT_SCHEDULE", "DIRECTORY_SCHEDULE", "MAINTENANCE_SCHEDULE")
_HOSTILE = '=HYPERLINK("http://evil.example","a\r\nSet-Cookie: b=c")'


@dataclass(frozen=True)
class _Running:
    http: aiohttp.ClientSession
    log: Path


def _role(*roles: str) -> dict[str, str]:
    claims = [{"typ": "roles", "val": role} for role in roles]
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"claims": claims}).encode()).decode()}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(storage: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[_Running]:
    """The app behind Easy Auth, with one finding of yesterday whose texts are hostile."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
    texts: Any = dict.fromkeys(("user_display_name", "resource_name", "client", "user_agent", "ip"), _HOSTILE)
    ids: Any = dict.fromkeys(("session_id", "token_id", "correlation_id"), "x")
    finding = Finding(
        id="one", at=at, scope="customer", evidence="none", verdict="non-compliant", code=0, interactive=True,
        fits=(("legacy-auth", Severity.CRITICAL),), user="a" * 32, user_name="ada@x", customer=id_key(CUSTOMER),
        app="b" * 32, app_name="App", **texts, **ids,
    )  # fmt: skip
    await load_directory_file(storage, DIRECTORY)
    tables = Tables.connect(storage)
    await tables.slices.write(upsert(finding_row(partition_of(PARTNER, at), finding)))
    await tables.close()
    log = tmp_path_factory.mktemp("host") / "host.log"
    settings = {
        **dict.fromkeys(_TIMERS, _NEVER),
        "AUTH_MODE": "easyauth",
        "WEBSITE_AUTH_ENABLED": "True",
        "PARTNER_TENANT_ID": PARTNER,
        "PACK_KEY_FILE": str(make_pack_key(log.with_name("pack.pem"))),
        "AzureWebJobsStorage": storage,
    }
    async with HostProcess(CHECKOUT, settings, log=log) as host, aiohttp.ClientSession(host.url) as http:
        yield _Running(http, log)


@pytest.mark.parametrize(
    ("path", "roles", "status"),
    [
        ("/api/health", None, 200),
        ("/api/summary", None, 401),
        ("/api/summary", (), 403),
        ("/api/summary", ("Reader",), 200),
        ("/api/findings", ("Operator",), 200),
        ("/api/incidents?state=open", ("Reader",), 200),
        ("/api/coverage?days=2", ("Reader",), 200),
        ("/api/openapi.json", ("Reader",), 200),
        ("/api/summary?days=", ("Reader",), 400),
        ("/api/summary?days=7&days=7", ("Reader",), 400),
        ("/api/summary?weeks=1", ("Reader",), 400),
    ],
)
async def test_who_may_ask_what(running: _Running, path: str, roles: tuple[str, ...] | None, status: int) -> None:
    headers = {} if roles is None else _role(*roles)
    async with running.http.get(path, headers=headers) as reply:
        assert reply.status == status
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        kind = "application/json" if status == 200 else "application/problem+json"
        assert reply.content_type == kind
        shown = json.loads(await reply.text())
        assert status == 200 or shown["status"] == status
        if status == 400:
            assert [error["field"] for error in shown["errors"]] == ["weeks" if "weeks" in path else "days"]


async def test_a_finding_is_listed_as_it_is_and_harmless_as_csv(running: _Running) -> None:
    async with running.http.get("/api/findings", headers=_role("Reader")) as reply:
        (item,) = (await reply.json())["items"]
        assert (item["id"], item["customerName"], item["userAgent"]) == ("one", "Customer", _HOSTILE)
    async with running.http.get("/api/findings?format=csv", headers=_role("Reader")) as reply:
        assert reply.content_type == "text/csv"
        assert reply.charset == "utf-8"
        assert "Set-Cookie" not in reply.headers
        text = await reply.text()
        assert "'=HYPERLINK" in text
        assert not re.search(r'(^|,|\n)"?=HYPERLINK', text)


async def test_a_statement_is_a_page_and_its_pack_is_built_by_the_queue(running: _Running) -> None:
    month = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m")
    async with running.http.get(f"/api/statement?month={month}&format=html", headers=_role("Reader")) as reply:
        assert (reply.status, reply.content_type) == (200, "text/html")
        assert "style-src 'sha256-" in reply.headers["Content-Security-Policy"]
        assert "Provisional statement" in await reply.text()
    async with running.http.get("/api/health") as reply:
        key_id = (await reply.json())["packKeyId"]
    async with running.http.post("/api/evidence-packs", json={"month": month}, headers=_role("Reader")) as reply:
        assert reply.status == 202
        address = reply.headers["Location"]
    for _ in range(120):
        async with running.http.get(address, headers=_role("Reader")) as reply:
            assert reply.status == 200
            if reply.content_type == "application/zip":
                assert check_pack(io.BytesIO(await reply.read())).key_id == key_id
                return
            assert (await reply.json())["state"] == "waiting"
        await asyncio.sleep(0.5)
    raise AssertionError("the pack is not built")


async def test_the_document_has_every_route_that_the_host_serves(running: _Running) -> None:
    async with running.http.get("/api/openapi.json", headers=_role("Reader")) as reply:
        paths = (await reply.json())["paths"]
    served = re.findall(r": ((?:GET|POST|PATCH|DELETE|PUT)\S*) (/\S+)$", running.log.read_text(), re.MULTILINE)
    served = [(methods, path) for methods, path in served if path.startswith("/api/")]  # the page is not of it
    assert {(path, method.lower()) for methods, path in served for method in methods.split("|")} == {
        (path, method) for path, methods in paths.items() for method in methods
    }
    assert len(served) >= 6


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/api", 404, None),
        ("GET", "/api/rulez", 404, None),
        ("GET", "/api/findings/one/two", 404, None),
        ("POST", "/api/summary", 405, "GET"),
        ("PUT", "/api/exceptions/x", 405, "DELETE, GET"),
        ("GET", "/api/ops/pause", 405, "POST"),
        ("DELETE", "/api/incidents/a%20b", 405, "GET, PATCH"),
    ],
)
async def test_what_no_route_answers_is_a_problem_too(
    running: _Running, method: str, path: str, status: int, allow: str | None
) -> None:
    async with running.http.request(method, path, headers=_role("Reader")) as reply:
        assert (reply.status, reply.content_type) == (status, "application/problem+json")
        assert reply.headers.get("Allow") == allow
        assert json.loads(await reply.text())["status"] == status


async def test_head_is_refused_without_a_body(running: _Running) -> None:
    async with running.http.head("/api/summary", headers=_role("Reader")) as reply:
        assert (reply.status, reply.headers["Allow"]) == (405, "GET")
