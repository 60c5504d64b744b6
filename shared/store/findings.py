"""Findings and quarantined records of a slice, as rows beside its head."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import MISSING, dataclass, fields, replace
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import batched
from typing import Any, Final, NamedTuple

from shared.basics.times import MICROSECOND
from shared.incidents.findings import Finding
from shared.ledger.slices import Slice, midnight, partition_of
from shared.rules.rule import Severity
from shared.signin.careful import Quarantined
from shared.store.codec import Codec
from shared.store.packing import TooLong, pack_bytes, unpack_bytes
from shared.store.tables import MAX_BATCH, SCHEMA, Row, Table, is_newer, keys, upsert
from shared.store.wants import ANY, Want

FINDING: Final = "find-"
_QUARANTINED: Final = "quar-"
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9-]{1,80}")
_MOST_CHOSEN: Final = 13  # of the 15 comparisons that a question may have
_RAW_ROOM: Final = 300_000  # several share a batch


# What a finding's steps and policies may take: 98 of them share a batch of 4 MiB.
_PACKED_ROOM: Final = 8_000
_CODEC: Final = Codec(Finding, leaves=("fits",), longest={"id": 1024}, packed=("requirements", "steps", "policies"))


def finding_key(finding: Finding) -> str:
    """The row key of a finding: time and id, so that the halves of a split slice inherit it."""
    return f"{FINDING}{finding.at:%H%M%S%f}-{_key_of(finding.id)}"


def finding_row(partition: str, finding: Finding) -> dict[str, Any]:
    """A finding as a row."""
    return {
        **keys(partition, finding_key(finding)),
        "v": SCHEMA,
        **_columns(finding),
        "rules": ",".join(finding.rules),
        "severities": ",".join(str(int(severity)) for _, severity in finding.fits),
        "severity": int(finding.severity),
    }


def _columns(finding: Finding) -> dict[str, Any]:
    """The finding's own columns. What a hostile record makes too long stays behind: first the policies, then the
    steps."""
    for kept in (finding, replace(finding, policies=()), replace(finding, policies=(), steps=(), requirements=())):
        try:
            return _CODEC.columns(kept, room=_PACKED_ROOM)
        except TooLong:
            continue
    raise AssertionError("nothing is packed any more")


def finding_of_row(row: Row) -> Finding:
    """The finding a row holds."""
    severities = (Severity(int(s)) for s in str(row["severities"]).split(","))
    return _CODEC.value(row, fits=tuple(zip(str(row["rules"]).split(","), severities, strict=True)))


def finding_range(slice_: Slice) -> tuple[str, str]:
    """The first key a finding of the slice can have, and the first one behind it."""
    return FINDING + _clock(slice_.start, slice_.start), FINDING + _clock(slice_.start, slice_.end)


class Stands(NamedTuple):
    """A finding as it stands: its row key, the id of its record, and what it says; None where a newer version of the
    app wrote it, which is to be left alone."""

    key: str
    record: str
    finding: Finding | None


async def findings_of(table: Table, slice_: Slice) -> AsyncIterator[Stands]:
    """The findings of a slice one by one, from their own key range, so that a lost head does not matter."""
    async for row in table.range(slice_.partition, *finding_range(slice_)):
        if is_newer(row):
            yield Stands(str(row["RowKey"]), str(row.get("id", "")), None)
        else:
            finding = finding_of_row(row)
            yield Stands(str(row["RowKey"]), finding.id, finding)


@dataclass(frozen=True, slots=True)
class InQuarantine:
    """A quarantined record as it stands: the id that it names ("" for none), whether an operator accepted that it
    cannot be read, and whether its row is this version's to change."""

    record: str
    accepted: bool = False
    ours: bool = True


def quarantined_row(slice_: Slice, quarantined: Quarantined) -> dict[str, Any]:
    """A record that could not be read, as a row: keyed by slice and hash of its bytes. What does not even fit squeezed
    is cut; its length and hash stay."""
    return {
        **keys(slice_.partition, f"{_QUARANTINED}{slice_.name}-{quarantined.key}"),
        **_quarantined_columns(quarantined),
    }


