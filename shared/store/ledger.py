"""The coverage ledger: a row a slice (its head), and the fence that lets only the newest claim of a slice write.

Head, findings and quarantined records of a slice share a partition (tenant and day), so that every write of a claim can
carry the head with If-Match: a worker that lost its claim gets a conflict and writes nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain
from typing import Any, Final

from shared.ledger.counts import Counts
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice, days_between, midnight, partition_of, slice_named, slice_with_id
from shared.store.batches import BATCH_BYTES, batches_of
from shared.store.codec import NEVER, Codec
from shared.store.packing import pack_first, packed_columns, unpack
from shared.store.sizes import wire_bytes
from shared.store.swap import swap, until_settled
from shared.store.tables import SCHEMA, Conflict, Operation, Row, Table, delete, etag_of, is_newer, keys, merge, upsert

FENCED_CHANGES: Final = 98  # with the head and one more they fit a batch of 100
COUNTS_ROOM: Final = 400_000  # of a row's 1 MiB
_HEAD: Final = "head-"
_DUE: Final = "due-"
_CODEC: Final = Codec(
    Head,
    names={"settled": "settledSeconds"},
    leaves=("slice", "counts"),
    none={"lease_until": NEVER, "next_due": NEVER},
    longest={"problem": 1000},
)


class Lost(Exception):  # noqa: N818 - what happened to the claim
    """Another worker holds the slice now: this one must write nothing more."""


def head_row(slice_: Slice) -> dict[str, Any]:
    """The keys of a slice's head."""
    return keys(slice_.partition, _HEAD + slice_.name)


def _columns(head: Head) -> dict[str, Any]:
    return {**_columns_but_counts(head), **_counts_columns(head.counts)}


def _columns_but_counts(head: Head) -> dict[str, Any]:
    return {**head_row(head.slice), "v": SCHEMA, **_CODEC.columns(head)}


def _counts_columns(counts: dict[str, Any]) -> dict[str, Any]:
    return pack_first("counts", chain((counts,), _shorter(counts)), COUNTS_ROOM)


