"""A transaction of ours says and does what the SDK's own does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.data.tables import EdmType, EntityProperty, TableTransactionError, UpdateMode
from azure.data.tables.aio import TableClient, TableServiceClient

from shared.store.tables import Conflict, Tables, delete, insert, keys, merge, upsert
from shared.store.transactions import submit

VALUES: dict[str, Any] = {
    "text": "ü\x00\u2028 \"'%\r\n--batch HTTP/1.1 500",
    "astral": "😀",
    "empty": "",
    "long": "x" * 30_000,
    "bytes": bytes(range(256)),
    "none": b"",
    "small": -(2**31),
    "large": EntityProperty(2**40, EdmType.INT64),
    "yes": True,
    "share": 0.1,
    "at": datetime(2026, 11, 2, 3, 4, 5, 60, UTC),
}

IF_MATCH = {"mode": UpdateMode.MERGE, "match_condition": MatchConditions.IfNotModified}


@pytest.fixture
async def client(azurite: str, prefix: str) -> AsyncIterator[TableClient]:
    async with TableServiceClient.from_connection_string(azurite) as service:
        yield await service.create_table(prefix)


def batch(partition: str, etag: str) -> list[tuple[Any, ...]]:
    """Every kind of operation, over rows `here` with that etag and `gone`."""
    fenced = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
    return [
        ("create", {**keys(partition, "new-a.b_c"), **VALUES}),
        ("upsert", {**keys(partition, "merged"), **VALUES}, {"mode": UpdateMode.MERGE}),
        ("upsert", {**keys(partition, "put"), "a": 1}, {"mode": UpdateMode.REPLACE}),
        ("update", {**keys(partition, "here"), "b": 2}, {"mode": UpdateMode.MERGE, **fenced}),
        ("delete", keys(partition, "gone")),
    ]


async def rows_after(client: TableClient, partition: str, how: Any) -> tuple[list[dict[str, Any]], list[bool]]:
    for name in ("here", "gone", "merged", "put"):
        made = await client.upsert_entity({**keys(partition, name), "a": 0, "c": name})
    made = await client.upsert_entity({**keys(partition, "here"), "a": 0})
    etags = await how(batch(partition, made["etag"]))
    rows = [row async for row in client.query_entities(f"PartitionKey eq '{partition}'")]
    assert [row.metadata["etag"] for row in rows if row["RowKey"] == "new-a.b_c"] == [etags[0]]
    return [{**row, "PartitionKey": ""} for row in rows], [bool(etag) for etag in etags]


async def test_the_same_rows_stand_after_it_as_after_the_sdks(client: TableClient) -> None:
    async def of_the_sdk(operations: Any) -> list[str]:
        return [str(done.get("etag") or "") for done in await client.submit_transaction(operations)]

    theirs = await rows_after(client, "theirs", of_the_sdk)
    ours = await rows_after(client, "ours", lambda operations: submit(client, operations))
    assert ours == theirs
    assert [row["RowKey"] for row in ours[0]] == ["here", "merged", "new-a.b_c", "put"]


@pytest.mark.parametrize(
    "wrong",
    [
        [("create", keys("p", "here"))],
        [("delete", keys("p", "nowhere"))],
        [("update", keys("p", "here"), {"etag": "W/\"datetime'2026-11-02T00%3A00%3A00.0000000Z'\"", **IF_MATCH})],
    ],
)
async def test_one_that_fails_says_what_the_sdk_says_and_writes_nothing(client: TableClient, wrong: list[Any]) -> None:
    await client.upsert_entity(keys("p", "here"))
    beside = [("upsert", {**keys("p", "beside"), "a": 1})]
    with pytest.raises(TableTransactionError) as theirs:
        await client.submit_transaction([*beside, *wrong])
    with pytest.raises(HttpResponseError) as ours:
        await submit(client, [*beside, *wrong])
    assert ours.value.status_code == theirs.value.status_code
    assert getattr(ours.value, "error_code", None) == theirs.value.error_code  # type: ignore[attr-defined]
    assert [row["RowKey"] async for row in client.query_entities("PartitionKey eq 'p'")] == ["here"]


async def test_rows_of_two_partitions_are_refused_before_anything_is_sent(client: TableClient) -> None:
    with pytest.raises(ValueError, match="one partition"):
        await submit(client, [("upsert", keys("p", "row")), ("upsert", keys("another", "row"))])
    assert [row async for row in client.list_entities()] == []


async def test_a_table_that_is_not_there_is_an_error(azurite: str) -> None:
    async with TableServiceClient.from_connection_string(azurite) as service:
        with pytest.raises(HttpResponseError):
            await submit(service.get_table_client("nowhere"), [("upsert", keys("p", "row"))])


async def test_a_full_batch_comes_back_in_its_order(tables: Tables) -> None:
    etags = await tables.control.transact([insert({**keys("p", f"r{n:02d}"), "n": n}) for n in range(100)])
    rows = {row["RowKey"]: row async for row in tables.control.prefixed("p", "r")}
    assert [rows[f"r{n:02d}"].metadata["etag"] for n in range(100)] == etags
    await tables.control.transact(
        [merge({**keys("p", "r00"), "n": 5}, etags[0]), delete(keys("p", "r01")), upsert(keys("p", "r02"))]
    )
    with pytest.raises(Conflict):
        await tables.control.transact([upsert(keys("p", "r03")), merge({**keys("p", "r00"), "n": 6}, etags[0])])
