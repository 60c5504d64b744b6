"""The row of a tenant: one slice in flight, whoever asks."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger.flight import Flight
from shared.store.flights import change_flight, read_flight
from shared.store.tables import Table, Tables
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.control


async def test_a_tenant_nobody_knows_has_an_empty_flight(table: Table) -> None:
    flight = await read_flight(table, "a-b")
    assert flight == Flight("a-b")
    assert flight.is_free(NOW)


async def test_only_one_of_many_gets_the_flight(table: Table) -> None:
    for _ in range(2):  # the row is made, and then changed
        flight = await read_flight(table, "a-b")
        taken = await asyncio.gather(
            *(change_flight(table, flight, send_id=f"s{i}", until=NOW + timedelta(minutes=1)) for i in range(8))
        )
        (winner,) = [changed for changed in taken if changed]
        assert await read_flight(table, "a-b") == winner
        assert not winner.is_free(NOW)
        assert winner.is_free(NOW + timedelta(minutes=1))


@pytest.mark.parametrize("loss", Loss)
async def test_our_own_success_is_known_by_its_send_id(azurite: str, prefix: str, table: Table, loss: Loss) -> None:
    async with CutProxy(azurite) as proxy:
        shaky = Tables.connect(proxy.connection, prefix=prefix)
        flight = Flight("a-b")
        for send_id in ("one", "two"):
            proxy.begin(Cut(1, loss, Aftermath.BLIP))
            changed = await change_flight(shaky.control, flight, send_id=send_id, slice_id="x")
            assert changed is not None
            flight = changed
            assert await read_flight(table, "a-b") == flight
        await shaky.close()


async def test_what_stands_in_the_way_of_a_tenant_is_kept(table: Table) -> None:
    first = await change_flight(table, Flight("a-b"), problem="x" * 2000, problem_since=NOW, not_before=NOW)
    assert first is not None
    read = await read_flight(table, "A-B")
    assert (len(read.problem), read.problem_since, read.not_before, read.first_seen) == (1000, NOW, NOW, None)
