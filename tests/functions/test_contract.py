"""The document against the app: what it allows is asked, what it promises is checked, and a generated client works."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.specs.openapi import checks as of_openapi

from functions.http import ENDPOINTS
from functions.openapi import document
from functions.parts import PARTS
from functions.unknown import refusal
from shared.app.app import App
from shared.app.settings import AuthMode
from shared.basics.spelling import id_key
from shared.incidents.findings import Finding
from shared.incidents.model import Facts, Incident, Who
from shared.ledger.slices import partition_of
from shared.rules.rule import CUSTOMER, PARTNER, TECHNICIAN, Severity
from shared.store.findings import finding_row
from shared.store.incident_rows import incident_columns
from tests.functions.asking import app_over, write_rows
from tests.serving import Route, serving

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
AT = NOW - timedelta(hours=5)
INCIDENT = "0" * 31 + "a"
DOCUMENT = document(ENDPOINTS, AuthMode.LOCAL) if PARTS else {}
OPERATIONS = [(path, method) for path, methods in sorted(DOCUMENT["paths"].items()) for method in sorted(methods)]
# These ask networks or go through the whole of the tables: what their words promise is tested where they are.
_SLOW = {("/api/preflight", "get"), ("/api/ops/erase", "post")}


async def _prepare(app: App) -> None:
    tables = await app.tables()
    text: Any = dict.fromkeys(("user_display_name", "resource_name", "client", "user_agent", "ip"), "x")
    finding = Finding(
        id="one", at=AT, scope="customer", evidence="none", verdict="non-compliant", code=0, interactive=True,
        fits=(("interactive-without-mfa", Severity.HIGH),), user=id_key(TECHNICIAN), user_name="t@partner.example",
        customer=id_key(CUSTOMER), app="b" * 32, app_name="App", **text, session_id="", token_id="", correlation_id="",
    )  # fmt: skip
    facts = Facts(1, AT, AT, frozenset({"interactive-without-mfa"}), 3, 3)
    who = Who(id_key(TECHNICIAN), "t@partner.example", id_key(CUSTOMER), "b" * 32, "App")
    await write_rows(tables.slices, [finding_row(partition_of(PARTNER, AT), finding)])
    await write_rows(tables.incidents, [incident_columns(Incident(INCIDENT, who, facts))])


@pytest.fixture(scope="module")
def address(azurite: str) -> Iterator[str]:
    @asynccontextmanager
    async def prepared() -> AsyncIterator[list[Route]]:
        async with app_over(azurite, NOW, PARTNER) as app:
            await _prepare(app)
            yield [Route(e.method, f"api/{e.route}", partial(e.serve, app)) for e in ENDPOINTS]

    with serving(prepared(), lambda url: refusal(url).response()) as url:
        yield url


@pytest.mark.parametrize(("path", "method"), [pytest.param(p, m, id=f"{m} {p}") for p, m in OPERATIONS])
def test_what_the_document_allows_is_answered_as_it_promises(address: str, path: str, method: str) -> None:
    """Requests that fit the document and some that do not: no failure, and each answer as described."""
    if (path, method) in _SLOW:
        pytest.skip("asks networks, or all rows")
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    operation = schema[path][method.upper()]
    chosen: list[Any] = [
        checks.not_a_server_error,
        of_openapi.status_code_conformance,
        of_openapi.content_type_conformance,
        of_openapi.response_schema_conformance,
    ]

    @settings(max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=[*HealthCheck])
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(base_url=address, checks=chosen)

    ask()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package that openapi-python-client makes of the document, without a warning."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT))
    (folder / "config.yml").write_text("post_hooks: []\npackage_name_override: monitor_client\n")
    command = Path(sys.executable).with_name("openapi-python-client")
    files = ["--path", "openapi.json", "--config", "config.yml"]
    made = subprocess.run(  # noqa: S603 - the generator, by its full path
        [command, "generate", *files, "--meta", "none", "--fail-on-warning"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("monitor_client")
    finally:
        sys.path.remove(str(folder))


def test_a_generated_client_acknowledges_an_incident(client: ModuleType, address: str) -> None:
    def operation(tag: str, name: str) -> ModuleType:
        return importlib.import_module(f"monitor_client.api.{tag}.{name}")

    models = importlib.import_module("monitor_client.models")
    with client.Client(base_url=address) as made:
        listed = operation("incidents", "list_incidents").sync(client=made)
        (item,) = [item for item in listed.items if item.id == INCIDENT]
        seen = operation("incidents", "get_incident").sync_detailed(item.id, client=made)
        body = models.IncidentChange(state=models.IncidentChangeStateType0.ACKNOWLEDGED, comment="on it")
        update = operation("incidents", "update_incident")
        done = update.sync_detailed(item.id, client=made, body=body, if_match=seen.headers["ETag"])
        again = update.sync_detailed(item.id, client=made, body=body, if_match=seen.headers["ETag"])
    assert (done.status_code, done.parsed.state.value) == (200, "acknowledged")
    assert (again.status_code, type(again.parsed).__name__) == (412, "ProblemDocument")
