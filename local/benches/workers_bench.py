"""`python -m local.benches.workers_bench`: several worker processes at one queue, over one Azurite.

Each tenant has one slice on its way, as the plan sends them, with the others behind it; so as many workers as there are
tenants find work. Each worker takes messages as the host does: one at a time here, hidden while it works, deleted when
it is done. Graph takes a second for an answer, as the real one does: that is what workers wait for side by side.
What is measured is slices a second, and how many reads there were of each slice.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web
from azure.storage.queue.aio import QueueClient

from local.benches.drawn_log import Draw, DrawnLog, drawn_sample
from local.benches.processes import said_by
from local.graph_server import LocalGraph
from local.graph_server.server import Call
from local.stage.azurite import azurite
from shared.app.app import App
from shared.app.settings import load_settings
from shared.ledger.flight import Flight
from shared.ledger.slices import Slice
from shared.scan.job import scan_slice
from shared.scan.launch import launch
from shared.signin.directory import Customer, DirectoryFile
from shared.store.directory import save_directory
from shared.store.ledger import read_head

_START: Final = datetime(2026, 11, 2, tzinfo=UTC)
_WIDTH: Final = timedelta(minutes=15)
_NOW: Final = _START + timedelta(days=1)
_HIDDEN_SECONDS: Final = 600
_QUEUE: Final = "workers-bench"
_GRAPH_SECONDS: Final = 1.0


class _SlowGraph(LocalGraph):
    """Takes its time for each page."""

    async def _sign_ins(self, call: Call) -> web.StreamResponse:
        await asyncio.sleep(_GRAPH_SECONDS)
        return await super()._sign_ins(call)


@dataclass(frozen=True, slots=True)
class Worked:
    """What so many workers did. `reads` counts every slice that one of them read; `most_of_one` is the share of the
    reads that the busiest one did."""

    workers: int
    slices: int
    reads: int
    seconds: float
    most_of_one: float

    @property
    def slices_a_second(self) -> float:
        """How quickly it went."""
        return round(self.slices / self.seconds, 2)


def measure_workers(workers: int, *, tenants: int = 4, slices: int = 6, records: int = 500) -> Worked:
    """Read so many slices of each tenant. Raises RuntimeError when one was not read whole."""
    return asyncio.run(_measured(workers, tenants, slices, records))


async def _measured(workers: int, tenants: int, slices: int, records: int) -> Worked:
    sample = drawn_sample(_START)
    partner = sample.people.partner_tenant_id
    names = [f"{n:08x}{partner[8:]}" if n else partner for n in range(tenants)]
    graph = _SlowGraph([], tenant_id=partner, now=_NOW)
    for name in names:
        graph.logs[name] = DrawnLog(Draw(_START, records * slices, 300, 100, within=slices * _WIDTH), sample)
    customers = [Customer(tenant_id=customer.tenant_id) for customer in sample.people.customers]
    async with azurite() as connection, graph:
        environment = {"AUTH_MODE": "local", "PARTNER_TENANT_ID": partner, "AzureWebJobsStorage": connection}
        environment |= {"GRAPH_BASE_URL": graph.url, "GRAPH_REQUESTS_PER_10_SECONDS": "1000"}
        environment |= {"IDENTITY_ENDPOINT": graph.identity_url, "IDENTITY_HEADER": graph.identity.header}
        os.environ.update(environment)
        app = App(load_settings(), clock=lambda: _NOW)
        work = [[Slice(name, _START + n * _WIDTH, _WIDTH) for n in range(slices)] for name in names]
        try:
            tables = await app.tables()
            await save_directory(tables.directory, DirectoryFile(partner_tenant_id=partner, customers=customers), _NOW)
            async with QueueClient.from_connection_string(connection, _QUEUE) as queue:
                await queue.create_queue()
                for of_tenant in work:
                    body = await launch(app, tables, Flight(of_tenant[0].tenant), of_tenant)
                    await queue.send_message(body or "")
            started = time.perf_counter()
            reads = await asyncio.gather(*(_worker({**os.environ}) for _ in range(workers)))
            seconds = time.perf_counter() - started - max(idle for _, idle in reads)
            heads = [await read_head(tables.slices, slice_) for of_tenant in work for slice_ in of_tenant]
        finally:
            await app.close()
    if not all(head and head.whole and head.records == records for head in heads):
        raise RuntimeError("a slice was not read whole")
    counts = [count for count, _ in reads]
    return Worked(workers, tenants * slices, sum(counts), round(seconds, 2), round(max(counts) / sum(counts), 2))


async def _worker(environment: Mapping[str, str]) -> tuple[int, float]:
    count, idle = await said_by("local.benches.workers_bench", "--work", environment=environment)
    return count, idle


async def _work() -> tuple[int, float]:
    """Take messages until there are none for a while. Returns how many slices were read, and how long it then waited
    in vain."""
    app = App(load_settings(), clock=lambda: _NOW)
    count, started = 0, time.perf_counter()
    last = started
    try:
        await app.tables()
        async with QueueClient.from_connection_string(app.settings.storage_connection_string or "", _QUEUE) as queue:
            while time.perf_counter() - last < 3:
                message = await queue.receive_message(visibility_timeout=_HIDDEN_SECONDS)
                if message is None:
                    await asyncio.sleep(0.05)
                    continue
                for body in await scan_slice(app, message.content):
                    await queue.send_message(body)
                await queue.delete_message(message)
                count, last = count + 1, time.perf_counter()
    finally:
        await app.close()
    return count, time.perf_counter() - last


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m local.benches.workers_bench", description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.work:
        print(json.dumps(asyncio.run(_work())))
        return 0
    for workers in options.workers:
        worked = measure_workers(workers)
        print(json.dumps({**asdict(worked), "slices_a_second": worked.slices_a_second}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