def _quarantined_columns(quarantined: Quarantined) -> dict[str, Any]:
    kept = quarantined.raw
    while True:
        try:
            packed = pack_bytes("raw", kept, _RAW_ROOM)
            break
        except TooLong:
            kept = kept[: len(kept) // 2]
    return {
        "v": SCHEMA,
        "reason": quarantined.reason,
        "record": id_in(quarantined.raw)[:1024],
        "bytes": len(quarantined.raw),
        "cut": len(kept) < len(quarantined.raw),
        **packed,
    }


async def quarantine_of(table: Table, slice_: Slice) -> dict[str, InQuarantine]:
    """The quarantined records of a slice, by row key."""
    rows = table.prefixed(
        slice_.partition, f"{_QUARANTINED}{slice_.name}-", select=["RowKey", "v", "record", "accepted"]
    )
    return {
        str(row["RowKey"]): InQuarantine(
            record=str(row["record"]) if "record" in row else await _id_kept(table, slice_, str(row["RowKey"])),
            accepted=bool(row.get("accepted")),
            ours=not is_newer(row),
        )
        async for row in rows
    }


async def _id_kept(table: Table, slice_: Slice, row_key: str) -> str:
    """The id in the bytes of a record: version 1 had no column for it."""
    row = await table.get(slice_.partition, row_key)
    return id_in(unpack_bytes("raw", row) or b"") if row else ""


async def accept_quarantine(table: Table, slice_: Slice) -> int:
    """Note on every quarantined record of a slice that an operator accepted it. Returns how many stand accepted."""
    stands = await quarantine_of(table, slice_)
    new = [key for key, record in stands.items() if record.ours and not record.accepted]
    for batch in batched(new, MAX_BATCH, strict=False):
        await table.transact([upsert({**keys(slice_.partition, key), "accepted": True}) for key in batch])
    return sum(record.accepted for record in stands.values()) + len(new)


def id_in(raw: bytes) -> str:
    """The id that a record names which cannot be read otherwise; "" if it names none."""
    try:
        record = json.loads(raw)
    except (ValueError, RecursionError):
        return ""
    if isinstance(record, dict) and isinstance(record.get("properties"), dict):
        record = record["properties"]
    named = record.get("id") if isinstance(record, dict) else None
    return named if isinstance(named, str) else ""


def quarantined_key(row: Row) -> str:
    """The key of the record that a row of a quarantined record is about."""
    return str(row["RowKey"]).rpartition("-")[2]


def quarantined_again(row: Row, record: Quarantined) -> dict[str, Any]:
    """A row that holds another record in the place of that row's, in the same slice."""
    slice_name = str(row["RowKey"]).removeprefix(_QUARANTINED).rpartition("-")[0]
    made = _quarantined_columns(record)
    made["accepted"] = bool(row.get("accepted"))
    return {**keys(str(row["PartitionKey"]), f"{_QUARANTINED}{slice_name}-{record.key}"), **made}


def _clock(day_of: datetime, at: datetime) -> str:
    since = at - midnight(day_of)  # 240000 for the end of the day
    seconds = int(since / timedelta(seconds=1))
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"


def _key_of(record_id: str) -> str:
    """A record's id as part of a key: itself where it is harmless, else its hash."""
    if _SAFE_ID.fullmatch(record_id):
        return record_id
    return "h" + sha256(record_id.encode("utf-8", "surrogatepass")).hexdigest()


async def findings_within(
    table: Table,
    tenant: str,
    start: datetime,
    end: datetime,
    *,
    after: str = "",
    want: Want = ANY,
) -> tuple[list[tuple[str, Finding]], bool]:
    """What one request gives of a tenant's findings with start <= at < end, with their row keys, oldest first; and
    whether there may be more. The times are UTC, of one day, or midnights with whole days between them; within one day
    `after` leaves out the rows up to that key. `want.where` names
    keys of a `user`, `customer` or `app`: the service looks at the others too, and sends only theirs."""
    last = end - MICROSECOND
    one_day = midnight(start) == midnight(last)
    rows, more = await table.page(
        partition_of(tenant, start),
        max(_moment(start, start), f"{after}-" if after else "") if one_day else FINDING,
        _moment(start, end) if one_day else f"{FINDING}~",
        last_partition=None if one_day else partition_of(tenant, last),
        want=want,
    )
    read = _outline if want.only else finding_of_row
    return [(str(row["RowKey"]), read(row)) for row in rows if not is_newer(row)], more


async def findings_at(table: Table, places: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Finding]:
    """The findings with these partition and row keys, those that still stand: a request for every 13, more
    where there are many tenants or the service looks through much."""
    by_tenant: dict[str, list[tuple[str, str]]] = {}
    for place in sorted(places):
        by_tenant.setdefault(place[0].rpartition("-")[0], []).append(place)
    found: dict[tuple[str, str], Finding] = {}
    for of_tenant in by_tenant.values():
        for some in batched(of_tenant, _MOST_CHOSEN, strict=False):
            wanted = " or ".join(f"RowKey eq @row{i}" for i in range(len(some)))
            values = {"first": some[0][0], "last": some[-1][0], **{f"row{i}": key for i, (_, key) in enumerate(some)}}
            async for row in table.where(f"PartitionKey ge @first and PartitionKey le @last and ( {wanted} )", values):
                if not is_newer(row):
                    found[str(row["PartitionKey"]), str(row["RowKey"])] = finding_of_row(row)
    return found


# What tells where a finding lies and whose it is; of each row of the SDK every column costs.
OUTLINE: Final = ("PartitionKey", "RowKey", "v", "id", "scope", "user", "userName", "customer", "app", "appName")
_NOT_ASKED: Final = {f.name: "" for f in fields(Finding) if f.default is MISSING} | {
    "code": 0,
    "interactive": False,
    "fits": (),
}


def _outline(row: Row) -> Finding:
    """What OUTLINE has of a finding; the rest is left empty. Its time is that of its keys."""
    clock = row["RowKey"].removeprefix(FINDING)[:12]
    at = datetime.fromisoformat(f"{row['PartitionKey'][-8:]}T{clock[:6]}.{clock[6:]}+00:00")
    of = {
        name: row.get(column, "")
        for name, column in (
            ("id", "id"),
            ("scope", "scope"),
            ("user", "user"),
            ("user_name", "userName"),
            ("customer", "customer"),
            ("app", "app"),
            ("app_name", "appName"),
        )
    }
    return Finding(**{**_NOT_ASKED, **of, "at": at})


def _moment(day_of: datetime, at: datetime) -> str:
    """The first key that a finding of that time can have."""
    return f"{FINDING}{_clock(day_of, at)}{at:%f}"


# --- for those who look through all of them ---------------------------------------------------------------------------


def users_of_findings(table: Table) -> AsyncIterator[Row]:
    """Of every finding the user and the names."""
    return table.between("0", "g", FINDING, f"{FINDING}~", ["user", "userName", "userDisplayName"])


def all_quarantined(table: Table) -> AsyncIterator[Row]:
    """Every quarantined record."""
    return table.between("0", "g", _QUARANTINED, f"{_QUARANTINED}~")


def quarantined_on(table: Table, tenant: str, day: datetime, select: Sequence[str]) -> AsyncIterator[Row]:
    """The quarantined records of a tenant's day."""
    return table.prefixed(partition_of(tenant, day), _QUARANTINED, select)
