"""Rows under a pseudonym: findings, sessions, quarantined records, and whatever columns are declared to name people
(shared/store/person_columns.py)."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from shared.incidents.erased import ErasedPeople, without_traces
from shared.incidents.history import IncidentAction
from shared.incidents.traits import undescribed, without_personal
from shared.maintenance.person import ErasedPerson
from shared.signin.careful import Quarantined
from shared.store.findings import (
    FINDING,
    all_quarantined,
    finding_of_row,
    finding_row,
    quarantined_again,
    quarantined_key,
)
from shared.store.incident_rows import TRAITS, incident_in
from shared.store.packing import pack_bytes, unpack_bytes
from shared.store.person_columns import ALL, person_columns
from shared.store.refresh import all_pieces
from shared.store.removing import remove_row
from shared.store.rooted import ROOTED, ROOTS, lines_without
from shared.store.sessions import person_partition, renamed
from shared.store.swap import until_settled
from shared.store.tables import Conflict, Row, Table, etag_of, is_newer, upsert

_PACKED: Final = re.compile(r"([A-Za-z]+)0")


async def pages_of_person(directory: Table, person: ErasedPerson) -> AsyncIterator[Row]:
    """Pages that a refresh keeps while it is under way; it asks again for those that are gone."""
    async for row in all_pieces(directory):
        if person.is_in(unpack_bytes("pieces", row) or b""):
            yield row


async def rename_sessions(sessions: Table, person: ErasedPerson, people: ErasedPeople) -> int:
    """Move what the person's sessions proved, and who asked, to the pseudonym. Returns how many rows."""
    moved = 0
    async for row in sessions.prefixed(person_partition(person.key), ""):
        if is_newer(row):
            continue
        await sessions.write(upsert(renamed(row, person.erasure.pseudonym, people.session)))
        await remove_row(sessions, row)
        moved += 1
    return moved


async def quarantined_of_person(slices: Table, person: ErasedPerson, people: ErasedPeople) -> int:
    """Take the bytes away of records that could not be read and name the person; they still count."""
    changed = 0
    async for row in all_quarantined(slices):
        if is_newer(row) or not person.is_in(unpack_bytes("raw", row) or b""):
            continue
        marked = people.marked(quarantined_key(row))
        await slices.write(upsert(quarantined_again(row, Quarantined(row["reason"], marked, -1))))
        await remove_row(slices, row)
        changed += 1
    return changed


async def erase_in_rows(name: str, table: Table, person: ErasedPerson) -> int:
    """Rewrite the rows of a table that name the person. Returns how many."""
    changed = 0
    async for row in table.everything():
        changed += await _erase_in_row(table, row, lambda stands: _without_person(name, stands, person))
    return changed


async def erase_in_incidents(incidents: Table, person: ErasedPerson) -> int:
    """Rewrite incidents and what belongs to them; those of the person say no more with what they sign in, or from
    where. Returns how many rows."""
    theirs = set(person.incidents)
    changed = 0

    def without(row: Row) -> dict[str, Any] | None:
        made = _without_person("incidents", row, person)
        if incident_in(row) not in theirs:
            return made
        personal: dict[str, Any] = {}
        for column in TRAITS:
            personal |= _packed_without(column, row, without_personal)
        for column in _says_why_it_woke(row):
            if (after := undescribed(row[column])) != row[column]:
                personal[column] = person.in_text(after)
        return _changed(made or row, personal) if personal else made

    async for row in incidents.everything():  # an incident's own row comes before its parts
        if row.get("user") in (person.key, person.erasure.pseudonym):
            theirs.add(incident_in(row))
        changed += await _erase_in_row(incidents, row, without)
    return changed


def _says_why_it_woke(row: Row) -> Iterator[str]:
    """The columns of an incident's row, or of a line of its history, that may say what was new in its sign-ins."""
    if "reason" in row:
        yield "reason"
    if row.get("action") == IncidentAction.WOKEN:
        yield "detail"


async def _erase_in_row(table: Table, row: Row | None, without: Callable[[Row], dict[str, Any] | None]) -> bool:
    async def attempt() -> bool:
        nonlocal row
        if row is None or is_newer(row) or (made := without(row)) is None:
            return False
        # Replaced and not merged: what a longer packed value left behind would still name the person.
        how = {"mode": UpdateMode.REPLACE, "etag": etag_of(row), "match_condition": MatchConditions.IfNotModified}
        try:
            await table.write(("update", made, how))
        except Conflict:
            row = await table.get(row["PartitionKey"], row["RowKey"])
            raise
        return True

    return await until_settled("a row", attempt)


def _without_person(name: str, row: Row, person: ErasedPerson) -> dict[str, Any] | None:
    """The row under the pseudonym; None where it does not name the person."""
    if name == "slices" and str(row["RowKey"]).startswith(FINDING):
        return _finding_without(row, person)
    if name == "slices" and str(row["RowKey"]).startswith(ROOTED):
        rooted = _packed_without(ROOTS, row, lambda lines: lines_without(lines, person.key))
        return _changed(row, rooted) if rooted else None
    holds = person_columns(name, row)
    changes: dict[str, Any] = {}
    for column in holds.texts:
        if isinstance(text := row.get(column), str) and (after := person.in_text(text)) != text:
            changes[column] = after
    for column in _packed_columns(row) if ALL in holds.packed else holds.packed:
        changes |= _packed_without(column, row, person.in_json)
    return _changed(row, changes) if changes else None


def _finding_without(row: Row, person: ErasedPerson) -> dict[str, Any] | None:
    finding, erasure = finding_of_row(row), person.erasure
    if finding.user != person.key and person.in_text(finding.user_name) == finding.user_name:
        return None
    named = replace(
        finding,
        user_name=finding.user_name and erasure.name_for(finding.user_name),
        user_display_name=finding.user_display_name and erasure.name,
    )
    if finding.user == person.key:
        under = without_traces(named, person.key, erasure.pseudonym)
    else:  # the masked name of somebody who was not on the roster stands beside another user's id
        under = without_traces(named, finding.user, finding.user)
    return _changed(row, finding_row(str(row["PartitionKey"]), under))


def _packed_without(column: str, row: Row, without: Callable[[Any], Any]) -> dict[str, Any]:
    data = unpack_bytes(column, row)
    if data is None:
        return {}
    before = json.loads(data)
    after = without(before)
    if after == before:
        return {}
    packed = pack_bytes(column, json.dumps(after, separators=(",", ":"), sort_keys=True).encode())
    stale = [name for name in row if re.fullmatch(rf"{column}\d+", name)]
    return {**dict.fromkeys(stale), **packed}


def _packed_columns(row: Row) -> Iterator[str]:
    for name, value in row.items():
        if isinstance(value, bytes) and (found := _PACKED.fullmatch(name)):
            yield found[1]


def _changed(row: Row, changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**row, **changes}.items() if value is not None}
