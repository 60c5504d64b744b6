"""Which columns of which rows name a person: whoever erases somebody looks there and nowhere else.

A finding has fields of its own (shared/incidents/findings.py), a quarantined record its bytes, a session the partition;
what is not listed here, and is none of these, names tenants, applications, times and numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.store.tables import Row

ALL: Final = "*"  # every packed column


@dataclass(frozen=True, slots=True)
class Holds:
    """Columns that may name a person: `texts` hold an id, a name or what people wrote; `packed` JSON with any of it."""

    texts: tuple[str, ...] = ()
    packed: tuple[str, ...] = ()


# By table, and by the beginnings of partition and row key; the first that fits counts.
_HOLDS: Final[dict[str, tuple[tuple[str, str, Holds], ...]]] = {
    "slices": (("", "head-", Holds(packed=("counts",))),),
    "incidents": (
        ("", "incident-", Holds(("user", "userName", "reason", "assignee"), (ALL,))),
        ("", "part-", Holds(packed=(ALL,))),
        ("", "history-", Holds(("by", "detail"))),
        ("", "event-", Holds(packed=("incident",))),
    ),
    "rollups": (("", "", Holds(packed=(ALL,))),),
    "directory": (
        ("version-", "admin-", Holds(packed=("entries",))),
        ("people", "", Holds(packed=("entries",))),
        ("policies", "", Holds(packed=(ALL,))),
    ),
    "control": (
        ("exceptions", "exception-", Holds(packed=("record",))),
        ("exceptions", "history-", Holds(("by", "detail"))),
        ("register", "act-", Holds(("by", "byId"), ("detail",))),
        ("self-test", "run-", Holds(packed=("run",))),
        ("alerts", "pause", Holds(("by",))),
    ),
    "alerts": (
        ("", "delivery-", Holds(packed=(ALL,))),
        ("", "wait-", Holds(packed=(ALL,))),
        ("", "redelivery-", Holds(("by",))),
    ),
}


def person_columns(table: str, row: Row) -> Holds:
    """Which columns of a row may name a person."""
    partition, name = str(row["PartitionKey"]), str(row["RowKey"])
    for partition_begins, name_begins, holds in _HOLDS.get(table, ()):
        if partition.startswith(partition_begins) and name.startswith(name_begins):
            return holds
    return Holds()
