"""What a page asks twice is asked once, says the same, and a write is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from shared.store.once import forget_reads, reading_once
from shared.store.tables import Table, Tables, insert, keys, upsert
from tests.functions.asking import counted_requests


@pytest.fixture
async def table(azurite: str) -> AsyncIterator[Table]:
    tables = Tables.connect(azurite, prefix="t" + uuid4().hex[:20])
    await tables.create()
    await tables.rollups.transact([insert({**keys("p", f"k{n}"), "n": n, "other": "x"}) for n in range(6)])
    yield tables.rollups
    await tables.close()


async def numbers(rows: AsyncIterator[Any]) -> list[int]:
    return [row["n"] async for row in rows]


async def test_what_was_read_whole_serves_what_is_narrower(table: Table) -> None:
    with reading_once(), counted_requests() as asked:
        assert await numbers(table.range("p", "k0", "k6")) == [0, 1, 2, 3, 4, 5]
        assert await numbers(table.range("p", "k2", "k4")) == [2, 3]
        assert await numbers(table.prefixed("p", "k3", ["n"])) == [3]
        row = await table.get("p", "k5")
        assert row is not None
        assert row["other"] == "x"
        assert await table.get("p", "k50") is None
        rows, more = await table.page("p", "k1", "k3")
        assert ([r["n"] for r in rows], more) == ([1, 2], False)
        assert len(asked) == 1
        await numbers(table.range("p", "k0", "k9"))
        assert len(asked) == 2


async def test_a_few_columns_do_not_serve_who_asks_for_all(table: Table) -> None:
    with reading_once(), counted_requests() as asked:
        assert await numbers(table.range("p", "k0", "k6", ["n"])) == [0, 1, 2, 3, 4, 5]
        assert await numbers(table.range("p", "k0", "k6", ["n"])) == [0, 1, 2, 3, 4, 5]
        assert await numbers(table.range("p", "k0", "k2", ["n"])) == [0, 1]  # without their keys none can be chosen
        assert [row["other"] async for row in table.range("p", "k0", "k2")] == ["x", "x"]
        assert len(asked) == 3


async def test_a_page_of_a_few_columns_serves_no_more_than_these(table: Table) -> None:
    columns = ["PartitionKey", "RowKey", "n"]
    with reading_once(), counted_requests() as asked:
        rows, _ = await table.page("p", "k0", "k6", select=columns)
        assert "other" not in rows[0]
        known = await table.known("p", "k2", "k4", ["RowKey", "n"])
        assert [row["n"] for row in known or []] == [2, 3]
        assert await table.known("p", "k2", "k4") is None
        rows, _ = await table.page("p", "k2", "k4")
        assert [row["other"] for row in rows] == ["x", "x"]
        assert len(asked) == 2


async def test_several_ranges_serve_each(table: Table) -> None:
    with reading_once(), counted_requests() as asked:
        assert await numbers(table.ranges("p", [("k0", "k2"), ("k4", "k6")])) == [0, 1, 4, 5]
        assert await numbers(table.range("p", "k4", "k6")) == [4, 5]
        assert await numbers(table.range("p", "k1", "k2")) == [1]
        assert len(asked) == 1
        assert await numbers(table.range("p", "k1", "k5")) == [1, 2, 3, 4]
        assert len(asked) == 2


async def test_those_who_ask_at_the_same_time_ask_once(table: Table) -> None:
    with reading_once(), counted_requests() as asked:
        both = await asyncio.gather(*(numbers(table.range("p", "k0", "k6")) for _ in range(3)))
        assert both == [[0, 1, 2, 3, 4, 5]] * 3
        page, _ = await table.page("q", "k0", "k6")
        assert page == []
        assert await numbers(table.range("q", "k0", "k6")) == []
        assert len(asked) == 2


async def test_a_write_is_seen_and_outside_everything_is_asked(table: Table) -> None:
    with reading_once():
        await numbers(table.range("p", "k0", "k6"))
        await table.write(upsert({**keys("p", "k0"), "n": 10}))
        assert (await numbers(table.range("p", "k0", "k6")))[0] == 10
        await table.transact([upsert({**keys("p", "k0"), "n": 11})])
        assert (await numbers(table.range("p", "k0", "k6")))[0] == 11
        forget_reads()
        with counted_requests() as asked:
            await numbers(table.range("p", "k0", "k6"))
        assert len(asked) == 1
    with counted_requests() as asked:
        await numbers(table.range("p", "k0", "k6"))
        await numbers(table.range("p", "k0", "k6"))
    assert len(asked) == 2


async def test_what_failed_is_asked_again(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    with reading_once():
        with pytest.raises(ValueError, match="cannot be a table key"):
            await table.get("p", "no/key")
        assert await numbers(table.range("p", "k0", "k6")) == [0, 1, 2, 3, 4, 5]
