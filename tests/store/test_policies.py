"""The policies as they stood on a day: what was read between two changes is what a slice of then is judged by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.store.policies import load_version, save_policies
from shared.store.tables import Tables

START = datetime(2026, 9, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def _parts(name: str) -> dict[str, Any]:
    return {"conditionalAccess": [{"id": "1", "displayName": name}]}


async def test_each_time_has_the_policies_that_stood_then(tables: Tables) -> None:
    table = tables.directory
    assert await load_version(table, START) is None
    for day, name in ((0, "first"), (5, "first"), (10, "second"), (20, "third"), (30, "third")):
        await save_policies(table, _parts(name), {}, START + day * DAY)

    async def at(day: float) -> tuple[Any, int, int]:
        found = await load_version(table, START + day * DAY)
        assert found is not None
        name = found.parts["conditionalAccess"][0]["displayName"]
        return name, (found.since - START).days, (found.read_at - START).days

    assert await at(-3) == ("first", 0, 10), "as they were first read"
    assert await at(0) == ("first", 0, 10)
    assert await at(9.9) == ("first", 0, 10), "seen last before somebody saw others"
    assert await at(10) == ("second", 10, 20)
    assert await at(19.9) == ("second", 10, 20)
    assert await at(25) == ("third", 20, 30)
    assert await at(99) == ("third", 20, 30)


async def test_what_is_known_is_not_read_again(tables: Tables) -> None:
    table = tables.directory
    await save_policies(table, _parts("one"), {}, START)
    known = await load_version(table, START)
    await save_policies(table, _parts("one"), {}, START + DAY)
    again = await load_version(table, START, known)
    assert known is not None
    assert again is not None
    assert again.parts is known.parts
    assert (again.since, again.read_at) == (START, START + DAY)
