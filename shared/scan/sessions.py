"""What a read says of sessions, and what sessions say of its records (docs/semantics.md, evidence step 8).

Whoever asks leaves word first and reads then; whoever changes a root writes it first and reads then who asked: so
neither can miss the other. A person's rows are read, written in one transaction and read again. A first read writes at
once, since nothing of it can stand. Nor does it look who asked of people of whom it asks nothing itself, where nobody
can have: a root speaks for what comes after it, so that only a slice can have asked that ends after this one begins;
and whoever claims one later than that was looked at finds the roots written when he asks. A read that says and asks
what the read before it did asks nobody: had the proof of a session changed since, the slice had been made due.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from shared.ledger.head import Head
from shared.ledger.slices import DAY, Slice, midnight
from shared.rules import RULES_VERSION
from shared.scan.hold import Hold
from shared.scan.reading import Reading, SaysOfSession
from shared.signin.decoding import DECODER_VERSION
from shared.signin.evidence import Evidence
from shared.signin.sessions import Proof, SessionKey
from shared.store.agenda import make_due
from shared.store.at_once import all_of
from shared.store.gone_by import GoneBy, forget_gone_by, note_gone_by, read_gone_by
from shared.store.ledger import is_read_beyond
from shared.store.rooted import Rooted, digest_of, note_rooted, rooted_of
from shared.store.sessions import (
    PersonRows,
    RootChange,
    RootRow,
    RootsOf,
    SessionRows,
    read_person,
    roots_to_change,
    write_new,
    write_person,
)
from shared.store.tables import Operation, Table

_MOST_DAYS: Final = 3  # of an older slice somebody is beyond it, or its whole period is read for the first time


@dataclass(slots=True)
class _Person:
    """The sessions of one person that a read knows of."""

    said: dict[SessionKey, list[SaysOfSession]] = field(default_factory=dict)
    asked: set[SessionKey] = field(default_factory=set)

    @property
    def sessions(self) -> list[str]:
        return sorted({session for _, session in (*self.said, *self.asked)})


@dataclass(frozen=True, slots=True)
class Went:
    """What a read went by of sessions, and whether a note of an earlier read stands."""

    slice: Slice
    by: GoneBy
    is_noted: bool

    def note(self, done: Head) -> list[Operation]:
        """What is written of it with the head of a read that is done: nothing is kept of a slice that is sealed, and
        nothing is noted of a read that was not whole."""
        if done.next_due is None:
            return [forget_gone_by(self.slice)] if self.is_noted else []
        return note_gone_by(self.slice, self.by) if done.is_whole else []


async def settle_sessions(hold: Hold, reading: Reading, *, sure: bool, was_made_due: bool) -> Went:
    """Write what the slice proves for sessions, make due who went by them, and judge the records that ask.

    `sure`: no older worker can be half-way, so that what is equal needs no writing and no telling. Returns what it went
    by, to be noted when the read is done.
    """
    asked, digest = sorted(reading.asking()), _digest(reading)
    noted = None if hold.is_first_read else await read_gone_by(hold.tables.slices, hold.slice)
    if noted and sure and not was_made_due and (noted.generation, noted.digest) == (hold.generation_before, digest):
        proofs = dict(zip(asked, noted.proofs, strict=True))
    else:
        proofs = await _ask_people(hold, reading, sure=sure)
    reading.settle(proofs)
    by = GoneBy(hold.head.generation, digest, tuple(proofs[session] for session in asked))
    return Went(hold.slice, by, noted is not None)


def _digest(reading: Reading) -> str:
    """Stands for what a read says of sessions and which it asks."""
    said = sorted(
        (*session, s.record, s.at.isoformat(), str(s.own)) for session, of in reading.roots().items() for s in of
    )
    whole = json.dumps([RULES_VERSION, DECODER_VERSION, said, sorted(reading.asking())])
    return sha256(whole.encode()).hexdigest()


async def _ask_people(hold: Hold, reading: Reading, *, sure: bool) -> dict[SessionKey, Proof]:
    """Write what the slice says of sessions, make due who went by them. Returns what those proved that it asks."""
    table, by = hold.tables.sessions, RootsOf(hold.slice, hold.head.generation)
    noted = await _noted(hold, reading)
    unnoted = _rooted(reading, proven=True) - noted
    if unnoted:
        await hold.write_all(note_rooted(hold.slice, unnoted, by.generation), replace(hold.head, whole=False))
    people = _by_person(reading, _moved_away(reading, noted))
    at_once = await _write_first(hold, by, people) if hold.is_first_read else {}
    others = {name: person for name, person in people.items() if name not in at_once}
    stands = dict(
        zip(others, await all_of(read_person(table, p, of.sessions) for p, of in others.items()), strict=True)
    )
    changes = {name: _changes(person, stands[name], by, sure=sure) for name, person in others.items()}
    if sure and not unnoted and any(change.writes for of_person in changes.values() for change in of_person):
        await hold.write([], replace(hold.head, whole=False))
    await hold.keep()
    settled = await all_of(
        _written(table, hold.slice, name, person, changes[name], stands[name]) for name, person in others.items()
    )
    proven = {session: rows for of_person in (*at_once.values(), *settled) for session, rows in of_person.items()}
    told = [
        change.session for of_person in changes.values() for change in of_person if not sure or change.changes_proof
    ]
    told += [session for name in at_once for session in people[name].said if session in proven]
    await make_due(hold.tables.control, _others(hold.slice, (proven[session] for session in told)), by.generation)
    return {session: proven[session].proof for session in reading.asking()}


async def _write_first(hold: Hold, by: RootsOf, people: Mapping[str, _Person]) -> dict[str, PersonRows]:
    """Write what a first read says of people without looking at what stands, and read then the sessions of those of
    whom it asks, or somebody else may have asked. Returns those of whom nothing stood that it says, with no sessions
    where none was read; it tells all who asked of them."""
    table = hold.tables.sessions

    async def of(person: _Person) -> bool:
        roots = {session: [RootRow(s.record, s.at, s.own) for s in said] for session, said in person.said.items()}
        return await write_new(table, roots, sorted(person.asked), by)

    written = await all_of(of(person) for person in people.values())
    await hold.keep()
    new = [name for name, is_new in zip(people, written, strict=True) if is_new]
    looks = new if await _may_be_asked(hold, people, new) else [name for name in new if people[name].asked]
    rows = await all_of(read_person(table, name, people[name].sessions) for name in looks)
    await hold.keep()
    return {**{name: {} for name in new}, **dict(zip(looks, rows, strict=True))}


async def _may_be_asked(hold: Hold, people: Mapping[str, _Person], new: Sequence[str]) -> bool:
    """Whether another slice may have asked of the people of whom this one asks nothing. Looked at only where that saves
    requests."""
    now, tenants = hold.now(), {hold.slice.tenant, *hold.app.settings.tenants}
    days = (midnight(now) - midnight(hold.slice.start)) // DAY + 1
    if sum(not people[name].asked for name in new) <= days * len(tenants) or days > _MOST_DAYS:
        return True
    return await is_read_beyond(hold.tables.slices, hold.slice, tenants, now)


async def _noted(hold: Hold, reading: Reading) -> set[Rooted]:
    """Whom the slice wrote to. Only a record that is served takes a root back; nobody erased is named again."""
    if hold.is_first_read or not reading.ids:
        return set()
    rooted = await rooted_of(hold.tables.slices, hold.slice)
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
        roots_to_change(session, stands[session], by, [RootRow(s.record, s.at, s.own) for s in said], rewrite=not sure)
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
