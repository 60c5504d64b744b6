"""Looking through all incidents: an outline of each, and those that changed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shared.basics.spelling import id_key, is_key
from shared.incidents.model import ALL_SCOPES, Incident
from shared.store.incident_rows import INCIDENT, LISTED, SHARDS, incident_of
from shared.store.incidents import ends_of_shard
from shared.store.once import made_once
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


class About(NamedTuple):
    """Whose incidents: of a user, those that may have reached a customer, or of an application; all are keys."""

    user: str = ""
    customer: str = ""
    app: str = ""


def about_id(user: str | None, customer: str | None, app: str | None = None) -> About | None:
    """Whose incidents a question asks for, where it names one of these by id; None: look at all. What is called by
    somebody's id is none of theirs."""
    keys = {"user": id_key(user or ""), "customer": id_key(customer or ""), "app": id_key(app or "")}
    named = {name: key for name, key in keys.items() if is_key(key)}
    return About(**dict([*named.items()][:1])) if named else None


async def incidents_about(table: Table, about: About) -> list[Incident]:
    """Those incidents, as far as lists show them (LISTED): one request a shard. An incident about a user alone may have
    reached any customer."""
    return [incident_of(row) for row in await _rows_about(table, about)]


async def _rows_about(table: Table, about: About) -> list[Row]:
    column, key = next((column, key) for column, key in about._asdict().items() if key)
    condition, values = f"{column} eq @key", {"key": key}
    if about.customer:
        condition, values = f"{condition} or customer eq @nobody", {**values, "nobody": ""}

    async def of_shard(shard: str) -> list[Row]:
        return [row async for row in table.matching(shard, INCIDENT, condition, values, LISTED) if not is_newer(row)]

    async def read() -> list[Row]:
        return [row for rows in await asyncio.gather(*map(of_shard, SHARDS)) for row in rows]

    return await made_once(("incidents", id(table), about), read)


async def outline_incidents(table: Table, about: About | None = None) -> list[IncidentOutline]:
    """Every incident that has findings, or every such one about somebody, in outline: a few columns of each, however
    many findings it has."""
    if about is not None:
        return [_outline(row) for row in await _rows_about(table, about) if row["count"]]
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
    """Those opened, resolved, raised or seen at or after that time (UTC), however many there are beside them: as far as
    lists show them (LISTED)."""
    columns = ("openedAt", "resolvedAt", "raisedAt", "last")
    changed = " or ".join(f"{column} ge @since" for column in columns)

    async def of_shard(place: int, shard: str) -> list[Incident]:
        known = await table.known(shard, *ends_of_shard(place), LISTED)
        if known is not None:
            return [
                incident_of(r) for r in known if not is_newer(r) and any(r.get(c) and r[c] >= since for c in columns)
            ]
        rows = table.matching(shard, INCIDENT, changed, {"since": since}, LISTED)
        return [incident_of(row) async for row in rows if not is_newer(row)]

    shards = await asyncio.gather(*(of_shard(place, shard) for place, shard in enumerate(SHARDS)))
    return [incident for of_one in shards for incident in of_one]
