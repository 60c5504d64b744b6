"""A refresh and an erasure at the same time: neither undoes the other's work, whichever comes in between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

from shared.maintenance.erase import erase_person
from shared.operations.register import Actor
from shared.people.lists import Technician, from_kept
from shared.people.refresh import refresh_directory
from shared.store.people import TECHNICIANS, load_list
from shared.store.refresh import Piece, all_pieces, keep_pieces, remove_pieces
from shared.store.tables import Operation, Table, delete
from tests.maintenance.test_ops import mentions, spellings
from tests.people.harness import HOUR, Office, broken, office, people, user

ANN = Actor("ann")
NAMED = spellings(user(1), "user1@partner.example")


async def _known(at: Office) -> dict[str, tuple[bool | None, bool | None]]:
    """Of each technician whether they are registered for MFA, and without an account."""
    kept = await load_list((await at.rig.tables()).directory, TECHNICIANS)
    entries = [from_kept(Technician, entry) for entry in kept.entries] if kept else []
    return {entry.id: (entry.registered, entry.off_boarded) for entry in entries}


@pytest.mark.parametrize("at_which", range(1, 7))
async def test_a_refresh_in_the_middle_of_an_erasure_changes_no_date_and_loses_no_account(
    azurite: str, monkeypatch: pytest.MonkeyPatch, at_which: int
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        before, known = await at.file(), await _known(at)
        assert before is not None
        at.pass_time(HOUR)
        slow, calls = at.rig.worker(), iter(range(1, 1000))

        def watch(table: Table) -> None:
            write = table.write

            async def refreshed_meanwhile(operation: Operation) -> str:
                if next(calls) == at_which:
                    await refresh_directory(at.rig.app, scheduled=True)
                return await write(operation)

            monkeypatch.setattr(table, "write", refreshed_meanwhile)

        tables = await slow.tables()
        watch(tables.control)
        watch(tables.directory)
        done = await erase_person(slow, user(1), ANN, force=True)
        assert next(calls) > at_which
        assert await mentions(at.rig, *NAMED) == []
        called = {user(1): done.pseudonym}
        after = await at.file()
        assert after is not None
        dates = Counter((called.get(a.user_id, a.user_id), a.from_, a.to) for a in before.delegated_admins)
        assert Counter((a.user_id, a.from_, a.to) for a in after.delegated_admins) == dates
        assert await _known(at) == {called.get(id_, id_): facts for id_, facts in known.items()}


async def test_the_pages_of_a_refresh_under_way_name_nobody_who_was_erased(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        await at.refresh()
        known = await _known(at)
        done = await erase_person(at.rig.app, user(1), ANN, force=True)
        at.pass_time(HOUR)
        at.fail(broken(14))
        await at.refresh()
        pages = [row async for row in all_pieces((await at.rig.tables()).directory)]
        assert pages, "they are kept until the refresh goes on"
        assert await mentions(at.rig, *NAMED) == []
        at.pass_time(HOUR)
        await at.refresh(scheduled=False)
        assert await _known(at) == {done.pseudonym if id_ == user(1) else id_: facts for id_, facts in known.items()}


async def test_what_an_erasure_removed_of_a_refreshs_pages_is_no_failure_of_it(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(azurite, monkeypatch, people()) as at:
        table = (await at.rig.tables()).directory
        await keep_pieces(
            table, "run-a", "owner-of-it", 0, [Piece("members", "group", n, "x" * 300_000) for n in (0, 1)]
        )
        first, _ = [row async for row in all_pieces(table)]
        transact = table.transact

        async def after_another(operations: Iterable[Operation]) -> list[str]:
            await table.write(delete(first))
            return await transact(operations)

        monkeypatch.setattr(table, "transact", after_another)
        await remove_pieces(table, "run-a")
        assert [row async for row in all_pieces(table)] == []
