"""`python -m local.benches.pages_bench`: what a page takes beside the summary of the same partner.

The page and the summary are made in turn, in one process over the same tables, up to the text that goes over the wire.
Compared is processor time, which Azurite's own does not touch; the time that passes is shown beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from local.benches.answers_bench import HUNDREDS, NOW, THOUSANDS, filled_partner
from local.benches.filled_partner import APP, Size, rows_of_days, rows_of_findings
from local.benches.rows import Row, at_most
from local.benches.sent import counted_requests
from shared.answers.overview import SummaryQuery, read_summary
from shared.app.app import App
from shared.ledger.slices import DAY
from shared.page import PAGES, PageAt, Visit
from shared.rules.rule import CUSTOMER, TECHNICIAN

MOST_TIMES: Final = 3
MOST_REQUESTS: Final = 12
MOST_BYTES: Final = 100_000
_TIMES: Final = 9
_SMALL: Final = Size(people=3, customers=3, each=2, days=370)
_FINDINGS: Final = 1_000
# What stands in an address; pages of what no such partner has (an incident, a finding, a pack) are not among them.
_IDS: Final = {
    "page_customer": CUSTOMER,
    "page_technician": TECHNICIAN,
    "page_application": APP,
    "page_rule": "legacy-auth",
    "page_day": "",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of a partner of that size: its requests, its bytes, and how many summaries it takes."""

    of: str
    name: str
    requests: int
    size: int
    ratio: float
    ratio_passed: float
    milliseconds: float
    summary_ms: float


async def measure_pages(sizes: Sequence[Size] = (HUNDREDS, THOUSANDS), names: Sequence[str] = ()) -> list[Shown]:
    """Every page that can be opened, or those named, in a partner of each size."""
    shown: list[Shown] = []
    for size in sizes:
        before = rows_of_days(_SMALL, NOW - size.days * DAY)  # the calendar shows these too
        older = (row for row in before if str(row["RowKey"]).startswith("day-"))
        async with filled_partner(size, rows_of_findings(_FINDINGS, NOW - 30 * DAY, NOW), older) as app:
            of = f"{size.people:,} technicians, {size.customers:,} customers"
            for page in PAGES:
                if (page.name in _IDS or "{" not in page.route) and (not names or page.name in names):
                    shown.append(await _shown(app, page, of))
                    print(json.dumps(asdict(shown[-1])), file=sys.stderr, flush=True)
    return shown


def page_rows() -> list[Row]:
    """Each page's processor time beside the summary's, and the most that any page asks for and sends."""
    found = asyncio.run(measure_pages())
    rows: list[Row] = []
    for of in dict.fromkeys(shown.of for shown in found):
        mine = [shown for shown in found if shown.of == of]
        requests, size = max(shown.requests for shown in mine), max(shown.size for shown in mine)
        rows += [
            at_most(f"Pages of {of}: storage requests / {MOST_REQUESTS}", requests, MOST_REQUESTS, "requests"),
            at_most(f"Pages of {of}: bytes / {MOST_BYTES:,}", size, MOST_BYTES, "bytes"),
        ]
        for shown in mine:
            name = f"{shown.name} of {of}: processor time / the summary's (at most {MOST_TIMES} times as long)"
            gain = round(1 / shown.ratio, 4)  # of each pair by itself: what else the machine does touches both alike
            rows.append(Row(name, shown.milliseconds, shown.summary_ms, "ms", gain, (gain, gain), ">= 0.3333"))
    return rows


async def _shown(app: App, page: PageAt, of: str) -> Shown:
    path = {"id": _IDS.get(page.name, ""), "day": f"{NOW - 2 * DAY:%Y-%m-%d}"}
    visit = Visit(app, page.query.model_validate({}), path, f"/{page.route}", may_act=True)
    html = await page.show(visit)  # what a process asks once
    with counted_requests() as sent:
        await page.show(visit)
    pairs = [(await _took(lambda: page.show(visit)), await _took(lambda: _summary(app))) for _ in range(_TIMES)]
    return Shown(
        of,
        page.name,
        sent.total(),
        len(html.encode()),
        round(statistics.median(ours[0] / theirs[0] for ours, theirs in pairs), 2),
        round(statistics.median(ours[1] / theirs[1] for ours, theirs in pairs), 2),
        round(1000 * statistics.median(ours[0] for ours, _ in pairs), 1),
        round(1000 * statistics.median(theirs[0] for _, theirs in pairs), 1),
    )


async def _took(make: Callable[[], Awaitable[str]]) -> tuple[float, float]:
    """Seconds of the processor, and seconds that passed."""
    worked, started = time.process_time(), time.perf_counter()
    await make()
    return time.process_time() - worked, time.perf_counter() - started


async def _summary(app: App) -> str:
    return (await read_summary(app, SummaryQuery(days=30))).model_dump_json(by_alias=True)


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m local.benches.pages_bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="of pages; every page if not said")
    options = parser.parse_args(argv)
    asyncio.run(measure_pages(names=options.names))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
