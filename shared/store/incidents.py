"""Incidents, what each slice contributes to them, and the events there are to tell.

A few partitions by the first digit of the incident's key hold all three, so that a contribution, its incident and the
event it causes change in one transaction.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Final

from shared.incidents import Event, Facts, Incident, Who, after, counted_on, only_grew, total
from shared.scan.slices import Slice
from shared.store.packing import pack
from shared.store.tables import (
    SCHEMA,
    Conflict,
    Operation,
    Row,
    Table,
    etag_of,
    insert,
    is_newer,
    keys,
    merge,
    utc,
)

SHARDS: Final = tuple(f"shard-{digit}" for digit in "0123456789abcdef")
_INCIDENT: Final = "incident-"
_CONTRIBUTION: Final = "part-"
EVENT: Final = "event-"
_TRIES: Final = 20


def shard_of(key: str) -> str:
    """The partition of an incident."""
    return f"shard-{key[0]}"


type Change = dict[Slice, tuple[Who, Facts] | None]


async def contribute(
    table: Table, key: str, change: Change, *, generation: str, now: datetime, first_scan: bool
) -> None:
    """Replace what slices contribute to one incident; None takes a contribution away.

    Only a newer generation replaces a contribution. Several slices change together where one is split into halves.
    Raises Conflict when others change the incident all the time.
    """
    for _ in range(_TRIES):
        try:
            await _contribute_once(table, key, change, generation, now, first_scan=first_scan)
        except Conflict:
            continue
        return
    raise Conflict(f"incident {key} changes all the time")


async def _contribute_once(
    table: Table, key: str, change: Change, generation: str, now: datetime, *, first_scan: bool
) -> None:
    shard = shard_of(key)
    incident_row = await table.get(shard, _INCIDENT + key)
    if incident_row is not None and is_newer(incident_row):
        return
    operations: list[Operation] = []
    replaced: dict[str, Facts] = {}
    facts = _facts(incident_row) if incident_row else None
    grew = True
    who = None
    for slice_, part in change.items():
        row_key = f"{_CONTRIBUTION}{key}-{slice_.id}"
        old_row = await table.get(shard, row_key)
        if old_row is not None and (str(old_row["generation"]) >= generation or is_newer(old_row)):
            continue
        old = _facts(old_row) if old_row else None
        new = part[1] if part else None
        if old_row is None and new is None:
            continue
        who = part[0] if part else who
        stored = new or Facts(0, now, now, frozenset(), 0, 0)  # stays, so that an older worker cannot bring it back
        row = {**keys(shard, row_key), "slice": slice_.id, "generation": generation, **_fact_columns(stored)}
        operations.append(merge(row, etag_of(old_row)) if old_row else insert(row))
        replaced[row_key] = stored
        if only_grew(old, new):
            facts = counted_on(facts, old, new) if new else facts
        else:
            grew = False
    if not operations:
        return
    if not grew:
        others = table.prefixed(shard, f"{_CONTRIBUTION}{key}-")
        parts = {str(row["RowKey"]): _facts(row) async for row in others}
        facts = total({**parts, **replaced}.values())
    elif facts is not None and facts.count == 0:
        facts = None
    before = incident_of(incident_row) if incident_row else None
    incident, event = after(before, key, who or (before.who if before else Who("", "", "", "", "")), facts)
    if incident is not None:
        columns = incident_columns(incident)
        operations.append(merge(columns, etag_of(incident_row)) if incident_row else insert(columns))
    if event is not None and incident is not None:
        operations.append(insert(event_row(event, incident, now, first_scan=first_scan)))
    await table.transact(operations)


def _fact_columns(facts: Facts) -> dict[str, Any]:
    return {
        "v": SCHEMA,
        "count": facts.count,
        "first": facts.first,
        "last": facts.last,
        "rules": ",".join(sorted(facts.rules)),
        "severity": facts.severity,
        "announceable": facts.announceable,
    }


def _facts(row: Row) -> Facts:
    return Facts(
        count=row["count"],
        first=utc(row["first"]),
        last=utc(row["last"]),
        rules=frozenset(rule for rule in str(row["rules"]).split(",") if rule),
        severity=row["severity"],
        announceable=row["announceable"],
    )


def incident_columns(incident: Incident) -> dict[str, Any]:
    """An incident as a row."""
    return {
        **keys(shard_of(incident.key), _INCIDENT + incident.key),
        "id": incident.key,
        "user": incident.who.user,
        "userName": incident.who.user_name,
        "customer": incident.who.customer,
        "app": incident.who.app,
        "appName": incident.who.app_name,
        "announced": incident.announced,
        "opening": incident.opening,
        "state": incident.state,
        "reason": incident.reason,
        **_fact_columns(incident.facts),
    }


def incident_of(row: Row) -> Incident:
    """The incident a row holds."""
    return Incident(
        key=row["id"],
        who=Who(row["user"], row["userName"], row["customer"], row["app"], row["appName"]),
        facts=_facts(row),
        announced=row["announced"],
        opening=row["opening"],
        state=row["state"],
        reason=row["reason"],
    )


def event_row(event: Event, incident: Incident, now: datetime, *, first_scan: bool) -> dict[str, Any]:
    """A pending event as a row: the incident as it was, so that what is told does not change under way."""
    facts = incident.facts
    return {
        **keys(shard_of(incident.key), EVENT + event.id),
        "v": SCHEMA,
        "id": event.id,
        "kind": event.kind,
        "incident": incident.key,
        "severity": event.severity,
        "at": now,
        "firstScan": first_scan,
        **pack(
            "incident",
            {
                "id": incident.key,
                "user": incident.who.user,
                "userName": incident.who.user_name,
                "customer": incident.who.customer,
                "app": incident.who.app,
                "appName": incident.who.app_name,
                "count": facts.count,
                "first": facts.first.isoformat(),
                "last": facts.last.isoformat(),
                "rules": sorted(facts.rules),
                "severity": facts.severity,
                "opening": incident.opening,
                "state": incident.state,
                "reason": incident.reason,
            },
        ),
    }


async def all_incidents(table: Table) -> AsyncIterator[Incident]:
    """Every incident, whatever its state, shard by shard."""
    for shard in SHARDS:
        async for row in table.prefixed(shard, _INCIDENT):
            if not is_newer(row):
                yield incident_of(row)
