"""Removing a person from what is kept, on request; the counts stay.

Wherever a row names the person, a word takes the place of id and user name that is drawn once for each erasure and kept
nowhere: so what belongs together still does, and nobody can tell whose it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.spelling import id_key, is_key
from shared.incidents.findings import TRACE_FIELDS
from shared.maintenance.removal import Allowance, remove
from shared.people.lists import AccountEntry, Technician, from_kept
from shared.store.codec import camel
from shared.store.directory import DirectoryMissing, load_directory, save_directory
from shared.store.packing import pack_bytes, unpack_bytes
from shared.store.people import ACCOUNTS, TECHNICIANS, load_lists
from shared.store.sessions import person_partition
from shared.store.tables import Conflict, Row, Table, Tables, etag_of, is_newer

_TRIES: Final = 20
_PACKED: Final = re.compile(r"([A-Za-z]+)0")
# What a finding says of the person beside id and names: where from, with what, in which session.
_TRACES: Final = tuple(camel(name) for name in TRACE_FIELDS)


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows were changed, and how many removed."""

    changed: int
    removed: int


class _Person:
    """Who is erased: an object id, the names it had, and the word in their place."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.word = f"erased-{uuid4().hex[:8]}"
        self._names: set[str] = set()
        self._spelled = self._pattern()

    def is_called(self, name: object) -> None:
        """Note one more name."""
        if isinstance(name, str) and name.strip() and name.lower() not in self._names:
            self._names.add(name.lower())
            self._spelled = self._pattern()

    def _pattern(self) -> re.Pattern[str]:
        key = self.key
        ids = f"{key}|{key[:8]}-{key[8:12]}-{key[12:16]}-{key[16:20]}-{key[20:]}"
        # A display name of one part may be a word of the language: it counts as a whole text only.
        names = [re.escape(name) for name in self._names if "@" in name or " " in name]
        within = "|".join(sorted(names, key=len, reverse=True))
        # ann@partner.example is not in joann@partner.example.
        spelled = rf"{ids}|(?<![\w.+-])(?:{within})(?![\w-]|\.\w)" if names else ids
        return re.compile(spelled, re.IGNORECASE)

    def in_text(self, text: str) -> str:
        """The text without the person."""
        return self.word if text.lower() in self._names else self._spelled.sub(self.word, text)

    def in_json(self, value: Any) -> Any:
        """A JSON value without the person, in its keys too."""
        if isinstance(value, str):
            return self.in_text(value)
        if isinstance(value, list):
            return [self.in_json(item) for item in value]
        if isinstance(value, dict):
            return {self.in_text(name): self.in_json(item) for name, item in value.items()}
        return value

    def is_in(self, raw: bytes) -> bool:
        """Whether bytes of the log name the person."""
        return bool(self._spelled.search(raw.decode(errors="replace")))


async def erase_person(app: App, user: str) -> Erased:
    """Erase the person with that object id: findings, quarantine, incidents, alerts, exceptions, roll-ups, sessions,
    roster, and what a refresh under way has fetched.

    Can be cut off anywhere and done again. Raises ValueError when that is no object id, Conflict when a row changes all
    the time.
    """
    key = id_key(user)
    if not is_key(key):
        raise ValueError("a person is named by the object id, a GUID")
    tables = await app.tables()
    person = _Person(key)
    await _learn_names(tables, person)
    allowance = Allowance(2**62)
    await remove(tables.sessions, tables.sessions.prefixed(person_partition(key), ""), allowance)
    await remove(tables.slices, _quarantined(tables.slices, person), allowance)
    await remove(tables.directory, _fetched(tables.directory, person), allowance)
    changed = await _from_the_roster(app, tables, person)
    # Those from which the names are learned come last, so that a run that was cut off can be done again.
    for table in (tables.alerts, tables.control, tables.rollups, tables.incidents, tables.slices, tables.directory):
        async for row in table.everything():
            changed += await _erase_in(table, row, person)
    log_event("person_erased", changed=changed, removed=allowance.removed)
    return Erased(changed, allowance.removed)


async def _learn_names(tables: Tables, person: _Person) -> None:
    async for name in _names_in_rows(tables, person.key):
        person.is_called(name)
    accounts, technicians = await load_lists(tables.directory, ACCOUNTS, TECHNICIANS)
    entries: list[AccountEntry | Technician] = [
        from_kept(AccountEntry, e) for e in (accounts.entries if accounts else ())
    ]
    entries += [from_kept(Technician, e) for e in (technicians.entries if technicians else ())]
    for entry in entries:
        if entry.key == person.key:
            person.is_called(entry.user_principal_name)
            person.is_called(entry.display_name)
    try:
        admins = (await load_directory(tables.directory)).file.delegated_admins
    except DirectoryMissing:
        return
    for admin in admins:
        if id_key(admin.user_id) == person.key:
            person.is_called(admin.user_principal_name)


async def _names_in_rows(tables: Tables, key: str) -> AsyncIterator[str]:
    async for row in tables.slices.between("0", "g", "find-", "find-~", ["user", "userName", "userDisplayName"]):
        if row["user"] == key:
            yield row["userName"]
            yield row["userDisplayName"]
    async for row in tables.incidents.between("0", "g", "incident-", "incident-~", ["user", "userName"]):
        if row["user"] == key:
            yield row["userName"]


async def _quarantined(table: Table, person: _Person) -> AsyncIterator[Row]:
    async for row in table.between("0", "g", "quar-", "quar-~"):
        if person.is_in(unpack_bytes("raw", row) or b""):
            yield row


async def _fetched(directory: Table, person: _Person) -> AsyncIterator[Row]:
    """Pages that a refresh keeps while it is under way; it asks again for those that are gone."""
    async for row in directory.between("run-", "run-~", "", "~"):
        if person.is_in(unpack_bytes("pieces", row) or b""):
            yield row


async def _from_the_roster(app: App, tables: Tables, person: _Person) -> int:
    for _ in range(_TRIES):
        try:
            loaded = await load_directory(tables.directory)
        except DirectoryMissing:
            return 0
        left = [admin for admin in loaded.file.delegated_admins if id_key(admin.user_id) != person.key]
        if len(left) == len(loaded.file.delegated_admins):
            return 0
        file = loaded.file.model_copy(update={"delegated_admins": left})
        try:
            await save_directory(tables.directory, file, app.clock(), began=loaded.began, after=loaded)
        except Conflict:
            continue
        return len(loaded.file.delegated_admins) - len(left)
    raise Conflict("the directory changes all the time")


async def _erase_in(table: Table, row: Row | None, person: _Person) -> bool:
    """Rewrite a row that names the person; whether it did."""
    for _ in range(_TRIES):
        if row is None or is_newer(row) or (made := _without(row, person)) is None:
            return False
        # Replaced and not merged: what a longer packed value left behind would still name the person.
        how = {"mode": UpdateMode.REPLACE, "etag": etag_of(row), "match_condition": MatchConditions.IfNotModified}
        try:
            await table.write(("update", made, how))
        except Conflict:
            row = await table.get(row["PartitionKey"], row["RowKey"])
            continue
        return True
    raise Conflict("a row changes all the time")


def _without(row: Row, person: _Person) -> dict[str, Any] | None:
    """The row without the person; None where it does not name them."""
    changes: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, str) and name not in ("PartitionKey", "RowKey") and person.in_text(value) != value:
            changes[name] = person.in_text(value)
    packed = [
        found[1] for name, value in row.items() if isinstance(value, bytes) and (found := _PACKED.fullmatch(name))
    ]
    for name in packed:
        if name == "raw":
            continue  # no JSON of ours; whole rows of these were removed
        before = json.loads(unpack_bytes(name, row) or b"null")
        after = person.in_json(before)
        if after != before:
            data = json.dumps(after, separators=(",", ":"), sort_keys=True).encode()
            changes |= dict.fromkeys(_columns_of(name, row)) | pack_bytes(name, data)
    if not changes:
        return None
    if str(row["RowKey"]).startswith("find-") and "user" in changes:
        changes |= dict.fromkeys(_TRACES, "")
    return {name: value for name, value in {**row, **changes}.items() if value is not None}


def _columns_of(name: str, row: Row) -> Iterable[str]:
    return [column for column in row if re.fullmatch(rf"{name}\d+", column)]
