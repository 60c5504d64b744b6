"""Notes of the incidents that a slice is about to change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from shared.ledger.slices import Slice
from shared.rules.rule import PARTNER
from shared.store.tables import Tables, keys, upsert
from shared.store.touched import Touched, no_longer, notes_of, touched_of

SLICE = Slice(PARTNER, datetime(2026, 11, 2, 9, tzinfo=UTC), timedelta(minutes=15))
GENERATION = f"{1:020d}"


def _incident(number: int) -> str:
    return sha256(str(number).encode()).hexdigest()[:32]


async def test_many_incidents_take_few_rows_and_all_come_back(tables: Tables) -> None:
    incidents = {_incident(number) for number in range(12_000)}
    notes = [*notes_of(SLICE, incidents, GENERATION)]
    assert len(notes) == 3
    for note in notes:
        await tables.slices.write(note)
    noted = await touched_of(tables.slices, SLICE)
    assert noted.incidents == incidents
    for removal in no_longer(SLICE, noted):
        await tables.slices.write(removal)
    assert await touched_of(tables.slices, SLICE) == Touched(set(), [])


async def test_what_an_older_version_noted_is_read_and_what_a_newer_one_noted_is_left(tables: Tables) -> None:
    name = f"touch-{SLICE.name}-"
    await tables.slices.write(upsert({**keys(SLICE.partition, name + _incident(1)), "v": 1}))
    await tables.slices.write(upsert({**keys(SLICE.partition, name + _incident(2)), "v": 99}))
    for note in notes_of(SLICE, [_incident(3)], GENERATION):
        await tables.slices.write(note)
    noted = await touched_of(tables.slices, SLICE)
    assert noted.incidents == {_incident(1), _incident(3)}
    assert len(noted.rows) == 2


async def test_an_older_version_beside_this_one_sees_no_note_that_it_could_not_read(tables: Tables) -> None:
    """It took the end of each key that begins so for an incident's, and removed the row when it was through."""
    for note in notes_of(SLICE, [_incident(3)], GENERATION):
        await tables.slices.write(note)
    assert [row async for row in tables.slices.prefixed(SLICE.partition, f"touch-{SLICE.name}-")] == []


async def test_notes_of_another_slice_are_not_read(tables: Tables) -> None:
    other = Slice(PARTNER, SLICE.end, SLICE.width)
    for note in notes_of(other, [_incident(1)], GENERATION):
        await tables.slices.write(note)
    assert not (await touched_of(tables.slices, SLICE)).incidents
