"""The tables as invariant 1 compares them: what they say of the log, and nothing of the work that led there.

Left out: who worked when and how often (owners, generations, batches, leases, send ids, attempts, requests, errors,
times of work), the word that sessions were asked, what stands for nothing (contributions and incidents of no finding,
roots that prove nothing, slices that were split), and what an incident told, which hangs on the history and not on the
final log: `told` has that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Final

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
        "grewAt",
        "snoozedUntil",
        "resolvedAt",
        "revision",
    },
    "part": {"generation"},
    "root": {"generation"},
    "tenant": {"fingerprint"},
    "day": {"fingerprint"},
}
_PACKED: Final = ("counts", "reach")


async def canonical(tables: Tables) -> View:
    """What the slices, incidents, sessions and roll-ups say, by table and keys."""
    view: View = {}
    for name, table in _tables(tables):
        view |= {f"{name} {key}": row async for key, row in _rows(table)}
    return view


async def told(tables: Tables) -> View:
    """What there is to tell: how many events of each kind and severity an incident has raised. Which of its slices was
    read first shows in an event's id and words, and may differ."""
    events = [row async for row in tables.incidents.everything() if row["RowKey"].startswith("event-")]
    counted = Counter(f"event {row['incident']} {row['kind']} {row['severity']}" for row in events)
    return {key: {"events": count} for key, count in counted.items()}


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
    return kind in ("ask", "event", "history")


def _columns(row: Mapping[str, Any], left_out: set[str]) -> dict[str, Any]:
    columns = {
        name: value.replace(tzinfo=None) if isinstance(value, datetime) else value
        for name, value in row.items()
        if name not in left_out and not (name.rstrip("0123456789") in _PACKED and isinstance(value, bytes))
    }
    if "consistent" in columns and not columns["consistent"]:
        columns.pop("nextDue")  # it counts from when the log was seen to have shrunk
    return columns | {name: unpack(name, row) for name in _PACKED if isinstance(row.get(f"{name}0"), bytes)}
