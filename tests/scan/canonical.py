"""The tables as invariant 1 compares them: what they say of the log, and nothing of the work that led there.

Left out: who worked when and how often (owners, generations, batches, leases, send ids, attempts, requests, errors,
times of work), the word that sessions were asked and whom a slice ever wrote to, what stands for nothing (contributions
and incidents of no finding, roots that prove nothing, slices that were split), and what an incident told, which hangs
on the history and not on the final log: `told` has that.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.ledger.counts import Counts
from shared.ledger.slices import slice_named
from shared.store.events import EVENT
from shared.store.incident_rows import SHARDS
from shared.store.packing import unpack
from shared.store.tables import Row, Table, Tables

type View = dict[str, dict[str, Any]]

_WORK: Final = {
    "head": {
        "owner",
        "sendId",
        "generation",
        "batch",
        "leaseUntil",
        "attempts",
        "requests",
        "settledSeconds",  # nextDue says which ages are settled
        "problem",
        "countsMark",
    },
    "due": {"mark"},
    "incident": {
        "announced",
        "opening",
        "since",
        "tellings",
        "toldAt",
        "toldLast",
        "openedAt",
        "raisedAt",
        "grewAt",
        "snoozedUntil",
        "resolvedAt",
        "revision",
    },
    "part": {"generation"},
    "root": {"generation"},
    "block": {"mark", "countsMark"},
    # The last three are what the night notes of a day, which not every run waits for.
    "day": {"mark", "countsMark", "quartersMark", "policies", "posture0", "roster"},
}
_PACKED: Final = ("counts", "reach", "numbers", "tops", "lines")
# Marks of what a day was made of hang on who worked when.
_MARKS: Final = "blocks0"


async def canonical(tables: Tables) -> View:
    """What the slices, incidents, sessions and roll-ups say, by table and keys."""

    async def of(name: str, table: Table) -> View:
        return {f"{name} {key}": row async for key, row in _rows(table)}

    views = await asyncio.gather(*(of(name, table) for name, table in _tables(tables)))
    return {key: row for view in views for key, row in view.items()}


async def told(tables: Tables) -> View:
    """What there is to tell: how many events of each kind and severity an incident has raised. Which of its slices was
    read first shows in an event's id and words, and may differ."""
    shards = await asyncio.gather(*(_events(tables.incidents, shard) for shard in SHARDS))
    events = [row for events in shards for row in events]
    counted = Counter(f"event {row['incident']} {row['kind']} {row['severity']}" for row in events)
    return {key: {"events": count} for key, count in counted.items()}


async def _events(table: Table, shard: str) -> list[Row]:
    return [row async for row in table.prefixed(shard, EVENT)]


def difference(one: View, other: View) -> list[str]:
    """What differs, in words; empty when nothing does. Shorter to read than two whole views."""
    lines = []
    for key in sorted(one.keys() | other.keys()):
        a, b = one.get(key), other.get(key)
        if a is None or b is None:
            lines.append(f"{key}: only in the {'second' if a is None else 'first'}: {a or b}")
            continue
        lines += [
            f"{key}.{column}: {a.get(column)!r} != {b.get(column)!r}"
            for column in sorted(a.keys() | b.keys())
            if a.get(column) != b.get(column)
        ]
    return lines


async def half_told(slices: Table) -> list[str]:
    """The heads that say they are whole and whose counts are not of the findings that stand; empty when all is well,
    at whatever moment one looks. For logs that never show less than before."""
    rows = [row async for row in slices.everything()]
    findings = [row for row in rows if row["RowKey"].startswith("find-")]
    wrong = []
    for head in rows:
        if not head["RowKey"].startswith("head-") or not head["whole"] or head["state"] == "split":
            continue
        tenant, _, day = head["PartitionKey"].rpartition("-")
        midnight = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
        slice_ = slice_named(tenant, midnight, head["RowKey"].removeprefix("head-"))
        stands = Counter(
            rule
            for row in findings
            if row["PartitionKey"] == head["PartitionKey"] and slice_.start <= row["at"] < slice_.end
            for rule in row["rules"].split(",")
        )
        scopes = Counts.of_json(unpack("counts", head) or {}).scopes.values()
        counted = Counter({rule: sum(of.rules.get(rule, 0) for of in scopes) for of in scopes for rule in of.rules})
        if counted != stands:
            wrong.append(f"{slice_.id}: counts {dict(counted)}, findings {dict(stands)}")
    return wrong


async def raw(table: Table) -> dict[tuple[str, str], dict[str, Any]]:
    """Every row of a table with all its columns, by keys."""
    return {(row["PartitionKey"], row["RowKey"]): dict(row) async for row in table.everything()}


def _tables(tables: Tables) -> list[tuple[str, Table]]:
    return [
        ("slices", tables.slices),
        ("incidents", tables.incidents),
        ("sessions", tables.sessions),
        ("rollups", tables.rollups),
    ]


async def _rows(table: Table) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    async for row in table.everything():
        kind = _kind(row["RowKey"])
        if not _says_nothing(kind, row):
            yield f"{row['PartitionKey']} {row['RowKey']}", _columns(row, _WORK.get(kind, set()))


def _kind(row_key: str) -> str:
    """The kind of a row: the word its key begins with; in a person's partition the word behind the session."""
    first, _, rest = row_key.partition("-")
    second = rest.partition("-")[0]
    return second if second in ("root", "ask") else first


def _says_nothing(kind: str, row: Row) -> bool:
    if kind in ("part", "incident"):
        return bool(row["count"] == 0)
    if kind == "root":
        return bool(row["proves"] == "")
    if kind == "head":
        return bool(row["state"] == "split")  # its halves stand in its place
    return kind in ("ask", "event", "history", "went", "rooted", "sum")  # tests/store/test_sums.py has the last


def _columns(row: Mapping[str, Any], left_out: set[str]) -> dict[str, Any]:
    columns = {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in row.items()
        if name not in left_out
        and name != _MARKS
        and not (name.rstrip("0123456789") in _PACKED and isinstance(value, bytes))
    }
    if "consistent" in columns and not columns["consistent"]:
        columns.pop("nextDue")  # it counts from when the log was seen to have shrunk
    return columns | {name: unpack(name, row) for name in _PACKED if isinstance(row.get(f"{name}0"), bytes)}
