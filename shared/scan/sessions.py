"""What a read says of sessions, and what sessions say of its records (docs/semantics.md, evidence step 8).

Whoever asks leaves word first and reads then; whoever changes a root writes it first and reads then who asked: so
neither can miss the other. A person's rows are read once, written in one transaction and read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from shared.ledger.slices import Slice
from shared.scan.at_once import all_of
from shared.scan.hold import Hold
from shared.scan.reading import Reading, SaysOfSession
from shared.signin.sessions import SessionKey
from shared.store.agenda import make_due
from shared.store.sessions import (
    PersonRows,
    Root,
    RootChange,
    RootsOf,
    SessionRows,
    read_person,
    roots_to_change,
    write_person,
)
from shared.store.tables import Table


@dataclass(slots=True)
class _Person:
    """The sessions of one person that a read knows of."""

    said: dict[SessionKey, list[SaysOfSession]] = field(default_factory=dict)
    asked: set[SessionKey] = field(default_factory=set)

    @property
    def sessions(self) -> list[str]:
        return sorted({session for _, session in (*self.said, *self.asked)})


async def settle_sessions(hold: Hold, reading: Reading, *, sure: bool) -> None:
    """Write what the slice proves for sessions, make due who went by them, and judge the records that ask.

    `sure`: no older worker can be half-way, so that what is equal needs no writing and no telling.
    """
    table, by = hold.tables.sessions, RootsOf(hold.slice, hold.head.generation)
    people = _by_person(reading)
    stands = dict(
        zip(people, await all_of(read_person(table, p, of.sessions) for p, of in people.items()), strict=True)
    )
    changes = {name: _changes(person, stands[name], by, sure=sure) for name, person in people.items()}
    if sure and any(change.writes for of_person in changes.values() for change in of_person):
        await hold.write([], replace(hold.head, whole=False))
    await hold.keep()
    settled = await all_of(
        _written(table, hold.slice, name, person, changes[name], stands[name]) for name, person in people.items()
    )
    proven = {session: rows for of_person in settled for session, rows in of_person.items()}
    told = [
        change.session for of_person in changes.values() for change in of_person if not sure or change.changes_proof
    ]
    await make_due(hold.tables.control, _others(hold.slice, (proven[session] for session in told)), by.generation)
    reading.settle({session: proven[session].proof for session in reading.asking()})


def proofs_without_asking(people: Mapping[str, PersonRows], reading: Reading) -> None:
    """Judge the records that ask by what stands, and leave no word: for a read that must change nothing."""
    rows = {session: rows for of_person in people.values() for session, rows in of_person.items()}
    reading.settle({session: rows[session].proof for session in reading.asking() if session in rows})


def _by_person(reading: Reading) -> dict[str, _Person]:
    people: dict[str, _Person] = {}
    for session, said in reading.roots().items():
        people.setdefault(session[0], _Person()).said[session] = said
    for session in reading.asking():
        people.setdefault(session[0], _Person()).asked.add(session)
    return people


def _changes(person: _Person, stands: PersonRows, by: RootsOf, *, sure: bool) -> list[RootChange]:
    changes = [
        roots_to_change(session, stands[session], by, [Root(s.record, s.at, s.own) for s in said], rewrite=not sure)
        for session, said in person.said.items()
    ]
    return [change for change in changes if change.writes]


async def _written(
    table: Table, slice_: Slice, name: str, person: _Person, changes: list[RootChange], stands: PersonRows
) -> PersonRows:
    """A person's sessions after what the read says was written. Nothing is written or read again where it says nothing
    new: word that stands already was there before the rows were read."""
    asks = [session for session in sorted(person.asked) if not stands[session].was_asked_by(slice_)]
    if not changes and not asks:
        return stands
    await write_person(table, changes, asks, slice_)
    return await read_person(table, name, person.sessions)


def _others(slice_: Slice, told: Iterable[SessionRows]) -> list[Slice]:
    """The slices that asked, but this one: by id, since an ask row spells the tenant as a key."""
    askers = {asker.id: asker for rows in told for asker in rows.askers}
    return [asker for id_, asker in askers.items() if id_ != slice_.id]
