"""What sessions proved and who asked: no overtaken worker brings back what a newer read corrected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.ledger.slices import Slice
from shared.rules.rule import PARTNER
from shared.signin.evidence import Evidence
from shared.signin.sessions import Session
from shared.store.sessions import RootChange, RootRow, RootsOf, read_person, roots_to_change, write_person
from shared.store.tables import Table, Tables

NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
SLICE = Slice(PARTNER, NINE, timedelta(minutes=15))
SESSION = ("a" * 32, "session")
SESSION_OF = (SESSION[0], [SESSION[1]])
OLDER, NEWER = "1", "2"  # generations


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.sessions


async def put(table: Table, generation: str, own: Evidence, *, rewrite: bool = False) -> bool:
    """What a read of that generation does; whether it changes what the session proves."""
    change = await changed(table, generation, own, rewrite=rewrite)
    await write_person(table, [change], [], SLICE)
    return change.changes_proof


async def changed(table: Table, generation: str, own: Evidence, *, rewrite: bool) -> RootChange:
    stands = (await read_person(table, *SESSION_OF))[SESSION]
    return roots_to_change(SESSION, stands, RootsOf(SLICE, generation), [RootRow("record", NINE, own)], rewrite=rewrite)


async def proves(table: Table) -> Session:
    return (await read_person(table, *SESSION_OF))[SESSION].proof.at(NINE)


@pytest.mark.parametrize("stands", [True, False], ids=["over a row", "where none stood"])
async def test_a_worker_that_was_overtaken_between_reading_and_writing_changes_nothing(
    table: Table, stands: bool
) -> None:
    if stands:
        await put(table, "0", Evidence.NONE)
    overtaken = await changed(table, OLDER, Evidence.SKIPPED, rewrite=True)
    assert await put(table, NEWER, Evidence.PROVEN)
    await write_person(table, [overtaken], [], SLICE)
    assert await proves(table) is Session.SATISFIED


@pytest.mark.parametrize("rewrite", [True, False])
async def test_an_older_read_leaves_what_a_newer_one_wrote(table: Table, rewrite: bool) -> None:
    await put(table, NEWER, Evidence.PROVEN)
    assert not await put(table, OLDER, Evidence.NONE, rewrite=rewrite)
    assert await proves(table) is Session.SATISFIED


async def test_what_proves_nothing_any_more_is_not_brought_back(table: Table) -> None:
    assert await put(table, OLDER, Evidence.PROVEN)
    assert await put(table, NEWER, Evidence.NOT_APPLICABLE)
    assert not await put(table, OLDER, Evidence.PROVEN)
    assert await proves(table) is Session.UNSEEN


async def test_who_asks_is_known_of_however_many_sessions(table: Table) -> None:
    person, session_id = SESSION
    names = [session_id, *(f"another{i}" for i in range(20))]
    await write_person(table, [], [(person, name) for name in names], SLICE)
    await put(table, NEWER, Evidence.PROVEN)
    stands = await read_person(table, person, names)
    assert {key: rows.was_asked_by(SLICE) for key, rows in stands.items()} == {(person, name): True for name in names}
    assert stands[SESSION].proof.at(NINE) is Session.SATISFIED
    assert stands[person, "another1"].proof.at(NINE) is Session.UNSEEN


async def test_one_root_that_somebody_changed_keeps_the_others_from_nothing(table: Table) -> None:
    """They go in one transaction, which fails whole: then one by one."""
    stands = (await read_person(table, *SESSION_OF))[SESSION]
    roots = [RootRow(f"record{i}", NINE, Evidence.NONE) for i in range(5)]
    change = roots_to_change(SESSION, stands, RootsOf(SLICE, OLDER), roots, rewrite=False)
    newer = roots_to_change(
        SESSION, stands, RootsOf(SLICE, NEWER), [RootRow("record3", NINE, Evidence.PROVEN)], rewrite=False
    )
    await write_person(table, [newer], [], SLICE)
    await write_person(table, [change], [], SLICE)
    rows = (await read_person(table, *SESSION_OF))[SESSION].roots.values()
    assert sorted((row["generation"], row["proves"]) for row in rows) == [(OLDER, "missing")] * 4 + [
        (NEWER, "satisfied")
    ]
