"""The tenant's policies as they were read, dated: a row for each time that they were found changed.

The row `current` names the version that stands and when it was read last; the versions before it stay, so that somebody
can see what was configured on a day. Beside what Graph said each keeps what could not be read, and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

from shared.store.packing import pack, unpack
from shared.store.tables import SCHEMA, Table, is_newer, keys, upsert, utc

_PARTITION: Final = "policies"
_CURRENT: Final = "current"
_VERSION: Final = "version-"


@dataclass(frozen=True, slots=True)
class KeptPolicies:
    """What Graph said, by part, and what it did not say, by part. `read_at` is when they were read last, `since` since
    when they stand like that, both UTC."""

    read_at: datetime
    since: datetime
    fingerprint: str
    parts: Mapping[str, Any]
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Version:
    """The policies as they stood from `since` on, and were last seen at `read_at`, both UTC."""

    key: str
    since: datetime
    read_at: datetime
    parts: Mapping[str, Any]


def fingerprint_of(parts: Mapping[str, Any]) -> str:
    """16 hex digits that change when the policies do, whatever the order of their members."""
    return sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:16]


async def save_policies(table: Table, parts: Mapping[str, Any], problems: Mapping[str, str], now: datetime) -> None:
    """Keep what was read. Whoever writes last stands: two refreshes at once read the same policies."""
    old = await table.get(_PARTITION, _CURRENT)
    if old is not None and is_newer(old):
        return
    mark = fingerprint_of(parts)
    since = utc(old["since"]) if old is not None and old["fingerprint"] == mark else now
    version = _version_key(since)
    if since == now:
        told = {"fingerprint": mark, "since": since, **pack("parts", dict(parts))}
        await table.write(upsert({**keys(_PARTITION, version), "v": SCHEMA, **told}))
    row = {"fingerprint": mark, "since": since, "readAt": now, "version": version, **pack("problems", dict(problems))}
    await table.write(upsert({**keys(_PARTITION, _CURRENT), "v": SCHEMA, **row}))


async def load_policies(table: Table, known: KeptPolicies | None = None) -> KeptPolicies | None:
    """The policies as they stand; None while they were never read. `known` is given back, with its new time, where they
    are still those: one request then."""
    row = await table.get(_PARTITION, _CURRENT)
    if row is None or is_newer(row):
        return None
    parts: Mapping[str, Any]
    if known is not None and known.fingerprint == row["fingerprint"]:
        parts = known.parts
    else:
        version = await table.get(_PARTITION, str(row["version"]))
        if version is None:
            return None
        parts = unpack("parts", version) or {}
    problems = unpack("problems", row) or {}
    return KeptPolicies(utc(row["readAt"]), utc(row["since"]), str(row["fingerprint"]), parts, problems)


async def load_version(table: Table, at: datetime, known: Version | None = None) -> Version | None:
    """The policies as they stood at a time, or as they were first read where that was later; None while they were never
    read. `known` is given back, with its new time, where it is still that one: one request then."""
    row = await table.get(_PARTITION, _CURRENT)
    if row is None or is_newer(row):
        return None
    standing = [(str(row["version"]), utc(row["since"]))]
    if at < standing[0][1]:
        older = table.range(_PARTITION, _VERSION, standing[0][0], select=["RowKey", "since"])
        standing = [*[(str(version["RowKey"]), utc(version["since"])) async for version in older], *standing]
    place = max(0, sum(since <= at for _, since in standing) - 1)
    key, since = standing[place]
    # What came after it was first seen when it was seen no more.
    read_at = standing[place + 1][1] if place + 1 < len(standing) else utc(row["readAt"])
    if known is not None and known.key == key:
        return Version(key, since, read_at, known.parts)
    version = await table.get(_PARTITION, key)
    return None if version is None else Version(key, since, read_at, unpack("parts", version) or {})


def _version_key(since: datetime) -> str:
    return f"{_VERSION}{int(since.timestamp() * 1_000_000):020d}"
