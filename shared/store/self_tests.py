"""The rows of self-tests: what is kept of each run, and a finding and an incident that are written only to be read
again. All have a partition of their own, which no scan, list or roll-up reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from shared.basics.spelling import is_key
from shared.incidents.findings import Finding
from shared.incidents.model import Incident
from shared.store.findings import finding_of_row, finding_row
from shared.store.incident_rows import INCIDENT, incident_columns, incident_of
from shared.store.packing import pack, unpack
from shared.store.tables import SCHEMA, Conflict, Table, Tables, delete, keys, upsert, utc

_PARTITION: Final = "self-test"
_RUN: Final = "run-"


class RunState(StrEnum):
    """How far a run is."""

    QUEUED = "queued"
    DONE = "run"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SelfTestRun:
    """What is kept of one. `at` in UTC; `legs` are those of the scan, `deliveries` the ids of its alerts by
    channel."""

    id: str
    at: datetime
    by: str
    channels: Sequence[str]
    state: str = RunState.QUEUED
    legs: Sequence[dict[str, Any]] = ()
    deliveries: tuple[tuple[str, str], ...] = ()


async def save_run(tables: Tables, run: SelfTestRun) -> None:
    """Keep how far it got."""
    value = {**asdict(run), "at": run.at.isoformat()}
    row = {**keys(_PARTITION, _RUN + run.id), "v": SCHEMA, "at": run.at, **pack("run", value)}
    await tables.control.write(upsert(row))


async def read_run(tables: Tables, id_: str) -> SelfTestRun | None:
    """How far it got; None where there is none of that id."""
    row = await tables.control.get(_PARTITION, _RUN + id_) if is_key(id_) else None
    if row is None:
        return None
    value = unpack("run", row)
    deliveries = tuple((name, delivery) for name, delivery in value["deliveries"])
    return SelfTestRun(**{**value, "at": datetime.fromisoformat(value["at"]), "deliveries": deliveries})


async def forget_runs(tables: Tables, before: datetime) -> None:
    """Delete the runs that began before a time."""
    rows = tables.control.prefixed(_PARTITION, _RUN, select=["PartitionKey", "RowKey", "at"])
    await _remove(tables.control, [row async for row in rows if utc(row["at"]) < before])


async def write_and_read(tables: Tables, run: SelfTestRun, finding: Finding, incident: Incident) -> str:
    """Write the finding and the incident, read them back and remove them. Returns what was wrong, "" for nothing."""
    row = finding_row(_PARTITION, finding)
    await tables.slices.write(upsert(row))
    of_incident = {**incident_columns(incident), **keys(_PARTITION, INCIDENT + run.id)}
    await tables.incidents.write(upsert(of_incident))
    read = await tables.slices.get(_PARTITION, row["RowKey"])
    read_incident = await tables.incidents.get(_PARTITION, of_incident["RowKey"])
    await _remove(tables.slices, [row])
    await _remove(tables.incidents, [of_incident])
    if read is None or finding_of_row(read) != finding:
        return "the finding could not be read back as it was written"
    if read_incident is None or incident_of(read_incident) != incident:
        return "the incident could not be read back as it was written"
    return ""


async def remove_left_rows(tables: Tables, run: SelfTestRun) -> None:
    """Remove what a worker wrote before it crashed."""
    for table in (tables.slices, tables.incidents):
        await _remove(table, [row async for row in table.prefixed(_PARTITION, "") if run.id in row["RowKey"]])


async def _remove(table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        try:
            await table.write(delete(row))
        except Conflict:
            continue  # another worker was first
