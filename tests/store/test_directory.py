"""The directory in the tables: whoever reads it while it is replaced sees the old one or the new one, wholly."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.directory import DirectoryMissing, load_directory, save_directory
from shared.store.tables import Table, Tables, delete
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


def directory(name: str, size: int) -> DirectoryFile:
    return DirectoryFile(
        partner_tenant_id="partner",
        customers=[Customer(tenant_id=f"{name}-c{i}", from_=NOW) for i in range(size)],
        delegated_admins=[DelegatedAdmin(user_id=f"{name}-u{i}", to=NOW, roles=["r"]) for i in range(size)],
        federated_domains=[f"{name}.example"],
    )


OLD, NEW = directory("old", 700), directory("new", 3)


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.directory


async def test_a_directory_comes_back_as_it_was(table: Table) -> None:
    for file in (OLD, NEW, OLD, DirectoryFile(partner_tenant_id="p")):
        version = await save_directory(table, file, NOW)
        loaded = await load_directory(table)
        assert (loaded.file, loaded.version, loaded.at) == (file, version, NOW)
        assert await load_directory(table, loaded) is loaded


async def test_no_directory_is_said_so(table: Table) -> None:
    with pytest.raises(DirectoryMissing, match="not known yet"):
        await load_directory(table)


@pytest.mark.parametrize("beginning", ["admin-", "customer-", "partner"])
async def test_lost_rows_are_said_so_and_never_read_as_fewer(table: Table, beginning: str) -> None:
    await save_directory(table, OLD, NOW)
    for row in [dict(row) async for row in table.everything()]:
        if row["RowKey"].startswith(beginning):
            await table.write(delete(row))
    with pytest.raises(DirectoryMissing, match="lost"):
        await load_directory(table)
    await save_directory(table, OLD, NOW + timedelta(hours=1))
    assert (await load_directory(table)).file == OLD


@pytest.mark.parametrize(("before", "after"), [(OLD, NEW), (NEW, OLD)])
async def test_a_reader_that_is_overtaken_sees_one_or_the_other(
    azurite: str, prefix: str, table: Table, before: DirectoryFile, after: DirectoryFile
) -> None:
    await save_directory(table, before, NOW)
    async with CutProxy(azurite) as proxy:
        slow = Tables.connect(proxy.connection, prefix=prefix)
        proxy.begin()
        await load_directory(slow.directory)
        for number in range(1, len(proxy.requests) + 1):
            await save_directory(table, before, NOW + timedelta(minutes=2 * number))
            proxy.hold(number)
            reading = asyncio.ensure_future(load_directory(slow.directory))
            await proxy.held.wait()
            await save_directory(table, after, NOW + timedelta(minutes=2 * number + 1))
            proxy.release()
            loaded = await reading
            assert loaded.file in (before, after)
            assert (await load_directory(table)).file == after
        await slow.close()


@pytest.mark.parametrize("loss", Loss)
async def test_a_refresh_that_dies_leaves_one_or_the_other(azurite: str, prefix: str, table: Table, loss: Loss) -> None:
    async with CutProxy(azurite) as proxy:
        mortal = Tables.connect(proxy.connection, prefix=prefix, retries=0)
        number, died = 0, True
        while died:
            number += 1
            await save_directory(table, OLD, NOW)
            proxy.begin(Cut(number, loss, Aftermath.CRASH))
            (result,) = await asyncio.gather(save_directory(mortal.directory, NEW, NOW), return_exceptions=True)
            died = isinstance(result, Exception)
            assert (await load_directory(table)).file in (OLD, NEW)
            proxy.begin()
        assert number > 4
        assert (await load_directory(table)).file == NEW
        await mortal.close()
