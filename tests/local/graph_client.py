"""What the tests of the local Graph share: small records, and a caller that knows the protocol."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import aiohttp

from local.graph_server import LocalGraph
from local.sample import JsonObject, LogRecord, iso

TENANT = "aaaaaaaa-0000-4000-8000-000000000001"
OTHER_TENANT = "bbbbbbbb-0000-4000-8000-000000000002"
NOON = datetime(2026, 11, 18, 12, tzinfo=UTC)
USERS = "signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')"


def record(name: str, when: datetime = NOON, kind: str = "interactiveUser", **members: object) -> JsonObject:
    """A record with its key, its time and its stream."""
    base: JsonObject = {"id": name, "createdDateTime": iso(when), "signInEventTypes": [kind]}
    return {**base, "crossTenantAccessType": "serviceProvider", "isInteractive": kind == "interactiveUser"} | members


def entry(name: str, when: datetime = NOON, kind: str = "interactiveUser", tenant: str = TENANT) -> LogRecord:
    """A record that has always been in the log."""
    return LogRecord(tenant, when - timedelta(days=999), record(name, when, kind))


@dataclass
class Caller:
    """Asks a local Graph, with a token of its identity endpoint."""

    graph: LocalGraph
    http: aiohttp.ClientSession
    token: str

    async def get(
        self, path: str, options: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, JsonObject, dict[str, str]]:
        """Status, body and headers of a path, or of a whole URL."""
        url = path if path.startswith("http") else self.graph.url + path
        with_token = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        async with self.http.get(url, params=options, headers=with_token) as answer:
            return answer.status, cast("JsonObject", await answer.json(content_type=None)), dict(answer.headers)

    async def sign_ins(self, **options: str) -> tuple[int, JsonObject]:
        """Status and body of the beta sign-ins; `filter="…"` becomes `$filter`."""
        status, body, _ = await self.get(
            "/beta/auditLogs/signIns", {f"${name}": text for name, text in options.items()}
        )
        return status, body

    async def pages(self, **options: str) -> list[list[str]]:
        """The ids of every page, following the links."""
        status, body = await self.sign_ins(**options)
        found = []
        while True:
            assert status == 200, body
            found.append(ids(body))
            if "@odata.nextLink" not in body:
                return found
            status, body, _ = await self.get(str(body["@odata.nextLink"]))

    async def control(self, **members: object) -> None:
        """`POST /_control`."""
        async with self.http.post(f"{self.graph.url}/_control", json=members) as answer:
            assert answer.status == 204, await answer.text()

    async def report(self) -> JsonObject:
        """`GET /_control`."""
        async with self.http.get(f"{self.graph.url}/_control") as answer:
            return cast("JsonObject", await answer.json())


def ids(body: JsonObject) -> list[str]:
    """The ids of a page."""
    return [str(one["id"]) for one in cast("list[JsonObject]", body["value"])]


def error(body: JsonObject) -> tuple[str, str]:
    """Code and message of an error answer."""
    said = cast("dict[str, str]", body["error"])
    return said["code"], said["message"]


@asynccontextmanager
async def serving(
    entries: Iterable[LogRecord] = (), *, page_size: int = 1000, now: datetime | None = NOON
) -> AsyncIterator[Caller]:
    """A local Graph over `entries`, its clock stopped at noon, and a caller of it."""
    graph = LocalGraph(entries, tenant_id=TENANT, page_size=page_size, now=now)
    async with graph, aiohttp.ClientSession() as http:
        yield Caller(graph, http, graph.identity.issue(graph.url, TENANT))
