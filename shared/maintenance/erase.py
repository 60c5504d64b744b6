"""Erasing a person from what is kept, on request: a pseudonym stands in their place, and the numbers stay.

Whoever was on the roster stays there under the pseudonym, with the same dates, so that sign-ins that are read again are
judged as before (shared/incidents/erased.py). Can be cut off anywhere and done again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.spelling import id_key, is_key
from shared.incidents.erased import ErasedPeople
from shared.ledger.register import ActKind
from shared.maintenance.erase_rows import (
    erase_in_incidents,
    erase_in_rows,
    pages_of_person,
    quarantined_of_person,
    rename_sessions,
)
from shared.maintenance.erase_statements import erase_in_statements
from shared.maintenance.person import ErasedPerson
from shared.maintenance.removal import Allowance, remove
from shared.operations.register import Actor, note_act
from shared.people.lists import AccountEntry, Technician, from_kept
from shared.people.pseudonyms import file_under_pseudonyms
from shared.store.agenda import make_due
from shared.store.days import days_of_users
from shared.store.directory import Loaded, load_directory_if_any, note_erasures, save_directory
from shared.store.erased import note_erasure, read_erased
from shared.store.exceptions import read_exceptions
from shared.store.findings import users_of_findings
from shared.store.incident_rows import SHARDS
from shared.store.incidents import incident_rows
from shared.store.ledger import take_claims_away
from shared.store.people import ACCOUNTS, TECHNICIANS, load_lists
from shared.store.sessions import person_partition
from shared.store.sums import remove_sums
from shared.store.swap import until_settled
from shared.store.tables import Tables
from shared.wire.models import shown_id


class NoSuchPerson(Exception):  # noqa: N818
    """No row names a user with that id: it may be a tenant's, an application's or nobody's."""


class StillOnRoster(Exception):  # noqa: N818
    """The person holds delegated admin rights now, and was not meant to be erased all the same."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows were changed, and how many removed; the pseudonym under which the rest stands."""

    pseudonym: str
    changed: int
    removed: int


async def erase_person(app: App, user: str, by: Actor, *, force: bool = False) -> Erased:
    """Erase the person with that object id. `force`: also while they are on the roster.

    Raises ValueError when that is no object id, NoSuchPerson, StillOnRoster, Conflict when a row changes all the time.
    """
    key = id_key(user)
    if not is_key(key):
        raise ValueError("a person is named by the object id, a GUID")
    tables = await app.tables()
    loaded = await load_directory_if_any(tables.directory)
    names = await _names(app, tables, loaded, key)
    now = app.clock()
    if not force and loaded and loaded.directory.is_admin(key, now):
        raise StillOnRoster(
            "This person holds delegated admin rights now, and new sign-ins would name them again once the log has "
            "forgotten the old ones. Take the rights away first, or say force."
        )
    await note_act(app, ActKind.ERASE_BEGUN, by, forced=force)
    until = now + timedelta(days=app.settings.retention_days + 1)
    people, erasure = await note_erasure(tables.control, key, names, until)
    changed = await _on_roster(app, tables, key, people)
    interrupted = await take_claims_away(tables.slices, now)
    person = ErasedPerson(key, names, erasure, await _incidents_of(tables, {key, erasure.pseudonym}))
    allowance = Allowance(2**62)
    await remove(tables.directory, pages_of_person(tables.directory, person), allowance)
    changed += await rename_sessions(tables.sessions, person, people)
    changed += await quarantined_of_person(tables.slices, person, people)
    # Tables from which names are learned come last, so that a run that was cut off can be done again.
    for name in ("alerts", "control", "rollups"):
        changed += await erase_in_rows(name, tables.by_name[name], person)
    await remove_sums(tables.rollups)  # one that is made now may be of lines from before
    changed += await erase_in_incidents(tables.incidents, person)
    changed += await erase_in_statements(app.statements, person)
    for name in ("slices", "directory"):
        changed += await erase_in_rows(name, tables.by_name[name], person)
    # Once more: what a worker or a refresh wrote until it found out.
    changed += await rename_sessions(tables.sessions, person, people)
    await remove(tables.directory, pages_of_person(tables.directory, person), allowance)
    await make_due(tables.control, interrupted, uuid4().hex)
    shown = shown_id(erasure.pseudonym)
    await note_act(app, ActKind.ERASE_DONE, by, pseudonym=shown, changed=changed, removed=allowance.removed)
    log_event("person_erased", changed=changed, removed=allowance.removed)
    return Erased(shown, changed, allowance.removed)


