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
from shared.signin.evidence import Evidence
from shared.signin.sessions import SessionKey
from shared.store.agenda import make_due
from shared.store.rooted import Rooted, digest_of, note_rooted, rooted_of
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
    noted = await _noted(hold, reading)
    people = _by_person(reading, _moved_away(reading, noted))
    stands = dict(
        zip(people, await all_of(read_person(table, p, of.sessions) for p, of in people.items()), strict=True)
    )
    changes = {name: _changes(person, stands[name], by, sure=sure) for name, person in people.items()}
    unnoted = _rooted(reading, proven=True) - noted
    if unnoted:
        await hold.write_all(note_rooted(hold.slice, noted | unnoted), replace(hold.head, whole=False))
    elif sure and any(change.writes for of_person in changes.values() for change in of_person):
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


async def _noted(hold: Hold, reading: Reading) -> set[Rooted]:
    """Whom the slice wrote to. Only a record that is served takes a root back; nobody erased is named again."""
    rooted = await rooted_of(hold.tables.slices, hold.slice) if reading.ids else ()
    return {note for note in rooted if reading.erased.of_id(note.session[0]) is None}


def _rooted(reading: Reading, *, proven: bool = False) -> set[Rooted]:
    """What the records speak for, or of what they prove something."""
    return {
        Rooted(session, digest_of(says.record))
        for session, said in reading.roots().items()
        for says in said
        if not proven or says.own is not Evidence.UNKNOWN
    }


def _moved_away(reading: Reading, noted: Iterable[Rooted]) -> list[SaysOfSession]:
    """That records which were served now say nothing of the sessions that they once spoke for."""
    served = {digest_of(record): record for record in reading.ids}
    left = sorted({*noted} - _rooted(reading))
    return [
        SaysOfSession(session, served[digest], reading.slice.start, Evidence.UNKNOWN)
        for session, digest in left
        if digest in served
    ]


def _by_person(reading: Reading, moved_away: Iterable[SaysOfSession]) -> dict[str, _Person]:
    people: dict[str, _Person] = {}
    for session, said in reading.roots().items():
        people.setdefault(session[0], _Person()).said[session] = said
    for says in moved_away:
        people.setdefault(says.session[0], _Person()).said.setdefault(says.session, []).append(says)
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
