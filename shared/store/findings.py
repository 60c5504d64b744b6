"""Findings and quarantined records of a slice, as rows beside its head."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from shared.findings import Finding
from shared.rules.rule import Severity
from shared.scan.slices import Slice, midnight
from shared.signin.decoding import Quarantined
from shared.store.packing import ROOM, pack_bytes
from shared.store.tables import SCHEMA, Row, Table, is_newer, keys, utc

_FINDING: Final = "find-"
_QUARANTINED: Final = "quar-"
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9-]{1,80}")


def finding_row(partition: str, finding: Finding) -> dict[str, Any]:
    """A finding as a row. Its key is time and id, so that the halves of a split slice inherit it."""
    return {
        **keys(partition, f"{_FINDING}{finding.at:%H%M%S%f}-{_key_of(finding.id)}"),
        "v": SCHEMA,
        "id": finding.id[:1024],
        "at": finding.at,
        "scope": finding.scope,
        "evidence": finding.evidence,
        "verdict": finding.verdict,
        "code": finding.code,
        "interactive": finding.interactive,
        "rules": ",".join(finding.rules),
        "severities": ",".join(str(int(severity)) for _, severity in finding.fits),
        "severity": int(finding.severity),
        "user": finding.user,
        "userName": finding.user_name,
        "userDisplayName": finding.user_display_name,
        "customer": finding.customer,
        "app": finding.app,
        "appName": finding.app_name,
        "resourceName": finding.resource_name,
        "client": finding.client,
        "userAgent": finding.user_agent,
        "ip": finding.ip,
        "sessionId": finding.session_id,
        "tokenId": finding.token_id,
        "correlationId": finding.correlation_id,
    }


def finding_of_row(row: Row) -> Finding:
    """The finding a row holds."""
    severities = (Severity(int(s)) for s in str(row["severities"]).split(","))
    return Finding(
        id=row["id"],
        at=utc(row["at"]),
        scope=row["scope"],
        evidence=row["evidence"],
        verdict=row["verdict"],
        code=row["code"],
        interactive=row["interactive"],
        fits=tuple(zip(str(row["rules"]).split(","), severities, strict=True)),
        user=row["user"],
        user_name=row["userName"],
        user_display_name=row["userDisplayName"],
        customer=row["customer"],
        app=row["app"],
        app_name=row["appName"],
        resource_name=row["resourceName"],
        client=row["client"],
        user_agent=row["userAgent"],
        ip=row["ip"],
        session_id=row["sessionId"],
        token_id=row["tokenId"],
        correlation_id=row["correlationId"],
    )


def finding_range(slice_: Slice) -> tuple[str, str]:
    """The first key a finding of the slice can have, and the first one behind it."""
    return _FINDING + _clock(slice_.start, slice_.start), _FINDING + _clock(slice_.start, slice_.end)


async def findings_of(table: Table, slice_: Slice) -> dict[str, Finding]:
    """The findings of a slice by their row keys, from their own key range, so that a lost head does not matter."""
    rows = table.range(slice_.partition, *finding_range(slice_))
    return {str(row["RowKey"]): finding_of_row(row) async for row in rows if not is_newer(row)}


def quarantined_row(slice_: Slice, record: Quarantined) -> dict[str, Any]:
    """A record that could not be read, as a row: keyed by slice and hash of its bytes."""
    kept = record.raw
    while True:
        try:
            packed = pack_bytes("raw", kept)
            break
        except ValueError:
            kept = kept[:ROOM]  # what does not even fit squeezed is cut; its length and hash stay
    return {
        **keys(slice_.partition, f"{_QUARANTINED}{slice_.name}-{record.key}"),
        "v": SCHEMA,
        "reason": record.reason,
        "bytes": len(record.raw),
        "cut": len(kept) < len(record.raw),
        **packed,
    }


async def quarantined_of(table: Table, slice_: Slice) -> set[str]:
    """The row keys of a slice's quarantined records."""
    rows = table.prefixed(slice_.partition, f"{_QUARANTINED}{slice_.name}-", select=["RowKey"])
    return {str(row["RowKey"]) async for row in rows}


def _clock(day_of: datetime, at: datetime) -> str:
    since = at - midnight(day_of)  # 240000 for the end of the day
    seconds = int(since / timedelta(seconds=1))
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"


def _key_of(record_id: str) -> str:
    """A record's id as part of a key: itself where it is harmless, else its hash."""
    if _SAFE_ID.fullmatch(record_id):
        return record_id
    return "h" + sha256(record_id.encode("utf-8", "surrogatepass")).hexdigest()
