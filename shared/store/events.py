"""Pending events: what there is to tell, written in the transaction of the incident that caused it, gone once every
channel has its own copy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched, groupby
from typing import Any, Final

from shared.incidents.model import Event, EventKind, Incident, Telling
from shared.store.incident_rows import INCIDENTS
from shared.store.packing import pack, unpack
from shared.store.removing import remove_rows
from shared.store.tables import (
    MAX_BATCH,
    SCHEMA,
    Row,
    Table,
    is_newer,
    keys,
    utc,
)

EVENT: Final = "event-"


@dataclass(frozen=True, slots=True)
class Pending:
    """A pending event and the partition it stands in."""

    shard: str
    telling: Telling


def event_row(shard: str, telling: Telling) -> dict[str, Any]:
    """A pending event as a row."""
    return {**keys(shard, EVENT + telling.event.id), **telling_columns(telling)}


async def pending_events(table: Table, shards: Sequence[str]) -> list[Pending]:
    """Every pending event, the oldest first; those of a newer version of the app are left to it."""

    async def of(shard: str) -> list[Pending]:
        return [Pending(shard, telling_of(row)) async for row in table.prefixed(shard, EVENT) if not is_newer(row)]

    found = [pending for of_shard in await asyncio.gather(*(of(s) for s in shards)) for pending in of_shard]
    return sorted(found, key=lambda p: (p.telling.at, p.telling.event.id))


async def remove_events(table: Table, events: Iterable[Pending]) -> None:
    """Remove pending events; those that somebody else removed are gone too."""
    for shard, of_shard in groupby(sorted(events, key=lambda p: p.shard), key=lambda p: p.shard):
        for batch in batched((keys(shard, EVENT + p.telling.event.id) for p in of_shard), MAX_BATCH, strict=False):
            await remove_rows(table, batch)


# --- an event and its incident in the columns of a row ----------------------------------------------------------------


def telling_columns(telling: Telling) -> dict[str, Any]:
    """What there is to tell, as columns."""
    event, incident = telling.event, telling.incident
    return {
        "v": SCHEMA,
        "id": event.id,
        "kind": event.kind,
        "incident": incident.key,
        "severity": event.severity,
        "at": telling.at,
        "firstScan": telling.first_scan,
        **pack("incident", _json(incident)),
    }


def telling_of(row: Row) -> Telling:
    """What telling_columns put there."""
    return Telling(
        event=Event(row["id"], EventKind(row["kind"]), row["incident"], row["severity"]),
        incident=_incident(unpack("incident", row)),
        at=utc(row["at"]),
        first_scan=row["firstScan"],
    )


def _json(incident: Incident) -> dict[str, Any]:
    """An incident as it was, without what wakes it: nothing is told by that, and it names what people sign in with."""
    facts = replace(incident.facts, traits=frozenset(), customers=frozenset())
    return INCIDENTS.to_json(replace(incident, facts=facts, known=None, unheard=frozenset()))


def _incident(value: Mapping[str, Any]) -> Incident:
    return INCIDENTS.of_json({"announceable": value["severity"], **value})  # of which version 1 says nothing
