"""What a rescan would change, day by day: the app looks at the slices, and this waits for what it finds.

Each day is a dry run of its own (a call is of a day at most), begun in the tables and sent to the app's queue; what the
days give is put together here. Nothing that counts is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from azure.core.credentials_async import AsyncTokenCredential
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from shared.app.app import App
from shared.app.settings import Settings
from shared.basics.queues import Queue
from shared.ledger.slices import DAY
from shared.scan.dry_run import Example, Fate, Forecast, IncidentForecast, forecast_incidents
from shared.scan.dry_run_job import read_dry_run, start_dry_run
from shared.wire.text import clean

_SECONDS: Final = 2.0  # between two looks at how far the app got
_PATIENCE: Final = 900.0  # without a slice looked at; one may be long, or its tenant throttled
_MOST_TOLD: Final = 5  # examples of a fate

type Send = Callable[[str], Awaitable[object]]
type Tell = Callable[[float], None]


class NobodyReads(RuntimeError):  # noqa: N818 - what is the matter
    """The app looked at no slice for a long time."""


@dataclass(frozen=True, slots=True)
class PeriodForecast:
    """What a rescan of a period would change. `failed` slices could not be read; `problem` is that of the last."""

    found: Forecast = field(default_factory=Forecast)
    incidents: IncidentForecast = field(default_factory=IncidentForecast)
    failed: int = 0
    problem: str = ""


async def forecast_period(
    app: App, tenants: tuple[str, ...], first: datetime, end: datetime, send: Send, tell: Tell = lambda _: None
) -> PeriodForecast:
    """Have the app look at a period (UTC, half-open), one day after the other. `send` puts a message into its queue,
    `tell` hears which part of the period is done, from 0 to 1. Raises NobodyReads."""
    total = PeriodForecast()
    whole = end - first
    for start, stop in _days(first, end):
        run, message = await start_dry_run(app, tenants, start, stop)
        if run.left:
            await send(message)
        slices, left, idle = len(run.left), len(run.left), 0.0
        while not (run := await read_dry_run(app, run.id)).is_done:
            idle = idle + _SECONDS if len(run.left) == left else 0.0
            left = len(run.left)
            if idle >= _PATIENCE:
                raise NobodyReads(
                    f"no slice was looked at for {_PATIENCE / 60:.0f} minutes: does the app run, and does it read its "
                    f"queue {Queue.SCAN}? GET /api/ops/rescan/{run.id} tells how far it got"
                )
            tell(((start - first) + (stop - start) * (1 - left / slices)) / whole)
            await asyncio.sleep(_SECONDS)
        tell((stop - first) / whole)
        problem = run.problem or total.problem
        total = replace(total, found=total.found.plus(run.found), failed=total.failed + run.failed, problem=problem)
    tables = await app.tables()
    return replace(total, incidents=await forecast_incidents(tables.incidents, total.found.incidents))


def _days(first: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    while first < end:
        stop = min(first + DAY, end)
        yield first, stop
        first = stop


@asynccontextmanager
async def sending(settings: Settings, credential: AsyncTokenCredential, queue: str = Queue.SCAN) -> AsyncIterator[Send]:
    """What puts a message into the app's queue. Raises LookupError where the settings name no queue service."""
    encoding = TextBase64EncodePolicy()
    if connection := settings.storage_connection_string:
        client = QueueClient.from_connection_string(connection, queue, message_encode_policy=encoding)
    elif address := settings.queue_service_uri:
        client = QueueClient(address, queue, credential=credential, message_encode_policy=encoding)
    else:
        raise LookupError("AzureWebJobsStorage__queueServiceUri is not set: a dry run is sent to the app's queue")
    async with client:
        yield client.send_message


@contextmanager
def progress_bar() -> Iterator[Tell]:
    """A bar on standard error for a person who waits; without a terminal nothing is shown."""
    columns = TextColumn("looking"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("looking", total=1.0)
        yield lambda done: progress.update(task, completed=done)


def told(forecast: PeriodForecast) -> str:
    """The forecast in lines for a person. Names are text of the log."""
    found, incidents = forecast.found, forecast.incidents
    lines = [
        f"{found.slices} slices looked at; nothing was changed.",
        f"Findings: {_counted({fate.value: found.findings.get(fate, 0) for fate in Fate})}.",
        "Incidents: "
        + _counted({"comes": len(incidents.come), "goes": len(incidents.go), "changes": len(incidents.change)})
        + ".",
        f"Evidence: {_differences(found.evidence)}.",
    ]
    for fate in Fate:
        lines += [_example(one) for one in [e for e in found.examples if e.fate is fate][:_MOST_TOLD]]
    if forecast.failed:
        lines.append(f"{forecast.failed} slices could not be read and are left out: {clean(forecast.problem, 300)}")
    return "\n".join(lines)


def _counted(numbers: Mapping[str, int]) -> str:
    words = {"comes": "would come", "goes": "would go", "changes": "would change"}
    return ", ".join(f"{number} {words[name]}" for name, number in numbers.items())


def _differences(evidence: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:+}" for name, number in evidence.items() if number) or "no difference"


def _example(example: Example) -> str:
    rules = {
        Fate.COMES: ", ".join(example.after),
        Fate.GOES: ", ".join(example.before),
        Fate.CHANGES: f"{', '.join(example.before)} → {', '.join(example.after)}",
    }
    return f"  {example.fate.value:8} {clean(example.id, 60)}  {clean(example.user_name, 60)}  {rules[example.fate]}"