async def _names(app: App, tables: Tables, loaded: Loaded | None, key: str) -> set[str]:
    """Every name that rows give a user with that id. Raises NoSuchPerson where none names such a user."""
    if _is_a_tenant(app, loaded, key):
        raise NoSuchPerson("There is no such person: it is a tenant's id.")
    names = {name async for name in _said_of(tables, loaded, key)}
    names |= {name async for name in _said_in_days(app, tables, key)}
    if not names and not await _is_mentioned(tables, key):
        raise NoSuchPerson("There is no such person: nothing that is kept names a user with this id.")
    return names - {""}


def _is_a_tenant(app: App, loaded: Loaded | None, key: str) -> bool:
    tenants = {id_key(app.settings.partner_tenant_id), *map(id_key, app.settings.tenants)}
    return key in tenants or (loaded is not None and key in loaded.directory.customers)


async def _said_of(tables: Tables, loaded: Loaded | None, key: str) -> AsyncIterator[str]:
    """The names, and "" for each mention without one."""
    async for row in users_of_findings(tables.slices):
        if row["user"] == key:
            yield row["userName"]
            yield row["userDisplayName"]
    for row in [r for s in SHARDS async for r in incident_rows(tables.incidents, s, ["user", "userName"])]:
        if row["user"] == key:
            yield row["userName"]
    accounts, technicians = await load_lists(tables.directory, ACCOUNTS, TECHNICIANS)
    entries: list[AccountEntry | Technician] = [
        from_kept(AccountEntry, e) for e in (accounts.entries if accounts else ())
    ]
    entries += [from_kept(Technician, e) for e in (technicians.entries if technicians else ())]
    for entry in entries:
        if entry.key == key:
            yield entry.user_principal_name or ""
            yield entry.display_name or ""
    for admin in loaded.directory.admins.get(key, ()) if loaded else ():
        yield admin.user_principal_name or ""


async def _incidents_of(tables: Tables, users: set[str]) -> list[str]:
    """The keys of the incidents about them."""
    rows = [r for s in SHARDS async for r in incident_rows(tables.incidents, s, ["id", "user"])]
    return [row["id"] for row in rows if row["user"] in users]


async def _said_in_days(app: App, tables: Tables, key: str) -> AsyncIterator[str]:
    """The names that days give the user, "" for one without."""
    now = app.clock()
    begin = now - timedelta(days=app.settings.finding_retention_days)
    async for day in days_of_users(tables.rollups, begin, now):
        if any(key in lines for lines in day.lines.values()):
            yield day.names.get(key, "")


async def _is_mentioned(tables: Tables, key: str) -> bool:
    """Whether sessions or an exception name the user, or they were erased not long ago."""
    if await anext(tables.sessions.prefixed(person_partition(key), "", ["RowKey"]), None) is not None:
        return True
    if any(stored.exception.covers.user == key for stored in await read_exceptions(tables.control)):
        return True
    return (await read_erased(tables.control)).of_id(key) is not None


async def _on_roster(app: App, tables: Tables, key: str, people: ErasedPeople) -> int:
    """Put pseudonyms on the roster in the place of the erased, with the same dates; in the same write every process
    hears that it has to read anew who was erased. Returns how many entries the person had."""

    async def attempt() -> int:
        loaded = await load_directory_if_any(tables.directory)
        if loaded is None or key not in loaded.directory.admins:
            await note_erasures(tables.directory)
            return 0
        file, now = file_under_pseudonyms(loaded.file, people), app.clock()
        await save_directory(tables.directory, file, now, began=loaded.began, after=loaded, erasures=uuid4().hex)
        return len(loaded.directory.admins[key])

    return await until_settled("the directory", attempt)
