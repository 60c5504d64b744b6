"""What the plan goes by, over real tables: marks, and days at rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger.slices import Slice
from shared.rules.rule import PARTNER
from shared.store.agenda import clear_due, due_mark, forget_rests, lay_to_rest, make_due, read_agenda, stir, stir_days
from shared.store.flights import change_flight
from shared.store.tables import Table, Tables

DAY = datetime(2026, 11, 2, tzinfo=UTC)
NOON = DAY + timedelta(hours=12)
SLICE = Slice(PARTNER, DAY + timedelta(hours=9), timedelta(minutes=15))


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.control


async def test_a_mark_that_was_made_anew_is_not_cleared(table: Table) -> None:
    await make_due(table, [SLICE], "one")
    served = await due_mark(table, SLICE)
    assert served is not None
    assert (await read_agenda(table, PARTNER)).marked == {SLICE: served}
    await make_due(table, [SLICE], "two")
    await clear_due(table, SLICE, served)
    fresh = await due_mark(table, SLICE)
    assert fresh is not None
    await clear_due(table, SLICE, fresh)
    await clear_due(table, SLICE, fresh)
    assert await due_mark(table, SLICE) is None


async def test_many_slices_are_marked_at_once(table: Table) -> None:
    slices = [Slice(PARTNER, DAY + timedelta(minutes=i), timedelta(minutes=1)) for i in range(250)]
    await make_due(table, slices, "rescan")
    assert (await read_agenda(table, PARTNER)).marked.keys() == {*slices}


async def test_a_day_rests_until_its_time_and_by_its_terms(table: Table) -> None:
    await lay_to_rest(table, await read_agenda(table, PARTNER), {DAY: NOON}, "terms")
    agenda = await read_agenda(table, PARTNER)
    assert agenda.is_at_rest(DAY, NOON - timedelta(seconds=1), "terms")
    assert not agenda.is_at_rest(DAY, NOON, "terms")
    assert not agenda.is_at_rest(DAY, DAY, "other terms")
    assert not agenda.is_at_rest(DAY + timedelta(days=1), DAY, "terms")


async def test_taking_the_flight_stirs_the_day_and_no_plan_that_read_before_lays_it_to_rest(table: Table) -> None:
    other = DAY + timedelta(days=1)
    await lay_to_rest(table, await read_agenda(table, PARTNER), {DAY: NOON, other: NOON}, "terms")
    before = await read_agenda(table, PARTNER)
    assert await change_flight(table, before.flight, beside=[stir(PARTNER, SLICE.start)], send_id="s", until=NOON)
    stirred = await read_agenda(table, PARTNER)
    assert (stirred.is_at_rest(DAY, DAY, "terms"), stirred.is_at_rest(other, DAY, "terms")) == (False, True)
    later = NOON + timedelta(days=1)
    await lay_to_rest(table, before, {DAY: later, other: later}, "terms")
    after = await read_agenda(table, PARTNER)
    assert not after.is_at_rest(DAY, DAY, "terms")
    assert after.is_at_rest(other, NOON, "terms")


async def test_an_operator_stirs_days_and_old_ones_are_forgotten(table: Table) -> None:
    days = {DAY + timedelta(days=i): NOON + timedelta(days=9) for i in range(3)}
    await lay_to_rest(table, await read_agenda(table, PARTNER), days, "terms")
    await stir_days(table, PARTNER, [DAY])
    agenda = await read_agenda(table, PARTNER)
    assert [agenda.is_at_rest(day, DAY, "terms") for day in days] == [False, True, True]
    await forget_rests(table, agenda, before=DAY + timedelta(days=2))
    assert [*(await read_agenda(table, PARTNER)).rests] == [DAY + timedelta(days=2)]
