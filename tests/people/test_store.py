"""The directory and the lists in the tables: thousands of entries, replaced at once or not at all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.directory import DirectoryMissing, load_directory, save_directory
from shared.store.people import CUSTOMERS, TECHNICIANS, list_facts, load_list, load_lists, save_list
from shared.store.refresh import Lease, LeaseLost, Piece, keep_pieces, kept_pieces, remove_pieces
from shared.store.tables import Conflict, Table, Tables
from tests.functions.asking import counted_requests
from tests.people.harness import tenant, user
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
PARTNER = "11111111-1111-1111-1111-111111111111"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.directory


def directory(people: int, customers: int = 1) -> DirectoryFile:
    return DirectoryFile(
        partner_tenant_id=PARTNER,
        delegated_admins=[
            DelegatedAdmin(user_id=user(n), user_principal_name=f"user{n}@partner.example", roles=["Group 1"])
            for n in range(people)
        ],
        customers=[Customer(tenant_id=tenant(n), display_name=f"Customer {n}") for n in range(customers)],
        federated_domains=["fed.example"],
    )


async def test_thousands_of_entries_take_few_requests(table: Table) -> None:
    large = directory(3_000, 5_000)
    with counted_requests() as sent:
        await save_directory(table, large, NOW)
    assert len(sent) < 25
    with counted_requests() as sent:
        loaded = await load_directory(table)
    assert len(sent) == 2
    assert loaded.file == large


async def test_a_refresh_counts_from_its_beginning(table: Table) -> None:
    with pytest.raises(DirectoryMissing):
        await load_directory(table)
    await save_directory(table, directory(1), NOW)
    assert (await load_directory(table)).began == NOW
    await save_directory(table, directory(2), NOW, began=NOW - MINUTE)
    loaded = await load_directory(table)
    assert (loaded.began, loaded.at) == (NOW - MINUTE, NOW)


async def test_a_directory_that_was_replaced_meanwhile_is_not_overwritten(table: Table) -> None:
    await save_directory(table, directory(1), NOW)
    loaded = await load_directory(table)
    await save_directory(table, directory(2), NOW + MINUTE)
    with pytest.raises(Conflict):
        await save_directory(table, directory(3), NOW + 2 * MINUTE, after=loaded)
    assert len((await load_directory(table)).file.delegated_admins) == 2


async def test_half_a_directory_is_never_read(tables: Tables, azurite: str) -> None:
    """Whatever write is the last that a dying process makes, readers see the old directory or the new one."""
    old, new = directory(600), directory(1_200)
    async with CutProxy(azurite) as proxy:
        dying = Tables(
            Tables.connect(proxy.connection)._service,  # the same tables, through the proxy
            tables._names[0].removesuffix("slices"),
            retries=0,
        )
        proxy.begin()
        await save_directory(dying.directory, old, NOW)
        every = len(proxy.requests)
        for number in range(1, every + 2):
            await save_directory(tables.directory, old, NOW)
            proxy.begin(Cut(number, Loss.ANSWER, Aftermath.CRASH))
            try:
                await save_directory(dying.directory, new, NOW + MINUTE)
            except (ServiceRequestError, ServiceResponseError):
                assert number <= every + 2
            loaded = await load_directory(tables.directory)
            assert loaded.file in (old, new)
        await save_directory(tables.directory, directory(1), NOW + 2 * MINUTE)
        await save_directory(tables.directory, directory(2), NOW + 3 * MINUTE)
        partitions = {row["PartitionKey"] async for row in tables.directory.everything()}
        assert len(partitions) == 2, "what a crash left behind goes with one of the next versions"
        await dying.close()


async def test_a_list_is_replaced_as_a_whole(table: Table) -> None:
    assert await load_list(table, TECHNICIANS) is None
    assert await list_facts(table, TECHNICIANS) is None
    await save_list(table, TECHNICIANS, [["a", 1]] * 1_200, {"n": 1}, NOW)
    await save_list(table, CUSTOMERS, [["b", None]], {}, NOW)
    await save_list(table, TECHNICIANS, [["c", [1, "x"]]] * 501, {"n": 2}, NOW + MINUTE)
    with counted_requests() as sent:
        customers, technicians = await load_lists(table, CUSTOMERS, TECHNICIANS)
    assert len(sent) == 1
    assert technicians is not None
    assert customers is not None
    assert (technicians.at, technicians.facts) == (NOW + MINUTE, {"n": 2})
    assert technicians.entries == [["c", [1, "x"]]] * 501
    assert customers.entries == [["b", None]]
    rows = [row["RowKey"] async for row in table.everything()]
    assert len(rows) == 2 + 2 + 1, "the old rows are gone"


async def test_two_that_write_a_list_at_the_same_instant_leave_a_whole_one(table: Table) -> None:
    await save_list(table, TECHNICIANS, [["a", 1]] * 600, {}, NOW)
    await save_list(table, TECHNICIANS, [], {}, NOW)
    kept = await load_list(table, TECHNICIANS)
    assert kept is not None
    assert kept.entries == []
    await save_list(table, TECHNICIANS, [["late", 1]], {}, NOW - MINUTE)
    kept = await load_list(table, TECHNICIANS)
    assert kept is not None
    assert kept.entries == [["late", 1]], "whoever wrote last stands, whatever the clocks say"
    lists = [["b", n] for n in range(8)]
    results = await asyncio.gather(
        *(save_list(table, TECHNICIANS, [entry] * 501, {}, NOW) for entry in lists), return_exceptions=True
    )
    assert {type(result) for result in results} <= {type(None), Conflict}
    kept = await load_list(table, TECHNICIANS)
    assert kept is not None
    assert len(kept.entries) == 501
    assert kept.entries[0] == kept.entries[-1]


async def test_pages_are_kept_in_their_order_however_large(table: Table) -> None:
    pieces = [Piece("members", f"group {n}", 0, "x" * 90_000) for n in range(10)]
    following = await keep_pieces(table, "run", "owner1234", 0, pieces)
    assert following > 1
    more = [Piece("members", "last", 1, "y")]
    assert await keep_pieces(table, "run", "another99", following, more) == following + 1
    found = [piece async for _, row in kept_pieces(table, "run") for piece in row]
    assert found == [*pieces, *more]
    await remove_pieces(table, "run")
    assert [row async for row in kept_pieces(table, "run")] == []


async def test_a_lease_is_one_workers_until_it_ends(table: Table) -> None:
    mine = await Lease.take(table, "me", NOW, 10 * MINUTE)
    assert mine is not None
    assert await Lease.take(table, "you", NOW + 9 * MINUTE, 10 * MINUTE) is None
    await mine.renew(NOW + 9 * MINUTE)
    assert await Lease.take(table, "you", NOW + 15 * MINUTE, 10 * MINUTE) is None
    yours = await Lease.take(table, "you", NOW + 19 * MINUTE, 10 * MINUTE)
    assert yours is not None
    with pytest.raises(LeaseLost):
        await mine.renew(NOW + 20 * MINUTE)
    await yours.give_back()
    assert await Lease.take(table, "me again", NOW + 20 * MINUTE, 10 * MINUTE) is not None
