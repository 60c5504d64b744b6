"""The parts of the bench: what each measures as rows, and how many minutes it may take on two processors.

Each part runs in a process of its own (local/benches/bench.py), so that none sees what another left in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from local.benches.answers_bench import FINDINGS, Answered, measure_answers
from local.benches.cost_bench import measure as measure_costs
from local.benches.day_bench import CUSTOMERS, PEOPLE, measure_day
from local.benches.directory_bench import measure as measure_directory
from local.benches.files_bench import measure_files
from local.benches.heart_bench import heart
from local.benches.lag_bench import Load, simulate
from local.benches.package_bench import price
from local.benches.pages_bench import page_rows
from local.benches.plan_bench import measure_plan
from local.benches.rows import Row, at_most, beside
from local.benches.scan_bench import CROWD_PEOPLE, MEGABYTES, measure_crowd
from local.benches.scan_bench import measure as measure_scan
from local.benches.start_bench import measure_start
from local.benches.workers_bench import measure_workers
from local.stage.azurite import running_azurite

_SIGN_INS: Final = 1_000_000
_FEW_SIGN_INS: Final = 100_000
_BEGUN: Final = 10  # slices, of about as many sign-ins of the same partner
_CROWD: Final = 200_000
_FIRST_REQUESTS: Final = {12_500: 958}  # half of what a first read of so many records once took
_WORKERS: Final = (1, 2, 3)


def directory() -> list[Row]:
    """A refresh of a large directory, against what it may take: memory, and Graph's requests within one run."""
    found = asyncio.run(measure_directory(accounts=50_000, customers=5_000, groups=500))
    size = "Directory of 50,000 accounts, 5,000 customers, 500 groups"
    minutes = f"{size}: at the paces that spare Graph / one run of 30 minutes"
    return [
        at_most(f"{size}: peak memory / 300 MB", found.peak_megabytes, 300, "MB"),
        at_most(minutes, found.minutes_within_budget, 30, "minutes"),
    ]


def costs() -> list[Row]:
    """Table requests of a first read of slices of three sizes, and of one that is read again."""
    rows: list[Row] = []
    first: dict[int, int] = {}
    for cost in measure_costs():
        slice_ = f"Slice of {cost.records:,} records"
        if cost.work == "first read":
            first[cost.records] = cost.table
            most = _FIRST_REQUESTS.get(cost.records)
            name = f"{slice_}, first read: table requests / {most or 'one a record'}"
            rows.append(at_most(name, cost.table, most or cost.records, "requests", is_goal=most is not None))
        elif cost.work in ("read again", "third read"):
            goal = ">= 2.5" if cost.records > 1_000 else None  # the few that any read takes weigh more in a small one
            name = f"{slice_}, {cost.work}, nothing changed: table requests / first read"
            rows.append(beside(name, cost.table, first[cost.records], "requests", goal=goal))
    return rows


def plan() -> list[Row]:
    """An idle plan, whatever is kept."""
    few, many = measure_plan()
    name = f"Plan, nothing due, {many.days} days kept: processor time / {few.days} days kept (at most 3 times as long)"
    return [
        *(
            at_most(f"Plan, nothing due, {p.days} days kept: table requests / 20", p.requests, 20, "requests")
            for p in (few, many)
        ),
        beside(name, many.processor_ms, few.processor_ms, "ms", goal=">= 0.3333"),
    ]


def lag() -> list[Row]:
    """What a partner with 100,000 users waits for its log, by a simulation, beside the width of a slice."""
    few, narrow = {"read_ages_minutes": (0, 60, 1440), "slice_minutes": 5}, {"slice_minutes": 5}
    rows = []
    for sign_ins, settings in ((10, {}), (25, {}), (50, {}), (50, narrow), (50, few), (100, few)):
        load = Load.of(100_000, sign_ins, **settings)
        found, width = simulate(load), load.width.total_seconds() / 60
        name = f"100,000 users, {sign_ins} sign-ins a day each"
        name += f", slices of {width:.0f} minutes, {len(load.ages)} reads: lag of 19 in 20 slices / their width"
        rows.append(beside(name, found.p95, width, "minutes", goal=None))
    return rows


def scan() -> list[Row]:
    """A day's log read and written, beside downloading and decoding the same pages, and what memory it takes."""
    few, many = measure_scan(_FEW_SIGN_INS), measure_scan(_SIGN_INS)
    begun = measure_scan(_SIGN_INS, slices=_BEGUN)
    log = f"Scan of {_SIGN_INS:,} sign-ins in {many.scan.slices} slices, one in 100 without MFA"
    peer = "downloading and decoding the same pages"
    wall, processor = many.scan.seconds, many.scan.processor_seconds
    return [
        beside(f"{log} / {peer} (at most 1.3 times as long)", wall, many.peer.seconds, "s", goal=">= 0.7692"),
        beside(f"{log}: its own processor time / {peer}", processor, many.peer.processor_seconds, "s", goal=None),
        beside(f"{log}: Azurite's processor time / the scan's", many.azurite_seconds, processor, "s", goal=None),
        at_most(f"{log}: table requests / one a record", many.scan.requests, _SIGN_INS, "requests", is_goal=False),
        at_most(f"{log}: peak memory / {MEGABYTES} MB", many.scan.peak_megabytes, MEGABYTES, "MB"),
        beside(
            f"{log}: peak memory / that of the first {begun.scan.records:,} of them in {_BEGUN} slices",
            *(many.scan.peak_megabytes, begun.scan.peak_megabytes, "MB"),
            goal=">= 0.8",
        ),
        beside(
            f"{log}: peak memory / that of {_FEW_SIGN_INS:,} of a tenth of the people",
            *(many.scan.peak_megabytes, few.scan.peak_megabytes, "MB"),
            goal=None,
        ),
    ]


