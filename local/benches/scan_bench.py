"""`python -m local.benches.scan_bench`: the scan of a day of 96 slices, beside downloading and decoding the same pages.

The local Graph runs in a process of its own over a drawn log (local/benches/drawn_log.py), and so does Azurite; the
scan and its peer each run in a fresh process, one after the other. The peer asks for the same pages by the product's
own client, one ahead as the product does, decodes them by msgspec into types of the same members, and keeps nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from local.benches.directory_bench import peak_megabytes
from local.benches.drawn_log import Draw, DrawnLog, drawn_sample
from local.benches.emulator import azurite_seconds
from local.benches.processes import said_by
from local.benches.sent import counted_requests
from local.benches.typed_page import typed_decoder
from local.graph_server import LocalGraph
from local.stage.azurite import azurite
from local.stage.stack import CHECKOUT
from shared.app.app import App
from shared.app.settings import load_settings
from shared.graph.signins import first_page_url
from shared.ledger.counts import Counts
from shared.ledger.head import SliceState
from shared.ledger.slices import DAY, closed_slices
from shared.scan.job import scan_slice
from shared.scan.launch import launch
from shared.signin.directory import Customer, DirectoryFile
from shared.store.directory import save_directory
from shared.store.flights import read_flight
from shared.store.ledger import heads_of_day

START: Final = datetime(2026, 11, 2, tzinfo=UTC)
WIDTH: Final = timedelta(minutes=15)
MEGABYTES: Final = 220
CROWD_PEOPLE: Final = 40  # with thousands each finding is of an incident of its own, and a read takes half an hour
_SIGN_INS_OF_A_PERSON: Final = 60
_WEAK_EACH: Final = 100


@dataclass(frozen=True, slots=True)
class Read:
    """What reading a log took. `requests` are those to tables; a batch is one."""

    records: int
    slices: int
    seconds: float
    processor_seconds: float
    peak_megabytes: float
    idle_megabytes: float
    requests: int = 0
    findings: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """A scan and its peer: downloading and decoding the same pages. `azurite_seconds` is what the emulator computed
    while the scan ran, on the same processors."""

    scan: Read
    peer: Read
    azurite_seconds: float

    @property
    def ratio(self) -> float:
        """How often the peer's time the scan takes."""
        return round(self.scan.seconds / self.peer.seconds, 2)


