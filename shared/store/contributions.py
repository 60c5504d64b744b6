"""What each slice contributes to an incident: a row of its own beside it, replaced only by a newer read.

A contribution, its incident and the event that it causes change in one transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from shared.incidents.contributions import Contribution, counted, nothing, summed
from shared.incidents.life import USUAL_LIFE, Accepts, Life, News, Step, accept_nothing, apply_findings
from shared.incidents.model import Facts, Incident, IncidentState, Who
from shared.ledger.slices import Slice
from shared.store.incident_rows import FACTS, INCIDENT, incident_of, parts_of, shard_of
from shared.store.incidents import step_rows
from shared.store.swap import until_settled
from shared.store.tables import SCHEMA, Operation, Table, etag_of, insert, is_newer, keys, merge

_NOBODY: Final = Who("", "", "", "", "")

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
    incident_row = await table.get(shard, INCIDENT + key)
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
        others = table.prefixed(shard, parts_of(key))
        standing = {str(row["RowKey"]): FACTS.value(row) async for row in others}
        facts = summed(standing, {part.row_key: part.stored for part in parts}, since)
    known = next((part.who for part in reversed(parts) if part.who), before.who if before else _NOBODY)
    step = await _step(before, News(key, known, facts, by.now, tuple(counts.added)), by)
    operations = [part.operation for part in parts]
    if step is not None:
        etag = etag_of(incident_row) if incident_row else None
        operations += step_rows(step, by.now, etag, first_scan=by.first_scan)
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
    row_key = parts_of(key) + slice_.id
    old = await table.get(shard_of(key), row_key)
    if old is not None and (str(old["generation"]) >= by.generation or is_newer(old)):
        return None
    who, facts = new or (None, None)
    stored = facts or nothing(by.now)
    columns = {"v": SCHEMA, "slice": slice_.id, "generation": by.generation, **FACTS.columns(stored)}
    row = {**keys(shard_of(key), row_key), **columns}
    contribution = Contribution(FACTS.value(old) if old else None, facts)
    return _Part(row_key, who, contribution, stored, merge(row, etag_of(old)) if old else insert(row))


async def slices_of(table: Table, key: str) -> list[str]:
    """The ids of the slices that contribute findings to an incident."""
    rows = table.prefixed(shard_of(key), parts_of(key), select=["slice", "count"])
    return [str(row["slice"]) async for row in rows if row["count"] > 0]
