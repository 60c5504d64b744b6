"""A monitor over real tables and the local Graph, with a clock of its own, for the tests of the scan."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any
from uuid import uuid4

import pytest
from azure.core.credentials_async import AsyncTokenCredential
from azure.data.tables import UpdateMode

from local.graph_server import LocalGraph
from local.graph_server.control import Change, ClockChange, Control, Fault, Hide
from shared.app.app import App
from shared.app.settings import Settings
from shared.ledger.days import Reach, Totals
from shared.ledger.head import Head
from shared.ledger.slices import Slice, closed_slices
from shared.ledger.tallies import ScopeCounts, add
from shared.rules.rule import CUSTOMER, PARTNER, PLAIN, TECHNICIAN
from shared.scan.job import scan_slice
from shared.scan.plan import plan_scans
from shared.signin.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.store.agenda import read_agenda, stir_days
from shared.store.days import partner_days
from shared.store.directory import save_directory
from shared.store.ledger import heads_of_day, read_head
from shared.store.tables import MAX_BATCH, Operation, Table, Tables, delete
from tests.settings import settings_for

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
DIRECTORY = DirectoryFile(
    partner_tenant_id=PARTNER,
    customers=[Customer(tenant_id=CUSTOMER, display_name="Customer")],
    delegated_admins=[DelegatedAdmin(user_id=TECHNICIAN, user_principal_name="technician@partner.example")],
)

type Copy = dict[str, list[dict[str, Any]]]


def record(record_id: str, at: datetime, **members: object) -> dict[str, Any]:
    """A sign-in of the sample technician with those members laid over the plain, compliant one."""
    return {**PLAIN, "id": record_id, "createdDateTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", **members}


class Rig:
    """What a test drives: a monitor, the Graph it reads, and the time of both."""

    def __init__(
        self,
        settings: Settings,
        graph: LocalGraph,
        connection: str,
        prefix: str,
        credential_for: Callable[[str], AsyncTokenCredential] | None = None,
    ) -> None:
        self.settings = settings
        self._credential_for = credential_for
        self.graph = graph
        self.connection = connection
        self.prefix = prefix
        self.now = NOON
        self.reads: list[Slice] = []
        self._workers: list[App] = []
        self.app = self.worker()

    # --- workers ------------------------------------------------------------------------------------------------------

    def worker(self, connection: str | None = None, *, retries: int = 3) -> App:
        """One more process of the app: by the same clock, over the same tables, reached directly or by the connection
        string of a proxy."""
        tables = Tables.connect(connection or self.connection, prefix=self.prefix, retries=retries)
        worker = App(self.settings, clock=lambda: self.now, credential_for=self._credential_for, tables=tables)
        self._workers.append(worker)
        return worker

    async def close(self) -> None:
        """End all workers."""
        for worker in self._workers:
            await worker.close()

    async def tables(self) -> Tables:
        """The tables."""
        return await self.app.tables()

    async def work(self, app: App | None = None, most: int = 500) -> int:
        """Plan and scan until nothing is due; gives how many slices were read (`reads` has them)."""
        app = app or self.app
        before = len(self.reads)
        while messages := await plan_scans(app):
            await self.deliver(messages, app)
            done = self.reads[before:]
            assert len(done) <= most, f"the scan finds no end: {[s.id for s in done[-5:]]}"
        return len(self.reads) - before

    async def plan(self, app: App | None = None) -> list[str]:
        """Plan alone; gives the messages."""
        return await plan_scans(app or self.app)

    async def deliver(self, messages: Sequence[str], app: App | None = None) -> None:
        """Hand these messages, and those that follow from them, to a worker."""
        while messages:
            self.reads += [slice_of(body) for body in messages]
            messages = [m for body in messages for m in await scan_slice(app or self.app, body)]

    # --- time and the log ---------------------------------------------------------------------------------------------

    def set_time(self, now: datetime) -> None:
        """Move the clock of both."""
        self.now = now
        self.graph.control(Control(clock=ClockChange(now=now)))

    def pass_time(self, by: timedelta) -> None:
        """Let time pass for both."""
        self.set_time(self.now + by)

    def log(self, *records: dict[str, Any], at: datetime | None = None, tenant: str | None = None) -> None:
        """Records that the log serves from that time on (now if absent)."""
        self.graph.control(Control(add=[Change(record=r, at=at or self.now, tenant_id=tenant) for r in records]))

    def correct(self, *records: dict[str, Any], at: datetime | None = None) -> None:
        """New versions of records, served from that time on (now if absent)."""
        self.graph.control(Control(correct=[Change(record=r, at=at or self.now) for r in records]))

    def hide(self, *ids: str) -> None:
        """Have the log serve these no more."""
        self.graph.control(Control(hide=Hide(ids=[*ids])))

    def show_all(self) -> None:
        """Have the log serve again what was hidden."""
        self.graph.control(Control(show_all=True))

    def fail(self, *faults: Fault) -> None:
        """Have Graph answer its next requests so."""
        self.graph.control(Control(faults=[*faults]))

    async def wake(self) -> None:
        """Have the plan look at every day again, as it does by itself within two days."""
        tables = await self.tables()
        for tenant in self.settings.tenants:
            agenda = await read_agenda(tables.control, tenant)
            await stir_days(tables.control, tenant, agenda.rests)

    # --- what the tables say ------------------------------------------------------------------------------------------

    async def head(self, slice_: Slice) -> Head:
        """The head of a slice that has to be there."""
        head = await read_head((await self.tables()).slices, slice_)
        assert head is not None, slice_.id
        return head

    async def heads(self, day: datetime, tenant: str = PARTNER) -> list[Head]:
        """The heads of a day, in order of time."""
        return [head async for head in heads_of_day((await self.tables()).slices, tenant, day, counts=True)]

    async def reach(self, slice_: Slice) -> list[Reach]:
        """How far what stands for a slice was read, from the partner's day."""
        days = [day async for day in partner_days((await self.tables()).rollups, slice_.start, slice_.start)]
        return [r for day in days for r in day.reach if slice_.start <= r.start < slice_.end]

    async def coverage(self) -> float:
        """The share of the closed slices of the lookback, over all tenants, that were read to their end: as the answers
        will say it, from the partner's days alone."""
        first = self.now - timedelta(days=self.settings.lookback_days)
        expected = [
            s for t in self.settings.tenants for s in closed_slices(t, first, self.now, self.settings.slice_width)
        ]
        days = [day async for day in partner_days((await self.tables()).rollups, first, self.now)]
        reached = (r for day in days for r in day.reach if expected and r.start >= expected[0].start)
        read = sum((r.end - r.start for r in reached if r.is_read(self.now)), timedelta(0))
        return read / sum((s.width for s in expected), timedelta(0))

    async def counts(self) -> Totals:
        """What is counted of all the lookback, from the partner's days."""
        first = self.now - timedelta(days=self.settings.lookback_days)
        whole = Totals()
        async for day in partner_days((await self.tables()).rollups, first, self.now):
            for scope, counts in day.counts.scopes.items():
                whole.scopes.setdefault(scope, ScopeCounts()).merge(counts)
            add(whole.apart, day.counts.apart)
        return whole

    async def finding_rows(self) -> list[dict[str, Any]]:
        """All findings as rows, in order of time."""
        rows = (await self.tables()).slices.everything()
        return [dict(row) async for row in rows if row["RowKey"].startswith("find-")]

    async def findings(self) -> list[str]:
        """The ids of all findings, in order of time."""
        return [row["id"] for row in await self.finding_rows()]

    async def incidents(self) -> dict[str, dict[str, Any]]:
        """The incidents that stand for findings, by key."""
        rows = (await self.tables()).incidents.everything()
        return {row["id"]: dict(row) async for row in rows if row["RowKey"].startswith("incident-") and row["count"]}

    async def events(self) -> list[str]:
        """What there is to tell: the kinds of all pending events, sorted."""
        rows = (await self.tables()).incidents.everything()
        return sorted([row["kind"] async for row in rows if row["RowKey"].startswith("event-")])

    # --- copies of the tables -----------------------------------------------------------------------------------------

    async def copy(self) -> Copy:
        """All rows as they stand."""
        tables = await self.tables()
        return {name: [dict(row) async for row in table.everything()] for name, table in _named(tables)}

    async def restore(self, copy: Copy) -> None:
        """Have the tables hold those rows and no others."""
        await asyncio.gather(*(_fill(table, copy[name]) for name, table in _named(await self.tables())))


