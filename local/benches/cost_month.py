"""What a month costs, from what `local.benches.cost_bench` measured: the rows of README.md's table. Pure.

Measured are table and blob requests, pages and seconds. Assumed are the records a day, Graph's latency and pace, the
platform's own requests, data sizes and the prices: list prices in USD, West Europe, late 2025.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

DAYS: Final = 30
READS_OF_A_SLICE: Final = 7
SLICES: Final = 96 * DAYS
MINUTES: Final = 1440 * DAYS  # ALERT_SCHEDULE: the dispatch
FIVES: Final = 288 * DAYS  # SCAN_SCHEDULE: plan, watch, refresh, tending of incidents and of exceptions, preflight
TIMERS_OF_FIVE: Final = 6
HOURS: Final = 24 * DAYS
OTHER_REQUESTS: Final = 1  # of a look whether a preflight or a refresh is due
GRAPH_SECONDS: Final = 1.0  # how long Graph takes for a page
PAGES_A_SECOND: Final = 0.4  # the pace that is kept (GRAPH_REQUESTS_PER_10_SECONDS)
LEAST_SECONDS: Final = 1.0  # what an execution is billed with at least
POLLS: Final = 4 * 12 * MINUTES  # four queues, looked at every five seconds
GIGABYTES: Final = 2.0  # of an instance
FREE_GB_SECONDS: Final = 100_000
FREE_EXECUTIONS: Final = 250_000
GB_SECOND: Final = 0.000026
MILLION_EXECUTIONS: Final = 0.40
TABLE_10000: Final = 0.00045
BLOB_WRITE_10000: Final = 0.065
QUEUE_10000: Final = 0.004
ALERT_RULES: Final = 9
ALERT_RULE: Final = 0.50


class Measured(Protocol):
    """What this needs of a measurement."""

    @property
    def work(self) -> str:
        """What was done."""
        ...

    @property
    def table(self) -> int:
        """Requests to tables."""
        ...

    @property
    def graph(self) -> int:
        """Pages of the log."""
        ...

    @property
    def seconds(self) -> float:
        """How long it took."""
        ...


@dataclass(frozen=True, slots=True)
class Month:
    """Amounts and USD of a month, without data at rest."""

    graph_requests: int
    table_requests: int
    executions: int
    seconds_of_a_read: float
    execution_seconds: float
    compute: float
    storage: float
    alerts: float


def month(costs: Iterable[Measured]) -> Month:
    """A month of a partner whose slices cost that. Raises KeyError where a measurement is missing."""
    by_work = {cost.work.partition(" over ")[0]: cost for cost in costs}
    first, again, plan = by_work["first read"], by_work["read again"], by_work["plan"]
    looks = [by_work[work] for work in ("watch", "tending incidents", "tending exceptions")]
    reads = SLICES * READS_OF_A_SLICE
    table = SLICES * (first.table + (READS_OF_A_SLICE - 1) * again.table)
    table += FIVES * (plan.table + sum(cost.table for cost in looks) + 2 * OTHER_REQUESTS)
    table += MINUTES * by_work["dispatch, nothing to tell"].table
    table += DAYS * by_work["night"].table + HOURS
    paced = max(first.graph * GRAPH_SECONDS, (first.graph - 1) / PAGES_A_SECOND)
    read = (first.seconds + (READS_OF_A_SLICE - 1) * again.seconds) / READS_OF_A_SLICE + paced
    timers = MINUTES + (TIMERS_OF_FIVE - 1) * FIVES + HOURS
    seconds = reads * read + FIVES * max(plan.seconds, LEAST_SECONDS) + timers * LEAST_SECONDS
    executions = reads + MINUTES + TIMERS_OF_FIVE * FIVES + HOURS + DAYS
    blob_writes = MINUTES + TIMERS_OF_FIVE * FIVES + HOURS  # the host notes each run of a timer
    compute = max(0.0, seconds * GIGABYTES - FREE_GB_SECONDS) * GB_SECOND
    compute += max(0, executions - FREE_EXECUTIONS) / 1e6 * MILLION_EXECUTIONS
    storage = (table * TABLE_10000 + blob_writes * BLOB_WRITE_10000 + (POLLS + 3 * reads) * QUEUE_10000) / 10_000
    return Month(
        graph_requests=reads * first.graph,
        table_requests=table,
        executions=executions,
        seconds_of_a_read=round(read, 1),
        execution_seconds=round(seconds),
        compute=round(compute, 2),
        storage=round(storage, 2),
        alerts=ALERT_RULES * ALERT_RULE,
    )
