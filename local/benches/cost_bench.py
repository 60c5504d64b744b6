"""`python -m local.benches.cost_bench`: what the app asks of storage and Graph, for the costs in README.md.

Azurite and the local Graph run here; the product runs in a process of its own, whose requests, processor time and
memory are measured. The log is that of one slice of 15 minutes: 60 sign-ins a user and day, of people who each sign in
twice in it, one record in 200 a violation. One person in ten has a session, in which one sign-in says nothing of MFA
and asks it. In a real log the others name sessions too, but few ask where a policy demands MFA of all resources, and
who does not ask costs one request (docs/architecture.md). The ledger holds 31 days of such slices, two where they are
large.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any, Final
from urllib.parse import urlsplit

from local.benches.cost_month import month
from local.benches.directory_bench import peak_megabytes
from local.benches.drawn_log import WITHOUT_MFA
from local.graph_server import LocalGraph
from local.sample import make_sample
from local.sample.model import LogRecord
from local.stage.azurite import azurite
from local.stage.stack import CHECKOUT
from shared.alerts.dispatch import dispatch_alerts
from shared.app.app import App
from shared.app.settings import load_settings
from shared.ledger.flight import Flight
from shared.ledger.slices import DAY, Slice, closed_slices, midnight
from shared.maintenance.night import maintain, maintain_again
from shared.maintenance.watch import watch_scan
from shared.scan.job import scan_slice
from shared.scan.launch import launch
from shared.scan.plan import plan_scans
from shared.signin.directory import Customer, DirectoryFile
from shared.signin.traits import Scope
from shared.store.agenda import read_agenda, stir_days
from shared.store.codec import NEVER
from shared.store.directory import save_directory
from shared.store.flights import read_flight
from shared.store.ledger import head_row
from shared.store.tables import Row, Tables, upsert
from shared.tending.exceptions import tend_exceptions
from shared.tending.timer import tend_incidents

SIZES: Final = {50: 31, 1_000: 625, 20_000: 12_500}
"""Users of the partner, and the records of a slice that they make: 60 a day and user, 96 slices."""
_START: Final = datetime(2026, 11, 2, 9, tzinfo=UTC)
_WIDTH: Final = timedelta(minutes=15)
_WEAK_EACH: Final = 200
_MOST_LEDGER_RECORDS: Final = 2_400_000  # so that the emulator, which keeps all in memory, holds it
_AT_ONCE: Final = 6  # batchSize and newBatchThreshold of host.json
_REQUESTS: Final = logging.getLogger("azure.core.pipeline.policies.http_logging_policy")


@dataclass(frozen=True, slots=True)
class Cost:
    """What one piece of work takes, for that many records in a slice. Table and blob requests are those that are sent,
    a batch being one, as it is billed. `graph` counts pages of the log. `megabytes` is the most that the process had so
    far. `log_lines` and `log_bytes` are what the app itself says, at the level that the production worker forwards."""

    records: int
    work: str
    table: int
    blob: int
    graph: int
    seconds: float
    processor_seconds: float
    megabytes: float
    log_lines: int
    log_bytes: int


def measure(sizes: Sequence[int] = (*SIZES.values(),)) -> list[Cost]:
    """What each piece of work takes, for slices of so many records. Raises RuntimeError when one did not end well."""
    return [cost for records in sizes for cost in asyncio.run(_measured(records))]


async def _measured(records: int) -> list[Cost]:
    sample = make_sample(7, 7, midnight(_START))
    tenant = sample.people.partner_tenant_id
    base = next(
        e.final for e in sample.log if e.tenant_id == tenant and e.scope == Scope.CUSTOMER and e.verdict == "compliant"
    )
    log = [LogRecord(tenant, _START, record) for record in _records(base, records)]
    directory = DirectoryFile(
        partner_tenant_id=tenant, customers=[Customer(tenant_id=c.tenant_id) for c in sample.people.customers]
    )
    graph = LocalGraph(log, tenant_id=tenant, now=_START + DAY)
    async with azurite() as connection, graph:
        environment = {
            **os.environ,
            "AUTH_MODE": "local",
            "PARTNER_TENANT_ID": tenant,
            "AzureWebJobsStorage": connection,
            "GRAPH_BASE_URL": graph.url,
            "IDENTITY_ENDPOINT": graph.identity_url,
            "IDENTITY_HEADER": graph.identity.header,
            "LOOKBACK_DAYS": str(_days(records)),  # or the days before would be due
            "GRAPH_REQUESTS_PER_10_SECONDS": "1000",  # the pace that spares Graph waits, which is not work
        }
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "local.benches.cost_bench", "--work", str(records)),
            cwd=CHECKOUT,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await process.communicate(directory.model_dump_json(by_alias=True).encode())
        if process.returncode != 0:
            raise RuntimeError(f"the measured process ended with exit code {process.returncode}")
    return [Cost(**cost) for cost in json.loads(said)]


def _days(records: int) -> int:
    """How many days the ledger holds."""
    return max(2, min(31, _MOST_LEDGER_RECORDS // (96 * records)))


def _records(base: dict[str, Any], records: int) -> Iterator[dict[str, Any]]:
    """The log of a slice: each person signs in, and then again without being asked."""
    for i in range(records):
        person, again = i // 2, bool(i % 2)
        made = {
            **base,
            "id": str(uuid.UUID(int=i + 1)),
            "createdDateTime": f"{_START + _WIDTH * i / records:%Y-%m-%dT%H:%M:%S.%fZ}",
            "userId": str(uuid.UUID(int=2**64 + person)),
            "userPrincipalName": f"person{person}@partner.example",
            "sessionId": str(uuid.UUID(int=2**65 + person)) if person % 10 == 0 else None,
        }
        if again:
            made |= {"signInEventTypes": ["nonInteractiveUser"], "isInteractive": False}
        if again and person % 10 == 0:  # says nothing of MFA itself: its session is asked
            made |= {"authenticationRequirement": "singleFactorAuthentication", "authenticationDetails": []}
        elif i % _WEAK_EACH == _WEAK_EACH - 1:
            made |= WITHOUT_MFA
        yield made


# --- the measured process ---------------------------------------------------------------------------------------------


class _Meter:
    """Counts requests by service while it measures."""

    def __init__(self, records: int, connection: str) -> None:
        self._records = records
        endpoints = dict(part.partition("=")[::2] for part in connection.split(";") if part)
        self._services = {urlsplit(endpoints[f"{kind.title()}Endpoint"]).port: kind for kind in ("table", "blob")}
        self.costs: list[Cost] = []

    async def __call__[T](self, work: str, do: Callable[[], Awaitable[T]], *, pages: int = 0) -> T:
        with _forwarded() as lines, self._counted() as sent:
            started, busy = time.perf_counter(), time.process_time()
            done = await do()
            seconds, processor = time.perf_counter() - started, time.process_time() - busy
        cost = Cost(
            self._records,
            work,
            table=sent["table"],
            blob=sent["blob"],
            graph=pages,
            seconds=round(seconds, 3),
            processor_seconds=round(processor, 3),
            megabytes=peak_megabytes(),
            log_lines=len(lines),
            log_bytes=sum(len(line.encode()) for line in lines),
        )
        self.costs.append(cost)
        return done

    @contextmanager
    def _counted(self) -> Iterator[Counter[str]]:
        sent: Counter[str] = Counter()
        services = self._services

        class Count(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                text = record.getMessage()
                if text.startswith("Request URL"):
                    sent[services.get(urlsplit(text.split("'")[1]).port, "other")] += 1

        counter = Count()
        _REQUESTS.addHandler(counter)
        _REQUESTS.setLevel(logging.INFO)
        _REQUESTS.propagate = False  # it is asked for this measurement alone; the app keeps it quiet
        try:
            yield sent
        finally:
            _REQUESTS.removeHandler(counter)
            _REQUESTS.setLevel(logging.WARNING)
            _REQUESTS.propagate = True


@contextmanager
def _forwarded() -> Iterator[list[str]]:
    """The lines of the log that the production worker would forward: it sets the root logger to INFO."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    root, keep = logging.getLogger(), Keep()
    before = root.level
    root.addHandler(keep)
    root.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        root.removeHandler(keep)
        root.setLevel(before)


