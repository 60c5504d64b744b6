"""What sessions proved and who asked: no overtaken worker brings back what a newer read corrected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.ledger.slices import Slice
from shared.rules.rule import PARTNER
from shared.signin.evidence import Evidence
from shared.signin.sessions import Session
from shared.store.sessions import Root, ask, askers, change_roots, proof_of, roots_to_change
from shared.store.tables import Table, Tables

NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
SLICE = Slice(PARTNER, NINE, timedelta(minutes=15))
SESSION = ("a" * 32, "session")
OLDER, NEWER = "1", "2"  # generations


@pytest.fixture
async def table(azurite: str) -> AsyncIterator[Table]:
    tables = Tables.connect(azurite, prefix="t" + uuid4().hex[:20])
    await tables.create()
    yield tables.sessions
    await tables.close()


async def put(table: Table, generation: str, own: Evidence, *, rewrite: bool = False) -> bool:
    """What a read of that generation does; whether it changes what the session proves."""
    change = await roots_to_change(table, SESSION, SLICE, generation, [Root("record", NINE, own)], rewrite=rewrite)
    await change_roots(table, change)
    return change.changes_proof


async def proves(table: Table) -> Session:
    return (await proof_of(table, SESSION)).at(NINE)


@pytest.mark.parametrize("stands", [True, False], ids=["over a row", "where none stood"])
async def test_a_worker_that_was_overtaken_between_reading_and_writing_changes_nothing(
    table: Table, stands: bool
) -> None:
    if stands:
        await put(table, "0", Evidence.NONE)
    roots = [Root("record", NINE, Evidence.SKIPPED)]
    overtaken = await roots_to_change(table, SESSION, SLICE, OLDER, roots, rewrite=True)
    assert await put(table, NEWER, Evidence.PROVEN)
    await change_roots(table, overtaken)
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


async def test_who_asks_is_known_however_the_session_was_answered(table: Table) -> None:
    person, session_id = SESSION
    answers = await ask(table, person, [session_id, "another"], SLICE)
    assert {proof.at(NINE) for proof in answers.values()} == {Session.UNSEEN}
    await put(table, NEWER, Evidence.PROVEN)
    assert (await ask(table, person, [session_id], SLICE))[SESSION].at(NINE) is Session.SATISFIED
    assert [slice_.id for slice_ in await askers(table, SESSION)] == [SLICE.id]
    assert [slice_.id for slice_ in await askers(table, (person, "another"))] == [SLICE.id]
