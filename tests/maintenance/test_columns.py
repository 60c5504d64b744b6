"""Every column of every kind of row is declared to hold a person, or known to hold none: no new one is forgotten."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Final

import pytest

from shared.maintenance.erase import erase_person
from shared.rules.rule import TECHNICIAN
from shared.store.person_columns import ALL, person_columns
from tests.maintenance.test_ops import ANN, know_everywhere
from tests.scan.canonical import raw
from tests.scan.harness import rig
from tests.scan.stories import LATE, SEVEN, WIDTH, full_log, silent

# Found by their own keys and fields (shared/maintenance/erase_rows.py).
_OF_THEIR_OWN: Final = ("find-", "quar-", "rooted-", "piece")
NO_PERSON: Final = {
    "alerts": "ahead aheadAt askedUntil busyUntil channel created deadline delivery id incident kind lastAnswer lastAt "
    "messageId nextDue owner state type",
    "control": "action at ends firstSeen kind notBefore people problem problemSince sendId slice state terms until",
    "directory": "at beganAt domains erasures facts partnerTenantId refreshedAt replaced version customer-entries",
    "incidents": "actedAt action app appName at customer due first generation grewAt id last openedAt raisedAt "
    "ending resolvedAt rules scopes since slice snoozedUntil state toldAt toldLast wokenAt",
    "rollups": "countsMark customer mark quartersMark rulesVersions trimmed",
    "sessions": "at generation proves slice",
    "slices": "countsMark digest generation leaseUntil nextDue owner problem proofs sendId state versions",
}


def undeclared(table: str, row: dict[str, Any]) -> set[str]:
    """The columns of a row that nobody thought of."""
    holds = person_columns(table, row)
    columns: set[str] = set()
    if str(row["PartitionKey"]).startswith("customer-"):
        return columns  # the days of a customer, in numbers
    for column, value in row.items():
        name = re.sub(r"\d+$", "", column) if isinstance(value, bytes) else column
        packed = isinstance(value, bytes) and (ALL in holds.packed or name in holds.packed)
        if not packed and name not in holds.texts and not isinstance(value, bool | int | float):
            columns.add(f"{str(row['RowKey']).partition('-')[0]}-entries" if name == "entries" else name)
    return columns - {"PartitionKey", "RowKey"} - set(NO_PERSON[table].split())


async def test_every_column_is_declared(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANNELS__SOC__KIND", "generic")
    monkeypatch.setenv("CHANNELS__SOC__URL", "http://127.0.0.1:9/hook")
    async with rig(azurite, monkeypatch, slice_minutes=WIDTH) as scanned:
        full_log(scanned)
        scanned.log(silent("more", SEVEN + timedelta(minutes=9), "session-a"))
        scanned.set_time(LATE)
        await scanned.work()
        await know_everywhere(scanned)
        await erase_person(scanned.app, TECHNICIAN, ANN, force=True)
        found: dict[str, set[str]] = {}
        for name, table in (await scanned.tables()).by_name.items():
            for row in (await raw(table)).values():
                if not str(row["RowKey"]).startswith(_OF_THEIR_OWN):
                    found.setdefault(name, set()).update(undeclared(name, row))
        assert {name: columns for name, columns in found.items() if columns} == {}
