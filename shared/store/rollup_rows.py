"""The rows of a day's roll-up: what stands where, and how much room each part has (docs/architecture.md, "Roll-ups").

The totals of a day fit 8 KB by design, so that a quarter of a year is one request; its lines stand in rows of their
own, by kind, each within what Table Storage takes of a row and a column. Where a kind has too many lines the worst are
kept, `trimmed` says so, and one line has the sum of the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct, convert, field

from shared.ledger import counts_v1
from shared.ledger.counts import FORMAT, MOST_LINES, Counts
from shared.ledger.counts_json import (
    PairColumns,
    groups_json,
    groups_of_json,
    lines_json,
    pairs_json,
    portals_json,
    portals_of_json,
)
from shared.ledger.days import Day, DayLines, DayReach, Noted, Reach, Totals, totals_of
from shared.ledger.reach_json import is_sealed, reach_of_json, reach_of_v1, reach_shapes
from shared.ledger.samples import samples_json, samples_of_json
from shared.ledger.tallies import AppLine, CustomerVerdicts, ScopeCounts, Tally, UserLine
from shared.ledger.tops import Tops, tops_of
from shared.ledger.trimming import REST, trim_apps, trim_customers, trim_groups, trim_pairs, trim_portals, trim_users
from shared.store.packing import pack, pack_first, pack_fitting, packed_columns, unpack
from shared.store.tables import Row, is_newer

PARTNER: Final = "partner"
TOTALS: Final = "day-"

_REACH_ROOM: Final = 1_800
_TOPS_ROOM: Final = 3_600
_POSTURE_ROOM: Final = 500


def day_key(day: datetime) -> str:
    """The day in the key of a row."""
    return f"{day:%Y%m%d}"


def day_named(key: str) -> datetime:
    """The day in the key of a row that ends with it."""
    return datetime.strptime(key.rpartition("-")[2], "%Y%m%d").replace(tzinfo=UTC)


def totals_key(day: datetime) -> str:
    """The row key of a day's totals."""
    return TOTALS + day_key(day)


# --- totals -----------------------------------------------------------------------------------------------------------


def counts_columns(counts: Counts) -> dict[str, Any]:
    """The columns of a day's totals that hang on the counts."""
    totals = {"scopes": lines_json(counts.scopes), "apart": counts.apart}
    tops = tops_of(counts)
    most = max(1, *(len(lines) for lines in (tops.users, tops.customers, tops.apps)))
    return {**pack("numbers", totals), **pack_fitting("tops", tops.to_json, most, _TOPS_ROOM)}


def reach_columns(reach: list[Reach], rules_versions: Tally) -> dict[str, Any]:
    """The columns of a day's totals that hang on how far its slices were read."""
    return {
        **pack_first("reach", reach_shapes(reach), _REACH_ROOM),
        "rulesVersions": json.dumps(rules_versions, sort_keys=True),
    }


def noted_columns(noted: Noted) -> dict[str, Any]:
    """The columns that the nightly run writes; what it does not note stays as it was. Raises TooLong."""
    columns: dict[str, Any] = {"roster": noted.roster, "policies": noted.policies}
    if noted.posture is not None:
        columns |= pack("posture", dict(noted.posture), _POSTURE_ROOM)
    return {name: value for name, value in columns.items() if value is not None}


def day_of(row: Row) -> Day:
    """A day from its totals, of this format or of the one of version 1."""
    day = day_named(str(row["RowKey"]))
    if row.get("format", 1) <= counts_v1.FORMAT:
        return _day_of_v1(day, row)
    numbers = unpack("numbers", row) or {}
    return Day(
        day=day,
        counts=Totals(convert(numbers.get("scopes", {}), dict[str, ScopeCounts]), numbers.get("apart", {})),
        reach=reach_of_json(unpack("reach", row) or {}, day),
        tops=Tops.of_json(unpack("tops", row) or {}),
        rules_versions=json.loads(row.get("rulesVersions", "{}")),
        trimmed=frozenset(filter(None, row.get("trimmed", "").split(","))),
        noted=Noted(posture=unpack("posture", row), roster=row.get("roster"), policies=row.get("policies")),
        lines_mark=lines_mark(row),
    )


def lines_mark(row: Row) -> str:
    """What the lines of a day were made of, by its totals; "" where this version of the app cannot say."""
    return "" if is_newer(row) or row.get("format", 1) != FORMAT else str(row.get("countsMark", ""))


_REACH_PARTS: Final = ("reach", "numbers", "counts")
REACH_COLUMNS: Final = ("RowKey", "v", "format", *(column for part in _REACH_PARTS for column in packed_columns(part)))


def reach_of_day(row: Row, tenants: Collection[str]) -> DayReach:
    """How far a day was read, from the REACH_COLUMNS of its totals. `tenants` are those that must be sealed, by key."""
    if row.get("format", 1) <= counts_v1.FORMAT:
        old = _day_of_v1(day_named(str(row["RowKey"])), row)
        return DayReach(old.day, old.reach, counts=old.counts)
    day = day_named(str(row["RowKey"]))
    counts = Totals(unpack("numbers", row, _Scopes).scopes)
    reach = unpack("reach", row) or {"states": [], "tenants": {}}
    if is_sealed(reach, tenants):
        return DayReach(day, is_sealed=True, counts=counts)
    return DayReach(day, reach_of_json(reach, day), counts=counts)


