"""What changed since a time, also among more incidents than a request gives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from functions.changes import changes
from shared.app.app import App
from shared.incidents.model import Ending, Facts, Incident, IncidentState, Who
from shared.ledger.flight import Flight
from shared.rules.rule import PARTNER
from shared.store.flights import change_flight
from shared.store.incident_rows import incident_columns
from tests.functions.asking import app_over, ask, counted_requests, write_rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AGO = NOW - timedelta(days=20)


def _incident(number: int) -> Incident:
    """One of long ago, which nothing happened to."""
    facts = Facts(1, LONG_AGO, LONG_AGO, frozenset({"legacy-auth"}), 3, 3)
    key = f"{'048c'[number % 4]}{number:04x}" + "0" * 27  # each shard has its share
    return Incident(key, Who("a" * 32, "a@x", "b" * 32, "", ""), facts, opened_at=LONG_AGO)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(azurite: str) -> AsyncIterator[App]:
    """More than a thousand incidents in a shard, of which a few changed in the last day."""
    made = [_incident(n) for n in range(4200)]
    made[0] = replace(made[0], opened_at=NOW - HOUR)
    made[1] = replace(made[1], raised_at=NOW - HOUR)
    made[2] = replace(
        made[2], state=IncidentState.RESOLVED, resolved_at=NOW - HOUR, ending=Ending.QUIET, reason="quiet"
    )
    made[3] = replace(made[3], facts=replace(made[3].facts, last=NOW - HOUR))
    async with app_over(azurite, NOW, PARTNER) as app:
        tables = await app.tables()
        await write_rows(tables.incidents, [incident_columns(i) for i in made])
        await change_flight(tables.control, Flight(PARTNER), first_seen=NOW - timedelta(days=400))
        yield app


async def test_what_changed_is_found_among_thousands(app: App) -> None:
    await app.directory()
    with counted_requests() as sent:
        shown = (await ask(changes, app)).json
    assert len(sent) <= 10, sent
    named = {kind: [i["id"] for i in shown[kind]] for kind in ("opened", "raised", "closed", "stillHappening")}
    one = {number: _incident(number).key for number in range(4)}
    assert named == {"opened": [one[0]], "raised": [one[1]], "closed": [one[2]], "stillHappening": [one[3]]}
    assert not shown["truncated"]


async def test_what_was_not_read_in_time_or_went_unread_is_coverage_lost(app: App) -> None:
    """Nothing was ever read here: the last day is a gap, but for what closed just now; and the log let a day go."""
    lost = (await ask(changes, app)).json["coverageLost"]
    unread, expired = lost
    assert (unread["kind"], unread["from"], unread["to"]) == ("unread", "2026-11-01T12:00:00Z", "2026-11-02T12:00:00Z")
    assert expired["kind"] == "expired"
    assert expired["to"] == "2026-10-03T13:00:00Z"
