"""`make bench`: ratios against named peers, measured in one run, as a table and as bench.json.

A ratio is that of two things done one after the other on the same bytes, and what is shown is the median of many such
pairs: so a busy machine slows both. The garbage collector stays as it is in production.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console
from rich.table import Table

from local.benches.answers_bench import measure_answers
from local.benches.cost_bench import measure as measure_costs
from local.benches.day_bench import CUSTOMERS, PEOPLE, measure_day
from local.benches.directory_bench import measure
from local.benches.files_bench import measure_files
from local.benches.lag_bench import Load, simulate
from local.benches.package_bench import price
from local.benches.scan_bench import MEGABYTES
from local.benches.scan_bench import measure as measure_scan
from local.benches.start_bench import measure_start
from local.benches.typed_page import typed_decoder
from local.sample import make_sample
from local.stage.azurite import running_azurite
from shared.rules.assess import Assessment, assess
from shared.signin.decoding import decode_page
from shared.signin.directory import Directory, DirectoryFile
from shared.signin.model import SignIn

RECORDS: Final = 1000
_END: Final = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `ours` and `peer` are medians in `unit`; `ratio` is peer / ours (more is better for us) and
    `spread` its lower and upper quartile. `goal` is text such as ">= 1.3", or None where the row only informs."""

    name: str
    ours: float
    peer: float
    unit: str
    ratio: float
    spread: tuple[float, float]
    goal: str | None

    @property
    def holds(self) -> bool | None:
        """Whether the goal is met; None without one."""
        return None if self.goal is None else self.ratio >= float(self.goal.removeprefix(">= "))


def compare(
    name: str,
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    runs: int,
    goal: str | None,
    repeats: int = 1,
) -> Row:
    """Time both in turn, `runs` times after one to warm up. `repeats` is how often ours is done in a turn, so that
    a turn of each lasts about as long."""
    ours(), peer()
    pairs = [(_seconds(ours, repeats), _seconds(peer)) for _ in range(runs)]
    ratios = sorted(theirs / own for own, theirs in pairs)
    lower, _, upper = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0],) * 3
    return Row(
        name,
        ours=round(statistics.median(own for own, _ in pairs) * 1e6 / RECORDS, 2),
        peer=round(statistics.median(theirs for _, theirs in pairs) * 1e6 / RECORDS, 2),
        unit="µs/record",
        ratio=round(statistics.median(ratios), 2),
        spread=(round(lower, 2), round(upper, 2)),
        goal=goal,
    )


def _seconds(work: Callable[[], object], repeats: int = 1) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - started) / repeats


def _log() -> tuple[bytes, Directory]:
    """A page of the sample partner's log, and its directory. The sample itself is let go: an app holds none, and the
    collector would look through it again and again."""
    sample = make_sample(7, 30, _END)
    partner = [entry for entry in sample.log if entry.tenant_id == sample.people.partner_tenant_id]
    records = [entry.final for entry in partner if entry.is_unicode][-RECORDS:]
    return _page(records), Directory.of(DirectoryFile.model_validate(sample.directory()))


def heart() -> list[Row]:
    """From the bytes of a 1,000-record Graph page to assessments, against what others make of the same bytes."""
    page, directory = _log()

    def ours() -> list[Assessment]:
        return [assess(r, directory) for r in decode_page(page).records if isinstance(r, SignIn)]

    if len(ours()) != RECORDS:
        raise AssertionError("the page was not read whole")
    sdk = _sdk()
    typed = typed_decoder()
    return [
        compare("Graph page to assessments / orjson.loads", ours, lambda: orjson.loads(page), runs=41, goal=">= 3"),
        compare(
            "Graph page to assessments / msgraph-sdk's models",
            ours,
            lambda: sdk(page),
            runs=7,
            goal=">= 150",
            repeats=100,
        ),
        compare(
            "Graph page to assessments / msgspec's typed decode alone (at most 2.2 times as long)",
            ours,
            lambda: typed(page),
            runs=41,
            goal=">= 0.4546",
        ),
    ]


def directory() -> list[Row]:
    """A refresh of a large directory, against what it may take: memory, and Graph's requests within one run."""
    found = asyncio.run(measure(accounts=50_000, customers=5_000, groups=500))
    size = "Directory of 50,000 accounts, 5,000 customers, 500 groups"

    def row(name: str, ours: float, most: float, unit: str) -> Row:
        ratio = round(most / ours, 2)
        return Row(f"{size}: {name}", ours, most, unit, ratio, (ratio, ratio), ">= 1")

    return [
        row("peak memory / 300 MB", found.peak_megabytes, 300, "MB"),
        row("at the paces that spare Graph / one run of 30 minutes", found.minutes_within_budget, 30, "minutes"),
    ]


