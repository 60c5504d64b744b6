"""Two versions of the app at once: rows of the newer one are left alone, and its columns survive our updates."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from azure.data.tables import UpdateMode

from shared.incidents.model import ALL_SCOPES
from shared.operations.slices import rescan
from shared.rules.rule import PARTNER, SILENT
from shared.store.outlines import outline_incidents
from shared.store.tables import SCHEMA, Table, Tables, keys, upsert
from tests.scan.canonical import raw
from tests.scan.harness import Rig, record, rig
from tests.scan.stories import (
    EARLY,
    LATE,
    MINUTE,
    RICH,
    SEVEN,
    WIDTH,
    corrected_log,
    full_log,
    silent,
    weak,
)

type Rows = dict[tuple[str, str], dict[str, Any]]
NEWER = {"v": SCHEMA + 1, "newColumn": "of the newer version"}


def every_table(tables: Tables) -> dict[str, Table]:
    return {
        "slices": tables.slices,
        "incidents": tables.incidents,
        "sessions": tables.sessions,
        "rollups": tables.rollups,
        "control": tables.control,
    }


async def overlay(table: Table, columns: dict[str, Any], *beginnings: str) -> Rows:
    """Lay these columns over the rows whose keys begin so; gives them as they are then."""
    for partition, key in await raw(table):
        if key.startswith(beginnings):
            await table.write(("upsert", {"PartitionKey": partition, "RowKey": key, **columns}))
    return {key: row for key, row in (await raw(table)).items() if key[1].startswith(beginnings)}


async def test_unknown_columns_survive_whatever_we_write(desk: Rig) -> None:
    full_log(desk)
    desk.set_time(LATE)
    await desk.work()
    tables = await desk.tables()
    for table in every_table(tables).values():
        await overlay(table, {"newColumn": "kept"}, "")
    before = {name: await raw(table) for name, table in every_table(tables).items()}
    corrected_log(desk)
    desk.pass_time(MINUTE)
    await rescan(desk.app, PARTNER, RICH.start, desk.now)
    await desk.work()
    changed = 0
    for name, table in every_table(tables).items():
        for key, row in (await raw(table)).items():
            if key in before[name]:
                assert row.get("newColumn") == "kept", key
                changed += row != before[name][key]
    assert changed > 10


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("slices", "head-"),
        ("slices", "find-"),
        ("slices", "quar-"),
        ("incidents", "incident-"),
        ("incidents", "part-"),
        ("sessions", "session"),
        ("rollups", "block-"),
        ("rollups", "day-"),
        ("control", "flight"),
    ],
)
async def test_rows_of_a_newer_version_are_left_alone(desk: Rig, name: str, beginning: str) -> None:
    full_log(desk)
    desk.set_time(LATE)
    await desk.work()
    table = every_table(await desk.tables())[name]
    newer = await overlay(table, NEWER, beginning)
    assert newer
    corrected_log(desk)
    desk.pass_time(MINUTE)
    await rescan(desk.app, PARTNER, RICH.start, desk.now)
    await desk.work()
    after = await raw(table)
    # An ask says no more than that it is there, so that writing it again changes nothing.
    assert {key: after.get(key) for key in newer if "-ask-" not in key[1]} == {
        key: row for key, row in newer.items() if "-ask-" not in key[1]
    }


@pytest.mark.parametrize(
    ("name", "beginning"), [("slices", "find-"), ("rollups", "block-"), ("rollups", "day-"), ("sessions", "session")]
)
async def test_rows_of_a_newer_version_may_lack_what_ours_have(desk: Rig, name: str, beginning: str) -> None:
    """A newer version may have given columns other names: nothing may fall over that."""
    full_log(desk)
    desk.set_time(LATE)
    await desk.work()
    table = every_table(await desk.tables())[name]
    for partition, key in await raw(table):
        if key.startswith(beginning):
            await table.write(("delete", {"PartitionKey": partition, "RowKey": key}))
            await table.write(("upsert", {"PartitionKey": partition, "RowKey": key, "v": SCHEMA + 1}))
    corrected_log(desk)
    desk.pass_time(MINUTE)
    await rescan(desk.app, PARTNER, RICH.start, desk.now)
    await desk.work()
    assert {row["v"] for (_, key), row in (await raw(table)).items() if key.startswith(beginning)} >= {SCHEMA + 1}


async def test_an_incident_of_an_older_version_is_of_all_scopes_until_its_slices_are_read_again(desk: Rig) -> None:
    desk.log(record("a", SEVEN, **SILENT), record("b", RICH.start - 60 * MINUTE, **SILENT))
    await desk.work()
    table = (await desk.tables()).incidents
    for _, row in (await raw(table)).items():
        older = {name: value for name, value in row.items() if name != "scopes"}
        await table.write(("upsert", older, {"mode": UpdateMode.REPLACE}))
    everything = ",".join(sorted(ALL_SCOPES))
    assert await _open(table, ["partner-tenant"]) == 1
    desk.correct(record("a", SEVEN))
    desk.pass_time(16 * MINUTE)
    await desk.work()
    assert [(i["count"], i["scopes"]) for i in (await desk.incidents()).values()] == [(1, everything)]
    desk.correct(record("b", RICH.start - 60 * MINUTE, **SILENT, userAgent="seen again"))
    await rescan(desk.app, PARTNER, RICH.start - RICH.width, desk.now)
    await desk.work()
    assert [(i["count"], i["scopes"]) for i in (await desk.incidents()).values()] == [(1, "customer")]


async def test_a_finding_of_a_newer_version_still_counts_in_its_incident(desk: Rig) -> None:
    desk.log(weak("a", SEVEN), weak("b", SEVEN))
    await desk.work()
    await overlay((await desk.tables()).slices, NEWER, "find-")
    desk.pass_time(16 * MINUTE)
    await desk.work()
    assert [i["count"] for i in (await desk.incidents()).values()] == [2]
    assert await desk.events() == ["opened"]


async def test_a_finding_of_a_newer_version_whose_record_is_gone_makes_its_slice_incomplete(desk: Rig) -> None:
    desk.log(weak("a", SEVEN), record("b", SEVEN))
    await desk.work()
    await overlay((await desk.tables()).slices, NEWER, "find-")
    desk.hide("a")
    desk.log(record("c", SEVEN))
    desk.pass_time(16 * MINUTE)
    await desk.work()
    assert not (await desk.head(RICH)).consistent


async def test_a_newer_version_at_a_slice_holds_up_no_other(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH) as desk:
        await desk.work()
        heads = await overlay((await desk.tables()).slices, NEWER, f"head-{RICH.name}")
        desk.reads.clear()
        desk.log(silent("child", LATE - 60 * MINUTE, "s"))
        desk.set_time(LATE)
        await desk.work()
        assert RICH not in desk.reads
        assert desk.reads
        after = await raw((await desk.tables()).slices)
        assert {key: after[key] for key in heads} == heads


async def _open(table: Table, scopes: list[str]) -> int:
    """How many incidents with findings of these scopes are open."""
    found = await outline_incidents(table)
    return sum(incident.state == "open" and not incident.scopes.isdisjoint(scopes) for incident in found)


async def test_a_mark_that_an_older_version_leaves_on_a_day_at_rest_is_found_within_hours(desk: Rig) -> None:
    desk.log(weak("a", SEVEN))
    await desk.work()
    slices = (await desk.tables()).slices
    await slices.write(upsert({**keys(RICH.partition, f"due-{RICH.name}"), "v": 1, "mark": "old"}))
    before = len(desk.reads)
    for _ in range(desk.settings.lookback_days + 2):
        desk.pass_time(timedelta(minutes=5))
        await desk.work()
    assert RICH in desk.reads[before:]
    assert await slices.get(RICH.partition, f"due-{RICH.name}") is None
