"""The days: blocks of a tenant's day recomputed from its slices' heads, the partner's day from the blocks.

Each roll-up keeps a mark of what it was made of: a block of its heads, the partner's day of its blocks. The plan, which
reads the heads anyway, compares: so a crash between a slice and its day, a lost roll-up and a lost head all heal the
same way, and no mark has to be kept. A second mark says what the counts were made of: where a read changed only how far
a slice was read, no line is counted again. Heads and blocks are added one by one, so that a day of any size is held in
memory once.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import batched
from typing import Any, Final

from azure.core import MatchConditions
from azure.data.tables import UpdateMode

from shared.basics.spelling import id_key
from shared.ledger import counts_v1
from shared.ledger.counts import FORMAT, MOST_PAIRS, Counts
from shared.ledger.days import BLOCK, Reach, block_of, block_starts, counts_mark, head_mark, marks_mark
from shared.ledger.head import Head, SliceState
from shared.ledger.reach_json import reach_of_json, reach_shapes
from shared.ledger.slices import midnight
from shared.ledger.tallies import Tally, add
from shared.store.batches import BATCH_BYTES
from shared.store.customer_quarters import CUSTOMER_QUARTERS, quarter_partition
from shared.store.ledger import counts_of_heads, heads_of_day
from shared.store.packing import pack_first, pack_fitting, packed_columns, unpack
from shared.store.rollup_rows import (
    KINDS,
    PARTNER,
    TOTALS,
    counts_columns,
    day_key,
    day_named,
    lines_mark,
    reach_columns,
    totals_key,
)
from shared.store.sizes import wire_bytes
from shared.store.swap import until_settled
from shared.store.tables import (
    MAX_BATCH,
    SCHEMA,
    Operation,
    Row,
    Table,
    delete,
    etag_of,
    insert,
    is_newer,
    keys,
    merge,
    upsert,
)

_BLOCK: Final = "block-"
_BLOCK_ROOM: Final = 700_000
_BLOCK_REACH_ROOM: Final = 100_000
_MARKS: Final = ["RowKey", "v", "mark", "countsMark"]


@dataclass(frozen=True, slots=True)
class DayMarks:
    """What the partner's day was made of: the marks of its blocks by name ("tenant-03"). `is_foreign`: a newer version
    of the app adds up here. `quarters_due`: the rows of customers and quarters do not have it yet. `of_lines` changes
    with its lines, "" where nothing can be told from it."""

    blocks: Mapping[str, str]
    is_foreign: bool = False
    is_old: bool = False
    quarters_due: bool = False
    of_lines: str = ""

    def is_of(self, expected: Mapping[str, str], tenant: str) -> bool:
        """Whether it was made of the heads that give the expected marks of a tenant's blocks."""
        if self.is_foreign:
            return True
        mine = {name: mark for name, mark in self.blocks.items() if name.startswith(f"{id_key(tenant)}-")}
        known = {name: mark for name, mark in expected.items() if mark != SliceState.FOREIGN}
        return not self.is_old and {n: m for n, m in mine.items() if expected.get(n) != SliceState.FOREIGN} == known


NO_DAY: Final = DayMarks({})


def block_marks(heads: Iterable[Head]) -> dict[str, str]:
    """The marks that the blocks of a tenant's day should have, by name; FOREIGN where a newer version counts."""
    return {
        name: SliceState.FOREIGN if _is_foreign(of_block) else head_mark(of_block)
        for name, of_block in _by_block(heads).items()
    }


async def day_marks(rollups: Table) -> dict[datetime, DayMarks]:
    """What each of the partner's days that are kept was made of: one request for more than a year of days."""
    select = [*_MARKS, "format", "quartersMark", *packed_columns("blocks")]
    return {
        day_named(str(row["RowKey"])): DayMarks(
            blocks=unpack("blocks", row) or {},
            is_foreign=is_newer(row),
            is_old=row.get("format", 1) < FORMAT,
            quarters_due=row.get("quartersMark") != row.get("countsMark"),
            of_lines=lines_mark(row),
        )
        async for row in rollups.prefixed(PARTNER, TOTALS, select)
    }


async def roll_up(slices: Table, rollups: Table, tenant: str, day: datetime, ages: Sequence[timedelta]) -> None:
    """Recompute the blocks of a tenant's day whose heads changed, and then the partner's day. Raises Conflict when
    others change them all the time."""
    day = midnight(day)
    await until_settled(f"blocks of {day:%Y-%m-%d}", lambda: _renew_blocks(slices, rollups, tenant, day, ages))
    await roll_up_partner(rollups, day)


