"""Incidents, what each slice contributes to them, and the events there are to tell.

A few partitions by the first digit of the incident's key hold all three, so that a contribution, its incident and the
event it causes change in one transaction.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection
from datetime import date, datetime
from typing import Any, Final

from shared.incidents.history import Line
from shared.incidents.life import USUAL_LIFE, Accepts, Life, News, Note, Step, accept_nothing, apply_findings
from shared.incidents.model import (
    ALL_SCOPES,
    PAST,
    Facts,
    Incident,
    IncidentState,
    Telling,
    Who,
    adds,
    counted_on,
    only_grew,
    total,
)
from shared.ledger.slices import Slice
from shared.store.events import event_row
from shared.store.packing import pack, unpack
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
    upsert,
    utc,
)

# Few, because the list, the summary and the dispatch look into all of them each time.
SHARDS: Final = tuple(f"shard-{digit}" for digit in "0123")
_INCIDENT: Final = "incident-"
_CONTRIBUTION: Final = "part-"
_HISTORY: Final = "history-"
_TRIES: Final = 20


def shard_of(key: str) -> str:
    """The partition of an incident."""
    return SHARDS[int(key[0], 16) * len(SHARDS) // 16]


type Change = dict[Slice, tuple[Who, Facts] | None]


async def contribute(
    table: Table,
    key: str,
    change: Change,
    *,
    generation: str,
    now: datetime,
    first_scan: bool,
    life: Life = USUAL_LIFE,
    accepts: Accepts = accept_nothing,
) -> None:
    """Replace what slices contribute to one incident; None takes a contribution away. `accepts` says what silences it.

    Only a newer generation replaces a contribution. Several slices change together where one is split into halves.
    Raises Conflict when others change the incident all the time.
    """
    for _ in range(_TRIES):
        try:
            await _contribute_once(
                table, key, change, generation, now, first_scan=first_scan, life=life, accepts=accepts
            )
        except Conflict:
            continue
        return
    raise Conflict(f"incident {key} changes all the time")


async def _contribute_once(
    table: Table,
    key: str,
    change: Change,
    generation: str,
    now: datetime,
    *,
    first_scan: bool,
    life: Life,
    accepts: Accepts,
) -> None:
    shard = shard_of(key)
    incident_row = await table.get(shard, _INCIDENT + key)
    if incident_row is not None and is_newer(incident_row):
        return
    before = incident_of(incident_row) if incident_row else None
    since = before.since if before else None
    operations: list[Operation] = []
    replaced: dict[str, Facts] = {}
    added: list[Facts] = []
    facts = before.facts if before else None
    grew = True
    who = None
    for slice_, part in change.items():
        row_key = f"{_CONTRIBUTION}{key}-{slice_.id}"
        old_row = await table.get(shard, row_key)
        if old_row is not None and (str(old_row["generation"]) >= generation or is_newer(old_row)):
            continue
        old = _facts(old_row) if old_row else None
        new = part[1] if part else None
        who = part[0] if part else who
        # Nothing is a row too, even where none stood: an older worker that is half-way must not bring one back.
        stored = new or Facts(0, now, now, frozenset(), 0, 0, frozenset())
        row = {**keys(shard, row_key), "slice": slice_.id, "generation": generation, **_fact_columns(stored)}
        operations.append(merge(row, etag_of(old_row)) if old_row else insert(row))
        replaced[row_key] = stored
        if new and adds(old, new):
            added.append(new)
        if only_grew(old, new):
            facts = counted_on(facts, old, new, since) if new else facts
        else:
            grew = False
    if not operations:
        return
    if not grew:
        others = table.prefixed(shard, f"{_CONTRIBUTION}{key}-")
        parts = {str(row["RowKey"]): _facts(row) async for row in others}
        facts = total({**parts, **replaced}.values(), since)
    elif facts is not None and facts.count == 0:
        facts = None
    known = who or (before.who if before else Who("", "", "", "", ""))
    step = apply_findings(before, News(key, known, facts, now, tuple(added)), life, accepts)
    if step is not None:
        operations += _step_rows(step, now, etag_of(incident_row) if incident_row else None, first_scan=first_scan)
    await table.transact(operations)


def _step_rows(step: Step, now: datetime, etag: str | None, *, first_scan: bool = False) -> list[Operation]:
    """The incident, the lines of its history and the event, all of one transaction."""
    incident = step.incident
    shard = shard_of(incident.key)
    columns = incident_columns(incident)
    rows = [merge(columns, etag) if etag else insert(columns)]
    first = incident.revision - len(step.notes) + 1
    rows += [insert(_note_row(incident, number, note, now)) for number, note in enumerate(step.notes, first)]
    if step.event:
        rows.append(upsert(event_row(shard, Telling(step.event, incident, now, first_scan))))
    return rows


def _fact_columns(facts: Facts) -> dict[str, Any]:
    return {
        "v": SCHEMA,
        "count": facts.count,
        "first": facts.first,
        "last": facts.last,
        "rules": ",".join(sorted(facts.rules)),
        "severity": facts.severity,
        "announceable": facts.announceable,
        "scopes": ",".join(sorted(facts.scopes)),
        **pack("traits", sorted(facts.traits)),
    }


def _facts(row: Row) -> Facts:
    return Facts(
        count=row["count"],
        first=utc(row["first"]),
        last=utc(row["last"]),
        rules=_set(row["rules"]),
        severity=row["severity"],
        announceable=row["announceable"],
        scopes=_scopes(row),
        traits=frozenset(unpack("traits", row) or ()),
    )


def _scopes(row: Row) -> frozenset[str]:
    listed = row.get("scopes")
    return ALL_SCOPES if listed is None else _set(listed)


def _set(listed: str) -> frozenset[str]:
    return frozenset(filter(None, listed.split(",")))


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
        "since": incident.since or PAST,
        "tellings": incident.tellings,
        "toldAt": incident.told_at or PAST,
        "toldLast": incident.told_last or PAST,
        "openedAt": incident.opened_at or PAST,
        "grewAt": incident.grew_at or PAST,
        "snoozedUntil": incident.snoozed_until or PAST,
        "resolvedAt": incident.resolved_at or PAST,
        "actedAt": incident.acted_at or PAST,
        "wokenAt": incident.woken_at or PAST,
        "assignee": incident.assignee,
        "due": incident.due.isoformat() if incident.due else "",
        "revision": incident.revision,
        **pack("known", None if incident.known is None else sorted(incident.known)),
        **pack("unheard", sorted(incident.unheard)),
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
        state=IncidentState(row["state"]),
        reason=row["reason"],
        since=_time(row, "since"),
        tellings=row["tellings"],
        told_at=_time(row, "toldAt"),
        told_last=_time(row, "toldLast"),
        opened_at=_time(row, "openedAt"),
        grew_at=_time(row, "grewAt"),
        snoozed_until=_time(row, "snoozedUntil"),
        resolved_at=_time(row, "resolvedAt"),
        acted_at=_time(row, "actedAt"),
        woken_at=_time(row, "wokenAt"),
        known=_known(row),
        unheard=frozenset(unpack("unheard", row) or ()),
        assignee=row.get("assignee", ""),
        due=date.fromisoformat(row["due"]) if row.get("due") else None,
        revision=row["revision"],
    )


def _time(row: Row, column: str) -> datetime | None:
    """A time; a row holds PAST for none, since a merge cannot clear a column, and an older version's has no column."""
    at = row.get(column)
    return None if at is None or utc(at) == PAST else utc(at)


