"""What is past its time goes, what is not stays; in steps, and of no newer version of the app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.app.app import App
from shared.incidents.model import Facts, Incident, IncidentState, Who
from shared.ledger.flight import Flight
from shared.ledger.slices import Slice, partition_of
from shared.maintenance.retention import delete_expired
from shared.messages.delivery import delivery_id
from shared.rules.rule import PARTNER
from shared.signin.careful import Quarantined
from shared.store.alerts import PARTITION as ALERTS
from shared.store.contributions import Change, Contributor, contribute, slices_of
from shared.store.findings import quarantined_row
from shared.store.flights import change_flight
from shared.store.incident_rows import incident_columns, shard_of
from shared.store.incidents import read_incident
from shared.store.ledger import new_head
from shared.store.rollups import roll_up
from shared.store.tables import SCHEMA, Operation, Table, insert, keys
from tests.functions.asking import app_over, write_rows

NOW = datetime(2026, 11, 20, 2, 40, tzinfo=UTC)
DAY = timedelta(days=1)
GONE = "99999999-9999-9999-9999-999999999999"  # a tenant that is no longer watched
OLD, NEW = NOW - 402 * DAY, NOW - 399 * DAY


@pytest.fixture
async def app(azurite: str) -> AsyncIterator[App]:
    async with app_over(azurite, NOW) as made:
        yield made


async def names(table: Table) -> set[str]:
    return {f"{row['PartitionKey']} {row['RowKey']}" async for row in table.everything()}


async def day_of(app: App, tenant: str, at: datetime) -> None:
    """A slice with a finding and a quarantined record, and its roll-ups."""
    tables = await app.tables()
    slice_ = Slice(tenant, at.replace(hour=9, minute=0), timedelta(minutes=15))
    await tables.slices.transact(
        [
            new_head(slice_, at, "1"),
            insert({**keys(slice_.partition, "find-090100000000-a"), "v": SCHEMA}),
            insert(quarantined_row(slice_, Quarantined("why", b"{}", 0))),
        ]
    )
    await roll_up(tables.slices, tables.rollups, tenant, at, [timedelta(0)])


async def test_the_days_of_every_tenant_end_after_their_time(app: App) -> None:
    tables = await app.tables()
    await change_flight(tables.control, Flight(GONE), first_seen=OLD)
    for tenant in (PARTNER, GONE):
        for at in (OLD, NEW, NOW - 32 * DAY, NOW - 29 * DAY):
            await day_of(app, tenant, at)
    await delete_expired(app)
    left = await names(tables.slices)
    for tenant in (PARTNER, GONE):
        kinds = {
            at: sorted(name.split()[1][:4] for name in left if name.startswith(partition_of(tenant, at)))
            for at in (OLD, NEW, NOW - 32 * DAY, NOW - 29 * DAY)
        }
        assert kinds[OLD] == []
        assert kinds[NEW][:2] == ["find", "head"]
        assert kinds[NOW - 32 * DAY] == ["find", "head"]
        assert kinds[NOW - 29 * DAY] == ["find", "head", "quar"]
    days = await names(tables.rollups)
    assert not [name for name in days if f"{OLD:%Y%m%d}" in name]
    assert (
        len([name for name in days if f"{NEW:%Y%m%d}" in name]) == 10
    )  # the partner's totals, six kinds of lines, samples, and a block of two tenants
    assert await delete_expired(app) == 0


async def test_the_setting_says_how_long(azurite: str) -> None:
    async with app_over(azurite, NOW) as made:
        made.settings = made.settings.model_copy(
            update={"finding_retention_days": 30, "quarantine_retention_days": 2, "lookback_days": 30}
        )
        for at in (NOW - 31 * DAY, NOW - 30 * DAY, NOW - 3 * DAY, NOW - DAY):
            await day_of(made, PARTNER, at)
        await delete_expired(made)
        left = await names((await made.tables()).slices)
        assert len([name for name in left if " head-" in name]) == 3
        assert len([name for name in left if " quar-" in name]) == 1


async def test_rows_of_a_newer_version_are_left_to_it(app: App) -> None:
    table = (await app.tables()).slices
    await write_rows(
        table, [{**keys(partition_of(PARTNER, OLD), f"find-{i}"), "v": SCHEMA + i % 2} for i in range(150)]
    )
    await delete_expired(app)
    left = {int(name.rpartition("-")[2]) % 2 for name in await names(table)}
    assert left == {1}
    assert len(await names(table)) == 75


async def test_a_run_that_is_cut_short_is_gone_on_with(app: App) -> None:
    table = (await app.tables()).slices
    await write_rows(table, [{**keys(partition_of(PARTNER, OLD), f"find-{i:04d}"), "v": SCHEMA} for i in range(450)])
    left = []
    while await names(table):
        await delete_expired(app, rows=200)
        left.append(len(await names(table)))
    assert left == [250, 50, 0]


# --- incidents and what was told --------------------------------------------------------------------------------------


def incident(key: str, state: IncidentState, at: datetime) -> Incident:
    facts = Facts(1, at, at, frozenset({"legacy-auth"}), 4, 4)
    who = Who("user", "jane@partner.example", "customer", "app", "App")
    return Incident(key, who, facts, state=state, resolved_at=at, grew_at=at)


async def test_incidents_closed_long_ago_go_with_all_that_is_theirs(app: App) -> None:
    tables = await app.tables()
    long_closed, closed, still_open = "0" * 32, "1" + "0" * 31, "f" * 32
    for key, state, at in (
        (long_closed, IncidentState.RESOLVED, OLD),
        (closed, IncidentState.RESOLVED, NEW),
        (still_open, IncidentState.OPEN, OLD),
    ):
        shard = shard_of(key)
        rows: list[Mapping[str, Any]] = [
            incident_columns(incident(key, state, at)),
            *({**keys(shard, f"part-{key}-slice-{i}"), "v": SCHEMA} for i in range(120)),
            {**keys(shard, f"history-{key}-00000001"), "v": SCHEMA},
        ]
        await write_rows(tables.incidents, rows)
        await write_rows(tables.alerts, [{**keys(ALERTS, f"item-soc-{key}-event"), "v": SCHEMA}])
    await delete_expired(app)
    left = await names(tables.incidents) | await names(tables.alerts)
    assert not [name for name in left if long_closed in name]
    for key in (closed, still_open):
        assert len([name for name in left if key in name]) == 123


async def test_a_sign_in_that_comes_while_its_old_incident_is_removed_is_counted_from_nothing(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, key = (await app.tables()).incidents, "0" * 32
    old = incident(key, IncidentState.RESOLVED, OLD)
    rows = [{**keys(shard_of(key), f"part-{key}-slice-{i}"), "v": SCHEMA} for i in range(120)]
    await write_rows(table, [incident_columns(replace(old, facts=replace(old.facts, count=120))), *rows])
    slice_ = Slice(PARTNER, NOW - DAY, timedelta(minutes=15))
    change: Change = {slice_: (old.who, replace(old.facts, first=slice_.start, last=slice_.start))}
    transact, came = table.transact, False

    async def after_a_sign_in(operations: Iterable[Operation]) -> list[str]:
        nonlocal came
        if not came:
            came = True
            await contribute(table, key, change, Contributor("1", NOW, first_scan=False))
        return await transact(operations)

    monkeypatch.setattr(table, "transact", after_a_sign_in)
    await delete_expired(app)
    assert came
    found = await read_incident(table, key)
    assert found is not None
    assert (found[0].facts.count, found[0].state) == (1, IncidentState.OPEN)
    assert await slices_of(table, key) == [slice_.id]


async def test_deliveries_end_after_their_time_but_those_under_way(app: App) -> None:
    table = (await app.tables()).alerts
    old, new = (delivery_id(at, "soc", "msg") for at in (OLD, NEW))
    every = [f"{kind}-{id_}" for id_ in (old, new) for kind in ("delivery-0", "delivery-1", "redelivery")]
    await write_rows(table, [{**keys(ALERTS, name), "v": SCHEMA} for name in every])
    await delete_expired(app)
    kept = {"delivery-0-" + old, "delivery-0-" + new, "delivery-1-" + new, "redelivery-" + new}
    assert {name.split()[1] for name in await names(table)} == kept


# --- sessions ---------------------------------------------------------------------------------------------------------


def session_rows(person: int, at: datetime) -> list[dict[str, Any]]:
    partition = f"person-{person:032x}"
    slice_ = Slice(PARTNER, at.replace(hour=0, minute=0), timedelta(minutes=15))
    return [
        {**keys(partition, f"s-root-{at:%Y%m%d}"), "v": SCHEMA, "at": at, "proves": "satisfied"},
        {**keys(partition, f"s-ask-{slice_.id}"), "v": SCHEMA},
    ]


async def test_sessions_end_after_120_days_a_part_of_them_a_night(app: App) -> None:
    table = (await app.tables()).sessions
    ages = (130 * DAY, 100 * DAY)
    await write_rows(table, [row for p in range(40) for age in ages for row in session_rows(p, NOW - age)])
    assert await delete_expired(app) == 80
    left = await names(table)
    assert len(left) == 80
    assert not [name for name in left if f"{NOW - 130 * DAY:%Y%m%d}" in name]


async def test_a_short_night_goes_on_with_the_next_people(app: App) -> None:
    table = (await app.tables()).sessions
    await write_rows(table, [row for p in range(40) for row in session_rows(p, NOW - 130 * DAY)])
    nights = 0
    while await names(table):
        await delete_expired(app, rows=130)
        nights += 1
    assert nights == 3