def crowd() -> list[Row]:
    """A slice that cannot be halved, of which every record is a finding."""
    first, again = measure_crowd(_CROWD)
    name = f"A second of {_CROWD:,} findings of {CROWD_PEOPLE:,} people"
    return [
        at_most(f"{name}: peak memory / {MEGABYTES} MB", first.peak_megabytes, MEGABYTES, "MB"),
        at_most(f"{name}, read again: peak memory / {MEGABYTES} MB", again.peak_megabytes, MEGABYTES, "MB"),
    ]


def day() -> list[Row]:
    """The day of a large partner, added up."""
    with running_azurite() as connection:
        peak = measure_day(connection)
    name = f"A day of {PEOPLE:,} x {CUSTOMERS:,} added up: peak memory / {MEGABYTES} MB"
    return [at_most(name, peak, MEGABYTES, "MB")]


def workers() -> list[Row]:
    """Several worker processes at one queue over one Azurite, beside one."""
    found = [measure_workers(number) for number in _WORKERS]
    one = found[0].slices_a_second
    rows = []
    for worked in found:
        name = f"{worked.workers} workers, {worked.slices} slices of 4 tenants"
        goal = f">= {(1 + worked.workers) / 2}" if worked.workers > 1 else None  # each adds half of what the first does
        rate = f"{name}: slices a second / one worker's"
        rows += [
            beside(f"{name}: reads / slices", worked.reads, worked.slices, "reads", goal=">= 1"),
            Row(rate, worked.slices_a_second, one, "1/s", gain := worked.slices_a_second / one, (gain, gain), goal),
        ]
    return rows


def answers(findings: Sequence[int] = FINDINGS) -> list[Row]:
    """What answers take as findings pile up, and of a partner of thousands."""
    found = asyncio.run(measure_answers(findings))
    rows = [
        at_most(f"{a.what} over {a.of}: storage requests / {a.most_requests}", a.requests, a.most_requests, "requests")
        for a in found
    ]
    first = {a.what: a for a in found if a.of == f"{findings[0]:,} findings"}
    for a in found:
        if a.of.endswith(" findings") and a is not first[a.what]:
            rows += _growth(a, first[a.what])
    return rows


def _growth(many: Answered, few: Answered) -> list[Row]:
    name = f"{many.what} over {many.of}: 19 of 20 calls"
    return [
        beside(
            f"{name}, the app's processor time / those over {few.of} (at most 1.5 times as long)",
            *(many.own_ms, few.own_ms, "ms"),
            goal=">= 0.6667",
        ),
        beside(
            f"{name}, Azurite looking at each row included / those over {few.of}",
            *(many.waited_ms, few.waited_ms, "ms"),
            goal=None,
        ),
    ]


def start() -> list[Row]:
    """The app's start, beside an app with one empty function that imports the same libraries."""
    found = measure_start()
    name = f"Start: import and index {found.functions} functions / an empty one and the same libraries"
    spread = round(1 / found.spread[1], 2), round(1 / found.spread[0], 2)
    named = f"{name} (at most 1.6 times as long)"
    return [
        Row(named, found.ours, found.empty, "s", round(1 / found.ratio, 2), spread, ">= 0.625"),
        beside(f"{name}, the summary's modules imported too", found.answers, found.empty, "s", goal=None),
    ]


def package() -> list[Row]:
    """What msgraph-sdk takes of the deployed package."""
    found = price()
    name = "msgraph-sdk in the package:"
    return [
        beside(f"{name} files / all that is deployed", found.files, found.files_of_all, "files", goal=None),
        beside(f"{name} size / all that is deployed", found.megabytes, found.megabytes_of_all, "MB", goal=None),
        beside(f"{name} import after the rest / a second", found.seconds, 1, "seconds", goal=None),
    ]


def files() -> list[Row]:
    """A large export judged by `assess`, beside those who only parse it."""
    goals = {"msgspec": ">= 0.6667"}  # at most 1.5 times as long
    return [
        Row(
            f"assess of {one.megabytes} MB / {one.peer_name}, parsing alone", one.ours, one.peer, "s", one.ratio,
            one.spread, goals.get(one.peer_name),
        )
        for one in measure_files()
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """`minutes` is a bound, about three times what the part takes on two quiet processors: one that takes longer is
    ended and told as one that did not end."""

    rows: Callable[[], list[Row]]
    minutes: int


PARTS: Final = {
    "heart": Part(heart, 5),
    "directory": Part(directory, 6),
    "costs": Part(costs, 8),
    "plan": Part(plan, 5),
    "lag": Part(lag, 3),
    "start": Part(start, 4),
    "package": Part(package, 2),
    "files": Part(files, 8),
    "day": Part(day, 6),
    "workers": Part(workers, 5),
    "crowd": Part(crowd, 25),
    "scan": Part(scan, 25),
    "answers": Part(answers, 25),
    "pages": Part(page_rows, 16),
}
