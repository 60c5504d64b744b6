"""Incidents, what each slice contributes to them, and the events there are to tell.

A few partitions by the first digit of the incident's key hold all three, so that a contribution, its incident and the
event it causes change in one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from shared.incidents.contributions import Contribution, counted, nothing, summed
from shared.incidents.history import Line
from shared.incidents.life import USUAL_LIFE, Accepts, Life, News, Note, Step, accept_nothing, apply_findings
from shared.incidents.model import (
    ALL_SCOPES,
    Facts,
    Incident,
    IncidentState,
    Telling,
    Who,
)
from shared.ledger.slices import Slice
from shared.store.codec import Codec
from shared.store.events import event_row
from shared.store.packing import packed_columns, unpack
from shared.store.swap import swap, until_settled
from shared.store.tables import (
    SCHEMA,
    Operation,
    Row,
    Table,
    delete,
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


_NOBODY: Final = Who("", "", "", "", "")
TRAITS: Final = ("traits", "known", "unheard", "customers")  # packed
_FACTS: Final = Codec(Facts, packed=TRAITS)
_INCIDENTS: Final = Codec(Incident, names={"key": "id"}, packed=TRAITS)


def shard_of(key: str) -> str:
    """The partition of an incident."""
    return SHARDS[int(key[0], 16) * len(SHARDS) // 16]


type Change = dict[Slice, tuple[Who, Facts] | None]


@dataclass(frozen=True, slots=True)
class Contributor:
    """Who contributes: the generation of the read, its time (UTC), whether it is of the days before the installation,
    and by which rules incidents live. `accepts` says what silences one; `accepts_now` asks anew, since an exception may
    have been approved or ended while the slice was under way."""

    generation: str
    now: datetime
    first_scan: bool
    life: Life = USUAL_LIFE
    accepts: Accepts = accept_nothing
    accepts_now: Callable[[], Awaitable[Accepts]] | None = None


async def contribute(table: Table, key: str, change: Change, by: Contributor) -> None:
    """Replace what slices contribute to one incident; None takes a contribution away.

    Only a newer generation replaces a contribution. Several slices change together where one is split into halves.
    Raises Conflict when others change the incident all the time.
    """
    await until_settled(f"incident {key}", partial(_contribute_once, table, key, change, by))


async def _contribute_once(table: Table, key: str, change: Change, by: Contributor) -> None:
    shard = shard_of(key)
    incident_row = await table.get(shard, _INCIDENT + key)
    if incident_row is not None and is_newer(incident_row):
        return
    before = incident_of(incident_row) if incident_row else None
    since = before.since if before else None
    parts = [part for slice_, new in change.items() if (part := await _replaced(table, key, slice_, new, by))]
    if not parts:
        return
    counts = counted(before.facts if before else None, (part.contribution for part in parts), since)
    facts = counts.facts
    if counts.needs_all:
        others = table.prefixed(shard, _parts_of(key))
        standing = {str(row["RowKey"]): _FACTS.value(row) async for row in others}
        facts = summed(standing, {part.row_key: part.stored for part in parts}, since)
    known = next((part.who for part in reversed(parts) if part.who), before.who if before else _NOBODY)
    step = await _step(before, News(key, known, facts, by.now, tuple(counts.added)), by)
    operations = [part.operation for part in parts]
    if step is not None:
        etag = etag_of(incident_row) if incident_row else None
        operations += _step_rows(step, by.now, etag, first_scan=by.first_scan)
    await table.transact(operations)


async def _step(before: Incident | None, news: News, by: Contributor) -> Step | None:
    """What the findings do to the incident. Before anything is told of it, or it is no longer silenced, the exceptions
    are asked anew."""
    step = apply_findings(before, news, by.life, by.accepts)
    if step is None or by.accepts_now is None:
        return step
    was_silenced = before is not None and before.state is IncidentState.SILENCED
    if step.event is None and was_silenced == (step.incident.state is IncidentState.SILENCED):
        return step
    return apply_findings(before, news, by.life, await by.accepts_now())


@dataclass(frozen=True, slots=True)
class _Part:
    """A slice's contribution as it is about to be written."""

    row_key: str
    who: Who | None
    contribution: Contribution
    stored: Facts
    operation: Operation


async def _replaced(
    table: Table, key: str, slice_: Slice, new: tuple[Who, Facts] | None, by: Contributor
) -> _Part | None:
    """The write that replaces a slice's contribution; None where a newer read already did."""
    row_key = _parts_of(key) + slice_.id
    old = await table.get(shard_of(key), row_key)
    if old is not None and (str(old["generation"]) >= by.generation or is_newer(old)):
        return None
    who, facts = new or (None, None)
    stored = facts or nothing(by.now)
    columns = {"v": SCHEMA, "slice": slice_.id, "generation": by.generation, **_FACTS.columns(stored)}
    row = {**keys(shard_of(key), row_key), **columns}
    contribution = Contribution(_FACTS.value(old) if old else None, facts)
    return _Part(row_key, who, contribution, stored, merge(row, etag_of(old)) if old else insert(row))


