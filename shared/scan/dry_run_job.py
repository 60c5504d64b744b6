"""The job of a dry run: a day of slices, one a message, and its row in the table `control`, the only one it writes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.queue_messages import QueueBody, message_in
from shared.graph.problems import GraphProblem
from shared.ledger.head import SliceState
from shared.ledger.slices import DAY, days_between, near_retention_end, slice_with_id
from shared.operations.slices import overlaps
from shared.scan.dry_run import Forecast, IncidentForecast, forecast_incidents, forecast_slice
from shared.store.codec import Codec
from shared.store.directory import DirectoryMissing
from shared.store.dry_runs import read_dry_run_row, write_dry_run_row
from shared.store.ledger import heads_of_day
from shared.store.tables import Conflict, Table, etag_of

LONGEST: Final = DAY
_CRASHED: Final = "its workers crashed; the log says why"


class UnknownDryRun(Exception):  # noqa: N818 - what is asked for
    """There is no such dry run."""


class _Message(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    dry_run: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """A dry run: the period (UTC), the slices still to be read, and what was found so far. `problem` says why a slice
    could not be read; it is left out then."""

    id: str
    begun_at: datetime
    start: datetime
    end: datetime
    left: tuple[str, ...] = ()
    failed: int = 0
    problem: str = ""
    found: Forecast = field(default_factory=Forecast)
    incidents: IncidentForecast = field(default_factory=IncidentForecast)

    @property
    def is_done(self) -> bool:
        """Whether every slice was looked at."""
        return not self.left


_CODEC: Final = Codec(DryRun, leaves=("id",), packed=("left", "found", "incidents"), longest={"problem": 1000})


async def start_dry_run(app: App, tenants: tuple[str, ...], first: datetime, end: datetime) -> tuple[DryRun, str]:
    """Begin one over at most a day. Returns it, and the message that goes on with it."""
    tables = await app.tables()
    now = app.clock()
    slices = [
        head.slice.id
        for tenant in tenants
        for day in days_between(first, min(end, now))
        async for head in heads_of_day(tables.slices, tenant, day)
        if overlaps(head.slice, first, end)
        and head.state not in (SliceState.SPLIT, SliceState.FOREIGN)
        and not near_retention_end(head.slice, now, app.retention)
    ]
    run = DryRun(uuid4().hex, now, first, end, tuple(slices))
    await _write(tables.control, run, None)
    log_event("dry_run_begun", slices=len(slices))
    return run, _message_of(run)


def _message_of(run: DryRun) -> str:
    return _Message(dry_run=run.id).model_dump_json(by_alias=True)


def is_dry_run(body: QueueBody) -> bool:
    """Whether a message of the queue is one of a dry run."""
    return _id_in(body) is not None


def _id_in(body: QueueBody) -> str | None:
    message = message_in(_Message, body)
    return message.dry_run if message else None


async def fail_dry_run(app: App, body: QueueBody) -> None:
    """End a dry run whose message crashed its workers again and again: the slice that it was at and those after it are
    not looked at, and it says so."""
    tables = await app.tables()
    found = await _read(tables.control, _id_in(body) or "")
    if found is None or found[0].is_done:
        return
    run, etag = found
    log_event("dry_run_failed", slices=len(run.left))
    ended = replace(run, left=(), failed=run.failed + len(run.left), problem=_CRASHED)
    try:
        await _write(tables.control, ended, etag)
    except Conflict:
        return  # a worker went on with it after all


async def go_on(app: App, body: QueueBody) -> list[str]:
    """Look at the next slice of a dry run. Returns the message that goes on, while slices are left."""
    tables = await app.tables()
    found = await _read(tables.control, _id_in(body) or "")
    if found is None or found[0].is_done:
        return []
    run, etag = found
    slice_, *rest = run.left
    run = replace(run, left=tuple(rest))
    try:
        more = await forecast_slice(app, tables, slice_with_id(slice_))
        run = replace(run, found=run.found.plus(more))
    except (GraphProblem, DirectoryMissing) as problem:
        run = replace(run, failed=run.failed + 1, problem=str(problem))
    if not rest:
        run = replace(run, incidents=await forecast_incidents(tables.incidents, run.found.incidents))
    try:
        await _write(tables.control, run, etag)
    except Conflict:
        return []  # another message of it went on
    return [_message_of(run)] if rest else []


async def read_dry_run(app: App, id_: str) -> DryRun:
    """How far one got. Raises UnknownDryRun."""
    found = await _read((await app.tables()).control, id_)
    if found is None:
        raise UnknownDryRun("no such dry run")
    return found[0]


async def _read(table: Table, id_: str) -> tuple[DryRun, str] | None:
    row = await read_dry_run_row(table, id_)
    return None if row is None else (_CODEC.value(row, id=id_), etag_of(row))


async def _write(table: Table, run: DryRun, etag: str | None) -> None:
    columns = _CODEC.columns(run)
    await write_dry_run_row(table, run.id, columns, etag, is_mine=lambda row: _CODEC.value(row, id=run.id) == run)
