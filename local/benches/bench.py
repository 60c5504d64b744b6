"""`make bench`: ratios against named peers and limits, measured in one run, as a table and as bench.json.

`python -m local bench PART …` measures some parts alone (local/benches/parts.py); each runs in a process of its own and
is ended when it takes longer than it may. bench.json is a list of objects, one a row: `part`, `name`, `ours`, `peer`,
`unit`, `ratio` (the greater the better: peer / ours, or ours / peer where more is better), `spread` (its quartiles),
`goal` (such as ">= 1.3", null where a row only informs) and `holds`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from local.benches.parts import PARTS
from local.benches.rows import Row
from local.stage.stack import CHECKOUT

_PROGRAM: Final = (sys.executable, "-m", "local", "bench")


def _measured(part: str) -> list[Row]:
    """The rows of a part. One that fails or takes too long is a row that misses its goal."""
    minutes = PARTS[part].minutes
    started = time.perf_counter()
    why = f"did not end within {minutes} minutes"
    try:
        ran = subprocess.run(
            [*_PROGRAM, "--rows-of", part], stdout=subprocess.PIPE, text=True, timeout=60 * minutes, cwd=CHECKOUT
        )
        if ran.returncode == 0:
            return [Row(**{**row, "spread": tuple(row["spread"])}) for row in json.loads(ran.stdout)]
        why = f"ended with exit code {ran.returncode}"
    except subprocess.TimeoutExpired:
        pass  # what it started ends with its input
    spent = round((time.perf_counter() - started) / 60, 1)
    return [Row(f"{part}: {why}", spent, minutes, "minutes", 0, (0, 0), ">= 1")]


def _show(console: Console, rows: Sequence[Row]) -> None:
    table = Table()
    for heading in ("name", "ours", "peer", "unit", "ratio", "quartiles", "goal", ""):
        table.add_column(heading, overflow="fold")
    for row in rows:
        mark = {True: "[green]holds[/]", False: "[red]missed[/]", None: ""}[row.holds]
        low, high = row.spread
        table.add_row(
            row.name, str(row.ours), str(row.peer), row.unit, f"{row.ratio} ×", f"{low}–{high}", row.goal or "–", mark
        )
    console.print(table)


def _as_json(part: str, row: Row) -> dict[str, Any]:
    return {"part": part, **asdict(row), "holds": row.holds}


def main(argv: list[str]) -> int:
    """Print the table and write bench.json; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m local bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; all of them if none is named")
    parser.add_argument("--out", type=Path, default=Path("bench.json"))
    parser.add_argument("--rows-of", choices=[*PARTS], help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.rows_of:
        print(json.dumps([asdict(row) for row in PARTS[options.rows_of].rows()]))
        return 0
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    console = Console(highlight=False)
    console.width = max(console.width, 150)  # a table in a log must not be folded to 80 columns
    found: dict[str, list[Row]] = {}
    for part in options.parts or PARTS:
        started = time.perf_counter()
        with console.status(f"Measuring {part}, at most {PARTS[part].minutes} minutes …"):
            found[part] = _measured(part)
        console.print(f"{part}: {time.perf_counter() - started:.0f} s")
    _show(console, [row for rows in found.values() for row in rows])
    written = [_as_json(part, row) for part, rows in found.items() for row in rows]
    options.out.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    console.print(f"Written to {options.out}.")
    return 0 if all(row["holds"] is not False for row in written) else 1
