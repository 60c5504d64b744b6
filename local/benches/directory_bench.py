"""`python -m local.benches.directory_bench`: how long a refresh of a large directory takes, and how much memory.

Azurite and the local Graph run here; the product's refresh runs in a process of its own, whose greatest memory is what
is measured: twice, since the second one has a directory to compare with. The paces that spare Graph are off, so that
the run is short; how long it takes within them follows from the number of requests.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from local.benches.processes import said_by
from local.graph_server import LocalGraph, PartnerDirectory
from local.sample.crowd import make_crowd
from local.stage.azurite import azurite
from shared.app.app import App
from shared.app.settings import Settings, load_settings
from shared.people.refresh import REGISTRATIONS, ROSTER, refresh_directory
from shared.store.refresh import read_state

_NOW: Final = datetime(2026, 11, 2, 12, tzinfo=UTC)
_UNPACED: Final = "100000"
_REFRESHES: Final = 2


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh took. `minutes_within_budget` is how long it takes at the paces that are set by default: the
    slower of the two sources, which are read side by side."""

    accounts: int
    customers: int
    groups: int
    technicians: int
    report_requests: int
    directory_requests: int
    seconds_unpaced: float
    minutes_within_budget: float
    peak_megabytes: float
    idle_megabytes: float


async def measure(accounts: int, customers: int, groups: int) -> Refreshed:
    """Refresh a directory of that size from nothing. Raises RuntimeError when it did not get to its end."""
    crowd = make_crowd(accounts, customers, groups, _NOW)
    graph = LocalGraph([], tenant_id=crowd.partner_tenant_id, now=_NOW)
    PartnerDirectory(graph, crowd)
    async with azurite() as connection, graph:
        environment = {
            **os.environ,
            "AUTH_MODE": "local",
            "PARTNER_TENANT_ID": crowd.partner_tenant_id,
            "AzureWebJobsStorage": connection,
            "GRAPH_BASE_URL": graph.url,
            "IDENTITY_ENDPOINT": graph.identity_url,
            "IDENTITY_HEADER": graph.identity.header,
            "DIRECTORY_REQUESTS_PER_10_SECONDS": _UNPACED,
            "REPORT_REQUESTS_PER_10_SECONDS": _UNPACED,
        }
        found = await said_by("local.benches.directory_bench", "--refresh", environment=environment)
        asked = Counter("/reports/" in str(r["path"]) for r in graph.requests() if str(r["path"]).startswith("/v1.0/"))
        asked = Counter({kind: n // _REFRESHES for kind, n in asked.items()})
    budget = Settings.model_fields
    pace = {name: int(budget[f"{name}_requests_per_10_seconds"].default) for name in ("report", "directory")}
    seconds = max(10 * asked[True] / pace["report"], 10 * asked[False] / pace["directory"])
    return Refreshed(
        accounts=accounts,
        customers=customers,
        groups=groups,
        technicians=found["technicians"],
        report_requests=asked[True],
        directory_requests=asked[False],
        seconds_unpaced=found["seconds"],
        minutes_within_budget=round(seconds / 60, 1),
        peak_megabytes=found["peak"],
        idle_megabytes=found["idle"],
    )


async def _refresh() -> None:
    """The measured process."""
    app = App(load_settings())
    try:
        tables = await app.tables()
        idle = peak_megabytes()
        started = time.perf_counter()
        for _ in range(_REFRESHES):
            await refresh_directory(app, scheduled=True)
        seconds = (time.perf_counter() - started) / _REFRESHES
        peak = peak_megabytes()
        for source in (ROSTER, REGISTRATIONS):
            state = await read_state(tables.directory, source)
            if state.problem or state.last_completed is None:
                raise RuntimeError(f"{source} was not read to its end: {state.problem}")
        file = (await app.directory()).file
        print(
            json.dumps(
                {
                    "seconds": round(seconds, 1),
                    "idle": idle,
                    "peak": peak,
                    "technicians": len(file.delegated_admins),
                    "customers": len(file.customers),
                }
            )
        )
    finally:
        await app.close()


def peak_megabytes() -> float:
    """The greatest resident memory of this process so far. Linux tells it since the program started; getrusage, which
    other systems are asked, also counts what the parent held when it started us."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) / 1024, 1)
    greatest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(greatest / (1024**2 if sys.platform == "darwin" else 1024), 1)


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m local.benches.directory_bench", description=__doc__)
    parser.add_argument("--accounts", type=int, default=50_000)
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--refresh", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.refresh:
        asyncio.run(_refresh())
        return 0
    measured = asyncio.run(measure(options.accounts, options.customers, options.groups))
    print(json.dumps(asdict(measured), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
