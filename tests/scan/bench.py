"""A monitor over real tables and the local Graph, with a clock of its own, for the tests of the scan."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from local.graph_server import LocalGraph
from local.graph_server.control import Change, ClockChange, Control
from local.sample.model import LogRecord
from shared.directory import Customer, DelegatedAdmin, DirectoryFile
from shared.monitor import Monitor
from shared.rules.rule import CUSTOMER, PARTNER, PLAIN, TECHNICIAN
from shared.scan.job import scan_slice
from shared.scan.plan import plan_scans
from shared.scan.slices import Slice
from shared.settings import load_settings
from shared.store.directory import save_directory
from shared.store.tables import Tables

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
DIRECTORY = DirectoryFile(
    partner_tenant_id=PARTNER,
    customers=[Customer(tenant_id=CUSTOMER, display_name="Customer")],
    delegated_admins=[DelegatedAdmin(user_id=TECHNICIAN, user_principal_name="technician@partner.example")],
)


def record(record_id: str, at: datetime, **members: object) -> dict[str, Any]:
    """A sign-in of the sample technician with those members laid over the plain, compliant one."""
    return {**PLAIN, "id": record_id, "createdDateTime": f"{at:%Y-%m-%dT%H:%M:%SZ}", **members}


class Bench:
    """What a test drives: a monitor, the Graph it reads, and the time of both."""

    def __init__(self, monitor: Monitor, graph: LocalGraph, connection: str, prefix: str) -> None:
        self.monitor = monitor
        self.graph = graph
        self.connection = connection
        self.prefix = prefix
        self.now = NOON
        self.sent: list[str] = []

    def set_time(self, now: datetime) -> None:
        """Move the clock of both."""
        self.now = now
        self.graph.control(Control(clock=ClockChange(now=now)))

    def pass_time(self, by: timedelta) -> None:
        """Let time pass for both."""
        self.set_time(self.now + by)

    def log(self, *records: dict[str, Any], at: datetime | None = None) -> None:
        """Records, or new versions of them, that the log serves from that time on (now if absent)."""
        self.graph.control(Control(add=[Change(record=r, at=at or self.now) for r in records]))

    async def work(self, most: int = 500) -> int:
        """Plan and scan until nothing is due; gives how many slices were read."""
        done = 0
        while done < most and (messages := await plan_scans(self.monitor)):
            while messages:
                done += 1
                messages = [m for body in messages for m in await scan_slice(self.monitor, body)]
        return done


def slice_at(start: datetime, minutes: int = 60) -> Slice:
    """A slice of the partner's log."""
    return Slice(PARTNER, start, timedelta(minutes=minutes))


@asynccontextmanager
async def bench(
    azurite: str, monkeypatch: pytest.MonkeyPatch, *, page_size: int = 1000, prefix: str | None = None, **settings: Any
) -> AsyncIterator[Bench]:
    """A bench with empty tables of its own (or those of `prefix`), a day of lookback and slices of an hour."""
    prefix = prefix or "t" + uuid4().hex[:20]
    async with LocalGraph([], tenant_id=PARTNER, page_size=page_size, now=NOON) as graph:
        monkeypatch.setenv("IDENTITY_ENDPOINT", graph.identity_url)
        monkeypatch.setenv("IDENTITY_HEADER", graph.identity.header)
        values = {
            "auth_mode": "local",
            "partner_tenant_id": PARTNER,
            "graph_base_url": graph.url,
            "AzureWebJobsStorage": azurite,
            "lookback_days": 1,
            "slice_minutes": 60,
            "graph_requests_per_10_seconds": 1000,
            **settings,
        }
        tables = Tables.connect(azurite, prefix=prefix)
        made: list[Bench] = []
        monitor = Monitor(load_settings(**values), clock=lambda: made[0].now, tables=tables)
        made.append(Bench(monitor, graph, azurite, prefix))
        await save_directory((await monitor.tables()).directory, DIRECTORY, NOON)
        try:
            yield made[0]
        finally:
            await monitor.close()