def _known(row: Row) -> frozenset[str] | None:
    known = unpack("known", row)
    return None if known is None else frozenset(known)


# --- what people and time do to an incident ---------------------------------------------------------------------------


def _note_row(incident: Incident, number: int, note: Note, now: datetime) -> dict[str, Any]:
    return {
        **keys(shard_of(incident.key), f"{_HISTORY}{incident.key}-{number:08d}"),
        "v": SCHEMA,
        "at": now,
        "by": note.by,
        "action": note.action,
        "detail": note.detail,
    }


async def read_incident(table: Table, key: str) -> tuple[Incident, str] | None:
    """An incident and its row's etag; None when there is none, or a newer version of the app wrote it."""
    row = await table.get(shard_of(key), _INCIDENT + key)
    return None if row is None or is_newer(row) else (incident_of(row), etag_of(row))


async def history(table: Table, key: str) -> list[Line]:
    """What happened to an incident, the oldest first."""
    prefix = f"{_HISTORY}{key}-"
    return [
        Line(int(str(row["RowKey"]).removeprefix(prefix)), utc(row["at"]), row["by"], row["action"], row["detail"])
        async for row in table.prefixed(shard_of(key), prefix)
    ]


async def take_step(table: Table, step: Step, etag: str, now: datetime) -> None:
    """Write what happened, if the incident is still the one with that etag. Raises Conflict."""
    await table.transact(_step_rows(step, now, etag))


async def unresolved(table: Table) -> AsyncIterator[tuple[Incident, str]]:
    """The incidents that are not resolved, each with its row's etag."""
    for shard in SHARDS:
        async for row in table.prefixed(shard, _INCIDENT):
            if not is_newer(row) and row["state"] != IncidentState.RESOLVED:
                yield incident_of(row), etag_of(row)


async def all_incidents(table: Table) -> AsyncIterator[Incident]:
    """Every incident, whatever its state, shard by shard."""
    for shard in SHARDS:
        async for row in table.prefixed(shard, _INCIDENT):
            if not is_newer(row):
                yield incident_of(row)


# --- looking through them ---------------------------------------------------------------------------------------------

# The first four digits of an incident's key, counted within its shard, so that one window means the same in all.
KEY_SPAN: Final = 0x10000 // len(SHARDS)


async def incidents_within(table: Table, first: int, end: int) -> list[Incident] | None:
    """The incidents of all shards whose keys lie in first..end of KEY_SPAN, by one request a shard.

    None when these do not give all of them: ask for a narrower window.
    """
    pages = await asyncio.gather(
        *(
            table.page(shard, _key_bound(place * KEY_SPAN + first), _key_bound(place * KEY_SPAN + end))
            for place, shard in enumerate(SHARDS)
        )
    )
    if any(more for _, more in pages):
        return None
    return [incident_of(row) for rows, _ in pages for row in rows if not is_newer(row)]


def _key_bound(place: int) -> str:
    return f"{_INCIDENT}{place:04x}" if place < 0x10000 else f"{_INCIDENT}g"


async def open_by_severity(table: Table, scopes: Collection[str] = ALL_SCOPES) -> Counter[int]:
    """How many incidents with findings of these scopes are open, by severity: three columns of each incident, however
    many findings it has."""

    async def of_shard(shard: str) -> Counter[int]:
        rows = table.prefixed(shard, _INCIDENT, select=["state", "severity", "scopes", "v"])
        found = [row async for row in rows if row["state"] == IncidentState.OPEN and not is_newer(row)]
        return Counter(int(row["severity"]) for row in found if not _scopes(row).isdisjoint(scopes))

    return sum(await asyncio.gather(*(of_shard(shard) for shard in SHARDS)), Counter())
