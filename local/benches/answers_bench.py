"""`python -m local.benches.answers_bench`: what answers take as findings pile up, and of a partner of thousands.

Azurite keeps the tables; findings and days are put there without a scan (local/benches/filled_partner.py), and each
answer is asked again and again, up to the text that goes over the wire. The days stay as they are where findings are
compared, so that only what grows differs. Azurite looks at every row of its table for each question, where the service
seeks a range of keys (local/benches/emulator.py): so each call is told twice, as it was waited for, and by the app's
own processor time, which grows with the rows that it is sent and with nothing that the emulator does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Final

from local.benches.filled_partner import Size, rows_of_days, rows_of_findings
from local.benches.filled_people import fill_people, rows_of_incidents
from local.benches.filling import Filling
from local.benches.sent import counted_requests
from local.stage.azurite import azurite
from shared.answers.applications import ApplicationsQuery, read_applications
from shared.answers.causes import CausesQuery, read_causes
from shared.answers.customers import CustomersQuery, read_customers
from shared.answers.findings import FindingsQuery, read_findings
from shared.answers.overview import CoverageQuery, SummaryQuery, read_coverage, read_summary
from shared.answers.technicians import TechniciansQuery, read_technicians
from shared.app.app import App
from shared.app.settings import load_settings
from shared.ledger.flight import Flight
from shared.ledger.slices import DAY
from shared.rules.rule import PARTNER
from shared.store.flights import change_flight
from shared.store.rollups import day_marks
from shared.store.sums import renew_sums
from shared.store.tables import Row
from shared.wire.models import Answer

NOW: Final = datetime(2026, 11, 2, 12, tzinfo=UTC)
FINDINGS: Final = (1_000, 100_000, 1_000_000)
HUNDREDS: Final = Size(people=300, customers=500, each=10, days=30)
THOUSANDS: Final = Size(people=3_000, customers=5_000, each=5, days=30)
CROWDED: Final = 20_000  # findings within one second
MOST_OF_SUMMARY: Final = 12
MOST_OF_LIST: Final = 10
_TIMES: Final = 40
_TIMES_OF_MANY: Final = 10  # of a question for which Azurite looks through a table for seconds
_LONG: Final = 0.5  # seconds
_ROOM: Final = "--max-old-space-size=14000"  # megabytes: a million rows take Azurite more than Node gives by itself

type Ask = Callable[[App], Awaitable[Answer]]

_PAGE: Final = 100
_OF_SECOND: Final[Mapping[str, Ask]] = {"findings": lambda app: read_findings(app, FindingsQuery(limit=_PAGE))}
_OF_PEOPLE: Final[Mapping[str, Ask]] = {
    "summary": lambda app: read_summary(app, SummaryQuery(days=30)),
    "customers": lambda app: read_customers(app, CustomersQuery(days=30)),
    "technicians": lambda app: read_technicians(app, TechniciansQuery(days=30)),
    "applications": lambda app: read_applications(app, ApplicationsQuery(days=30)),
    "causes": lambda app: read_causes(app, CausesQuery(days=30)),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer over so many findings: the most requests one call took, and how long 19 of 20 calls take at most, in
    all and of the app's own processor time."""

    of: str
    what: str
    requests: int
    waited_ms: float
    own_ms: float

    @property
    def most_requests(self) -> int:
        """What it may take."""
        return MOST_OF_SUMMARY if self.what == "summary" else MOST_OF_LIST


def _of_findings(count: int) -> Mapping[str, Ask]:
    """What is asked over so many findings of 30 days. The period of findings is as long as holds a page of them, so
    that the answers are of one size."""
    width = 30 * DAY * _PAGE / count
    period = {"from": NOW - 10 * DAY, "to": NOW - 10 * DAY + width, "limit": _PAGE}
    return {
        "summary": lambda app: read_summary(app, SummaryQuery(days=30)),
        "findings": lambda app: read_findings(app, FindingsQuery(limit=_PAGE)),
        "findings of a period": lambda app: read_findings(app, FindingsQuery.model_validate(period)),
        "coverage": lambda app: read_coverage(app, CoverageQuery(days=30)),
    }


async def measure_answers(findings: Sequence[int] = FINDINGS) -> list[Answered]:
    """Ask everything, over each number of findings, one crowded second, and a partner of thousands."""
    answered: list[Answered] = []
    for count in findings:
        async with filled_partner(HUNDREDS, rows_of_findings(count, NOW - 30 * DAY, NOW)) as app:
            answered += await _asked(app, f"{count:,} findings", _of_findings(count))
    second = NOW - DAY
    async with filled_partner(HUNDREDS, rows_of_findings(CROWDED, second, second + timedelta(seconds=1))) as app:
        answered += await _asked(app, f"{CROWDED:,} findings within a second", _OF_SECOND)
    async with filled_partner(THOUSANDS) as app:
        size = f"{THOUSANDS.people:,} technicians, {THOUSANDS.customers:,} customers"
        answered += await _asked(app, size, _OF_PEOPLE)
    return answered


@asynccontextmanager
async def filled_partner(size: Size, findings: Iterable[Row] = (), older: Iterable[Row] = ()) -> AsyncIterator[App]:
    """An app over the days of a partner of that size, with findings, and rows of days before."""
    os.environ.setdefault("NODE_OPTIONS", _ROOM)
    async with azurite() as connection:
        usual = {"auth_mode": "local", "partner_tenant_id": PARTNER, "AzureWebJobsStorage": connection}
        app = App(load_settings(**usual), clock=lambda: NOW)
        try:
            tables = await app.tables()
            await fill_people(tables.directory, size, NOW)
            async with Filling(connection) as filling:
                await filling.write("rollups", chain(rows_of_days(size, NOW), older))
                await filling.write("slices", findings)
                await filling.write("incidents", rows_of_incidents(size, NOW))
            await change_flight(tables.control, Flight(PARTNER), first_seen=NOW - size.days * DAY)
            marks = {day: of_day.of_lines for day, of_day in (await day_marks(tables.rollups)).items()}
            await renew_sums(tables.rollups, marks, NOW)
            yield app
        finally:
            await app.close()


async def _asked(app: App, of: str, questions: Mapping[str, Ask]) -> list[Answered]:
    found = []
    for what, ask in questions.items():
        waited, own, requests = [], [], 0
        await ask(app)  # what a process asks once
        started = time.perf_counter()
        await ask(app)
        times = _TIMES_OF_MANY if time.perf_counter() - started > _LONG else _TIMES
        for _ in range(times):
            with counted_requests() as sent:
                started, busy = time.perf_counter(), time.process_time()
                answer = await ask(app)
                answer.model_dump_json(by_alias=True)
                waited.append(1000 * (time.perf_counter() - started))
                own.append(1000 * (time.process_time() - busy))
            requests = max(requests, sent.total())
        p95 = [sorted(of_calls)[math.ceil(0.95 * times) - 1] for of_calls in (waited, own)]
        found.append(Answered(of, what, requests, round(p95[0], 1), round(p95[1], 1)))
        print(json.dumps(asdict(found[-1])), file=sys.stderr, flush=True)  # it takes minutes: where it is
    return found


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m local.benches.answers_bench", description=__doc__)
    parser.add_argument("--findings", type=int, action="append", help="1,000, 100,000 and 1,000,000 if not said")
    options = parser.parse_args(argv)
    asyncio.run(measure_answers(options.findings or FINDINGS))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
