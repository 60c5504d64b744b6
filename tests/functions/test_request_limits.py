"""How many storage requests one answer takes: few, of a day as of 400, in a partner of hundreds as in one of
thousands, and while an exception is in effect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.alerts import alerts
from functions.answers import coverage, findings, rules, summary
from functions.changes import changes
from functions.exceptions import exceptions
from functions.http import Endpoint
from functions.incidents import incidents
from functions.inventory import applications, causes, samples
from functions.people import accounts, customers, technicians
from functions.register import register
from local.benches.filled_partner import Size, rows_of_days
from local.benches.filling import Filling
from shared.app.app import App
from shared.ledger.flight import Flight
from shared.ledger.slices import DAY
from shared.rules.rule import CUSTOMER, PARTNER
from shared.store.flights import change_flight
from shared.store.rollups import day_marks
from shared.store.sums import renew_sums
from tests.exceptions.test_over_http import given
from tests.functions.asking import app_over, ask, counted_requests

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)


HUNDREDS = Size(people=300, customers=500, each=10, days=400)
THOUSANDS = Size(people=3_000, customers=5_000, each=5, days=31)


@asynccontextmanager
async def partner(azurite: str, size: Size, *, summed: bool = True) -> AsyncIterator[App]:
    """A partner whose days stand, with an exception in effect; `summed`: and what they add up to."""
    async with app_over(azurite, NOW, PARTNER) as app:
        tables = await app.tables()
        async with Filling(azurite) as filling:
            await filling.write(f"{tables.prefix}rollups", rows_of_days(size, NOW))
        await change_flight(tables.control, Flight(PARTNER), first_seen=NOW - size.days * DAY)
        await given(app, customerId=CUSTOMER, userId=None)
        if summed:
            marks = {day: of_day.of_lines for day, of_day in (await day_marks(tables.rollups)).items()}
            await renew_sums(tables.rollups, marks, NOW)
        assert (await ask(summary, app)).status == 200  # what a process asks once
        yield app


# With 12 for the summary, 10 for every other answer; of a longer period than a quarter, one more a quarter.
_OF_PERIODS: list[tuple[Endpoint, str, int]] = [
    (summary, "scope=all", 12),
    (summary, f"scope=all&customer={CUSTOMER}", 12),
    (summary, "scope=all&user=user7@partner.example", 12),
    (summary, "scope=all&app=App%203", 12),
    *((endpoint, "", 10) for endpoint in (coverage, technicians, customers, applications, causes, samples)),
    (causes, "verdict=unknown", 10),
    (technicians, "user=user299@partner.example", 10),
    (customers, f"customer={CUSTOMER}", 10),
]


_LISTS = (findings, incidents, changes, register, alerts, exceptions, accounts, rules)


@pytest.mark.parametrize("summed", [True, pytest.param(False, marks=pytest.mark.soak)])
@pytest.mark.parametrize(
    "size", [pytest.param(HUNDREDS, id="hundreds", marks=pytest.mark.soak), pytest.param(THOUSANDS, id="thousands")]
)
async def test_no_answer_takes_more_than_a_few_requests(azurite: str, size: Size, *, summed: bool) -> None:
    too_many: dict[str, int] = {}
    async with partner(azurite, size, summed=summed) as app:
        for days in (days for days in (1, 30, 92, 400) if days <= size.days):
            for endpoint, query, most in _OF_PERIODS:
                call = f"{endpoint.name}?days={days}&{query}"
                sent, shown = await _asked(app, endpoint, f"days={days}&{query}")
                if sent > most + (4 if days > 92 else 0):
                    too_many[call] = sent
                assert shown["coverage"]["completeSlices"] == (days - 1) * 96 + 48, call
                if endpoint is summary and shown["byEvidence"] is not None:
                    assert sum(shown["byEvidence"].values()) == shown["delegatedSignIns"]["total"] > 0, call
        for endpoint in _LISTS:
            sent, shown = await _asked(app, endpoint, "")
            if sent > 10:
                too_many[endpoint.name] = sent
            if endpoint is not rules:
                assert shown["period"]["to"] == "2026-11-02T12:00:00Z"
                assert shown["coverage"]["percent"] is not None
    assert not too_many


async def _asked(app: App, endpoint: Endpoint, query: str) -> tuple[int, Any]:
    with counted_requests() as sent:
        reply = await ask(endpoint, app, query)
    assert reply.status == 200, reply.text
    of_one_row = [address for address in sent if "()?" not in address]  # of others the log hides what was asked
    assert len(of_one_row) == len({*of_one_row}), of_one_row
    return len(sent), reply.json
