"""Incidents: read one, change it by a step, look through all of them. Rows: shared/store/incident_rows.py."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

from shared.incidents.history import Line
from shared.incidents.life import Step
from shared.incidents.model import Incident, IncidentState, Telling
from shared.store.events import event_row
from shared.store.history import line_of
from shared.store.incident_rows import (
    CONTRIBUTION,
    HISTORY,
    INCIDENT,
    LISTED,
    SHARDS,
    history_row,
    incident_columns,
    incident_of,
    shard_of,
)
from shared.store.once import made_once
from shared.store.swap import swap
from shared.store.tables import Operation, Row, Table, delete, etag_of, insert, is_newer, keys, merge, upsert, utc


async def read_incident(table: Table, key: str) -> tuple[Incident, str] | None:
    """An incident and its row's etag; None when there is none, or a newer version of the app wrote it."""
    row = await table.get(shard_of(key), INCIDENT + key)
    return None if row is None or is_newer(row) else (incident_of(row), etag_of(row))


async def history(table: Table, key: str) -> list[Line]:
    """What happened to an incident, the oldest first."""
    rows = table.prefixed(shard_of(key), f"{HISTORY}{key}-")
    return [line_of(row) async for row in rows]


def step_rows(step: Step, now: datetime, etag: str | None, *, first_scan: bool = False) -> list[Operation]:
    """The incident, the lines of its history and the event, all of one transaction."""
    incident = step.incident
    shard = shard_of(incident.key)
    columns = incident_columns(incident)
    rows = [merge(columns, etag) if etag else insert(columns)]
    first = incident.revision - len(step.notes) + 1
    rows += [insert(history_row(incident, number, note, now)) for number, note in enumerate(step.notes, first)]
    if step.event:
        rows.append(upsert(event_row(shard, Telling(step.event, incident, now, first_scan))))
    return rows


async def take_step(table: Table, step: Step, etag: str, now: datetime) -> None:
    """Write what happened, if the incident is still the one with that etag. Raises Conflict."""
    *others, last = step_rows(step, now, etag)
    if not step.notes:
        await table.transact([*others, last])
        return
    note = step.notes[-1]
    line = history_row(step.incident, step.incident.revision, note, now)
    beside = [op for op in (*others, last) if op[1]["RowKey"] != line["RowKey"]]

    def is_mine(stands: Row) -> bool:
        return (utc(stands["at"]), stands["by"], stands["action"]) == (now, note.by, note.action)

    await swap(table, line, None, is_mine=is_mine, beside=beside)


async def unresolved(table: Table) -> AsyncIterator[tuple[Incident, str]]:
    """The incidents that are not resolved, each with its row's etag."""
    for shard in SHARDS:
        async for row in table.prefixed(shard, INCIDENT):
            if not is_newer(row) and row["state"] != IncidentState.RESOLVED:
                yield incident_of(row), etag_of(row)


async def all_incidents(table: Table) -> AsyncIterator[Incident]:
    """Every incident, whatever its state, shard by shard."""
    for shard in SHARDS:
        async for row in table.prefixed(shard, INCIDENT):
            if not is_newer(row):
                yield incident_of(row)


# --- looking through them ---------------------------------------------------------------------------------------------

# The first four digits of an incident's key, counted within its shard, so that one window means the same in all.
KEY_SPAN: Final = 0x10000 // len(SHARDS)


async def incidents_within(table: Table, first: int, end: int) -> list[Incident] | None:
    """The incidents of all shards whose keys lie in first..end of KEY_SPAN, by one request a shard: as far as lists
    show them (LISTED), the rest of each is as of one that is new.

    None when these do not give all of them: ask for a narrower window.
    """
    return await made_once(("incidents within", id(table), first, end), lambda: _within(table, first, end))


async def _within(table: Table, first: int, end: int) -> list[Incident] | None:
    pages = await asyncio.gather(
        *(
            table.page(shard, _key_bound(start + first), _key_bound(start + end), select=LISTED)
            for shard, start in zip(SHARDS, range(0, 0x10000, KEY_SPAN), strict=True)
        )
    )
    if any(more for _, more in pages):
        return None
    return [incident_of(row) for rows, _ in pages for row in rows if not is_newer(row)]


def ends_of_shard(place: int) -> tuple[str, str]:
    """Between which keys all incidents of a shard lie: as incidents_within asks for them."""
    return _key_bound(place * KEY_SPAN), _key_bound((place + 1) * KEY_SPAN)


def _key_bound(place: int) -> str:
    return f"{INCIDENT}{place:04x}" if place < 0x10000 else f"{INCIDENT}g"


# --- for those who look through all of them ---------------------------------------------------------------------------


def incident_rows(table: Table, shard: str, select: Sequence[str]) -> AsyncIterator[Row]:
    """The incidents of a shard, by their own rows."""
    return table.prefixed(shard, INCIDENT, select)


async def rows_beside(table: Table, key: str, select: Sequence[str]) -> AsyncIterator[Row]:
    """What belongs to an incident: its contributions and its history."""
    for prefix in (CONTRIBUTION, HISTORY):
        async for row in table.prefixed(shard_of(key), f"{prefix}{key}-", select):
            yield row


async def empty_incident(table: Table, key: str, etag: str) -> str:
    """Have an incident's own row say that nothing is left of it, if it is still the one with that etag: what comes
    later counts from nothing. Returns the new etag. Raises Conflict."""
    return await table.write(merge({**keys(shard_of(key), INCIDENT + key), "count": 0, "announceable": 0}, etag))


async def remove_incident(table: Table, key: str, etag: str) -> None:
    """Remove an incident's own row, if it is still the one with that etag. Raises Conflict."""
    await table.write(delete(keys(shard_of(key), INCIDENT + key), etag))
