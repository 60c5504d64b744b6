"""Compare-and-swap over real tables: somebody else's change, and our own success that comes back as a conflict."""

from __future__ import annotations

import pytest

from shared.store.swap import swap, until_settled
from shared.store.tables import Conflict, Row, Table, Tables, keys, upsert

KEY = keys("a", "row")
BESIDE = keys("a", "beside")


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.control


def mine(row: Row) -> bool:
    return bool(row["owner"] == "me")


async def test_a_row_is_made_and_changed_while_it_is_the_one_that_was_read(table: Table) -> None:
    first = await swap(table, {**KEY, "owner": "me", "n": 1}, None, is_mine=mine)
    second = await swap(table, {**KEY, "owner": "me", "n": 2}, first, is_mine=mine, beside=[upsert(BESIDE)])
    row = await table.get("a", "row")
    assert row is not None
    assert (row["n"], row.metadata["etag"]) == (2, second)
    assert await table.get("a", "beside") is not None


@pytest.mark.parametrize("beside", [[], [upsert(BESIDE)]])
async def test_our_own_success_that_comes_back_as_a_conflict_is_none(table: Table, beside: list[Row]) -> None:
    """The answer was lost: the same write is sent again, against a row that is no more the one that was read."""
    row = {**KEY, "owner": "me"}
    etag = await swap(table, row, None, is_mine=mine)
    assert await swap(table, row, None, is_mine=mine, beside=[upsert(BESIDE)] if beside else []) == etag


async def test_somebody_elses_row_is_a_conflict_and_nothing_is_written(table: Table) -> None:
    etag = await table.write(upsert({**KEY, "owner": "me"}))
    await table.write(upsert({**KEY, "owner": "you"}))
    with pytest.raises(Conflict):
        await swap(table, {**KEY, "owner": "me"}, etag, is_mine=mine, beside=[upsert(BESIDE)])
    row = await table.get("a", "row")
    assert row is not None
    assert (row["owner"], await table.get("a", "beside")) == ("you", None)


async def test_a_row_that_is_gone_is_a_conflict(table: Table) -> None:
    with pytest.raises(Conflict):
        await swap(table, {**KEY, "owner": "me"}, "W/\"datetime'2026-11-02T00%3A00%3A00.0000000Z'\"", is_mine=mine)


async def test_it_is_tried_until_it_settles_and_not_for_ever() -> None:
    tries = iter(range(100))

    async def third_time() -> int:
        if (n := next(tries)) < 2:
            raise Conflict("somebody was first")
        return n

    assert await until_settled("it", third_time) == 2

    async def never() -> None:
        next(tries)
        raise Conflict("somebody was first")

    with pytest.raises(Conflict, match="it changes all the time"):
        await until_settled("it", never, tries=3)
    assert next(tries) == 6