def _named(tables: Tables) -> list[tuple[str, Table]]:
    return [
        ("slices", tables.slices),
        ("incidents", tables.incidents),
        ("sessions", tables.sessions),
        ("rollups", tables.rollups),
        ("directory", tables.directory),
        ("control", tables.control),
    ]


async def _fill(table: Table, rows: list[dict[str, Any]]) -> None:
    wanted = {(row["PartitionKey"], row["RowKey"]): row for row in rows}
    present = {(row["PartitionKey"], row["RowKey"]): dict(row) async for row in table.everything()}
    changes: dict[str, list[Operation]] = {}
    for key in present.keys() - wanted.keys():
        changes.setdefault(key[0], []).append(delete(present[key]))
    for key, row in wanted.items():
        if present.get(key) != row:
            changes.setdefault(key[0], []).append(("upsert", row, {"mode": UpdateMode.REPLACE}))
    batches = [batch for of_partition in changes.values() for batch in batched(of_partition, MAX_BATCH, strict=False)]
    await asyncio.gather(*(table.transact(batch) for batch in batches))


def slice_at(start: datetime, minutes: int = 60, tenant: str = PARTNER) -> Slice:
    """A slice of the partner's log."""
    return Slice(tenant, start, timedelta(minutes=minutes))


def slice_of(body: str) -> Slice:
    """The slice a message names."""
    from shared.scan.messages import SliceMessage

    return SliceMessage.model_validate_json(body).slice


@asynccontextmanager
async def rig(
    azurite: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    page_size: int = 1000,
    prefix: str | None = None,
    now: datetime = NOON,
    directory: DirectoryFile = DIRECTORY,
    credential_for: Callable[[LocalGraph, str], AsyncTokenCredential] | None = None,
    **settings: Any,
) -> AsyncIterator[Rig]:
    """A rig with empty tables of its own (or those of `prefix`), a day of lookback and slices of an hour."""
    async with LocalGraph([], tenant_id=PARTNER, page_size=page_size, now=now) as graph:
        monkeypatch.setenv("IDENTITY_ENDPOINT", graph.identity_url)
        monkeypatch.setenv("IDENTITY_HEADER", graph.identity.header)
        values = {
            "graph_base_url": graph.url,
            "lookback_days": 1,
            "slice_minutes": 60,
            "graph_requests_per_10_seconds": 1000,
            **settings,
        }
        credentials = partial(credential_for, graph) if credential_for else None
        made = Rig(settings_for(azurite, **values), graph, azurite, prefix or "t" + uuid4().hex[:20], credentials)
        made.set_time(now)
        try:
            await save_directory((await made.tables()).directory, directory, now)
            yield made
        finally:
            await made.close()
