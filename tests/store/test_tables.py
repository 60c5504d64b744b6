"""The habits of Table Storage as the service has them: the emulator takes more, so that our own checks are what counts.

Limits: docs/platform-facts.md, "Table Storage".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError

from shared.store.sizes import wire_bytes
from shared.store.tables import (
    MAX_BATCH,
    MAX_BATCH_BYTES,
    Conflict,
    Operation,
    Table,
    Tables,
    delete,
    etag_of,
    insert,
    keys,
    merge,
    upsert,
)
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.slices


def row(key: str = "r", **columns: Any) -> dict[str, Any]:
    return {**keys("p", key), **columns}


# --- what the service would refuse ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["a/b", "a\\b", "a#b", "a?b", "a%b", "a b", "", "a\tb", "a\x7fb", "ü", "x" * 256, "a'b", "~"]
)
def test_keys_that_the_service_or_an_address_would_trip_over_are_refused(key: str) -> None:
    for pair in ((key, "r"), ("p", key)):
        with pytest.raises(ValueError, match="cannot be a table key"):
            keys(*pair)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"text": "x" * 32_001}, "too long"),
        ({"text": "\U0001f600" * 16_001}, "too long"),
        ({"data": b"x" * 65_537}, "too long"),
        ({"number": 2**31}, "32 bits"),
        ({"number": -(2**31) - 1}, "32 bits"),
        ({f"c{i}": 1 for i in range(253)}, "columns"),
        ({f"c{i}": b"x" * 60_000 for i in range(17)}, "larger"),
        ({f"c{i}": "x" * 32_000 for i in range(16)}, "larger"),
    ],
)
def test_rows_that_the_service_would_refuse_are_refused(columns: dict[str, Any], why: str) -> None:
    for operation in (insert, upsert):
        with pytest.raises(ValueError, match=why):
            operation(row(**columns))


def test_rows_at_the_limits_pass() -> None:
    at_the_limits: dict[str, Any] = {
        "text": "x" * 32_000,
        "data": b"x" * 65_536,
        "number": 2**31 - 1,
        "low": -(2**31),
        "none": None,
    }
    insert(row(**at_the_limits))
    large: dict[str, Any] = {f"c{i}": b"x" * 60_000 for i in range(16)}
    insert(row(**large))
    many: dict[str, Any] = {f"c{i}": 1 for i in range(250)}  # with its keys 252
    insert(row(**many))


async def test_a_batch_at_the_limit_is_written(table: Table) -> None:
    await table.transact([upsert(row(f"r{i:02}")) for i in range(MAX_BATCH)])
    assert await table.get("p", f"r{MAX_BATCH - 1}") is not None


async def test_a_batch_is_refused_by_number_and_by_size(table: Table) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        await table.transact([])
    with pytest.raises(ValueError, match="does not fit"):
        await table.transact([upsert(row(f"r{i}")) for i in range(MAX_BATCH + 1)])
    with pytest.raises(ValueError, match="does not fit"):
        await table.transact([upsert(row(f"r{i}", **{f"d{j}": b"x" * 60_000 for j in range(10)})) for i in range(6)])
    assert await table.get("p", "r0") is None


@pytest.mark.parametrize(
    "value", ["plain" * 200, "\u4e2d" * 1000, "\U0001f600" * 500, '"\\\n\x00' * 250, b"\x00\xff" * 500, 1, True]
)
async def test_what_an_operation_weighs_is_never_less_than_what_is_sent(
    azurite: str, tables: Tables, prefix: str, value: object
) -> None:
    """A batch is as large on the wire as its operations together, and a little more for the batch itself."""
    operations: list[Operation] = [upsert(row(f"r{i}", column=value)) for i in range(20)]
    async with CutProxy(azurite) as proxy:
        measured = Tables.connect(proxy.connection, prefix=prefix)
        await measured.slices.transact(operations)
        await measured.close()
        assert proxy.sizes[-1] < sum(map(wire_bytes, operations)) < MAX_BATCH_BYTES


# --- what happens to writes -----------------------------------------------------------------------------------------


async def test_updates_keep_columns_they_do_not_name(table: Table) -> None:
    await table.write(insert(row(a=1, b="two")))
    read = await table.get("p", "r")
    assert read is not None
    await table.write(merge(row(a=2), etag_of(read)))
    await table.write(upsert(row(c=datetime(2026, 11, 2, tzinfo=UTC))))
    read = await table.get("p", "r")
    assert read is not None
    assert (read["a"], read["b"], read["c"]) == (2, "two", datetime(2026, 11, 2, tzinfo=UTC))


async def test_a_row_that_changed_since_is_a_conflict(table: Table) -> None:
    old = await table.write(insert(row(a=1)))
    await table.write(upsert(row(a=2)))
    for operation in (merge(row(a=3), old), insert(row(a=3)), delete(row(), old)):
        for send in (table.write, _alone(table)):
            with pytest.raises(Conflict):
                await send(operation)
    with pytest.raises(Conflict):
        await table.write(merge(row("absent"), old))
    read = await table.get("p", "r")
    assert read is not None
    assert read["a"] == 2


def _alone(table: Table) -> Any:
    return lambda operation: table.transact([operation])


async def test_a_batch_is_all_or_nothing(table: Table) -> None:
    await table.write(insert(row("there")))
    with pytest.raises(Conflict):
        await table.transact([insert(row("new")), insert(row("there"))])
    assert await table.get("p", "new") is None


async def test_etags_fence_each_other(table: Table) -> None:
    etag = await table.write(insert(row(a=0)))
    for i in range(1, 20):
        fresh = await table.write(merge(row(a=i), etag))
        with pytest.raises(Conflict):
            await table.write(merge(row(a=-1), etag))
        etag = fresh


async def test_ranges_and_prefixes_are_exact(table: Table) -> None:
    names = ["a", "a-", "a-1", "a-9", "a-Z", "a.", "b", "A-1"]
    for name in names:
        await table.write(insert(row(name)))
    assert [r["RowKey"] async for r in table.prefixed("p", "a-")] == ["a-", "a-1", "a-9", "a-Z"]
    assert [r["RowKey"] async for r in table.range("p", "a-1", "b")] == ["a-1", "a-9", "a-Z", "a."]


async def test_more_rows_than_a_page_come_all(table: Table) -> None:
    for start in range(0, 1100, MAX_BATCH):
        await table.transact([insert(row(f"r{i:04d}")) for i in range(start, start + MAX_BATCH)])
    assert [r["RowKey"] async for r in table.prefixed("p", "r", ["RowKey"])] == [f"r{i:04d}" for i in range(1100)]


@pytest.mark.parametrize("loss", Loss)
async def test_a_write_is_sent_again_where_the_connection_broke(
    azurite: str, tables: Tables, prefix: str, loss: Loss
) -> None:
    async with CutProxy(azurite) as proxy:
        shaky = Tables.connect(proxy.connection, prefix=prefix)
        proxy.begin(Cut(1, loss, Aftermath.BLIP))
        await shaky.slices.write(upsert(row("single", a=1)))
        proxy.begin(Cut(1, loss, Aftermath.BLIP))
        await shaky.slices.transact([upsert(row("one")), upsert(row("two"))])
        await shaky.close()
    assert [r["RowKey"] async for r in tables.slices.prefixed("p", "")] == ["one", "single", "two"]


async def test_a_lost_answer_looks_like_somebody_elses_change(azurite: str, tables: Tables, prefix: str) -> None:
    async with CutProxy(azurite) as proxy:
        shaky = Tables.connect(proxy.connection, prefix=prefix)
        proxy.begin(Cut(1, Loss.ANSWER, Aftermath.BLIP))
        with pytest.raises(Conflict):
            await shaky.slices.write(insert(row(a=1)))
        await shaky.close()
    assert await tables.slices.get("p", "r") is not None


async def test_storage_that_is_not_there_is_no_conflict(azurite: str, tables: Tables, prefix: str) -> None:
    async with CutProxy(azurite) as proxy:
        shaky = Tables.connect(proxy.connection, prefix=prefix, retries=1)
        proxy.down = True
        with pytest.raises(ServiceRequestError):
            await shaky.slices.write(insert(row(a=1)))
        with pytest.raises(ServiceRequestError):
            await shaky.slices.get("p", "r")
        await shaky.close()


def test_a_table_service_needs_an_address_or_a_connection_string() -> None:
    with pytest.raises(ValueError, match="connection string"):
        Tables.connect(None)