async def roll_up_partner(rollups: Table, day: datetime) -> None:
    """Recompute the partner's day alone. Raises Conflict when others change it all the time."""
    day = midnight(day)
    await until_settled(f"day {day:%Y-%m-%d}", lambda: _renew_day(rollups, day))


# --- blocks -----------------------------------------------------------------------------------------------------------


def _by_block(heads: Iterable[Head]) -> dict[str, list[Head]]:
    blocks: dict[str, list[Head]] = {}
    for head in sorted(heads, key=lambda h: h.slice):
        name = f"{id_key(head.slice.tenant)}-{block_of(head.slice.start):02d}"
        blocks.setdefault(name, []).append(head)
    return blocks


def _is_foreign(heads: Iterable[Head]) -> bool:
    return any(head.state == SliceState.FOREIGN for head in heads)


def _partition(day: datetime) -> str:
    return f"day-{day_key(day)}"


async def _renew_blocks(slices: Table, rollups: Table, tenant: str, day: datetime, ages: Sequence[timedelta]) -> None:
    prefix = f"{_BLOCK}{id_key(tenant)}-"
    stored = {
        str(row["RowKey"]).removeprefix(_BLOCK): row async for row in rollups.prefixed(_partition(day), prefix, _MARKS)
    }
    blocks = _by_block([head async for head in heads_of_day(slices, tenant, day)])
    for name, heads in blocks.items():
        old = stored.pop(name, None)
        if _is_foreign(heads) or (old is not None and is_newer(old)):
            continue  # a newer version of the app counts here
        if old is None or old["mark"] != head_mark(heads):
            await _renew_block(slices, rollups, _block_keys(day, name), old, heads, ages)
    for name, row in stored.items():
        if not is_newer(row):
            await rollups.write(delete(_block_keys(day, name), etag_of(row)))


def _block_keys(day: datetime, name: str) -> dict[str, Any]:
    return keys(_partition(day), _BLOCK + name)


async def _renew_block(
    slices: Table,
    rollups: Table,
    names: Mapping[str, Any],
    old: Row | None,
    heads: Sequence[Head],
    ages: Sequence[timedelta],
) -> None:
    standing = [head for head in heads if head.state != SliceState.SPLIT]
    row = {
        **names,
        "v": SCHEMA,
        "format": FORMAT,
        "mark": head_mark(heads),
        "countsMark": counts_mark(heads),
        "rulesVersions": json.dumps(_rules_versions(standing), sort_keys=True),
        **pack_first("reach", reach_shapes([_reach(head, ages) for head in standing]), _BLOCK_REACH_ROOM),
    }
    if old is None or old["countsMark"] != row["countsMark"]:
        counts = Counts()
        first = heads[0].slice
        start = block_starts(first.start)
        async for of_head in counts_of_heads(slices, first.tenant, start, start + BLOCK):
            counts.merge(Counts.of_json(of_head))
        most = max(counts.longest, min(MOST_PAIRS, sum(map(len, counts.pairs.values()))))
        row |= pack_fitting("counts", counts.to_json, most, _BLOCK_ROOM)
    await rollups.write(merge(row, etag_of(old)) if old is not None else insert(row))


def _rules_versions(heads: Iterable[Head]) -> Tally:
    versions: Tally = {}
    for head in heads:
        if head.rules_version:
            add(versions, {head.rules_version: 1})
    return versions


def _reach(head: Head, ages: Sequence[timedelta]) -> Reach:
    return Reach(
        tenant=id_key(head.slice.tenant),
        start=head.slice.start,
        end=head.slice.end,
        whole=head.is_whole,
        due=head.overdue_from(ages),
        parked=head.state == SliceState.PARKED,
        problem=head.problem,
        consistent=head.consistent,
        quarantined=head.quarantined,
        accepted=head.accepted_quarantine,
    )


# --- the partner's day ------------------------------------------------------------------------------------------------


