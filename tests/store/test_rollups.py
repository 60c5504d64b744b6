"""The days: a tenant's of its heads, the partner's of its tenants', whatever order they are made in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from shared.ledger.counts import MOST_LINES, REST, Counts, ScopeCounts
from shared.ledger.days import Day
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice
from shared.store.ledger import Claim, new_head
from shared.store.rollups import partner_days, roll_up, roll_up_partner
from shared.store.tables import Tables

DAY = datetime(2026, 11, 2, tzinfo=UTC)
NOW = DAY + timedelta(hours=6)
AGES = (timedelta(0), timedelta(minutes=15), timedelta(hours=1))
QUARTER = timedelta(minutes=15)


@pytest.fixture
async def tables(azurite: str) -> AsyncIterator[Tables]:
    made = Tables.connect(azurite, prefix="t" + uuid4().hex[:20])
    await made.create()
    yield made
    await made.close()


def slice_of(tenant: str, number: int) -> Slice:
    return Slice(tenant, DAY + number * QUARTER, QUARTER)


async def put(tables: Tables, head: Head) -> None:
    """Have the ledger hold that head."""
    await tables.slices.write(new_head(head.slice, NOW, "0" * 20))
    claim = await Claim.take(tables.slices, head.slice, owner="o", send_id="s", now=NOW, lease=QUARTER)
    assert claim is not None
    await claim.write([], NOW, replace(head, owner="o", generation=claim.head.generation))


def done(slice_: Slice, compliant: int, quarantined: int = 0) -> Head:
    counts = Counts(scopes={"customer": ScopeCounts(verdicts={"compliant": compliant})}).to_json()
    return Head(slice_, settled=AGES[-1], whole=True, counts=counts, quarantined=quarantined)


async def day_of(tables: Tables) -> Day:
    (day,) = [day async for day in partner_days(tables.rollups, DAY, NOW)]
    return day


async def test_the_partners_day_is_the_sum_of_its_tenants(tables: Tables) -> None:
    for head in (done(slice_of("a-a", 0), 3, 1), done(slice_of("a-a", 1), 4), done(slice_of("b-b", 0), 5, 2)):
        await put(tables, head)
    await roll_up(tables.slices, tables.rollups, "a-a", NOW, AGES)
    await roll_up(tables.slices, tables.rollups, "b-b", NOW, AGES)
    day = await day_of(tables)
    assert (day.day, day.quarantined, len(day.reach)) == (DAY, 3, 3)
    assert day.counts.scopes["customer"].verdicts == {"compliant": 12}
    await put(tables, done(slice_of("a-a", 1), 0))
    await roll_up(tables.slices, tables.rollups, "a-a", NOW, AGES)
    assert (await day_of(tables)).counts.scopes["customer"].verdicts == {"compliant": 8}


async def test_what_counts_as_complete(tables: Tables) -> None:
    heads = [
        Head(slice_of("a", 0), settled=AGES[-1], whole=True),  # sealed
        Head(slice_of("a", 1), settled=AGES[0], whole=True, records=1),  # its next age is overdue by now
        Head(slice_of("a", 2), settled=None, whole=False),
        Head(slice_of("a", 3), settled=AGES[-1], whole=False),
        Head(slice_of("a", 4), settled=AGES[-1], whole=True, consistent=False),
        Head(slice_of("a", 5), settled=AGES[-1], whole=True, state=SliceState.PARKED),
        Head(slice_of("a", 6), settled=AGES[-1], whole=True, state=SliceState.SPLIT),
    ]
    for head in heads:
        await put(tables, head)
    await roll_up(tables.slices, tables.rollups, "a", NOW, AGES)
    reach = (await day_of(tables)).reach
    assert [r.is_complete(NOW) for r in reach] == [True, False, False, False, False, False]  # a split slice is none
    overdue = slice_of("a", 1).end + AGES[1] + timedelta(minutes=15)
    assert [reach[1].is_complete(at) for at in (overdue, overdue + timedelta(seconds=1))] == [True, False]


async def test_a_day_of_any_size_fits_its_row(tables: Tables) -> None:
    """Tens of thousands of names and every slice with a problem of its own: the sums and the coverage stay exact."""
    many = {f"{i * 2654435761 % 2**64:032x}": [0, 1, 0] for i in range(4 * MOST_LINES)}
    customer = ScopeCounts(verdicts={"non-compliant": len(many)}, users=many, customers=many, apps=many)
    lacking = {f"customer|{key}|{key}|{key}|rule": 1 for key in many}
    names = {key: key * 6 for key in many}
    reached = {key: set(many) for key in list(many)[:20]}
    counts = Counts({"customer": customer}, lacking=lacking, names=names, reached=reached)
    for number in range(40):
        problem = f"{number * 2654435761 % 2**64:064x}" * 15
        await put(tables, Head(slice_of("a", number), problem=problem, counts=counts.to_json() if number == 0 else {}))
    await roll_up(tables.slices, tables.rollups, "a", NOW, AGES)
    day = await day_of(tables)
    stored = day.counts.scopes["customer"]
    assert stored.verdicts == {"non-compliant": len(many)}
    assert sum(bad for _, bad, _ in stored.users.values()) == sum(day.counts.lacking.values()) == len(many)
    assert stored.users[REST][1] > 0
    assert len(day.reach) == 40


async def test_making_a_day_twice_changes_nothing_but_its_etag(tables: Tables) -> None:
    await put(tables, done(slice_of("a", 0), 3))
    rows = []
    for _ in range(2):
        await roll_up(tables.slices, tables.rollups, "a", NOW, AGES)
        await roll_up_partner(tables.rollups, DAY)
        rows.append([dict(row) async for row in tables.rollups.everything()])
    assert rows[0] == rows[1]
