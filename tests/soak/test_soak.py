"""`make soak`: the matrix once, each fault alone, then kills at random moments until the time is up.

SOAK_MINUTES (40) is how long; the matrix is finished in any case. SOAK_FAULTS chooses rows by parts of their names,
with commas between; "kills" goes straight to the kills.
SOAK_REPORT names a file that gets the table with this run's figures, as docs/faults.md is.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scan.canonical import View
from tests.soak.faults import MATRIX, FaultRow
from tests.soak.rig import DAYS, Rig, rig

pytestmark = pytest.mark.soak

_MINUTES = float(os.environ.get("SOAK_MINUTES", "40"))
_CHOSEN = [part.strip().lower() for part in os.environ.get("SOAK_FAULTS", "").split(",") if part.strip()]
_REPORT = os.environ.get("SOAK_REPORT")


@dataclass(frozen=True, slots=True)
class Row:
    """What a round gave."""

    name: str
    how: str
    seconds: float
    wrong: Sequence[str]
    messages: int


@dataclass(frozen=True, slots=True)
class Clean:
    """What a round without a fault made: the tables, the numbers of the summary, the keys of the incidents."""

    view: View
    numbers: Any
    incidents: frozenset[str]


async def _clean(at: Rig) -> Clean:
    await at.begin()
    await at.start()
    await at.settle()
    true = frozenset(incident.key for incident in await at.incidents() if not incident.is_withdrawn)
    assert await at.wrong_words(true) == []
    return Clean(await at.view(), await _numbers(at), true)


async def _numbers(at: Rig) -> Any:
    summary = await at.ask("GET", f"summary?days={DAYS + 9}&scope=customer,partner-center,partner-tenant,guest")
    return {name: summary[name] for name in ("delegatedSignIns", "byScope", "byRule", "byEvidence")}


async def _round(at: Rig, row: FaultRow, clean: Clean) -> Row:
    """One fault, and everything that is wrong after it."""
    began = time.monotonic()
    wrong: list[str] = []
    await at.begin()
    try:
        await row.act(at)
        await at.settle()
    except TimeoutError:
        wrong.append("it was not over within five minutes: the coverage is not whole, or something is still due")
    except (AssertionError, LookupError, ValueError) as error:
        wrong.append(f"it could not be done: {error!r}")
    if at.hosts and await _numbers(at) != clean.numbers:
        wrong.append("the summary says other numbers")
    if not row.numbers_alone:
        wrong += await at.differences(clean.view)
    wrong += await at.wrong_words(None if row.says_otherwise else clean.incidents)
    return Row(row.name, row.how, time.monotonic() - began, wrong, at.messages)


async def test_the_matrix_and_then_kills(tmp_path: Path) -> None:
    end = time.monotonic() + _MINUTES * 60
    rows: list[Row] = []
    async with rig(tmp_path) as at:
        clean = await _clean(at)
        for row in MATRIX:
            if not _CHOSEN or any(part in row.name.lower() for part in _CHOSEN):
                rows.append(await _round(at, row, clean))
                await _tell(rows, 0)
        kills = at.kills
        draw = random.Random(7)  # noqa: S311 - a seed makes the run repeatable
        while time.monotonic() < end and (not _CHOSEN or "kills" in _CHOSEN):
            seed = draw.randrange(1_000_000)
            row = FaultRow(f"kills, seed {seed}", "kills at random moments", _kills(draw.randint(3, 8), seed))
            rows.append(await _round(at, row, clean))
            await _tell(rows, at.kills - kills)
    assert [f"{row.name}: {line}" for row in rows for line in row.wrong] == []


def _kills(times: int, seed: int) -> Any:
    """A slice that is killed for the fourth time waits for eight minutes; here for half a minute."""

    async def act(at: Rig) -> None:
        draw = random.Random(seed)  # noqa: S311 - as above
        first = "_FIRST_BACKOFF: Final = timedelta(seconds=30)\n"
        hasty = at.patched("hasty-kills", "shared/ledger/head.py", first, first.replace("30", "2"))
        for _ in range(times):
            await at.start(app=hasty)
            await asyncio.sleep(draw.uniform(0.3, 5))
            await at.kill()
        await at.start(app=hasty)

    return act


async def _tell(rows: Sequence[Row], kills: int) -> None:
    """Say what the last round gave, and write the table as far as it is."""
    row = rows[-1]
    print(f"{row.name}: {row.seconds:.0f} s, {len(row.wrong)} wrong", *row.wrong[:5], sep="\n  ", flush=True)  # noqa: T201
    if _REPORT:
        await asyncio.to_thread(Path(_REPORT).write_text, _table(rows, kills), "utf-8")


def _table(rows: Sequence[Row], kills: int) -> str:
    places = {row.name: place for place, row in enumerate(MATRIX)}
    matrix = sorted((row for row in rows if row.name in places), key=lambda row: places[row.name])
    rest = [row for row in rows if row.name not in places]
    lines = [
        "# Faults",
        "",
        "`make soak` runs the app's real worker over Azurite, the local Graph and a receiver of alerts, and breaks one",
        "thing at a time. Each row begins with empty tables and ends when nothing is due and nothing waits to be told.",
        "Then four things must hold: the tables say what a round without a fault made them say, row by row (for an",
        "erasure, which renames people, the numbers); the summary says the same numbers; the coverage is whole; and",
        "two channels, one of which wants the worst alone, heard what the model of tests/alerts/channel_model.py says:",
        "the last word about each incident is what stands, no message says what was said before, and none tells an",
        "incident that the log does not hold (unless the fault is that the log said otherwise for a while).",
        "SOAK_MINUTES (40) is how long all of it goes on with kills, SOAK_FAULTS chooses rows, SOAK_REPORT writes",
        "this page.",
        "",
        "Beside the matrix `make soak` runs an attacker's log over days of the app's own clock (tests/soak/",
        "test_attacker.py: a flood, an acknowledged incident, an agent, odd text in every member), and has five people",
        "erased over HTTP (tests/soak/test_erasure.py: every number of every answer before, after and after two",
        "rescans, and no name in tables, blobs, answers or the log of the host).",
        "",
        f"A run of {datetime.now(UTC):%Y-%m-%d}; seconds are from empty tables to calm, on a busy machine.",
        "",
        "| fault | how | seconds | messages | differences |",
        "|---|---|---:|---:|---:|",
        *(f"| {r.name} | {r.how} | {r.seconds:.0f} | {r.messages} | {len(r.wrong)} |" for r in matrix),
        *(
            f"| {r.name} | {r.how} | not in this run | | |"
            for r in MATRIX
            if r.name not in {row.name for row in matrix}
        ),
        "",
    ]
    if rest:
        wrong = sum(len(row.wrong) for row in rest)
        lines += [f"After that {kills} kills at random moments in {len(rest)} rounds: {wrong} differences.", ""]
    return "\n".join(lines)