def scan_costs() -> list[Row]:
    """Table requests of a read of slices of three sizes against one request a record, of one that is read again against
    its first read, and of an idle plan against 20."""
    rows: list[Row] = []
    first: dict[int, int] = {}

    def row(name: str, ours: int, most: int, goal: str | None) -> None:
        ratio = round(most / max(ours, 1), 2)
        rows.append(Row(name, ours, most, "requests", ratio, (ratio, ratio), goal))

    for cost in measure_costs():
        slice_ = f"Slice of {cost.records:,} records"
        if cost.work == "first read":
            first[cost.records] = cost.table
            row(f"{slice_}, first read: table requests / one a record", cost.table, cost.records, None)
        elif cost.work == "read again":
            goal = ">= 2.5" if cost.records > 1_000 else None  # the few that any read takes weigh more in a small one
            row(
                f"{slice_}, read again, nothing changed: table requests / first read",
                cost.table,
                first[cost.records],
                goal,
            )
        elif cost.work.startswith("plan"):
            row(f"{cost.work}, slices of {cost.records:,} records: table requests / 20", cost.table, 20, ">= 1")
    return rows


def lag() -> list[Row]:
    """What a partner with 100,000 users waits for its log, by a simulation, beside the width of a slice."""
    few, narrow = {"read_ages_minutes": (0, 60, 1440), "slice_minutes": 5}, {"slice_minutes": 5}
    rows = []
    for sign_ins, settings in ((10, {}), (25, {}), (50, {}), (50, narrow), (50, few), (100, few)):
        load = Load.of(100_000, sign_ins, **settings)
        found, width = simulate(load), load.width.total_seconds() / 60
        name = f"100,000 users, {sign_ins} sign-ins a day each"
        name += f", slices of {width:.0f} minutes, {len(load.ages)} reads: lag of 19 in 20 slices / their width"
        ratio = round(width / max(found.p95, 0.1), 2)
        rows.append(Row(name, found.p95, width, "minutes", ratio, (ratio, ratio), None))
    return rows


def _at_most(name: str, ours: float, most: float, unit: str, *, is_goal: bool = True) -> Row:
    """Beside what it may take."""
    ratio = round(most / max(ours, 0.01), 2)
    return Row(name, ours, most, unit, ratio, (ratio, ratio), ">= 1" if is_goal else None)


def scan(records: int) -> list[Row]:
    """A day's log read and written, beside downloading and decoding the same pages, and what memory it takes: also
    where a slice cannot be halved, and to add up the day of a large partner."""
    few, many = measure_scan(100_000), measure_scan(records)
    ratio = round(1 / many.ratio, 2)
    log = f"Scan of {records:,} sign-ins in {many.scan.slices} slices, one in 100 without MFA"
    name = f"{log} / downloading and decoding the same pages (at most 1.3 times as long)"
    crowd = measure_scan(200_000, within=timedelta(seconds=1), weak_each=1, peer=False).scan
    with running_azurite() as connection:
        of_day = measure_day(connection)
    peaks = (few.scan.peak_megabytes, many.scan.peak_megabytes)
    flat = round(peaks[0] / peaks[1], 2)
    return [
        Row(name, many.scan.seconds, many.peer.seconds, "s", ratio, (ratio, ratio), ">= 0.7692"),
        _at_most(f"{log}: table requests / one a record", many.scan.requests, records, "requests", is_goal=False),
        _at_most(f"{log}: peak memory / {MEGABYTES} MB", peaks[1], MEGABYTES, "MB"),
        Row(f"{log}: peak memory / that of 100,000", peaks[1], peaks[0], "MB", flat, (flat, flat), ">= 0.8"),
        _at_most(f"A second of 200,000 findings: peak memory / {MEGABYTES} MB", crowd.peak_megabytes, MEGABYTES, "MB"),
        _at_most(
            f"A day of {PEOPLE:,} x {CUSTOMERS:,} added up: peak memory / {MEGABYTES} MB", of_day, MEGABYTES, "MB"
        ),
    ]