def _shorter(counts: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from Counts.of_json(counts).shapes()


def _head(row: Row, tenant: str, day: datetime) -> Head:
    slice_ = slice_named(tenant, day, str(row["RowKey"]).removeprefix(_HEAD))
    if is_newer(row):
        return Head(slice_, state=SliceState.FOREIGN)
    return _CODEC.value(row, slice=slice_, counts=unpack("counts", row) or {})


def is_head(row: Row) -> bool:
    """Whether a row of the table `slices` is a head."""
    return str(row["RowKey"]).startswith(_HEAD)


_WITHOUT_COUNTS: Final = ("PartitionKey", "RowKey", "v", *_CODEC.plain_columns)


async def heads_of_day(table: Table, tenant: str, day: datetime, *, counts: bool = False) -> AsyncIterator[Head]:
    """The heads of a tenant's day, in order of time. Without `counts` theirs stay in the table: they are nearly all of
    a head, and whoever asks what is due looks at a month of them."""
    async for row in table.prefixed(partition_of(tenant, day), _HEAD, None if counts else _WITHOUT_COUNTS):
        yield _head(row, tenant, midnight(day))


async def counts_of_heads(
    table: Table, tenant: str, start: datetime, end: datetime
) -> AsyncIterator[Mapping[str, Any]]:
    """What the slices counted that begin within a part of a day, one by one: all of them together are large."""
    last = "~" if midnight(end) > midnight(start) else f"{end:%H%M%S}"
    select = ["RowKey", "v", "state", *packed_columns("counts")]
    async for row in table.range(partition_of(tenant, start), f"{_HEAD}{start:%H%M%S}", _HEAD + last, select):
        if not is_newer(row) and row["state"] != SliceState.SPLIT:
            yield unpack("counts", row) or {}


async def is_read_beyond(table: Table, slice_: Slice, tenants: Iterable[str], now: datetime) -> bool:
    """Whether anybody claimed another slice of these tenants that ends after this one begins: a request a tenant and
    day from then until now."""
    for tenant in tenants:
        for day in days_between(slice_.start, now):
            async for row in table.prefixed(partition_of(tenant, day), _HEAD, ["RowKey"]):
                other = slice_named(tenant, day, str(row["RowKey"]).removeprefix(_HEAD))
                if other.end > slice_.start and other.id != slice_.id:
                    return True
    return False


async def read_head(table: Table, slice_: Slice) -> Head | None:
    """One head, or None."""
    row = await table.get(slice_.partition, _HEAD + slice_.name)
    return _head(row, slice_.tenant, midnight(slice_.start)) if row else None


async def old_marks(table: Table, tenant: str, day: datetime) -> list[Slice]:
    """The slices of a day that an older version of the app made due here (now: shared/store/agenda.py)."""
    return [
        slice_named(tenant, midnight(day), str(row["RowKey"]).removeprefix(_DUE))
        async for row in table.prefixed(partition_of(tenant, day), _DUE)
    ]


async def remove_old_mark(table: Table, slice_: Slice) -> None:
    """Remove such a mark after it was passed on."""
    try:
        await table.write(delete(keys(slice_.partition, _DUE + slice_.name)))
    except Conflict:
        return  # another plan was first


async def change_idle_head(table: Table, read: Head, changed: Head) -> bool:
    """Change some columns of a head that nobody is at and that is as it was read; False when it is not any more."""
    row = await table.get(read.slice.partition, _HEAD + read.slice.name)
    stands = _head(row, read.slice.tenant, midnight(read.slice.start)) if row else None
    if row is None or stands is None or replace(stands, counts={}) != replace(read, counts={}):
        return False
    columns = {name: v for name, v in _CODEC.columns(changed).items() if v != row.get(name)}
    try:
        # The batch rises, so that the day's roll-up is seen to be older than its heads.
        await table.write(merge({**head_row(read.slice), **columns, "batch": read.batch + 1}, etag_of(row)))
    except Conflict:
        return False
    return True


async def slices_claimed_since(table: Table, at: datetime) -> AsyncIterator[Slice]:
    """Every slice that a worker claimed at that time (UTC) or later, but those that were given up or split."""
    least, given_up = _generation(at), (SliceState.PARKED, SliceState.SPLIT)
    columns = ["PartitionKey", "RowKey", "v", "state", "generation"]
    async for row in table.between("0", "g", _HEAD, f"{_HEAD}~", columns):
        if not is_newer(row) and row["state"] not in given_up and str(row["generation"] or "") >= least:
            yield _slice_of(row)


async def take_claims_away(table: Table, now: datetime) -> list[Slice]:
    """Have every worker that reads a slice now find its claim gone, and the slices due again. Returns them."""
    taken = []
    async for row in table.between("0", "g", _HEAD, f"{_HEAD}~", ["PartitionKey", "RowKey", "v", "state"]):
        if is_newer(row) or row["state"] != SliceState.CLAIMED:
            continue
        taken.append(_slice_of(row))
    for slice_ in taken:
        await until_settled(f"head {slice_.id}", partial(_take_away, table, slice_, now))
    return taken


def _slice_of(row: Row) -> Slice:
    return slice_with_id(f"{row['PartitionKey']}-{str(row['RowKey']).removeprefix(_HEAD)}")


async def _take_away(table: Table, slice_: Slice, now: datetime) -> None:
    row = await table.get(slice_.partition, _HEAD + slice_.name)
    if row is not None and not is_newer(row) and row["state"] == SliceState.CLAIMED:
        idle = {**head_row(slice_), "state": SliceState.IDLE.value, "attempts": max(0, row["attempts"] - 1)}
        await table.write(merge({**idle, "nextDue": now, "whole": False}, etag_of(row)))


# --- the claim --------------------------------------------------------------------------------------------------------


class Claim:
    """The right to write a slice, until somebody claims it anew.

    What the slice counted is nearly all of a head, and many batches carry the head: counts are neither read with a
    claim nor written with a batch that does not change them, and stay in the row meanwhile.
    """

    def __init__(self, table: Table, head: Head, etag: str, lease: timedelta) -> None:
        self._table = table
        self._etag = etag
        self._lease = lease
        self._is_first = False
        self._packed: tuple[dict[str, Any], dict[str, Any]] | None = None  # counts that go with the last batch
        self.head = head
        self.generation_before = ""
        self.follows_crash = False  # the claim before, of the same send, was neither finished nor given back

    @classmethod
    async def take(
        cls, table: Table, slice_: Slice, *, owner: str, send_id: str, now: datetime, lease: timedelta
    ) -> Claim | None:
        """Claim a slice; None when it is not to be read now: split, parked, or in the hands of another send.

        The attempt counts before anything is read, so that crashes count too.
        """
        row = await table.get(slice_.partition, _HEAD + slice_.name, _WITHOUT_COUNTS)
        old = _head(row, slice_.tenant, midnight(slice_.start)) if row else Head(slice_)
        if old.state in (SliceState.SPLIT, SliceState.PARKED, SliceState.FOREIGN):
            return None
        if old.is_held(now) and old.send_id != send_id:
            return None
        generation = max(_generation(now), f"{int(old.generation or 0) + 1:020d}")
        head = replace(
            old,
            state=SliceState.CLAIMED,
            owner=owner,
            send_id=send_id,
            generation=generation,
            batch=0,
            lease_until=now + lease,
            attempts=old.attempts + 1,
        )
        columns = _columns_but_counts(head) if row else _columns(head)
        claim = cls(table, head, await _fenced(table, columns, etag_of(row) if row else None), lease)
        claim._is_first = row is None
        claim.generation_before = old.generation
        claim.follows_crash = old.is_held(now)
        return claim

    async def abandon(self) -> None:
        """Take back a claim with which nothing was done: a head that it made goes, so that nobody counts the slice."""
        if self._is_first and self.head.batch == 0:
            try:
                await self._table.write(delete(head_row(self.head.slice), self._etag))
            except Conflict:
                return  # somebody else claimed it meanwhile

    async def write(self, operations: Iterable[Operation], now: datetime, head: Head | None = None) -> None:
        """Write rows of the slice's partition and the head in one go. Raises Lost when the claim is gone."""
        changed = replace(head or self.head, batch=self.head.batch + 1)
        if changed.state is SliceState.CLAIMED:
            changed = replace(changed, lease_until=now + self._lease)
        columns = {**_columns_but_counts(changed), **self._changed_counts(changed)}
        self._etag = await _fenced(self._table, columns, self._etag, [*operations])
        self.head = changed

    def _changed_counts(self, head: Head) -> dict[str, Any]:
        """The columns of the head's counts, nothing where they are those that stand. Packed once for each counts."""
        if head.counts is self.head.counts:
            return {}
        if self._packed is None or self._packed[0] is not head.counts:
            self._packed = head.counts, _counts_columns(head.counts)
        return self._packed[1]

    async def write_all(
        self,
        operations: Iterable[Operation],
        now: datetime,
        head: Head | None = None,
        *,
        last: Sequence[Operation] = (),
    ) -> None:
        """Write any number of rows, batch by batch; `head` and the few rows of `last` change with the last batch.

        Nothing at all is written where there are no rows and no head. Raises Lost.
        """
        widest = {**_columns_but_counts(head or self.head), **self._changed_counts(head or self.head)}
        room = BATCH_BYTES - max(wire_bytes(upsert(row)) for row in (_columns_but_counts(self.head), widest))
        final: list[Operation] = []
        for batch in fenced_batches(operations, last, room):
            if final:
                await self.write(final, now)
            final = batch
        if final or head is not None:
            await self.write(final, now, head)


async def _fenced(table: Table, columns: Row, etag: str | None, beside: Sequence[Operation] = ()) -> str:
    """Write a head's columns where it is still the one with that etag, and what goes beside it. Returns its etag.
    Raises Lost."""

    def is_mine(stands: Row) -> bool:
        return all(stands[name] == columns[name] for name in ("owner", "generation", "batch"))

    try:
        return await swap(table, columns, etag, is_mine=is_mine, beside=beside)
    except Conflict:
        raise Lost(f"{columns['RowKey']} of {columns['PartitionKey']} was claimed by another worker") from None


def fenced_batches(
    operations: Iterable[Operation], last: Sequence[Operation] = (), room: int = BATCH_BYTES
) -> Iterator[list[Operation]]:
    """The operations in batches of at most `room` bytes, which leave a place for the head; those of `last` stand
    together in the last one. A batch is made when it is asked for: a slice may have rows without end."""
    groups: Iterator[Sequence[Operation]] = chain(([operation] for operation in operations), [last])
    for batch in batches_of(groups, lambda group: group, most=FENCED_CHANGES, room=room):
        yield [operation for group in batch for operation in group]


def _generation(now: datetime) -> str:
    """The time in microseconds, so that generations rise even where the ledger's row was lost."""
    return f"{int(now.timestamp() * 1_000_000):020d}"


def new_head(slice_: Slice, next_due: datetime, generation: str) -> Operation:
    """The operation that makes a head that was never read, for the halves of a split slice; generations go on from
    that of the whole."""
    return upsert(_columns(Head(slice_, next_due=next_due, generation=generation)))