class _Scopes(Struct):
    """Of a day's numbers those by scope."""

    scopes: dict[str, ScopeCounts] = field(default_factory=dict)


def _day_of_v1(day: datetime, row: Row) -> Day:
    counts = Counts.of_json(unpack("counts", row) or {})
    reach = reach_of_v1(unpack("reach", row) or [])
    return Day(day, totals_of(counts), reach, tops_of(counts), format=1)


# --- lines ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineKind[T]:
    """A kind of lines: the prefix of its rows' keys, the room of its columns, and how its lines are written and read.

    `of` takes them out of counts, at most so many of them, `size` says how many there are; `is_trimmed` looks at what
    `of` gave for whether some were left out. Their JSON is decoded as `form`, of which `read` makes the lines.
    """

    prefix: str
    room: int
    of: Callable[[Counts, int], Any]
    form: Any
    read: Callable[[Any], T]
    is_trimmed: Callable[[Any], bool]
    size: Callable[[Counts], int] = lambda counts: counts.longest
    has_names: bool = False

    @property
    def name(self) -> str:
        """The kind in one word."""
        return self.prefix.removesuffix("-")

    def row_key(self, day: datetime) -> str:
        """The row key of a day's lines."""
        return self.prefix + day_key(day)

    def columns(self, counts: Counts) -> dict[str, Any]:
        """The columns of a day's lines."""

        def shape(most: int) -> dict[str, Any]:
            lines = self.of(counts, most)
            return {"lines": lines, **({"names": _names(counts, lines)} if self.has_names else {})}

        packed = pack_fitting("lines", shape, min(MOST_LINES, self.size(counts)), self.room)
        kept = unpack("lines", packed)
        return {"format": FORMAT, "trimmed": self.is_trimmed(kept["lines"]), **packed}

    def lines_of(self, row: Row) -> DayLines[T]:
        """A day's lines from their row."""
        kept = unpack("lines", row, _Kept[self.form]) or _Kept({})  # type: ignore[name-defined]
        return DayLines(
            day=day_named(str(row["RowKey"])),
            lines=self.read(kept.lines),
            names=kept.names,
            trimmed=row["trimmed"],
        )


class _Kept[L](Struct):
    """What a row of lines holds."""

    lines: L
    names: dict[str, str] = field(default_factory=dict)


def _same[L](lines: L) -> L:
    return lines


def _names(counts: Counts, lines: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    shown = {key for of_scope in lines.values() for key in of_scope}
    return {key: name for key, name in counts.names.items() if key in shown}


def _has_rest(lines: Mapping[str, Mapping[str, Any]]) -> bool:
    return any(REST in of_scope for of_scope in lines.values())


USERS: Final = LineKind(
    "users-",
    400_000,
    lambda counts, most: lines_json({scope: trim_users(lines, most) for scope, lines in counts.users.items()}),
    dict[str, dict[str, UserLine]],
    _same,
    _has_rest,
    has_names=True,
)
CUSTOMERS: Final = LineKind(
    "customers-",
    800_000,
    lambda counts, most: lines_json({scope: trim_customers(lines, most) for scope, lines in counts.customers.items()}),
    dict[str, dict[str, ScopeCounts]],
    _same,
    _has_rest,
)
CUSTOMER_VERDICTS: Final[LineKind[dict[str, dict[str, CustomerVerdicts]]]] = replace(
    CUSTOMERS, form=dict[str, dict[str, CustomerVerdicts]], read=_same
)
APPS: Final = LineKind(
    "apps-",
    200_000,
    lambda counts, most: lines_json({scope: trim_apps(lines, most) for scope, lines in counts.apps.items()}),
    dict[str, dict[str, dict[str, AppLine]]],
    _same,
    _has_rest,
    has_names=True,
)
PAIRS: Final = LineKind(
    "pairs-",
    400_000,
    lambda counts, most: pairs_json(trim_pairs(counts.pairs, most)),
    PairColumns,
    _same,
    lambda value: REST in value["users"],
    size=lambda counts: max(1, sum(map(len, counts.pairs.values()))),
)
PORTALS: Final = LineKind(
    "portals-",
    150_000,
    lambda counts, most: portals_json(trim_portals(counts.portals, most)),
    dict[str, Any],
    lambda value: portals_of_json(value) if value else {},
    lambda value: REST in value["users"],
    size=lambda counts: max(1, sum(map(len, counts.portals.values()))),
)
GROUPS: Final = LineKind(
    "groups-",
    60_000,
    lambda counts, most: groups_json(trim_groups(counts.groups, most)),
    dict[str, Any],
    lambda value: groups_of_json(value) if value else {},
    lambda value: REST in value["customers"],
    size=lambda counts: max(1, len(counts.groups)),
)
SAMPLES: Final = LineKind(
    "samples-",
    20_000,
    lambda counts, most: {"samples": samples_json(counts.samples, most)},
    dict[str, Any],
    lambda value: samples_of_json(value["samples"]) if value else {},
    lambda value: False,  # a sample is one by intent
    size=lambda counts: max(1, len(counts.samples)),
)
KINDS: Final = (USERS, CUSTOMERS, APPS, PAIRS, PORTALS, GROUPS, SAMPLES)
