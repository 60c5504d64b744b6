"""Lists over a store that ends its queries early with a continuation, as the service may at any time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from azure.core.pipeline import PipelineRequest
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.data.tables.aio import TableServiceClient

from functions.answers import findings
from functions.incidents import incidents
from functions.register import register
from shared.app.app import App
from shared.incidents.findings import incident_key
from shared.incidents.model import Facts, Incident, Who
from shared.ledger.register import Act, ActKind
from shared.ledger.slices import partition_of
from shared.rules.rule import PARTNER
from shared.store.directory import save_directory
from shared.store.findings import finding_row
from shared.store.incident_rows import incident_columns
from shared.store.register import write_act
from shared.store.tables import Tables
from tests.functions.asking import pages, write_rows
from tests.functions.test_findings import NOW, _drawing, _finding
from tests.scan.harness import DIRECTORY
from tests.settings import settings_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

_ROWS = 7


class _EndsEarly(SansIOHTTPPolicy[Any, Any]):
    """Asks for a few rows a request, so that the answer has a continuation."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        if request.http_request.method == "GET" and "$filter" in request.http_request.url:
            request.http_request.url += f"&$top={_ROWS}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(azurite: str) -> AsyncIterator[App]:
    service = TableServiceClient.from_connection_string(azurite, per_call_policies=[_EndsEarly()])
    settings = settings_for(azurite)
    made = App(settings, clock=lambda: NOW, tables=Tables(service, "early"))
    try:
        await save_directory((await made.tables()).directory, DIRECTORY, NOW)
        yield made
    finally:
        await made.close()


async def test_every_list_is_whole_all_the_same(app: App) -> None:
    draw = _drawing(9)
    tables = await app.tables()
    held = [_finding(n, NOW - timedelta(minutes=draw.randrange(1, 3000)), draw) for n in range(40)]
    held += [_finding(100 + n, datetime(2026, 11, 1, 9, tzinfo=UTC), draw) for n in range(20)]  # one instant
    await write_rows(tables.slices, [finding_row(partition_of(PARTNER, f.at), f) for f in held])
    listed = await pages(findings, app, "limit=6")
    assert sorted(item["id"] for item in listed) == sorted(f.id for f in held)
    assert [item["signedInAt"] for item in listed] == sorted((item["signedInAt"] for item in listed), reverse=True)

    facts = Facts(1, NOW, NOW, frozenset({"device-code"}), 2, 2)
    keys = [incident_key(str(n)) for n in range(60)]
    made = [Incident(key, Who("a" * 32, "a@x", "", "", ""), facts) for key in keys]
    await write_rows(tables.incidents, [incident_columns(incident) for incident in made])
    assert {item["id"] for item in await pages(incidents, app, "limit=50")} == set(keys)

    for n in range(20):
        await write_act(tables.control, Act(f"{n:032x}", NOW - timedelta(minutes=n), ActKind.PAUSE, "ann"))
    acts = await pages(register, app, "limit=5")
    assert [act["id"] for act in acts] == [f"{n:032x}" for n in range(20)]