async def slices_of(table: Table, key: str) -> list[str]:
    """The ids of the slices that contribute findings to an incident."""
    rows = table.prefixed(shard_of(key), _parts_of(key), select=["slice", "count"])
    return [str(row["slice"]) async for row in rows if row["count"] > 0]


def _parts_of(key: str) -> str:
    return f"{_CONTRIBUTION}{key}-"


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


def incident_columns(incident: Incident) -> dict[str, Any]:
    """An incident as a row."""
    return {**keys(shard_of(incident.key), _INCIDENT + incident.key), "v": SCHEMA, **_INCIDENTS.columns(incident)}


def incident_of(row: Row) -> Incident:
    """The incident a row holds."""
    return _INCIDENTS.value(row)


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


def incident_in(row: Row) -> str:
    """The key of the incident that a row is of: its own, a contribution, a line of its history; "" for another row."""
    kind, _, rest = str(row["RowKey"]).partition("-")
    return rest.partition("-")[0] if f"{kind}-" in (_INCIDENT, _CONTRIBUTION, _HISTORY) else ""


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
    *others, last = _step_rows(step, now, etag)
    if not step.notes:
        await table.transact([*others, last])
        return
    note = step.notes[-1]
    line = _note_row(step.incident, step.incident.revision, note, now)
    beside = [op for op in (*others, last) if op[1]["RowKey"] != line["RowKey"]]

    def is_mine(stands: Row) -> bool:
        return (utc(stands["at"]), stands["by"], stands["action"]) == (now, note.by, note.action)

    await swap(table, line, None, is_mine=is_mine, beside=beside)


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


async def incidents_changed_since(table: Table, since: datetime) -> list[Incident]:
    """Those opened, resolved, raised or seen at or after that time (UTC), however many there are beside them."""
    changed = " or ".join(f"{column} ge @since" for column in ("openedAt", "resolvedAt", "raisedAt", "last"))

    async def of_shard(shard: str) -> list[Incident]:
        rows = table.matching(shard, _INCIDENT, changed, {"since": since})
        return [incident_of(row) async for row in rows if not is_newer(row)]

    return [incident for of_one in await asyncio.gather(*map(of_shard, SHARDS)) for incident in of_one]


def _key_bound(place: int) -> str:
    return f"{_INCIDENT}{place:04x}" if place < 0x10000 else f"{_INCIDENT}g"


def _scopes(row: Row) -> frozenset[str]:
    listed = row.get("scopes")
    return ALL_SCOPES if listed is None else _split(listed)


def _split(listed: object) -> frozenset[str]:
    return frozenset(filter(None, str(listed).split(",")))


@dataclass(frozen=True, slots=True)
class IncidentOutline:
    """What a summary needs of an incident. `last` is UTC; the rest is as in Incident, Facts and Who, and `reached` as
    Incident.customers."""

    key: str
    state: str
    severity: int
    scopes: frozenset[str]
    last: datetime
    user: str
    customer: str
    app: str
    rules: frozenset[str]
    customers: frozenset[str]

    @property
    def reached(self) -> frozenset[str]:
        """The tenants that its findings reached."""
        return frozenset({self.customer}) if self.customer else self.customers


async def outline_incidents(table: Table) -> list[IncidentOutline]:
    """Every incident that has findings, in outline: a few columns of each, however many findings it has."""
    columns = ["id", "state", "severity", "scopes", "last", "count", "user", "customer", "app", "rules", "v"]
    columns += packed_columns("customers")[:1]  # so many of them never fill one

    async def of_shard(shard: str) -> list[IncidentOutline]:
        rows = table.prefixed(shard, _INCIDENT, select=columns)
        return [_outline(row) async for row in rows if not is_newer(row) and row["count"]]

    shards = await asyncio.gather(*(of_shard(shard) for shard in SHARDS))
    return [outline for of_shard_ in shards for outline in of_shard_]


def _outline(row: Row) -> IncidentOutline:
    who = (str(row["user"]), str(row["customer"]), str(row["app"]))
    sets = (_split(row["rules"]), frozenset[str](unpack("customers", row) or ()))
    return IncidentOutline(row["id"], row["state"], int(row["severity"]), _scopes(row), utc(row["last"]), *who, *sets)


# --- for those who look through all of them ---------------------------------------------------------------------------


def incident_rows(table: Table, shard: str, select: Sequence[str]) -> AsyncIterator[Row]:
    """The incidents of a shard, by their own rows."""
    return table.prefixed(shard, _INCIDENT, select)


async def rows_beside(table: Table, key: str, select: Sequence[str]) -> AsyncIterator[Row]:
    """What belongs to an incident: its contributions and its history."""
    for prefix in (_CONTRIBUTION, _HISTORY):
        async for row in table.prefixed(shard_of(key), f"{prefix}{key}-", select):
            yield row


async def remove_incident(table: Table, key: str, etag: str) -> None:
    """Remove an incident's own row, if it is still the one with that etag. Raises Conflict."""
    await table.write(delete(keys(shard_of(key), _INCIDENT + key), etag))