async def _work(records: int, directory: DirectoryFile) -> list[Cost]:
    now = [_START + _WIDTH]
    settings = load_settings()
    app = App(settings, clock=lambda: now[0])
    meter = _Meter(records, settings.storage_connection_string or "")
    slice_ = Slice(settings.partner_tenant_id, _START, _WIDTH)
    days = _days(records)
    try:
        tables = await app.tables()
        await save_directory(tables.directory, directory, now[0])
        await app.directory()
        for work, age in (("first read", timedelta(0)), ("read again", _WIDTH), ("third read", 4 * _WIDTH)):
            now[0] = slice_.end + age
            body = await launch(app, tables, await read_flight(tables.control, slice_.tenant), [slice_])
            if body is None:
                raise RuntimeError("the tenant's flight is taken")
            await meter(work, partial(scan_slice, app, body), pages=-(-records // 1000))
        head = await tables.slices.get(slice_.partition, head_row(slice_)["RowKey"])
        if head is None or not head["whole"] or head["records"] != records:
            raise RuntimeError("the slice was not read whole")
        await _fill(tables, head, [*closed_slices(slice_.tenant, now[0] - days * DAY, now[0], _WIDTH)])
        now[0] += timedelta(seconds=1)
        await _wake(tables, slice_.tenant)  # heads were put there behind the plan's back
        if await plan_scans(app):
            raise RuntimeError("a slice is due, though all were read")
        if await meter(f"plan over {days} days, nothing due", lambda: plan_scans(app)):
            raise RuntimeError("a slice is due, though all were read")
        await meter("watch", lambda: watch_scan(app))
        await dispatch_alerts(app)
        await meter("dispatch, nothing to tell", lambda: dispatch_alerts(app))
        await meter("tending incidents", lambda: tend_incidents(app))
        await meter("tending exceptions", lambda: tend_exceptions(app))
        await meter("night", lambda: maintain(app))
        await meter("night again, nothing to do", lambda: maintain_again(app))
        now[0] = slice_.end + 5 * _WIDTH
        await meter(f"{_AT_ONCE} reads at once", partial(_at_once, app, tables, slice_), pages=_AT_ONCE)
    finally:
        await app.close()
    return meter.costs


async def _wake(tables: Tables, tenant: str) -> None:
    await stir_days(tables.control, tenant, (await read_agenda(tables.control, tenant)).rests)


async def _at_once(app: App, tables: Tables, slice_: Slice) -> None:
    """As many messages at once as an instance takes by host.json. A tenant has one on its way by design; this asks what
    memory several tenants take. They are read under names of their own, and hold the same records."""
    bodies = []
    for n in range(_AT_ONCE):
        tenant = f"{n:08x}{slice_.tenant[8:]}"
        body = await launch(app, tables, Flight(tenant), [Slice(tenant, slice_.start, slice_.width)])
        if body is None:
            raise RuntimeError("the tenant's flight is taken")
        bodies.append(body)
    await asyncio.gather(*(scan_slice(app, body) for body in bodies))


async def _fill(tables: Tables, head: Row, slices: Sequence[Slice]) -> None:
    """Have the ledger say of all these slices what it says of one, and none due."""
    for day in {midnight(s.start) for s in slices}:
        rows = [{**head, **head_row(s), "nextDue": NEVER} for s in slices if midnight(s.start) == day]
        for batch in batched(rows, 20, strict=False):
            await tables.slices.transact([upsert(row) for row in batch])


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m local.benches.cost_bench", description=__doc__)
    parser.add_argument("--records", type=int, action="append", help="records of a slice (31, 625 and 12,500)")
    parser.add_argument("--work", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.work:
        directory = DirectoryFile.model_validate_json(sys.stdin.read())
        print(json.dumps([asdict(cost) for cost in asyncio.run(_work(options.work, directory))]))
        return 0
    for records in options.records or SIZES.values():
        costs = measure([records])
        for cost in costs:
            print(json.dumps(asdict(cost)))
        print(json.dumps({"records": records, **asdict(month(costs))}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
