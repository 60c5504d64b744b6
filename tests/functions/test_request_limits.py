"""How many storage requests one answer takes: few, of a day as of 400, in a partner of hundreds as in one of
thousands, and while an exception is in effect."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
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
from shared.app.app import App
from shared.ledger.counts import FORMAT, Counts, Seen
from shared.ledger.counts_json import lines_json
from shared.ledger.days import Reach
from shared.ledger.flight import Flight
from shared.ledger.slices import DAY, days_between, midnight
from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import CUSTOMER, PARTNER, TECHNICIAN, Severity
from shared.signin.evidence import Evidence, Strength
from shared.signin.outcome import Outcome
from shared.signin.traits import Identity, Scope
from shared.store.customer_quarters import quarter_partition
from shared.store.flights import change_flight
from shared.store.rollup_rows import KINDS, counts_columns, reach_columns, totals_key
from shared.store.sizes import wire_bytes
from shared.store.tables import SCHEMA, Operation, Row, keys, upsert
from tests.exceptions.test_over_http import given
from tests.functions.asking import app_over, ask, counted_requests

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
APP = "c44b40833bb049c1b47d974e53cbdf3c"


@dataclass(frozen=True)
class Size:
    """So many people, each at so many customers a day, of so many days."""

    people: int
    customers: int
    each: int
    days: int


HUNDREDS = Size(people=300, customers=500, each=10, days=400)
THOUSANDS = Size(people=3_000, customers=5_000, each=5, days=31)


def _key(draw: random.Random) -> str:
    return f"{draw.getrandbits(128):032x}"  # nothing squeezes these, as nothing squeezes real ids


def _a_day(size: Size) -> Counts:
    """One in a hundred sign-ins is without MFA. The technician of the samples is among the people."""
    draw = random.Random(5)  # noqa: S311 - samples
    people = [TECHNICIAN.replace("-", ""), *(_key(draw) for _ in range(size.people - 1))]
    tenants = [CUSTOMER.replace("-", ""), *(_key(draw) for _ in range(size.customers - 1))]
    apps = [APP, *(_key(draw) for _ in range(39))]
    good = Assessment(
        *(Identity.USER, Scope.CUSTOMER, Outcome.SUCCESS, Evidence.PROVEN, Verdict.COMPLIANT), strength=Strength.APP
    )
    bad = Assessment(
        *(Identity.USER, Scope.CUSTOMER, Outcome.SUCCESS, Evidence.NONE, Verdict.NON_COMPLIANT),
        fits=(("interactive-without-mfa", Severity.HIGH),),
    )
    counts = Counts()
    for n, user in enumerate(people):
        for tenant in [tenants[0], *draw.sample(tenants[1:], size.each - 1)]:
            app = draw.randrange(len(apps))
            assessment = bad if draw.random() < 0.01 else good
            counts.add(
                Seen(
                    *(assessment, user, f"user{n}@partner.example", tenant, apps[app], f"App {app}", "interactive"),
                    id=_key(draw),
                    at=NOW,
                )
            )
    return counts


def _rows(size: Size) -> Iterator[Row]:
    """Each day the same, read whole."""
    counts = _a_day(size)
    columns = {kind: kind.columns(counts) for kind in KINDS}
    trimmed = ",".join(kind.name for kind, of_kind in columns.items() if of_kind["trimmed"])
    totals = counts_columns(counts)
    quarters: dict[str, Row] = {}
    text = str(lines_json({"customer": counts.customers["customer"][CUSTOMER.replace("-", "")]})).replace("'", '"')
    for day in days_between(midnight(NOW) - (size.days - 1) * DAY, NOW):
        reach = [Reach(PARTNER.replace("-", ""), day, day + DAY, whole=True, due=None, parked=False, problem="")]
        row: Row = {**keys("partner", totals_key(day)), "v": SCHEMA, "format": FORMAT, "trimmed": trimmed, **totals}
        yield {**row, **reach_columns(reach, {"2": 1})}
        for kind in KINDS:
            yield {**keys("partner", kind.row_key(day)), "v": SCHEMA, **columns[kind]}
        quarter = quarter_partition(day)
        row = quarters.setdefault(quarter, {**keys(quarter, CUSTOMER.replace("-", "")), "v": SCHEMA})
        quarters[quarter] = {**row, f"d{day:%m%d}": text}
    yield from quarters.values()


@asynccontextmanager
async def _partner(azurite: str, size: Size) -> AsyncIterator[App]:
    """A partner whose days stand, with an exception in effect."""
    async with app_over(azurite, NOW, PARTNER) as app:
        tables = await app.tables()
        by_partition: dict[str, list[Operation]] = {}
        for row in _rows(size):
            by_partition.setdefault(row["PartitionKey"], []).append(upsert(row))
        for operations in by_partition.values():
            for batch in _batches(operations):
                await tables.rollups.transact(batch)
        await change_flight(tables.control, Flight(PARTNER), first_seen=NOW - size.days * DAY)
        await given(app, customerId=CUSTOMER, userId=None)
        assert (await ask(summary, app)).status == 200  # what a process asks once
        yield app


def _batches(operations: list[Operation]) -> Iterator[list[Operation]]:
    batch: list[Operation] = []
    for operation in operations:
        if batch and (len(batch) == 100 or sum(map(wire_bytes, [*batch, operation])) > 900_000):
            yield batch
            batch = []
        batch.append(operation)
    yield batch


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


@pytest.mark.parametrize(
    "size", [pytest.param(HUNDREDS, id="hundreds", marks=pytest.mark.soak), pytest.param(THOUSANDS, id="thousands")]
)
async def test_no_answer_takes_more_than_a_few_requests(azurite: str, size: Size) -> None:
    too_many: dict[str, int] = {}
    async with _partner(azurite, size) as app:
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
    return len(sent), reply.json
