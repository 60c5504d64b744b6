"""One row a customer and month, with its days inside: so that one customer's figures of a year are a dozen requests.

The rows are made of the day's lines by customer, by the plan, and only those that differ are written.
"""

from __future__ import annotations

import asyncio
import json
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

_BATCH: Final = 50  # rows; each is a few hundred bytes


async def customer_days(rollups: Table, customer: str, first: datetime, last: datetime) -> list[CustomerDay]:
    """A customer's days from that of `first` to that of `last` on which it was signed in to, in order of time: one
    request a month, all at once."""
    months = [*_months(first, last)]
    rows = await asyncio.gather(*(rollups.get(_partition(month), _row_key(customer)) for month in months))
    days = [day for month, row in zip(months, rows, strict=True) if row is not None for day in _days_of(month, row)]
    return [day for day in days if midnight(first) <= day.day <= last]


type CustomersOfMonth = tuple[list[tuple[str, list[CustomerDay]]], bool]


async def page_of_customers(rollups: Table, month: datetime) -> CustomersOfMonth:
    """What one request gives of the customers that were signed in to in the month, each with its days in order of time,
    and whether there may be more."""
    first = midnight(month).replace(day=1)
    rows, more = await rollups.page(_partition(first), ".", "~")
    found = [(str(row.get("customer") or row["RowKey"]), [*_days_of(first, row)]) for row in rows if not is_newer(row)]
    return found, more


async def customers_of_month(rollups: Table, month: datetime) -> AsyncIterator[tuple[str, list[CustomerDay]]]:
    """The same of every customer: a request each thousand."""
    first = midnight(month).replace(day=1)
    async for row in rollups.prefixed(_partition(first), ""):
        if not is_newer(row):
            yield str(row.get("customer") or row["RowKey"]), [*_days_of(first, row)]


async def write_customer_months(rollups: Table, day: datetime) -> None:
    """Have the rows of a day's month hold what the day's lines say of each customer; write only those that differ."""
    day = midnight(day)
    totals = await rollups.get(PARTNER, totals_key(day))
    lines = await rollups.get(PARTNER, CUSTOMERS.row_key(day))
    if totals is None or is_newer(totals) or lines is None or is_newer(lines):
        return
    column, partition = _column(day), _partition(day)
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
    noted = {**keys(PARTNER, totals_key(day)), "monthsMark": totals.get("countsMark", "")}
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


def _days_of(month: datetime, row: Row) -> Iterator[CustomerDay]:
    if is_newer(row):
        return
    day = month
    while day.month == month.month:
        text: Any = row.get(_column(day))
        if text:
            yield CustomerDay(day, convert(json.loads(text), dict[str, ScopeCounts]))
        day += DAY


def _months(first: datetime, last: datetime) -> Iterator[datetime]:
    month = midnight(first).replace(day=1)
    while month <= last:
        yield month
        month = (month + timedelta(days=32)).replace(day=1)


def _partition(day: datetime) -> str:
    return f"customer-{day:%Y%m}"


def _column(day: datetime) -> str:
    return f"d{day:%d}"


def _row_key(customer: str) -> str:
    """The customer's key; a digest of what is none, since broken records name tenants in any letters."""
    if is_key(customer):
        return customer
    return "text-" + sha256(customer.encode("utf-8", "surrogatepass")).hexdigest()[:32]
