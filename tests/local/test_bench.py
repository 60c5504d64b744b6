"""Parts of the bench run alone, and one that fails is told as a goal that is missed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.benches import bench
from local.benches.answers_bench import NOW
from local.benches.filled_partner import rows_of_findings
from local.benches.filling import Filling
from local.benches.parts import PARTS, Part
from local.benches.rows import at_most, beside
from shared.ledger.slices import DAY
from shared.store.findings import finding_of_row
from shared.store.tables import Tables


def test_a_part_runs_alone_and_is_written_down(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    assert bench.main(["package", "--out", str(out)]) == 0
    rows = json.loads(out.read_text())
    assert {row["part"] for row in rows} == {"package"}
    assert {"name", "ours", "peer", "unit", "ratio", "spread", "goal", "holds"} <= set(rows[0])


def test_a_part_that_does_not_end_is_a_goal_that_is_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "bench.json"
    monkeypatch.setitem(PARTS, "package", Part(PARTS["package"].rows, 0))
    assert bench.main(["package", "--out", str(out)]) == 1
    (row,) = json.loads(out.read_text())
    assert row["holds"] is False
    assert "did not end" in row["name"]


def test_what_is_measured_once_is_told_beside_what_it_may_be() -> None:
    assert at_most("a", 10, 20, "MB").holds is True
    assert at_most("a", 30, 20, "MB").holds is False
    assert beside("a", 10, 20, "MB", goal=None).holds is None


async def test_what_fills_the_emulator_is_read_as_the_store_wrote_it(azurite: str, tables: Tables) -> None:
    made = [*rows_of_findings(230, NOW - DAY, NOW)]
    async with Filling(azurite) as filling:
        await filling.write(f"{tables.prefix}slices", made)
    read = [row async for row in tables.slices.everything()]
    assert [finding_of_row(row) for row in read] == [finding_of_row(row) for row in made]
