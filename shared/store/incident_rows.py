"""Incidents, what belongs to them, and what happens to them, as rows.

A few partitions by the first digit of the incident's key hold an incident, the contributions of slices, its history and
its pending events, so that all of them change in one transaction.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from shared.incidents.history import Line
from shared.incidents.life import Note
from shared.incidents.model import Ending, Facts, Incident, IncidentState
from shared.store.codec import Codec
from shared.store.history import line_row
from shared.store.packing import packed_columns
from shared.store.tables import SCHEMA, Row, keys

# Few, because the list, the summary and the dispatch look into all of them each time.
SHARDS: Final = tuple(f"shard-{digit}" for digit in "0123")
INCIDENT: Final = "incident-"
CONTRIBUTION: Final = "part-"
HISTORY: Final = "history-"

TRAITS: Final = ("traits", "known", "unheard", "customers")  # packed
FACTS: Final = Codec(Facts, packed=TRAITS)
INCIDENTS: Final = Codec(Incident, names={"key": "id"}, packed=TRAITS)


# What lists show of an incident and choose it by. What was told of it, and its traits, are half of its row.
_NOT_LISTED: Final = {
    *("announced", "since", "tellings", "toldAt", "toldLast", "grewAt", "actedAt", "wokenAt"),
}
LISTED: Final = (
    *("PartitionKey", "RowKey", "v", packed_columns("customers")[0]),  # so many customers never fill a second column
    *(column for column in INCIDENTS.plain_columns if column not in _NOT_LISTED),
)


def shard_of(key: str) -> str:
    """The partition of an incident."""
    return SHARDS[int(key[0], 16) * len(SHARDS) // 16]


def parts_of(key: str) -> str:
    """How the row keys of an incident's contributions begin; the id of the slice follows."""
    return f"{CONTRIBUTION}{key}-"


def incident_columns(incident: Incident) -> dict[str, Any]:
    """An incident as a row."""
    return {**keys(shard_of(incident.key), INCIDENT + incident.key), "v": SCHEMA, **INCIDENTS.columns(incident)}


def incident_of(row: Row) -> Incident:
    """The incident a row holds."""
    incident = INCIDENTS.value(row)
    if incident.state is IncidentState.RESOLVED and incident.ending is Ending.NONE:
        return replace(incident, ending=_ending_by_reason(incident.reason))
    return incident


def _ending_by_reason(reason: str) -> Ending:
    """What older versions of the app (before 2026-11-29) said in the reason alone."""
    if reason.startswith("quiet"):
        return Ending.QUIET
    return Ending.CORRECTED if reason.startswith("withdrawn") else Ending.PERSON


def incident_in(row: Row) -> str:
    """The key of the incident that a row is of: its own, a contribution, a line of its history; "" for another row."""
    kind, _, rest = str(row["RowKey"]).partition("-")
    return rest.partition("-")[0] if f"{kind}-" in (INCIDENT, CONTRIBUTION, HISTORY) else ""


def history_row(incident: Incident, number: int, note: Note, now: datetime) -> dict[str, Any]:
    """A line of an incident's history as a row."""
    line = Line(number, now, note.by, note.action, note.detail)
    return line_row(shard_of(incident.key), f"{HISTORY}{incident.key}-", line)
