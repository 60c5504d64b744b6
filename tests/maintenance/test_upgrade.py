"""The upgrade: two versions of the app, as worker hosts of their own, over the same tables, queues and log."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from local.host.process import HostProcess
from local.sample import make_sample, write_sample
from local.stage.stack import CHECKOUT, Stack, running_stack
from shared.ledger.head import SliceState
from shared.store.tables import SCHEMA, Tables
from tests.e2e.test_main_job import check_against_truth, eventually, whole

pytestmark = pytest.mark.e2e

DAYS = 7  # the shortest sample
NEVER = "0 0 0 1 1 *"
SETTINGS = {
    "SCAN_SCHEDULE": "*/2 * * * * *",
    "ALERT_SCHEDULE": NEVER,
    "DIRECTORY_SCHEDULE": NEVER,
    "MAINTENANCE_SCHEDULE": NEVER,
    "SLICE_MINUTES": "480",
    "LOOKBACK_DAYS": str(DAYS + 1),
    "SLICE_LEASE_SECONDS": "3",
}
SLOWLY = {"GRAPH_REQUESTS_PER_10_SECONDS": "10"}  # so that the scan is still under way when the other version comes
QUICKLY = {"GRAPH_REQUESTS_PER_10_SECONDS": "1000"}
NEW = "columnOfTheNewVersion"

type Rows = list[dict[str, Any]]


def new_version(folder: Path, schema: int) -> Path:
    """A copy of the app whose rows have that schema version and a column more."""
    for part in ("functions", "shared"):
        shutil.copytree(CHECKOUT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("function_app.py", "host.json"):
        shutil.copy(CHECKOUT / file, folder / file)
    tables = folder / "shared/store/tables.py"
    text = tables.read_text("utf-8")
    for old, new in (
        (f"SCHEMA: Final = {SCHEMA}\n", f"SCHEMA: Final = {schema}\n"),
        ("    return kept\n", f'    return {{**kept, "{NEW}": "kept"}}\n'),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    tables.write_text(text, "utf-8")
    return folder


async def rows_of(stack: Stack, beginning: str) -> Rows:
    """The rows of the ledger's table whose keys begin so."""
    tables = Tables.connect(stack.connection)
    try:
        return [dict(row) async for row in tables.slices.everything() if row["RowKey"].startswith(beginning)]
    finally:
        await tables.close()


async def until(stack: Stack, holds: Callable[[Rows], bool]) -> Rows:
    """The heads, as soon as it holds of them; fails after a deadline that only a broken app reaches."""
    async with asyncio.timeout(120):
        while True:
            if holds(heads := await rows_of(stack, "head-")):
                return heads
            await asyncio.sleep(0.2)


def freeze(host: HostProcess, number: signal.Signals) -> None:
    """Stop a host where it stands (SIGSTOP), or let it go on (SIGCONT)."""
    assert host._process is not None
    os.killpg(host._process.pid, number)


@pytest.mark.soak
@pytest.mark.parametrize("schema", [pytest.param(SCHEMA, id="column"), pytest.param(SCHEMA + 1, id="schema")])
async def test_a_new_version_over_a_running_one_loses_nothing(schema: int, tmp_path: Path) -> None:
    """The old one stands still in the middle of a slice, the new one goes on with the scan, the old one awakes beside
    it and is ended. Then back: with the same schema the old one goes on; with a newer one it says what it cannot see.
    """
    settled = datetime.now(UTC) - timedelta(minutes=16)
    sample = make_sample(5, DAYS, settled.replace(hour=settled.hour // 8 * 8, minute=0, second=0, microsecond=0))
    write_sample(sample, tmp_path / "sample")
    app = new_version(tmp_path / "new", schema)
    async with running_stack(tmp_path / "sample", tmp_path, {**SETTINGS, **SLOWLY}, lease_seconds=5) as stack:
        await until(stack, lambda heads: sum(head["whole"] for head in heads) >= 3)
        freeze(stack.host, signal.SIGSTOP)
        settings = {**stack.settings, **QUICKLY}
        async with HostProcess(app, settings, lease_seconds=5, log=tmp_path / "new.log") as new:
            heads = await until(stack, lambda heads: sum(NEW in head for head in heads) >= 2)
            assert any(NEW not in head for head in heads), "the old version has done its part"
            freeze(stack.host, signal.SIGCONT)
            async with aiohttp.ClientSession(new.url) as http:
                summary = await eventually(http, f"/api/summary?days={DAYS}", lambda s: s["coverage"]["expectedSlices"])
                assert not whole(summary), "in the middle of the scan"
            await stack.host.stop()
            await check_against_truth(sample, new.url, DAYS)
        before = {(row["PartitionKey"], row["RowKey"]): row for row in await rows_of(stack, "")}
        assert {head["v"] for head in before.values() if "state" in head} == {SCHEMA, schema}
        assert not [key for key, row in before.items() if row.get("state") == SliceState.PARKED]
        async with HostProcess(CHECKOUT, settings, lease_seconds=5, log=tmp_path / "back.log") as old:
            if schema == SCHEMA:
                await check_against_truth(sample, old.url, DAYS)
            else:
                async with aiohttp.ClientSession(old.url) as http:
                    path = f"/api/summary?days={DAYS}"
                    assert not whole(await eventually(http, path, lambda s: s["coverage"]["expectedSlices"]))
        after = {(row["PartitionKey"], row["RowKey"]): row for row in await rows_of(stack, "")}
        newer = {key: row for key, row in before.items() if row.get("v", 0) > SCHEMA}
        assert {key: after[key] for key in newer} == newer
        assert {key for key, row in before.items() if NEW in row} <= {key for key, row in after.items() if NEW in row}
