"""Retention that deletes: what is older than the settings say goes, a night at a time.

Every step begins at its oldest row and can be cut off anywhere; the next run goes on by itself. Nothing writes to what
is deleted here: the scan reaches back LOOKBACK_DAYS, and FINDING_RETENTION_DAYS is never less.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import batched
from typing import Final

from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.spelling import id_key
from shared.incidents.model import IncidentState
from shared.ledger.slices import DAY, days_between, midnight, partition_of, partitions_from
from shared.maintenance.removal import Allowance, remove, remove_batch
from shared.store import rollups
from shared.store.alerts import ended_before, rows_about
from shared.store.directory import note_erasures
from shared.store.erased import forget_erasures
from shared.store.findings import quarantined_on
from shared.store.flights import all_flights
from shared.store.incident_rows import SHARDS, incident_in
from shared.store.incidents import empty_incident, incident_rows, remove_incident, rows_beside
from shared.store.notes import AppNote, read_note, write_note
from shared.store.register import PARTITION as REGISTER
from shared.store.register import acts_until
from shared.store.sessions import FIRST_PARTITION, LAST_PARTITION, is_of_before
from shared.store.sums import sums_before
from shared.store.tables import (
    MAX_BATCH,
    Conflict,
    Row,
    Table,
    Tables,
    etag_of,
    is_newer,
    utc,
)

# What a run may look at: about a quarter of an hour of Table Storage, within what a function may take.
ROWS_A_RUN: Final = 500_000
# What a session proved is asked by sign-ins of the same session: as long as a refresh token lives (90 days), and then
# the 30 days in which the log still shows such a sign-in.
SESSION_RETENTION: Final = timedelta(days=120)
# The longest that a log is kept (shared/app/settings.py), and ten nights on which this may have failed.
_NIGHTS_BACK: Final = timedelta(days=100)
_KEYS: Final = ["PartitionKey", "RowKey", "v"]


async def delete_expired(app: App, rows: int = ROWS_A_RUN) -> int:
    """Delete what is past its time, looking at so many rows at most. Returns how many went. Raises Conflict where the
    storage refuses what nobody else changes."""
    tables = await app.tables()
    now = app.clock()
    allowance = Allowance(rows)
    cutoff = midnight(now) - timedelta(days=app.settings.finding_retention_days)
    tenants = {id_key(tenant) for tenant in app.settings.tenants}
    tenants |= {flight.tenant async for flight in all_flights(tables.control)}  # also those no longer watched
    for tenant in sorted(tenants):
        old = tables.slices.between(partitions_from(tenant), partition_of(tenant, cutoff), "", "~", _KEYS)
        await remove(tables.slices, old, allowance)
        await _quarantine(app, tables.slices, tenant, cutoff, allowance)
    await remove(tables.rollups, rollups.expired(tables.rollups, cutoff), allowance)
    await remove(tables.rollups, sums_before(tables.rollups, cutoff), allowance)
    await _incidents(tables, cutoff, allowance)
    await remove(tables.alerts, ended_before(tables.alerts, cutoff, _KEYS), allowance)
    await remove(tables.control, tables.control.range(REGISTER, *acts_until(cutoff), _KEYS), allowance)
    if await forget_erasures(tables.control, now):
        await note_erasures(tables.directory)
    await _sessions(tables, now - SESSION_RETENTION, allowance)
    log_event("rows_expired", rows=allowance.removed, finished=not allowance.is_used_up)
    return allowance.removed


async def _quarantine(app: App, slices: Table, tenant: str, oldest: datetime, allowance: Allowance) -> None:
    """The records themselves; the ledger keeps how many there were. One request for each day that the log may still
    have had on the last nights: a rescan brings records to days that were cleaned before."""
    end = midnight(app.clock()) - timedelta(days=app.settings.quarantine_retention_days)
    for day in days_between(max(oldest, end - _NIGHTS_BACK), end - DAY):
        if allowance.is_used_up:
            return
        allowance.took(1)
        await remove(slices, quarantined_on(slices, tenant, day, _KEYS), allowance)


# --- incidents, and what was told of them -----------------------------------------------------------------------------


async def _incidents(tables: Tables, cutoff: datetime, allowance: Allowance) -> None:
    """Remove incidents closed long ago, with what belongs to them."""
    for shard in SHARDS:
        old = await _long_closed(tables.incidents, shard, cutoff, allowance)
        if allowance.is_used_up:
            return
        if old:
            # First what channels took in: a new incident of that name has the same events, and must be told.
            await remove(tables.alerts, rows_about(tables.alerts, old, _KEYS), allowance)
        for key, etag in old.items():
            await _remove_incident(tables.incidents, key, etag, allowance)
            if allowance.is_used_up:
                return


async def _long_closed(incidents: Table, shard: str, cutoff: datetime, allowance: Allowance) -> dict[str, str]:
    """The incidents of a shard that were resolved before the cutoff, and their etags."""
    old: dict[str, str] = {}
    columns = [*_KEYS, "state", "resolvedAt", "last"]
    async for row in incident_rows(incidents, shard, columns):
        allowance.took(1)
        closed = not is_newer(row) and row["state"] == IncidentState.RESOLVED
        if closed and max(utc(row["resolvedAt"]), utc(row["last"])) < cutoff:
            old[incident_in(row)] = etag_of(row)
    return old


async def _remove_incident(incidents: Table, key: str, etag: str, allowance: Allowance) -> None:
    """Empty it, then remove what belonged to it, then itself, so that a crash leaves it to be found again. A sign-in
    that comes in between opens it anew: counted from nothing, since the old contributions are not there any more."""
    beside = [row async for row in rows_beside(incidents, key, _KEYS)]
    try:
        emptied = await empty_incident(incidents, key, etag)
        for batch in batched(beside, MAX_BATCH, strict=False):
            allowance.took(len(batch))
            await remove_batch(incidents, [row for row in batch if not is_newer(row)], allowance)
            if allowance.is_used_up:
                return
        await remove_incident(incidents, key, emptied)
    except Conflict:
        return  # it came to life again
    allowance.removed += 1


# --- sessions ---------------------------------------------------------------------------------------------------------


async def _sessions(tables: Tables, cutoff: datetime, allowance: Allowance) -> None:
    """Many rows and no order of time in their keys: a run goes on where the last one stopped, and then begins anew."""
    place = await read_note(tables.control, AppNote.SESSIONS_LOOKED_AT)
    start = str(place["partition"]) if place else FIRST_PARTITION
    batch: list[Row] = []
    at = start
    async for row in tables.sessions.between(start, LAST_PARTITION, "", "~", [*_KEYS, "at"]):
        if row["PartitionKey"] != at:
            await _flush(tables.sessions, batch, allowance)
            batch, at = [], str(row["PartitionKey"])
            if allowance.is_used_up:
                break
        allowance.took(1)
        if not is_newer(row) and is_of_before(row, cutoff):
            batch.append(row)
    else:
        at = FIRST_PARTITION
    await _flush(tables.sessions, batch, allowance)
    await write_note(tables.control, AppNote.SESSIONS_LOOKED_AT, partition=at)


async def _flush(table: Table, rows: list[Row], allowance: Allowance) -> None:
    for batch in batched(rows, MAX_BATCH, strict=False):
        await remove_batch(table, batch, allowance)
