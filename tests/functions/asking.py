"""Asking the app's routes as the host would: a real HttpRequest in, the HttpResponse read back."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import Any
from uuid import uuid4

import azure.functions as func

from functions.http import Endpoint
from shared.app.app import App
from shared.store.directory import save_directory
from shared.store.tables import Table, Tables, upsert
from tests.scan.harness import DIRECTORY
from tests.settings import settings_for

ADDRESS = "http://127.0.0.1:7071"
_REQUESTS = logging.getLogger("azure.core.pipeline.policies.http_logging_policy")


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    kind: str
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The body as CSV."""
        return [*csv.DictReader(io.StringIO(self.text, newline=""))]

    @property
    def wrong(self) -> list[str]:
        """The parameters that a problem names."""
        return [error["field"] for error in self.json.get("errors", [])]


async def ask(
    endpoint: Endpoint,
    app: App,
    query: str = "",
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    path: Mapping[str, str] | None = None,
    address: str = ADDRESS,
) -> Reply:
    """Send a request with that raw query."""
    request = func.HttpRequest(
        endpoint.method,
        f"{address}/api/{endpoint.route}" + (f"?{query}" if query else ""),
        headers=headers,
        route_params=path,
        body=body,
    )
    answer = await endpoint.serve(app, request)
    return Reply(answer.status_code, answer.mimetype, dict(answer.headers), answer.get_body().decode())


@contextmanager
def counted_requests() -> Iterator[list[str]]:
    """The addresses of the requests that the storage clients send meanwhile, as their own log tells."""
    sent: list[str] = []

    class Count(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            text = record.getMessage()
            if text.startswith("Request URL"):
                sent.append(text.splitlines()[0])

    counter = Count()
    before = _REQUESTS.level
    _REQUESTS.addHandler(counter)
    _REQUESTS.setLevel(logging.INFO)
    try:
        yield sent
    finally:
        _REQUESTS.removeHandler(counter)
        _REQUESTS.setLevel(before)


@asynccontextmanager
async def app_over(azurite: str, now: datetime, *tenants: str) -> AsyncIterator[App]:
    """A monitor in local mode with empty tables of its own, a directory with one customer, and that time."""
    settings = settings_for(azurite, monitored_tenant_ids=",".join(tenants))
    tables = Tables.connect(azurite, prefix="t" + uuid4().hex[:20])
    app = App(settings, clock=lambda: now, tables=tables)
    try:
        await save_directory((await app.tables()).directory, DIRECTORY, now)
        yield app
    finally:
        await app.close()


async def write_rows(table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    """Put rows into a table."""
    by_partition: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_partition.setdefault(row["PartitionKey"], []).append(row)
    for of_partition in by_partition.values():
        for batch in batched(of_partition, 100, strict=False):
            await table.transact([upsert(row) for row in batch])


async def pages(endpoint: Endpoint, app: App, query: str, *, most_requests: int = 10) -> list[dict[str, Any]]:
    """All items of a list, by its cursors; no call may make more storage requests than that."""
    await app.directory()  # read once a process; the calls then only look whether it is still that one
    items: list[dict[str, Any]] = []
    cursor = ""
    for _ in range(200):
        with counted_requests() as sent:
            reply = await ask(endpoint, app, query + cursor)
        assert reply.status == 200, reply.text
        assert 0 < len(sent) <= most_requests, sent
        items += reply.json["items"]
        if reply.json["cursor"] is None:
            return items
        cursor = f"&cursor={reply.json['cursor']}"
    raise AssertionError("the list does not end")
