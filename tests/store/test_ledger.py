"""The claim of a slice: who holds it writes, who lost it writes nothing."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import pytest

from shared.ledger.counts import Counts, Seen
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice
from shared.rules.assess import assess
from shared.signin.directory import Directory
from shared.signin.model import SignIn
from shared.store.ledger import (
    FENCED_CHANGES,
    Claim,
    Lost,
    fenced_batches,
    head_row,
    heads_of_day,
    is_read_beyond,
    new_head,
    read_head,
)
from shared.store.tables import Operation, Table, Tables, delete, keys, upsert
from tests.signin.records import DIRECTORY, sign_in

DAY = datetime(2026, 11, 2, tzinfo=UTC)
NOW = DAY + timedelta(hours=1)
LEASE = timedelta(minutes=10)
SLICE = Slice("1111-2222", DAY, timedelta(minutes=15))


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.slices


async def take(table: Table, now: datetime = NOW, send_id: str = "send") -> Claim | None:
    return await Claim.take(table, SLICE, owner=uuid4().hex, send_id=send_id, now=now, lease=LEASE)


async def taken(table: Table, now: datetime = NOW, send_id: str = "send") -> Claim:
    claim = await take(table, now, send_id)
    assert claim is not None
    return claim


def rows(count: int, start: int = 0) -> list[Operation]:
    return [upsert(keys(SLICE.partition, f"find-{start + i:06d}")) for i in range(count)]


async def test_a_claim_counts_before_anything_is_read_and_its_generation_rises(table: Table) -> None:
    generations = []
    for attempt in range(1, 4):
        claim = await taken(table)
        head = await read_head(table, SLICE)
        assert head is not None
        assert (head.state, head.attempts, head.lease_until) == (SliceState.CLAIMED, attempt, NOW + LEASE)
        generations.append(claim.head.generation)
    assert generations == sorted(set(generations))
    assert (await taken(table, NOW + timedelta(seconds=1))).head.generation > generations[-1]


async def test_generations_rise_by_the_time_where_the_row_was_lost(table: Table) -> None:
    first = await taken(table)
    await table.write(("delete", {"PartitionKey": SLICE.partition, "RowKey": f"head-{SLICE.name}"}))
    second = await taken(table, NOW + timedelta(seconds=1))
    assert second.head.generation > first.head.generation
    with pytest.raises(Lost):
        await first.write(rows(1), NOW)


async def test_another_send_waits_for_the_lease_and_the_same_does_not(table: Table) -> None:
    await taken(table)
    assert await take(table, NOW + LEASE - timedelta(seconds=1), "other") is None
    assert await take(table, NOW, "send") is not None
    assert await take(table, NOW + LEASE, "other") is not None


@pytest.mark.parametrize("state", [SliceState.SPLIT, SliceState.PARKED])
async def test_what_is_split_or_parked_is_not_claimed(table: Table, state: SliceState) -> None:
    claim = await taken(table)
    await claim.write([], NOW, replace(claim.head, state=state))
    assert await take(table, NOW + LEASE) is None


async def test_whoever_lost_the_claim_writes_nothing(table: Table) -> None:
    first = await taken(table)
    await first.write(rows(1), NOW)
    second = await taken(table)
    for write in (first.write(rows(1, 10), NOW), first.write_all(rows(200, 20), NOW), first.write([], NOW)):
        with pytest.raises(Lost):
            await write
    await second.write(rows(1, 500), NOW)
    stored = [row["RowKey"] async for row in table.prefixed(SLICE.partition, "find-")]
    assert stored == ["find-000000", "find-000500"]


async def test_every_write_renews_the_lease(table: Table) -> None:
    claim = await taken(table)
    await claim.write([], NOW + LEASE / 2)
    head = await read_head(table, SLICE)
    assert head is not None
    assert head.lease_until == NOW + LEASE / 2 + LEASE


async def test_many_rows_go_in_batches_and_the_head_changes_with_the_last(table: Table) -> None:
    claim = await taken(table)
    await claim.write_all(rows(250), NOW, replace(claim.head, state=SliceState.IDLE, records=250))
    head = await read_head(table, SLICE)
    assert head is not None
    assert (head.batch, head.records, head.state) == (3, 250, SliceState.IDLE)
    assert len([row async for row in table.prefixed(SLICE.partition, "find-")]) == 250


def _large(count: int, size: int) -> Iterable[Operation]:
    return (upsert({**keys("p", f"r{i}"), **{f"c{j}": b"x" * 60_000 for j in range(size)}}) for i in range(count))


def test_batches_keep_to_number_and_size() -> None:
    assert [len(batch) for batch in fenced_batches(rows(200))] == [98, 98, 4]
    assert [len(batch) for batch in fenced_batches(_large(10, 4))] == [3, 3, 3, 1]
    assert [len(batch) for batch in fenced_batches(_large(2, 16), room=1000)] == [1, 1]  # it has to go some time
    assert [*fenced_batches([])] == []
    assert [*fenced_batches(rows(98), rows(2, 98))][-1] == rows(2, 98)
    assert len([*fenced_batches(rows(96), rows(2, 96))]) == 1
    made = iter(rows(300))
    next(fenced_batches(made))
    assert len([*made]) == 300 - 99  # a batch and the row behind it: never all of 200,000
    assert FENCED_CHANGES == 98


# --- marks ------------------------------------------------------------------------------------------------------------


# --- what a head holds ------------------------------------------------------------------------------------------------


async def test_a_head_comes_back_as_it_was(table: Table) -> None:
    head = Head(
        SLICE,
        state=SliceState.PARKED,
        owner="o",
        send_id="s",
        generation="0" * 20,
        batch=3,
        lease_until=NOW,
        attempts=4,
        settled=timedelta(minutes=15),
        next_due=NOW,
        whole=True,
        consistent=False,
        records=5,
        quarantined=6,
        requests=7,
        problem="p",
        versions="v",
        counts={"apart": {"app": 1}},
    )
    claim = await taken(table)
    await claim.write([], NOW, replace(head, owner=claim.head.owner, generation=claim.head.generation))
    assert await read_head(table, SLICE) == claim.head
    assert [h async for h in heads_of_day(table, SLICE.tenant, DAY, counts=True)] == [claim.head]
    slim = [h async for h in heads_of_day(table, SLICE.tenant, DAY)]
    assert slim == [replace(claim.head, counts={})]
    assert replace(claim.head, owner="o", generation="0" * 20, batch=3) == head


async def test_counts_of_any_size_fit_a_head_and_their_sums_stay(table: Table) -> None:
    counts = Counts()
    for i in range(12_000):
        name = f"{i * 2654435761 % 2**64:032x}"
        counts.add(_seen(name, DIRECTORY))
    claim = await taken(table)
    await claim.write_all(rows(98), NOW, replace(claim.head, counts=counts.to_json(10**9), records=12_000))
    head = await read_head(table, SLICE)
    assert head is not None
    stored = Counts.of_json(head.counts)
    assert stored.scopes["customer"].verdicts == {"compliant": 12_000}
    assert sum(line.compliant for line in stored.users["customer"].values()) == 12_000
    assert 10 < len(stored.users["customer"]) < 12_000


def _seen(name: str, directory: Directory) -> Seen:
    record: SignIn = sign_in({})
    return Seen(assess(record, directory), name, name * 6, name, name, name * 6)


async def test_halves_go_on_from_the_generation_of_the_whole(table: Table) -> None:
    claim = await taken(table)
    for half in SLICE.halves() or ():
        await table.write(new_head(half, NOW, claim.head.generation))
        of_half = await Claim.take(table, half, owner="o", send_id="s", now=NOW, lease=LEASE)
        assert of_half is not None
        assert of_half.head.generation > claim.head.generation


async def test_counts_stay_in_the_row_of_a_claim_that_does_not_change_them(table: Table) -> None:
    """Most of a head is its counts: neither a claim nor its batches carry them, and all of them are still there."""
    counts = {"long": "".join(sha256(str(n).encode()).hexdigest() for n in range(2_000))}
    first = await taken(table)
    await first.write([], NOW, replace(first.head, counts=counts, counts_mark="mark", state=SliceState.IDLE))
    with sizes_sent() as sizes:
        second = await taken(table, send_id="again")
        await second.write_all(rows(3 * FENCED_CHANGES), NOW, replace(second.head, state=SliceState.IDLE))
    assert sizes
    assert max(sizes) < 98 * 1_000  # the counts alone would take more
    head = await read_head(table, SLICE)
    assert head is not None
    assert (head.counts, head.counts_mark, head.state) == (counts, "mark", SliceState.IDLE)


async def test_counts_that_are_replaced_by_none_are_gone(table: Table) -> None:
    first = await taken(table)
    await first.write([], NOW, replace(first.head, counts={"a": 1}, counts_mark="mark", state=SliceState.IDLE))
    second = await taken(table, send_id="again")
    await second.write([], NOW, replace(second.head, counts={}, counts_mark="", state=SliceState.SPLIT))
    head = await read_head(table, SLICE)
    assert head is not None
    assert head.counts == {}


@contextmanager
def sizes_sent() -> Iterator[list[int]]:
    """How many bytes each request to storage has, as the client's own log tells."""
    sizes: list[int] = []

    class Note(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sizes.extend(int(size) for size in re.findall(r"'Content-Length': '(\d+)'", record.getMessage()))

    log, note = logging.getLogger("azure.core.pipeline.policies.http_logging_policy"), Note()
    before = log.level
    log.addHandler(note)
    log.setLevel(logging.INFO)
    try:
        yield sizes
    finally:
        log.removeHandler(note)
        log.setLevel(before)


async def test_who_may_have_asked_of_a_slices_roots(table: Table) -> None:
    """A slice that ends after it begins, of any tenant and any day until now: an overlapping one as well."""
    at, width, tenants = datetime(2026, 11, 2, 9, tzinfo=UTC), timedelta(hours=1), ("t1", "t2")
    mine, now = Slice("t1", at, width), at + timedelta(days=1)

    async def beyond(*others: Slice) -> bool:
        made = [upsert(head_row(other)) for other in others]
        for write in made:
            await table.write(write)
        found = await is_read_beyond(table, mine, tenants, now)
        for write in made:
            await table.write(delete(write[1]))
        return found

    assert not await beyond(mine, Slice("t1", at - width, width), Slice("t2", at - width, width))
    assert not await beyond(Slice("t3", at + width, width))  # nobody reads that tenant
    assert await beyond(Slice("t1", at + width, width))
    assert await beyond(Slice("t2", at, width))
    assert await beyond(Slice("t2", at - width, 2 * width))
    assert await beyond(Slice("t1", at, width / 2))
    assert await beyond(Slice("t2", at + timedelta(days=1) - width, width))
