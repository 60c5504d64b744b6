"""Reading the days: totals, and lines by kind. docs/architecture.md says how many requests each takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime

from shared.ledger.counts import FORMAT
from shared.ledger.days import (
    Day,
    DayApps,
    DayCustomers,
    DayGroups,
    DayLines,
    DayPairs,
    DayPortals,
    DayReach,
    DaySamples,
    DayUsers,
    Noted,
)
from shared.store.once import is_sharing, made_once
from shared.store.rollup_rows import (
    APPS,
    CUSTOMER_VERDICTS,
    GROUPS,
    PAIRS,
    PARTNER,
    PORTALS,
    REACH_COLUMNS,
    SAMPLES,
    USERS,
    LineKind,
    day_of,
    noted_columns,
    reach_of_day,
    totals_key,
)
from shared.store.tables import SCHEMA, Table, etag_of, insert, is_newer, keys, merge


async def partner_days(rollups: Table, first: datetime, last: datetime) -> AsyncIterator[Day]:
    """The partner's days from that of `first` to that of `last`, in order of time, without their lines: one request a
    quarter of a year. Days never read are left out."""
    async for row in rollups.range(PARTNER, totals_key(first), totals_key(last) + "~"):
        if not is_newer(row):
            yield day_of(row)


async def reach_of_days(
    rollups: Table, first: datetime, last: datetime, tenants: Collection[str]
) -> AsyncIterator[DayReach]:
    """How far each day was read: the same rows with a few columns, and no look at the slices of days that are sealed.
    `tenants` are those that the app reads, by key."""
    async for row in rollups.range(PARTNER, totals_key(first), totals_key(last) + "~", REACH_COLUMNS):
        if not is_newer(row):
            yield reach_of_day(row, tenants)


def days_of_users(rollups: Table, first: datetime, last: datetime) -> AsyncIterator[DayUsers]:
    """People by scope."""
    return lines_of_days(rollups, USERS, first, last)


def days_of_customers(rollups: Table, first: datetime, last: datetime) -> AsyncIterator[DayCustomers]:
    """Customers by scope: the verdicts alone."""
    return lines_of_days(rollups, CUSTOMER_VERDICTS, first, last)


def days_of_apps(rollups: Table, first: datetime, last: datetime) -> AsyncIterator[DayApps]:
    """Applications by scope and protocol."""
    return lines_of_days(rollups, APPS, first, last)


def days_of_pairs(rollups: Table, first: datetime, last: datetime) -> AsyncIterator[DayPairs]:
    """Who signed in to which customer, of the scope customer."""
    return lines_of_days(rollups, PAIRS, first, last)


def days_of_portals(rollups: Table, first: datetime, last: datetime) -> AsyncIterator[DayPortals]:
    """Who opened what in the partner's own tenant. Days that an older version of the app added up are left out."""
    return lines_of_days(rollups, PORTALS, first, last)


def days_of_groups(rollups: Table, first: datetime, last: datetime) -> AsyncIterator[DayGroups]:
    """Findings that are alike, with their numbers."""
    return lines_of_days(rollups, GROUPS, first, last)


def days_of_samples(rollups: Table, first: datetime, last: datetime) -> AsyncIterator[DaySamples]:
    """Some compliant sign-ins. Days that an older version of the app added up are left out."""
    return lines_of_days(rollups, SAMPLES, first, last)


async def note_day(rollups: Table, day: datetime, noted: Noted) -> None:
    """Note what the nightly run knows of a day; what it does not know stays as it was. Raises Conflict when somebody
    changes the day at the same time."""
    names = keys(PARTNER, totals_key(day))
    old = await rollups.get(names["PartitionKey"], names["RowKey"])
    if old is None:
        await rollups.write(insert({**names, "v": SCHEMA, "format": FORMAT, **noted_columns(noted)}))
    elif not is_newer(old):
        await rollups.write(merge({**names, **noted_columns(noted)}, etag_of(old)))


async def lines_of_days[T](
    rollups: Table, kind: LineKind[T], first: datetime, last: datetime
) -> AsyncIterator[DayLines[T]]:
    """The lines of a kind, day by day in order of time; the answers of one page share them."""
    rows = rollups.range(PARTNER, kind.row_key(first), kind.row_key(last) + "~")
    if not is_sharing():
        async for row in rows:
            if not is_newer(row):
                yield kind.lines_of(row)
        return

    async def read() -> list[DayLines[T]]:
        return [kind.lines_of(row) async for row in rows if not is_newer(row)]

    for day in await made_once(("lines", id(rollups), kind.prefix, kind.row_key(first), kind.row_key(last)), read):
        yield day
