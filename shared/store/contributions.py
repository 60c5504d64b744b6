"""What each slice contributes to an incident: a row of its own beside it, replaced only by a newer read.

A contribution, its incident and the event that it causes change in one transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from shared.incidents.contributions import Contribution, counted, nothing, summed
from shared.incidents.life import USUAL_LIFE, Accepts, Life, News, Step, accept_nothing, apply_findings
from shared.incidents.model import Facts, Incident, IncidentState, Who
from shared.ledger.slices import Slice
from shared.store.at_once import all_of
from shared.store.batches import batches_of
from shared.store.incident_rows import FACTS, INCIDENT, incident_of, parts_of, shard_of
from shared.store.incidents import step_rows
from shared.store.swap import until_settled
from shared.store.tables import SCHEMA, Conflict, Operation, Row, Table, etag_of, insert, is_newer, keys, merge

_NOBODY: Final = Who("", "", "", "", "")

type Change = dict[Slice, tuple[Who, Facts] | None]


@dataclass(frozen=True, slots=True)
class Contributor:
    """Who contributes: the generation of the read, its time (UTC), whether it is of the days before the installation,
    and by which rules incidents live. `accepts` says what silences one; `accepts_now` asks anew, since an exception may
    have been approved or ended while the slice was under way. `is_first`: nothing of the slices should stand yet."""

    generation: str
    now: datetime
    first_scan: bool
    life: Life = USUAL_LIFE
    accepts: Accepts = accept_nothing
    accepts_now: Callable[[], Awaitable[Accepts]] | None = None
    is_first: bool = False


async def contribute(table: Table, key: str, change: Change, by: Contributor) -> None:
    """Replace what slices contribute to one incident; None takes a contribution away.

    Only a newer generation replaces a contribution. Several slices change together where one is split into halves.
    Raises Conflict when others change the incident all the time.
    """
    await until_settled(f"incident {key}", partial(_contribute_once, table, key, change, by))


async def contribute_together(table: Table, changes: Mapping[str, Change], by: Contributor) -> None:
    """Replace what slices contribute to some incidents, in as few transactions as their rows fit into. What somebody
    else changes meanwhile is then done one by one. Raises as `contribute` does."""
    stand = await all_of(_standing(table, key, change, by) for key, change in changes.items())
    by_shard: dict[str, list[_Standing]] = {}
    for standing in stand:
        by_shard.setdefault(shard_of(standing.key), []).append(standing)
    asked = replace(by, accepts_now=_asked_once(by.accepts_now))
    batches = [
        [*batch]
        for of_shard in by_shard.values()
        for batch in batches_of([(s, await _operations(table, s, asked)) for s in of_shard], lambda write: write[1])
    ]
    await all_of(_write_together(table, batch, changes, by) for batch in batches)


type _Write = tuple[_Standing, Sequence[Operation]]


async def _write_together(
    table: Table, batch: Sequence[_Write], changes: Mapping[str, Change], by: Contributor
) -> None:
    try:
        await table.transact([operation for _, operations in batch for operation in operations])
    except Conflict:
        for standing, _ in batch:
            await contribute(table, standing.key, changes[standing.key], replace(by, is_first=False))


def _asked_once(accepts_now: Callable[[], Awaitable[Accepts]] | None) -> Callable[[], Awaitable[Accepts]] | None:
    """Asks for what is accepted the first time alone: for incidents that were all read before that."""
    known: list[Accepts] = []

    async def ask() -> Accepts:
        if not known and accepts_now is not None:
            known.append(await accepts_now())
        return known[0]

    return ask if accepts_now else None


async def _contribute_once(table: Table, key: str, change: Change, by: Contributor) -> None:
    operations = await _operations(table, await _standing(table, key, change, by), by)
    if operations:
        await table.transact(operations)


@dataclass(frozen=True, slots=True)
class _Standing:
    """An incident as it stands, and what is to be replaced of it."""

    key: str
    row: Row | None
    parts: Sequence[_Part]


async def _standing(table: Table, key: str, change: Change, by: Contributor) -> _Standing:
    row = await table.get(shard_of(key), INCIDENT + key)
    if row is not None and is_newer(row):
        return _Standing(key, row, ())
    parts = [await _replaced(table, key, slice_, new, by) for slice_, new in change.items()]
    return _Standing(key, row, [part for part in parts if part])


async def _operations(table: Table, standing: _Standing, by: Contributor) -> list[Operation]:
    """The writes of one transaction, none where a newer read was first."""
    key, parts = standing.key, standing.parts
    if not parts:
        return []
    before = incident_of(standing.row) if standing.row else None
    since = before.since if before else None
    counts = counted(before.facts if before else None, (part.contribution for part in parts), since)
    facts = counts.facts
    if counts.needs_all:
        others = table.prefixed(shard_of(key), parts_of(key))
        all_parts = {str(row["RowKey"]): FACTS.value(row) async for row in others}
        facts = summed(all_parts, {part.row_key: part.stored for part in parts}, since)
    known = next((part.who for part in reversed(parts) if part.who), before.who if before else _NOBODY)
    step = await _step(before, News(key, known, facts, by.now, tuple(counts.added)), by)
    operations = [part.operation for part in parts]
    if step is not None:
        etag = etag_of(standing.row) if standing.row else None
        operations += step_rows(step, by.now, etag, first_scan=by.first_scan)
    return operations


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
    old = None if by.is_first else await table.get(shard_of(key), row_key)
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
