"""`assess` of a large export, beside others who only parse the same file on the same processors.

Both are whole processes, one after the other on the same bytes; the peers judge nothing and print nothing.

Where the time goes, of 60,000 records in 370 MB on two processors (processor seconds; msgspec's decoding takes 1.35):
1.4 in reading, judging and writing lines, of which decoding is 0.6; 0.25 in starting; 0.2 in putting parts together,
with the sessions' roots and what waits for them on disk so that memory stays flat; the rest in having processes. What
a process says of a part stands in a file of its own (through a pipe it was copied four times), and roots are appended
without an index of their ids (of an id that may be read twice it is noted from where on it counts): both together
took a fifth off. Tried in vain: to freeze the collector's objects before the processes are made, to read 4 MB at
once, to count pairs of bytes to see whether a block is whole lines.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from local.sample import make_sample

_RECORDS: Final = 60_000
_MANY_RECORDS: Final = 180_000  # what takes the same at any length weighs less
_RUNS: Final = 5
_END: Final = datetime(2026, 11, 1, tzinfo=UTC)
# msgspec's decoder over the lines, each process its own part of the file.
_MSGSPEC: Final = """
import os, sys
from concurrent.futures import ProcessPoolExecutor
import msgspec
def decode(start, end):
    decode_line = msgspec.json.Decoder().decode
    with open(sys.argv[1], "rb") as file:
        file.seek(start)
        if start: file.readline()
        while file.tell() <= end and (line := file.readline()): decode_line(line)
size, workers = os.path.getsize(sys.argv[1]), os.process_cpu_count() or 1
places = [size * n // workers for n in range(workers + 1)]
with ProcessPoolExecutor(workers) as pool: list(pool.map(decode, places[:-1], places[1:]))
"""
_DUCKDB: Final = """
import sys, duckdb
duckdb.execute("SELECT max(id) FROM read_json(?, format = 'newline_delimited')", [sys.argv[1]])
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds that ours and a peer took for one file, as medians, with the ratio peer / ours and its quartiles."""

    peer_name: str
    megabytes: float
    ours: float
    peer: float
    ratio: float
    spread: tuple[float, float]


def measure_files() -> list[Measured]:
    """Ours beside msgspec over two lengths, and over the shorter beside jq and DuckDB where there are such."""
    return [*_measure(_RECORDS, _others()), *_measure(_MANY_RECORDS, {})]


def _others() -> dict[str, Sequence[str]]:
    """Commands that read the file named behind them."""
    others: dict[str, Sequence[str]] = {}
    if jq := shutil.which("jq"):
        others["jq"] = [jq, "-c", ".id"]
    if find_spec("duckdb"):
        others["DuckDB's read_json"] = [sys.executable, "-c", _DUCKDB]
    return others


def _measure(records: int, others: Mapping[str, Sequence[str]]) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        log, directory = _write(Path(folder), records)
        ours = [sys.executable, "-m", "local", "assess", str(log), "--directory", str(directory)]
        peers = {"msgspec": [sys.executable, "-c", _MSGSPEC], **others}
        return [_compare(name, ours, [*peer, str(log)], log.stat().st_size / 1e6) for name, peer in peers.items()]


def _write(folder: Path, records: int) -> tuple[Path, Path]:
    """A log with an id for each record, and its directory."""
    sample = make_sample(seed=7, days=30, end=_END)
    lines = [json.dumps(entry.final, separators=(",", ":")) for entry in sample.log if entry.is_unicode]
    log, directory = folder / "log.jsonl", folder / "directory.json"
    with log.open("w", encoding="utf-8") as file:
        for number in range(records):
            file.write(lines[number % len(lines)].replace('"id":"', f'"id":"{number:08x}', 1) + "\n")
    directory.write_text(json.dumps(sample.directory()), encoding="utf-8")
    return log, directory


def _compare(name: str, ours: Sequence[str], peer: Sequence[str], megabytes: float) -> Measured:
    pairs = [(_seconds(ours), _seconds(peer)) for _ in range(_RUNS)]
    ratios = sorted(theirs / own for own, theirs in pairs)
    lower, _, upper = statistics.quantiles(ratios, n=4)
    return Measured(
        name,
        round(megabytes, 1),
        round(statistics.median(own for own, _ in pairs), 2),
        round(statistics.median(theirs for _, theirs in pairs), 2),
        round(statistics.median(ratios), 2),
        (round(lower, 2), round(upper, 2)),
    )


def _seconds(command: Sequence[str]) -> float:
    started = time.perf_counter()
    subprocess.run(
        command,
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((".", os.environ.get("PYTHONPATH", "")))},
    )
    return time.perf_counter() - started
