"""A night that fails: told, done again, and nothing deleted before it was exported."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from azure.core.exceptions import AzureError

from shared.app.app import App
from shared.ledger.slices import partition_of
from shared.maintenance.export import blob_name
from shared.maintenance.lines import written
from shared.maintenance.night import maintain, maintain_again
from shared.store.exports import Exports
from shared.store.tables import NAMES, Table, Tables, upsert
from tests.infra.kql import matches
from tests.infra.test_alerts import BY_NAME, query_of
from tests.scan.harness import Rig, rig

NIGHT = datetime(2026, 11, 3, 2, 40, tzinfo=UTC)
HOUR = timedelta(hours=1)


@asynccontextmanager
async def refusing_blobs(status: int) -> AsyncIterator[str]:
    """A blob service that answers every request with this status; gives its address."""

    async def refuse(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"x-ms-error-code": "AuthorizationPermissionMismatch"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/devstoreaccount1"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def worker(desk: Rig, connection: str) -> AsyncIterator[App]:
    """A worker over the rig's tables, with the storage of that connection string for all else."""
    settings = desk.settings.model_copy(update={"storage_connection_string": connection})
    made = App(settings, clock=lambda: desk.now, tables=Tables.connect(desk.connection, prefix=desk.prefix))
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
async def desk(storage: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    async with rig(storage, monkeypatch, now=NIGHT) as made:
        yield made


async def old_row(desk: Rig) -> tuple[Table, str]:
    table = (await desk.tables()).slices
    old = partition_of(desk.settings.partner_tenant_id, NIGHT - timedelta(days=500))
    await table.write(upsert({"PartitionKey": old, "RowKey": "find-a", "v": 1}))
    return table, old


def alarms(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The steps that the alert of the template is fired for."""
    query = query_of(BY_NAME["maintenance-failed"])
    lines = [r.getMessage() for r in caplog.records if r.name == "monitor"]
    return [json.loads(line)["step"] for line in lines if matches(query, line)]


async def exported(desk: Rig, day: str) -> set[str]:
    exports = Exports.connect(desk.connection)
    try:
        return {name for name in NAMES if await exports.holds(blob_name(day, name))}
    finally:
        await exports.close()


async def test_an_export_that_fails_is_told_and_made_an_hour_later(desk: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "monitor")
    table, old = await old_row(desk)
    async with refusing_blobs(403) as address:
        connection = re.sub(r"BlobEndpoint=[^;]+", f"BlobEndpoint={address}", desk.connection)
        assert connection != desk.connection
        async with worker(desk, connection) as refused:
            with pytest.raises(AzureError):
                await maintain(refused)
            assert alarms(caplog) == ["export"]
            assert await table.get(old, "find-a") is not None, "deleted without an export"
            assert not await maintain_again(refused), "it may still be at work"
            desk.set_time(NIGHT + HOUR)
            with pytest.raises(AzureError):
                await maintain_again(refused)
    assert await exported(desk, "2026-11-03") == set()
    caplog.clear()
    desk.set_time(NIGHT + 2 * HOUR)
    async with worker(desk, desk.connection) as mended:
        assert await maintain_again(mended)
        assert await exported(desk, "2026-11-03") == {*NAMES}
        assert await table.get(old, "find-a") is None
        caplog.clear()
        desk.set_time(NIGHT + 3 * HOUR)
        assert not await maintain_again(mended), "it is done"
    assert alarms(caplog) == []


async def test_a_night_whose_host_died_is_done_and_told(desk: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """It left the first table's export and the word that it had begun: the rest is made, and what is there stays."""
    caplog.set_level(logging.INFO, "monitor")
    desk.set_time(NIGHT + timedelta(days=1))
    tables, first = await desk.tables(), blob_name("2026-11-04", NAMES[0])
    begun = {"PartitionKey": "maintenance", "RowKey": "night", "v": 1, "done": False, "until": desk.now + HOUR / 2}
    await tables.control.write(upsert(begun))
    async with worker(desk, desk.connection) as next_one:
        await next_one.exports.create()
        assert await next_one.exports.put(first, written(NAMES[0], desk.now, tables.slices.everything()))
        before = b"".join([chunk async for chunk in next_one.exports.get(first)])
        assert not await maintain_again(next_one), "the lease holds"
        desk.set_time(desk.now + HOUR)
        assert await maintain_again(next_one)
        assert b"".join([chunk async for chunk in next_one.exports.get(first)]) == before
    assert alarms(caplog) == ["unfinished"]
    assert await exported(desk, "2026-11-04") == {*NAMES}


async def test_before_the_first_night_there_is_nothing_to_do_again(desk: Rig) -> None:
    assert not await maintain_again(desk.app)
