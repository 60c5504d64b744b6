"""One row a customer and quarter of a year, with its days inside: so that one customer's year is a handful of requests.

The rows are made of the day's lines by customer, by the plan, and only those that differ are written.
"""

from __future__ import annotations

import asyncio
import json
from calendar import monthrange
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import batched
from typing import Any, Final

from msgspec import convert

from shared.basics.spelling import is_key
from shared.ledger.counts import CustomerLines
from shared.ledger.counts_json import lines_json
from shared.ledger.days import CustomerDay
from shared.ledger.slices import DAY, midnight
from shared.ledger.tallies import ScopeCounts
from shared.ledger.trimming import REST
from shared.store.rollup_rows import CUSTOMERS, PARTNER, totals_key
from shared.store.tables import SCHEMA, Conflict, Operation, Row, Table, etag_of, is_newer, keys, merge, upsert

CUSTOMER_QUARTERS: Final = "customer-"
_BATCH: Final = 50  # rows; each is a few hundred bytes


async def customer_days(rollups: Table, customer: str, first: datetime, last: datetime) -> list[CustomerDay]:
    """A customer's days from that of `first` to that of `last` on which it was signed in to, in order of time: one
    request a quarter, all at once."""
    quarters = [*_quarters(first, last)]
    rows = await asyncio.gather(*(rollups.get(quarter_partition(at), _row_key(customer)) for at in quarters))
    days = [day for at, row in zip(quarters, rows, strict=True) if row is not None for day in _days_of(at, row)]
    return [day for day in days if midnight(first) <= day.day <= last]


type CustomersOfMonth = tuple[list[tuple[str, list[CustomerDay]]], bool]


async def page_of_customers(rollups: Table, month: datetime) -> CustomersOfMonth:
    """What one request gives of the customers of the month's quarter, each with its days of that month in order of
    time, and whether there may be more."""
    rows, more = await rollups.page(quarter_partition(month), ".", "~", select=_columns_of_month(month))
    return [_of_month(row, month) for row in rows if not is_newer(row)], more


async def customers_of_month(rollups: Table, month: datetime) -> AsyncIterator[tuple[str, list[CustomerDay]]]:
    """The same of every customer: a request each thousand."""
    async for row in rollups.prefixed(quarter_partition(month), "", _columns_of_month(month)):
        if not is_newer(row):
            yield _of_month(row, month)


def _columns_of_month(month: datetime) -> list[str]:
    first = midnight(month).replace(day=1)
    return [
        "RowKey",
        "v",
        "customer",
        *(_column(first.replace(day=day)) for day in range(1, monthrange(first.year, first.month)[1] + 1)),
    ]


def _of_month(row: Row, month: datetime) -> tuple[str, list[CustomerDay]]:
    return str(row.get("customer") or row["RowKey"]), [*_days_of(_quarter_of(month), row)]


async def write_customer_quarters(rollups: Table, day: datetime) -> None:
    """Have the rows of a day's quarter hold what the day's lines say of each customer; write only those that differ."""
    day = midnight(day)
    totals = await rollups.get(PARTNER, totals_key(day))
    lines = await rollups.get(PARTNER, CUSTOMERS.row_key(day))
    if totals is None or is_newer(totals) or lines is None or is_newer(lines):
        return
    column, partition = _column(day), quarter_partition(day)
    stands = {
        str(row["RowKey"]): row.get(column, "")
        async for row in rollups.prefixed(partition, "", ["RowKey", "v", column])
        if not is_newer(row)
    }
    of_day = CUSTOMERS.lines_of(lines)
    wanted = _texts(of_day.lines)
    if not of_day.trimmed:  # else one that lacks may have been left out
        wanted = {**{key: ("", "") for key, text in stands.items() if text}, **wanted}
    changed: list[Operation] = [
        upsert({**keys(partition, key), "v": SCHEMA, column: text, **({"customer": name} if name else {})})
        for key, (name, text) in sorted(wanted.items())
        if stands.get(key, "") != text
    ]
    for batch in batched(changed, _BATCH, strict=False):
        await rollups.transact(batch)
    noted = {**keys(PARTNER, totals_key(day)), "quartersMark": totals.get("countsMark", "")}
    try:
        await rollups.write(merge(noted, etag_of(totals)))
    except Conflict:
        return  # the day was recomputed meanwhile: the next plan looks again


def _texts(lines: CustomerLines) -> dict[str, tuple[str, str]]:
    """The customer and its day as JSON, by row key."""
    by_customer: dict[str, dict[str, ScopeCounts]] = {}
    for scope, customers in lines.items():
        for customer, counts in customers.items():
            if customer != REST:
                by_customer.setdefault(customer, {})[scope] = counts
    return {
        _row_key(customer): (customer, json.dumps(lines_json(scopes), sort_keys=True))
        for customer, scopes in by_customer.items()
    }


def _days_of(quarter: datetime, row: Row) -> Iterator[CustomerDay]:
    if is_newer(row):
        return
    day = quarter
    while _quarter_of(day) == quarter:
        text: Any = row.get(_column(day))
        if text:
            yield CustomerDay(day, convert(json.loads(text), dict[str, ScopeCounts]))
        day += DAY


def quarter_partition(day: datetime) -> str:
    """The partition that holds a day's quarter, such as `customer-2026Q4`; their order is that of time."""
    return f"{CUSTOMER_QUARTERS}{day:%Y}Q{(day.month + 2) // 3}"


def _quarters(first: datetime, last: datetime) -> Iterator[datetime]:
    """The first days of the quarters from that of `first` to that of `last`."""
    quarter = _quarter_of(first)
    while quarter <= last:
        yield quarter
        quarter = _quarter_of(quarter + timedelta(days=100))


def _quarter_of(day: datetime) -> datetime:
    return midnight(day).replace(month=(day.month - 1) // 3 * 3 + 1, day=1)


def _column(day: datetime) -> str:
    return f"d{day:%m%d}"


def _row_key(customer: str) -> str:
    """The customer's key; a digest of what is none, since broken records name tenants in any letters."""
    if is_key(customer):
        return customer
    return "text-" + sha256(customer.encode("utf-8", "surrogatepass")).hexdigest()[:32]
