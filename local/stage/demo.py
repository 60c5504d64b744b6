"""`make demo`: the whole product on this machine over a sample log, and what it finds.

Real worker library, real Azurite, real HTTP; only Graph and the webhook's receiver are local servers. Ends with an
excerpt of the first alert and six lines; the rest is in a file that it names. Leaves nothing running.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from local.host.process import HostProcessError
from local.sample import Sample, make_sample, write_sample
from local.stage.azurite import AzuriteError
from local.stage.ending import End, excerpt, last_lines
from local.stage.first_alert import FIRST_SCAN, told_by_first_scan
from local.stage.receivers import Receivers, blocks_text
from local.stage.stack import Stack, running_stack

DAYS: Final = 30
SLICE_MINUTES: Final = 480
_PATIENCE_SECONDS: Final = 900
_QUIET_SECONDS: Final = 8  # two plans and more
_ALERT_SECONDS: Final = 90
# Quicker timers than an installation needs, and the whole sample within reach.
SETTINGS: Final = {
    "SCAN_SCHEDULE": "*/3 * * * * *",
    "ALERT_SCHEDULE": "*/5 * * * * *",
    "DIRECTORY_SCHEDULE": "30 */2 * * * *",  # who is dormant can be said once the log was read
    "SLICE_MINUTES": str(SLICE_MINUTES),
    "LOOKBACK_DAYS": str(DAYS + 1),
    "RETENTION_DAYS": str(DAYS + 10),
    "GRAPH_REQUESTS_PER_10_SECONDS": "1000",
}
_SHOWN: Final = (
    *("summary", "causes", "changes", "incidents", "findings", "applications", "coverage", "technicians", "customers"),
    *("accounts", "alerts", "exceptions", "rules", "register", "preflight", "health", "openapi.json"),
)
_COLOURS: Final = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


def main(argv: list[str]) -> int:
    """Run it; 0 when every planted violation was found and nothing else, 1 when not, 2 on misuse."""
    parser = argparse.ArgumentParser(prog="python -m local demo", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="stay up after the scan until Ctrl-C")
    parser.add_argument("--port", type=int, default=0, help="of the app; a free one if not given")
    parser.add_argument("--seed", type=int, default=7, help="of the sample")
    options = parser.parse_args(argv)
    console = Console(highlight=False)
    try:
        return asyncio.run(_until_stopped(console, options))
    except (AzuriteError, HostProcessError, DemoError, OSError) as error:
        console.print(f"[red]The demo stopped:[/] {escape(str(error))}")
        return 1
    except asyncio.CancelledError:
        console.print("Stopped; nothing is left running.")
        return 130


async def _until_stopped(console: Console, options: argparse.Namespace) -> int:
    """Run the demo as a task that Ctrl-C and SIGTERM cancel, so that everything it started is ended in order."""
    task = asyncio.ensure_future(_demo(console, options))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    return await task


async def _demo(console: Console, options: argparse.Namespace) -> int:
    end = last_closed(datetime.now(UTC))
    console.rule("Partner MFA Monitor")
    with console.status(f"Making a partner's sign-in log of {DAYS} days …"):
        sample = make_sample(options.seed, DAYS, end)
    people = sample.people
    console.print(
        f"{people.partner_name}: {len(people.technicians)} technicians, {len(people.customers)} customers, "
        f"{len(sample.log)} sign-ins, {len(_planted(sample))} planted violations."
    )
    with tempfile.TemporaryDirectory(prefix="partner-mfa-") as folder:
        work = Path(folder)
        write_sample(sample, work / "sample")
        async with Receivers() as receivers:
            starting = console.status("Starting Azurite, the local Graph and the worker host …")
            starting.start()
            try:
                async with running_stack(
                    work / "sample", work, {**SETTINGS, **receivers.settings()}, port=options.port
                ) as stack:
                    starting.stop()
                    return await _show(console, options, sample, stack, receivers)
            finally:
                starting.stop()


async def _show(
    console: Console, options: argparse.Namespace, sample: Sample, stack: Stack, receivers: Receivers
) -> int:
    started = time.monotonic()
    path = Path(tempfile.gettempdir()) / f"partner-mfa-monitor-demo-{os.getpid()}.txt"
    async with aiohttp.ClientSession(stack.url) as http:
        summary = await scanned(console, http, stack.graph_url)
        console.print(f"Scanned in {time.monotonic() - started:.0f} s.")
        told, alert = await _first_alert(receivers)
        await _night(http)
        with path.open("w", encoding="utf-8") as file:
            report = Console(file=file, highlight=False, width=120)
            _print_summary(report, summary)
            found, others = _print_planted(report, sample, await _findings(http))
            report.print(f"Alerts received so far: {len(receivers.received)}. The first ones, as they came:")
            receivers.show(report)
        end = End(
            summary=summary,
            causes=await _get(http, f"/api/causes?days={DAYS}&limit=3"),
            planted=len(_planted(sample)),
            found=found,
            others=others,
            told=told,
            open_all=(await _get(http, f"/api/summary?days={DAYS}&scope=all"))["incidents"]["open"],
            address=stack.url.removeprefix("http://") if options.serve else None,
        )
        console.print(escape(f"\nThe alert begins so; all of it and each planted violation: {path}"), soft_wrap=True)
        for line in excerpt(alert):
            console.print("  " + escape(line), soft_wrap=True)
        console.print()
        for place, line in enumerate(last_lines(end)):
            told_wrong = place == 1 and not end.is_right
            console.print(f"[bold red]{escape(line)}[/]" if told_wrong else escape(line), soft_wrap=True)
        if options.serve:
            await _serve(console, stack, receivers)
    return 0 if end.is_right else 1


async def _first_alert(receivers: Receivers) -> tuple[int | None, list[str]]:
    """The number in the alert of the first scan, and that alert as Slack shows it; None where none comes in time."""
    generic = next(receiver for receiver in receivers.all if receiver.kind == "generic")
    slack = next(receiver for receiver in receivers.all if receiver.kind == "slack")
    until = time.monotonic() + _ALERT_SECONDS
    while time.monotonic() < until:
        types = [str(message.json.get("type")) for message in generic.taken]
        if FIRST_SCAN in types and len(slack.taken) > (place := types.index(FIRST_SCAN)):
            told = told_by_first_scan([message.json for message in generic.taken])
            return told, blocks_text(slack.taken[place].json["blocks"])
        await asyncio.sleep(0.5)
    return None, []


async def _night(http: aiohttp.ClientSession) -> None:
    """What else comes with the night: the last month is sealed, and yesterday keeps its posture for the statement."""
    async with http.post("/admin/functions/maintain", json={}) as answer:
        if answer.status != 202:
            raise DemoError(f"the nightly run answered {answer.status}: {(await answer.text())[:300]}")


def last_closed(now: datetime) -> datetime:
    """The end of the newest slice that closed so long ago that its first re-read is due."""
    settled = now - timedelta(minutes=16)
    midnight = settled.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (settled - midnight) // timedelta(minutes=SLICE_MINUTES) * timedelta(minutes=SLICE_MINUTES)


async def scanned(console: Console, http: aiohttp.ClientSession, graph_url: str) -> Mapping[str, Any]:
    """Wait until every slice of the period was read and the app asks Graph for nothing more: a session's root that is
    read after its children has them read again."""
    columns = (
        TextColumn("Scanning"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total} slices"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        bar = progress.add_task("scan", total=None)
        until = time.monotonic() + _PATIENCE_SECONDS
        asked, since = -1, time.monotonic()
        while time.monotonic() < until:
            summary: dict[str, Any] = await _get(http, f"/api/summary?days={DAYS}")
            coverage = summary["coverage"]
            progress.update(bar, total=coverage["expectedSlices"], completed=coverage["completeSlices"])
            requests = int((await _get(http, f"{graph_url}/_control"))["requests"])
            if requests != asked:
                asked, since = requests, time.monotonic()
            quiet = time.monotonic() - since > _QUIET_SECONDS
            if quiet and coverage["completeSlices"] == coverage["expectedSlices"]:
                return summary
            await asyncio.sleep(1)
    raise DemoError(f"the scan did not end within {_PATIENCE_SECONDS // 60} minutes")


async def _get(http: aiohttp.ClientSession, path: str) -> Any:
    async with http.get(path) as answer:
        if answer.status != 200:
            raise DemoError(f"{path} answered {answer.status}: {(await answer.text())[:300]}")
        return await answer.json()


async def _findings(http: aiohttp.ClientSession) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    cursor: str | None = ""
    while cursor is not None:
        page = await _get(http, "/api/findings?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
        found |= {item["id"]: item for item in page["items"]}
        cursor = page["cursor"]
    return found


def _print_summary(console: Console, summary: Mapping[str, Any]) -> None:
    signins, coverage = summary["delegatedSignIns"], summary["coverage"]
    percent = "not measurable" if signins["compliancePercent"] is None else f"{signins['compliancePercent']} %"
    console.print(
        f"[bold]Compliance {percent}[/] of delegated sign-ins over {DAYS} days: {signins['compliant']} with MFA, "
        f"[red]{signins['nonCompliant']} without[/], [yellow]{signins['unknown']} unknown[/]; "
        f"coverage {coverage['percent']} % ({coverage['completeSlices']} of {coverage['expectedSlices']} slices)."
    )
    table = Table(title="GET /api/summary", title_justify="left")
    for heading in ("scope", "total", "compliant", "non-compliant", "unknown", "compliance"):
        table.add_column(heading, justify="left" if heading == "scope" else "right")
    for scope, numbers in summary["byScope"].items():
        share = "–" if numbers["compliancePercent"] is None else f"{numbers['compliancePercent']} %"
        table.add_row(scope, *(str(numbers[n]) for n in ("total", "compliant", "nonCompliant", "unknown")), share)
    console.print(table)
    for title, counts in (("Evidence", summary["byEvidence"]), ("Rules", summary["byRule"])):
        console.print(
            f"{title}: " + ", ".join(f"{name} {n}" for name, n in sorted(counts.items(), key=lambda c: -c[1]))
        )
    by_severity = ", ".join(f"{name} {n}" for name, n in summary["incidents"]["bySeverity"].items())
    console.print(f"Open incidents: {summary['incidents']['open']} ({by_severity})\n")


def _planted(sample: Sample) -> list[Any]:
    return [v for v in sample.violations if v.log_tenant_id == sample.people.partner_tenant_id]


def _print_planted(console: Console, sample: Sample, found: Mapping[str, Mapping[str, Any]]) -> tuple[int, int]:
    """Each planted violation with its findings. Returns how many were found so, and how many findings are of none."""
    table = Table(title="Planted violations, and where GET /api/findings has them", title_justify="left")
    for heading in ("found", "severity", "who", "what happened", "rules"):
        table.add_column(heading, overflow="fold")
    found_so = 0
    planted: set[str] = set()
    for violation in _planted(sample):
        planted |= set(violation.record_ids)
        hits = [found[i] for i in violation.record_ids if i in found]
        right = [
            h
            for h in hits
            if set(h["rules"]) == set(violation.rules)
            and h["severity"] == violation.severity
            and violation.cause in (None, h["cause"])
        ]
        found_so += len(right) == len(violation.record_ids)
        mark = "[green]yes[/]" if len(right) == len(violation.record_ids) else "[bold red]NO[/]"
        table.add_row(
            f"{mark} {len(right)}/{len(violation.record_ids)}",
            f"[{_COLOURS[violation.severity]}]{violation.severity}[/]",
            escape(violation.user_principal_name.partition("@")[0]),
            escape(violation.story),
            ", ".join(violation.rules),
        )
    console.print(table)
    extra = set(found) - planted
    quiet = sum(len(q.record_ids) for q in sample.quiet)
    verdict = "[green]none[/]" if not extra else f"[bold red]{len(extra)}[/]"
    console.print(
        f"Findings that nobody planted: {verdict} ({quiet} sign-ins were planted that only look like trouble).\n"
    )
    return found_so, len(extra)


async def _serve(console: Console, stack: Stack, receivers: Receivers) -> None:
    console.rule("Serving until Ctrl-C")
    console.print(f"[bold]  the page: {stack.url}/[/]")
    for path in _SHOWN:
        console.print(f"  {stack.url}/api/{path}")
    console.print(f"  the alerts as people see them: {receivers.url}")
    console.print(f"  the local Graph: {stack.graph_url}")
    console.print(f"  the host's log: {stack.host_log}")
    sys.stdout.flush()
    code = await stack.host.wait()
    raise DemoError(f"the worker host ended with exit code {code}")
