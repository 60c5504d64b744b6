"""Looking through all incidents: an outline of each, and those that changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from shared.incidents.model import ALL_SCOPES, Incident
from shared.store.incident_rows import INCIDENT, SHARDS, incident_of
from shared.store.incidents import ends_of_shard
from shared.store.packing import packed_columns, unpack
from shared.store.tables import Row, Table, is_newer, utc


def _scopes(row: Row) -> frozenset[str]:
    listed = row.get("scopes")
    return ALL_SCOPES if listed is None else _split(listed)


def _split(listed: object) -> frozenset[str]:
    return frozenset(filter(None, str(listed).split(",")))


@dataclass(frozen=True, slots=True)
class IncidentOutline:
    """What a summary needs of an incident. `last` is UTC; the rest is as in Incident, Facts and Who, and `reached` as
    Incident.customers. `opening` and `revision` make its version, as people see it."""

    key: str
    state: str
    severity: int
    scopes: frozenset[str]
    last: datetime
    user: str
    customer: str
    app: str
    rules: frozenset[str]
    customers: frozenset[str]
    opening: int = 1
    revision: int = 0

    @property
    def reached(self) -> frozenset[str]:
        """The tenants that its findings reached."""
        return frozenset({self.customer}) if self.customer else self.customers


async def outline_incidents(table: Table) -> list[IncidentOutline]:
    """Every incident that has findings, in outline: a few columns of each, however many findings it has."""
    columns = [
        "id",
        "state",
        "severity",
        "scopes",
        "last",
        "count",
        "user",
        "customer",
        "app",
        "rules",
        "v",
        "opening",
        "revision",
    ]
    columns += packed_columns("customers")[:1]  # so many of them never fill one

    async def of_shard(place: int, shard: str) -> list[IncidentOutline]:
        rows = table.range(shard, *ends_of_shard(place), select=columns)
        return [_outline(row) async for row in rows if not is_newer(row) and row["count"]]

    shards = await asyncio.gather(*(of_shard(place, shard) for place, shard in enumerate(SHARDS)))
    return [outline for of_shard_ in shards for outline in of_shard_]


def _outline(row: Row) -> IncidentOutline:
    who = (str(row["user"]), str(row["customer"]), str(row["app"]))
    sets = (_split(row["rules"]), frozenset[str](unpack("customers", row) or ()))
    version = (int(row.get("opening", 1)), int(row.get("revision", 0)))
    stands = (row["id"], row["state"], int(row["severity"]))
    return IncidentOutline(*stands, _scopes(row), utc(row["last"]), *who, *sets, *version)


async def incidents_changed_since(table: Table, since: datetime) -> list[Incident]:
    """Those opened, resolved, raised or seen at or after that time (UTC), however many there are beside them."""
    columns = ("openedAt", "resolvedAt", "raisedAt", "last")
    changed = " or ".join(f"{column} ge @since" for column in columns)

    async def of_shard(place: int, shard: str) -> list[Incident]:
        known = await table.known(shard, *ends_of_shard(place))
        if known is not None:
            return [
                incident_of(r) for r in known if not is_newer(r) and any(r.get(c) and r[c] >= since for c in columns)
            ]
        rows = table.matching(shard, INCIDENT, changed, {"since": since})
        return [incident_of(row) async for row in rows if not is_newer(row)]

    shards = await asyncio.gather(*(of_shard(place, shard) for place, shard in enumerate(SHARDS)))
    return [incident for of_one in shards for incident in of_one]