def measure(records: int, *, session_each: int = 0, slices: int = 96) -> Compared:
    """Read the log of a day of so many records, or its first slices alone; of one person in `session_each` every second
    record asks its session. Raises RuntimeError when a read did not end well."""
    people = max(1, records // _SIGN_INS_OF_A_PERSON)
    draw = Draw(START, records * slices // 96, people, _WEAK_EACH, session_each, slices * WIDTH)
    return asyncio.run(_measured(draw))


def measure_crowd(findings: int) -> tuple[Read, Read]:
    """Read one second in which CROWD_PEOPLE signed in so often without MFA, each to many places: a slice that cannot be
    halved any more. Returns how it went the first time, and the second time, when all of it stands already. Raises
    RuntimeError when a read did not end well."""
    return asyncio.run(_crowded(Draw(START, findings, CROWD_PEOPLE, weak_each=1, within=timedelta(seconds=1))))


async def _crowded(draw: Draw) -> tuple[Read, Read]:
    async with _staged(draw) as environment:
        first = await _in_a_process(environment, "--work", "scan", *_words(draw))
        return first, await _in_a_process(environment, "--work", "again", *_words(draw))


@asynccontextmanager
async def _staged(draw: Draw) -> AsyncIterator[dict[str, str]]:
    """Azurite and the local Graph, and the settings that lead there."""
    async with azurite() as connection, _graph(draw) as graph:
        environment = {**os.environ, **graph, "AUTH_MODE": "local", "AzureWebJobsStorage": connection}
        environment["GRAPH_REQUESTS_PER_10_SECONDS"] = "1000"  # the pace that spares Graph waits, which is not work
        yield environment


async def _measured(draw: Draw) -> Compared:
    async with _staged(draw) as environment:
        before = azurite_seconds()
        scan = await _in_a_process(environment, "--work", "scan", *_words(draw))
        of_azurite = round(azurite_seconds() - before, 2)
        decode = await _in_a_process(environment, "--work", "decode", *_words(draw))
    return Compared(scan, decode, of_azurite)


async def _in_a_process(environment: Mapping[str, str], *words: str) -> Read:
    return Read(**await said_by("local.benches.scan_bench", *words, environment=environment))


@asynccontextmanager
async def _graph(draw: Draw) -> AsyncIterator[dict[str, str]]:
    """The local Graph in a process that ends with this one's input; gives the settings that lead there."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.benches.scan_bench", "--work", "serve", *_words(draw)),
        cwd=CHECKOUT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        line = await process.stdout.readline() if process.stdout else b""
        if not line:
            raise RuntimeError(f"the local Graph ended with exit code {await process.wait()}")
        yield json.loads(line)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await asyncio.shield(process.wait())


def _words(draw: Draw) -> list[str]:
    return ["--draw", json.dumps([draw.records, draw.people, draw.weak_each, draw.session_each, draw.within / DAY])]


def _draw(text: str) -> Draw:
    records, people, weak_each, session_each, days = json.loads(text)
    return Draw(START, records, people, weak_each, session_each, days * DAY)


# --- the processes ----------------------------------------------------------------------------------------------------


async def _serve(draw: Draw) -> None:
    sample = drawn_sample(START)
    tenant = sample.people.partner_tenant_id
    graph = LocalGraph([], tenant_id=tenant, now=START + 2 * DAY)
    graph.logs[tenant] = DrawnLog(draw, sample)
    async with graph:
        settings = {"PARTNER_TENANT_ID": tenant, "GRAPH_BASE_URL": graph.url}
        settings |= {"IDENTITY_ENDPOINT": graph.identity_url, "IDENTITY_HEADER": graph.identity.header}
        print(json.dumps(settings), flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def _scan_again(draw: Draw) -> Read:
    return await _scan(draw, later=WIDTH)


async def _scan(draw: Draw, *, later: timedelta = timedelta(0)) -> Read:
    """Every slice of the log, read and written once, as a chain of messages does it; `later` than at once."""
    sample = drawn_sample(START)
    end = START + max(draw.within, WIDTH)
    now = end + later
    app = App(load_settings(), clock=lambda: now)
    customers = [Customer(tenant_id=customer.tenant_id) for customer in sample.people.customers]
    tenant = app.settings.partner_tenant_id
    file = DirectoryFile(partner_tenant_id=tenant, customers=customers)
    del sample
    slices = [*closed_slices(tenant, START, end, WIDTH)]
    try:
        tables = await app.tables()
        await save_directory(tables.directory, file, now)
        await app.directory()
        if later:  # what was halved is read in its halves
            heads = [head async for head in heads_of_day(tables.slices, tenant, START)]
            slices = [head.slice for head in heads if head.state is not SliceState.SPLIT]
        body = await launch(app, tables, await read_flight(tables.control, tenant), slices)
        idle = peak_megabytes()
        with counted_requests() as sent:
            started, busy = time.perf_counter(), time.process_time()
            while body is not None:
                body = next(iter(await scan_slice(app, body)), None)
            seconds, processor = time.perf_counter() - started, time.process_time() - busy
        peak = peak_megabytes()  # before the looking at what was written, which takes memory of its own
        records = read = findings = 0
        async for head in heads_of_day(tables.slices, tenant, START, counts=True):
            if head.counts:
                read += head.whole
                records += head.records
                findings += sum(Counts.of_json(head.counts).groups.values())
        if records != draw.records or read < len(slices):  # more of them where a slice was halved
            raise RuntimeError("the log was not read whole")
    finally:
        await app.close()
    return Read(draw.records, read, seconds, processor, peak, idle, sent.total(), findings)


async def _decode(draw: Draw) -> Read:
    """The same pages, downloaded and decoded."""
    app = App(load_settings())
    tenant = app.settings.partner_tenant_id
    slices = [*closed_slices(tenant, START, START + max(draw.within, WIDTH), WIDTH)]
    client, decode = app.graph(tenant), typed_decoder()
    records = 0
    try:
        idle = peak_megabytes()
        started, busy = time.perf_counter(), time.process_time()
        for slice_ in slices:
            coming: asyncio.Task[bytes] | None = asyncio.ensure_future(
                client.get(first_page_url(client.base_url, slice_))
            )
            while coming is not None:
                page = decode(await coming)
                link = page.next_link
                coming = asyncio.ensure_future(client.get(link)) if link else None
                await asyncio.sleep(0)
                records += len(page.value)
        seconds, processor = time.perf_counter() - started, time.process_time() - busy
    finally:
        await app.close()
    return Read(records, len(slices), seconds, processor, peak_megabytes(), idle)


_WORK: Final = {"scan": _scan, "again": _scan_again, "decode": _decode}


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m local.benches.scan_bench", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--session-each", type=int, default=0)
    parser.add_argument("--work", choices=("serve", *_WORK), help=argparse.SUPPRESS)
    parser.add_argument("--draw", type=_draw, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.work == "serve":
        asyncio.run(_serve(options.draw))
    elif options.work:
        read = asyncio.run(_WORK[options.work](options.draw))
        print(json.dumps(asdict(read)))
    else:
        compared = measure(options.records, session_each=options.session_each)
        print(json.dumps({**asdict(compared), "ratio": compared.ratio}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