def answers(findings: Sequence[int]) -> list[Row]:
    """What answers take as findings pile up, and of a partner of thousands."""
    found = asyncio.run(measure_answers(findings))
    rows = [
        _at_most(f"{a.what} over {a.of}: storage requests / {a.most_requests}", a.requests, a.most_requests, "requests")
        for a in found
    ]
    first = {a.what: a for a in found if a.of == f"{findings[0]:,} findings"}
    for a in found:
        if a.of.endswith(" findings") and a is not (few := first[a.what]):
            ratio = round(few.p95_ms / a.p95_ms, 2)
            name = f"{a.what} over {a.of}: 19 of 20 calls / those over {few.of} (at most 1.5 times as long)"
            rows.append(Row(name, a.p95_ms, few.p95_ms, "ms", ratio, (ratio, ratio), ">= 0.667"))
    return rows


def start() -> list[Row]:
    """The app's start, beside an app with one empty function that imports the same libraries."""
    found = measure_start()
    name = f"Start: import and index {found.functions} functions / an empty one and the same libraries"
    return [
        Row(
            f"{name} (at most 1.6 times as long)", found.ours, found.empty, "s", round(1 / found.ratio, 2),
            (round(1 / found.spread[1], 2), round(1 / found.spread[0], 2)), ">= 0.625",
        )
    ]  # fmt: skip


def package() -> list[Row]:
    """What msgraph-sdk takes of the deployed package."""
    found = price()

    def row(name: str, ours: float, of_all: float, unit: str) -> Row:
        ratio = round(of_all / ours, 2)
        return Row(f"msgraph-sdk in the package: {name}", ours, of_all, unit, ratio, (ratio, ratio), None)

    return [
        row("files / all that is deployed", found.files, found.files_of_all, "files"),
        row("size / all that is deployed", found.megabytes, found.megabytes_of_all, "MB"),
        row("import after the rest / a second", max(found.seconds, 0.01), 1, "seconds"),
    ]


def _page(records: Sequence[object]) -> bytes:
    return json.dumps(
        {"@odata.context": "https://graph.microsoft.com/beta/$metadata#auditLogs/signIns", "value": records}
    ).encode()


def _sdk() -> Callable[[bytes], object]:
    """What the SDK's client makes of the body of an answer: with the backing store that making a client switches on."""
    from kiota_abstractions.authentication import AnonymousAuthenticationProvider
    from kiota_abstractions.serialization import ParseNodeFactoryRegistry
    from msgraph.generated.models.sign_in_collection_response import SignInCollectionResponse
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

    GraphServiceClient(request_adapter=GraphRequestAdapter(AnonymousAuthenticationProvider()))
    factory = ParseNodeFactoryRegistry()
    return lambda body: factory.get_root_parse_node("application/json", body).get_object_value(SignInCollectionResponse)


def files() -> list[Row]:
    """A large export judged by `assess`, beside those who only parse it."""
    goals = {"msgspec": ">= 0.667"}  # at most 1.5 times as long
    return [
        Row(
            f"assess of {one.megabytes} MB / {one.peer_name}, parsing alone", one.ours, one.peer, "s", one.ratio,
            one.spread, goals.get(one.peer_name),
        )
        for one in measure_files()
    ]  # fmt: skip


def main(argv: list[str]) -> int:
    """Print the table and write bench.json; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m local bench", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--scan", type=int, default=1_000_000, help="sign-ins of the log that is scanned")
    parser.add_argument(
        "--findings", type=int, nargs="+", default=[1_000, 100_000], help="over which answers are asked"
    )
    options = parser.parse_args(argv)
    console = Console(highlight=False)
    console.width = max(console.width, 150)  # a table in a log must not be folded to 80 columns
    with console.status("Measuring …"):
        rows = [*heart(), *directory(), *scan_costs(), *lag(), *start(), *package(), *files()]
        rows += [*scan(options.scan), *answers(options.findings)]
    table = Table()
    for heading in ("name", "ours", "peer", "unit", "ratio", "quartiles", "goal", ""):
        table.add_column(heading, overflow="fold")
    for row in rows:
        mark = {True: "[green]holds[/]", False: "[red]missed[/]", None: ""}[row.holds]
        low, high = row.spread
        table.add_row(
            row.name, str(row.ours), str(row.peer), row.unit, f"{row.ratio} ×", f"{low}–{high}", row.goal or "–", mark
        )
    console.print(table)
    options.out.write_text(json.dumps([asdict(row) for row in rows], indent=1, ensure_ascii=False) + "\n")
    console.print(f"Written to {options.out}.")
    return 0 if all(row.holds is not False for row in rows) else 1