async def _renew_day(rollups: Table, day: datetime) -> None:
    old = await rollups.get(PARTNER, totals_key(day))
    if old is not None and is_newer(old):
        return
    columns = [*_MARKS, "rulesVersions", *packed_columns("reach")]
    blocks = [row async for row in rollups.prefixed(_partition(day), _BLOCK, columns)]
    if any(is_newer(row) for row in blocks):
        return  # a newer version of the app adds up here
    marks = {str(row["RowKey"]).removeprefix(_BLOCK): str(row["mark"]) for row in blocks}
    of_counts = marks_mark({str(row["RowKey"]): str(row["countsMark"]) for row in blocks})
    versions: Tally = {}
    reach: list[Reach] = []
    for row in blocks:
        add(versions, json.loads(row["rulesVersions"]))
        reach += reach_of_json(unpack("reach", row) or {}, day)
    totals = {
        **keys(PARTNER, totals_key(day)),
        "v": SCHEMA,
        "format": FORMAT,
        "mark": marks_mark(marks),
        "countsMark": of_counts,
        **_packed_marks(marks),
        **reach_columns(reach, versions),
    }
    if old is not None and old.get("format", 1) == FORMAT and old.get("countsMark") == of_counts:
        await rollups.write(merge(totals, etag_of(old)))
        return
    counts = Counts()
    async for row in rollups.prefixed(_partition(day), _BLOCK, ["RowKey", "v", *packed_columns("counts")]):
        counts.merge(Counts.of_json(unpack("counts", row) or {}))
    await _write_day(rollups, day, old, {**totals, **counts_columns(counts)}, counts)
    if old is not None and old.get("format", 1) <= counts_v1.FORMAT:
        await _remove_v1(rollups, day)


def _packed_marks(marks: Mapping[str, str]) -> dict[str, Any]:
    return pack_first("blocks", ({**marks},), 2_000)


async def _write_day(rollups: Table, day: datetime, old: Row | None, totals: Mapping[str, Any], counts: Counts) -> None:
    """Lines and totals at once where they fit into one batch; else in several, each of which changes the totals' etag,
    and none but the last says that the day is done."""
    batches: list[list[Operation]] = [[]]
    size = wire_bytes(upsert(totals))
    trimmed = []
    for kind in KINDS:
        columns = kind.columns(counts)
        trimmed += [kind.name] if columns["trimmed"] else []
        operation = upsert({**keys(PARTNER, kind.row_key(day)), "v": SCHEMA, **columns})
        size += wire_bytes(operation)
        if batches[-1] and size > BATCH_BYTES:
            batches.append([])
            size = wire_bytes(upsert(totals)) + wire_bytes(operation)
        batches[-1].append(operation)
    totals = {**totals, "trimmed": ",".join(trimmed)}
    etag = etag_of(old) if old is not None else None
    for place, batch in enumerate(batches):
        done = place == len(batches) - 1
        row: Mapping[str, Any] = totals if done else {**totals, "mark": "", "countsMark": "", **_packed_marks({})}
        etag = (await rollups.transact([*batch, _totals_operation(row, old if place == 0 else None, etag)]))[-1]


def _totals_operation(row: Mapping[str, Any], old: Row | None, etag: str | None) -> Operation:
    if etag is None:
        return insert(row)
    if old is not None and old.get("format", 1) <= counts_v1.FORMAT:  # its lines stood in the same row
        how = {"mode": UpdateMode.REPLACE, "etag": etag, "match_condition": MatchConditions.IfNotModified}
        return ("update", upsert(row)[1], how)
    return merge(row, etag)


async def _remove_v1(rollups: Table, day: datetime) -> None:
    """The days by tenant of version 1 of the app: blocks stand in their place."""
    old = [row async for row in rollups.prefixed(_partition(day), "tenant-", ["PartitionKey", "RowKey", "v"])]
    for batch in batched((row for row in old if not is_newer(row)), MAX_BATCH, strict=False):
        await rollups.transact([delete(row) for row in batch])


async def expired(rollups: Table, cutoff: datetime) -> AsyncIterator[Row]:
    """The keys of all rows of days before the cutoff, for retention to remove."""
    select = ["PartitionKey", "RowKey", "v"]
    async for row in rollups.between("day-", _partition(cutoff), "", "~", select):
        yield row
    for prefix in (TOTALS, *(kind.prefix for kind in KINDS)):
        async for row in rollups.range(PARTNER, prefix, prefix + day_key(cutoff), select):
            yield row
    async for row in rollups.between(CUSTOMER_QUARTERS, quarter_partition(cutoff), "", "~", select):
        yield row
