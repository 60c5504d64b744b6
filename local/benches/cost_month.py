"""What a month costs, from what `local.benches.cost_bench` measured: the rows of README.md's table. Pure.

Measured are table and blob requests, pages, seconds and the text that the app logs. Assumed are the records a day,
Graph's latency and pace, the platform's own requests and log lines, the columns beside a log's text, data sizes and the
prices: list prices in USD, West Europe, late 2025.
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
ALERT_RULES: Final = 12
ALERT_RULE: Final = 0.50
METRIC_RULE: Final = 0.10
# Each execution is a row of AppRequests and two lines of the host ("Executing …", "Executed …"); each line stands in
# AppTraces and in FunctionAppLogs, with columns of its own beside the text.
HOST_LINES: Final = 2
HOST_LINE: Final = 140
REQUEST_ROW: Final = 1_300
TRACE_COLUMNS: Final = 900
HOST_LOG_COLUMNS: Final = 500
FREE_LOG_GIGABYTES: Final = 5.0
LOG_GIGABYTE: Final = 2.99


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

    @property
    def log_lines(self) -> int:
        """Lines that the app logged."""
        ...

    @property
    def log_bytes(self) -> int:
        """Their text."""
        ...


@dataclass(frozen=True, slots=True)
class Month:
    """Amounts and USD of a month, without data at rest. `first_scan` is what the first month costs more."""

    graph_requests: int
    table_requests: int
    executions: int
    seconds_of_a_read: float
    execution_seconds: float
    compute: float
    storage: float
    log_gigabytes: float
    logs: float
    alerts: float
    first_scan: float
    first_scan_log_gigabytes: float


def month(costs: Iterable[Measured]) -> Month:
    """A month of a partner whose slices cost that. Raises KeyError where a measurement is missing."""
    by_work = {cost.work.partition(" over ")[0]: cost for cost in costs}
    first, again, plan = by_work["first read"], by_work["read again"], by_work["plan"]
    later = by_work["third read"]  # the second one tells what waited for details, all others the same
    read_later = READS_OF_A_SLICE - 2
    looks = [by_work[work] for work in ("watch", "tending incidents", "tending exceptions")]
    reads = SLICES * READS_OF_A_SLICE
    table = SLICES * (first.table + again.table + read_later * later.table)
    table += FIVES * (plan.table + sum(cost.table for cost in looks) + 2 * OTHER_REQUESTS)
    table += MINUTES * by_work["dispatch, nothing to tell"].table
    table += DAYS * by_work["night"].table + HOURS
    paced = max(first.graph * GRAPH_SECONDS, (first.graph - 1) / PAGES_A_SECOND)
    read = (first.seconds + again.seconds + read_later * later.seconds) / READS_OF_A_SLICE + paced
    timers = MINUTES + (TIMERS_OF_FIVE - 1) * FIVES + HOURS
    seconds = reads * read + FIVES * max(plan.seconds, LEAST_SECONDS) + timers * LEAST_SECONDS
    executions = reads + MINUTES + TIMERS_OF_FIVE * FIVES + HOURS + DAYS
    blob_writes = MINUTES + TIMERS_OF_FIVE * FIVES + HOURS  # the host notes each run of a timer
    compute = max(0.0, seconds * GIGABYTES - FREE_GB_SECONDS) * GB_SECOND
    compute += max(0, executions - FREE_EXECUTIONS) / 1e6 * MILLION_EXECUTIONS
    storage = (table * TABLE_10000 + blob_writes * BLOB_WRITE_10000 + (POLLS + 3 * reads) * QUEUE_10000) / 10_000
    logged = SLICES * (log_size(first) + log_size(again) + read_later * log_size(later))
    logged += sum(log_size(cost) for cost in (plan, *looks)) * FIVES + 2 * log_size() * FIVES
    logged += log_size(by_work["dispatch, nothing to tell"]) * MINUTES + log_size(by_work["night"]) * DAYS
    logged += log_size() * HOURS
    # Thirty days that were there before: each slice is read once more than a month's own slices are.
    more = SLICES * (first.seconds + paced) * GIGABYTES * GB_SECOND + SLICES * first.table / 10_000 * TABLE_10000
    return Month(
        graph_requests=reads * first.graph,
        table_requests=table,
        executions=executions,
        seconds_of_a_read=round(read, 1),
        execution_seconds=round(seconds),
        compute=round(compute, 2),
        storage=round(storage, 2),
        log_gigabytes=round(logged / 1e9, 2),
        logs=round(max(0.0, logged / 1e9 - FREE_LOG_GIGABYTES) * LOG_GIGABYTE, 2),
        alerts=ALERT_RULES * ALERT_RULE + METRIC_RULE,
        first_scan=round(more, 2),
        first_scan_log_gigabytes=round(log_size(first) * SLICES / 1e9, 2),
    )


def log_size(cost: Measured | None = None) -> int:
    """The bytes that one execution leaves in the workspace; without a measurement, one that says nothing itself."""
    lines, text = HOST_LINES, HOST_LINES * HOST_LINE
    if cost is not None:
        lines, text = lines + cost.log_lines, text + cost.log_bytes
    return REQUEST_ROW + lines * (TRACE_COLUMNS + HOST_LOG_COLUMNS) + 2 * text
