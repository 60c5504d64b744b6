"""The days: a tenant's day recomputed from its slices' heads, the partner's day from its tenants' days.

Each roll-up keeps a fingerprint of what it was made of: a tenant's day of its heads, the partner's day of its tenants'
days. The plan, which reads the heads anyway, compares: so a crash between a slice and its day or between the two days,
a lost roll-up and a lost head all heal the same way, and no mark has to be kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from shared.basics.spelling import id_key
from shared.ledger.counts import Counts, total
from shared.ledger.days import Day, Reach, fingerprint, partner_fingerprint
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import midnight
from shared.store.ledger import COUNTS_ROOM, heads_of_day
from shared.store.packing import pack_first, packed_columns, unpack
from shared.store.swap import until_settled
from shared.store.tables import SCHEMA, Row, Table, etag_of, insert, is_newer, keys, merge

_PARTNER: Final = "partner"
_REACH_ROOM: Final = 300_000


async def fingerprints(rollups: Table, day: datetime) -> dict[str, str]:
    """The fingerprints of a day's roll-ups, by tenant key; SliceState.FOREIGN for one of a newer version of the app."""
    rows = rollups.prefixed(f"day-{day:%Y%m%d}", "tenant-", select=["RowKey", "fingerprint", "v"])
    return {str(row["RowKey"]).removeprefix("tenant-"): _fingerprint_in(row) async for row in rows}


async def partner_fingerprints(rollups: Table, first: datetime, last: datetime) -> dict[datetime, str]:
    """The fingerprints of the partner's days, by day; SliceState.FOREIGN for one of a newer version of the app."""
    ends = f"day-{first:%Y%m%d}", f"day-{last:%Y%m%d}~"
    rows = rollups.range(_PARTNER, *ends, select=["RowKey", "fingerprint", "v"])
    return {_day_named(str(row["RowKey"])): _fingerprint_in(row) async for row in rows}


def _fingerprint_in(row: Row) -> str:
    return SliceState.FOREIGN if is_newer(row) else str(row.get("fingerprint", ""))


def _day_named(row_key: str) -> datetime:
    return datetime.strptime(row_key, "day-%Y%m%d").replace(tzinfo=UTC)


async def roll_up(slices: Table, rollups: Table, tenant: str, day: datetime, ages: Sequence[timedelta]) -> None:
    """Recompute a tenant's day and then the partner's. Raises Conflict when others change them all the time."""
    day = midnight(day)
    named = f"day-{day:%Y%m%d}"

    async def of_tenant() -> dict[str, Any] | None:
        heads = [head async for head in heads_of_day(slices, tenant, day, counts=True)]
        if any(head.state == SliceState.FOREIGN for head in heads):
            return None  # a newer version of the app counts here
        return {"fingerprint": fingerprint(heads), **_packed(_day_of(day, heads, ages))}

    if await _replace(rollups, named, f"tenant-{id_key(tenant)}", of_tenant):
        await roll_up_partner(rollups, day)


async def roll_up_partner(rollups: Table, day: datetime) -> None:
    """Recompute the partner's day alone. Raises Conflict when others change it all the time."""
    named = f"day-{day:%Y%m%d}"

    async def of_partner() -> dict[str, Any] | None:
        rows = [row async for row in rollups.prefixed(named, "tenant-")]
        if any(is_newer(row) for row in rows):
            return None  # a newer version of the app adds up here
        days = [_unpacked(day, row) for row in rows]
        counts, reach = total(d.counts for d in days), [r for d in days for r in d.reach]
        marks = {str(row["RowKey"]).removeprefix("tenant-"): _fingerprint_in(row) for row in rows}
        packed = _packed(Day(day, counts, reach, sum(d.quarantined for d in days)))
        return {"fingerprint": partner_fingerprint(marks), **packed}

    await _replace(rollups, _PARTNER, named, of_partner)


async def partner_days(
    rollups: Table, first: datetime, last: datetime, *, reach_alone: bool = False
) -> AsyncIterator[Day]:
    """The partner's days from that of `first` to that of `last`, in order of time; days never read are left out.
    `reach_alone` leaves the counts, which are most of a row, in the table."""
    select = ["RowKey", "v", "quarantined", *packed_columns("reach")] if reach_alone else None
    async for row in rollups.range(_PARTNER, f"day-{first:%Y%m%d}", f"day-{last:%Y%m%d}~", select):
        if not is_newer(row):
            yield _unpacked(_day_named(str(row["RowKey"])), row)


async def _replace(
    table: Table, partition: str, row_key: str, columns: Callable[[], Awaitable[dict[str, Any] | None]]
) -> bool:
    """Read the row's etag first and what it is made of then, so that whoever was overtaken works it out anew."""

    async def attempt() -> bool:
        old = await table.get(partition, row_key)
        if old is not None and is_newer(old):
            return False
        worked_out = await columns()
        if worked_out is None:
            return False
        row = {**keys(partition, row_key), "v": SCHEMA, **worked_out}
        await table.write(merge(row, etag_of(old)) if old is not None else insert(row))
        return True

    return await until_settled(f"roll-up {partition} {row_key}", attempt)


def _day_of(day: datetime, heads: Sequence[Head], ages: Sequence[timedelta]) -> Day:
    standing = [head for head in heads if head.state != SliceState.SPLIT]
    return Day(
        day,
        total(Counts.of_json(head.counts) for head in standing),
        [
            Reach(
                tenant=id_key(head.slice.tenant),
                start=head.slice.start,
                end=head.slice.end,
                whole=head.is_whole,
                due=head.overdue_from(ages),
                parked=head.state == SliceState.PARKED,
                problem=head.problem,
                consistent=head.consistent,
                quarantined=head.quarantined,
            )
            for head in standing
        ],
        sum(head.quarantined for head in standing),
    )


def _packed(day: Day) -> dict[str, Any]:
    def seconds(at: datetime | None) -> int | None:
        return None if at is None else int(at.timestamp())

    def columns(r: Reach) -> list[object]:
        times = [seconds(r.start), seconds(r.end)]
        return [r.tenant, *times, r.whole, seconds(r.due), r.parked, r.problem, r.consistent, r.quarantined]

    reach = [columns(r) for r in day.reach]
    untold = [[*r[:6], "", *r[7:]] for r in reach]  # how far each was read counts for more than why not
    return {
        "quarantined": day.quarantined,
        **pack_first("counts", day.counts.shapes(), COUNTS_ROOM),
        **pack_first("reach", (reach, untold), _REACH_ROOM),
    }


def _unpacked(day: datetime, row: Row) -> Day:
    def time(seconds: int | None) -> datetime | None:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)

    reach = [
        Reach(tenant, datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC), whole, time(due), *rest)
        for tenant, start, end, whole, due, *rest in unpack("reach", row) or []
    ]
    return Day(day, Counts.of_json(unpack("counts", row) or {}), reach, row["quarantined"])
