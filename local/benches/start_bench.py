"""How long the app takes until the worker has indexed it, beside an app with one empty function and the same libraries.

Each is indexed by the production worker's own library (local/host/worker.py) in a fresh process, with bytecode from a
first run as Python keeps it; measured is the processor time of the whole process.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.stage.stack import CHECKOUT

_RUNS: Final = 5
_EMPTY: Final = """
import azure.functions as func
import azure.data.tables.aio
import azure.identity.aio
import pydantic
app = func.FunctionApp()
@app.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
def nothing(timer: func.TimerRequest) -> None: ...
"""
_INDEX: Final = """
import asyncio, json, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from local.host.worker import index
import azure_functions_runtime
functions = asyncio.run(index(Path(sys.argv[1])))
indexed, modules = time.process_time(), sorted(sys.modules)
for part in sys.argv[3:]: __import__(part)
print(json.dumps([indexed, time.process_time(), len(functions), modules]))
"""
_ANSWERS: Final = "functions.answers"
ONLY_FOR_SCANS: Final = frozenset({"msgraph", "msgraph_core", "kiota_http", "kiota_abstractions"})
"""Packages that nothing may import before a scan needs them."""


@dataclass(frozen=True, slots=True)
class Start:
    """Processor seconds of ours and of the empty app as medians, the ratio ours / empty with its quartiles, the seconds
    of ours until it can answer for the summary, and how many functions it has."""

    ours: float
    empty: float
    ratio: float
    spread: tuple[float, float]
    answers: float
    functions: int


def measure_start(runs: int = _RUNS) -> Start:
    """Index both in turn, so many times after one to warm up."""
    with tempfile.TemporaryDirectory() as folder:
        empty = Path(folder)
        (empty / "function_app.py").write_text(_EMPTY, encoding="utf-8")
        (empty / "host.json").write_text('{"version": "2.0"}', encoding="utf-8")
        bytecode = empty / "bytecode"
        found = [(index_once(CHECKOUT, bytecode, _ANSWERS), index_once(empty, bytecode)) for _ in range(runs + 1)][1:]
    ratios = sorted(ours.seconds / empties.seconds for ours, empties in found)
    lower, _, upper = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0],) * 3
    return Start(
        ours=round(statistics.median(ours.seconds for ours, _ in found), 2),
        empty=round(statistics.median(empties.seconds for _, empties in found), 2),
        ratio=round(statistics.median(ratios), 2),
        spread=(round(lower, 2), round(upper, 2)),
        answers=round(statistics.median(ours.seconds_with_part for ours, _ in found), 2),
        functions=found[0][0].functions,
    )


@dataclass(frozen=True, slots=True)
class Indexed:
    """One start: processor seconds, those with a part imported that is called then, how many functions there are, and
    the modules that were imported."""

    seconds: float
    seconds_with_part: float
    functions: int
    modules: frozenset[str]

    @property
    def packages(self) -> frozenset[str]:
        """The outermost names of the modules."""
        return frozenset(module.partition(".")[0] for module in self.modules)


def index_once(app: Path, bytecode: Path | None = None, *parts: str) -> Indexed:
    """Index an app in a process of its own, then import modules; `bytecode` is where Python keeps it, None: nowhere."""
    environment = {**os.environ, "AUTH_MODE": "local", "AzureWebJobsStorage": "UseDevelopmentStorage=true"}
    environment["PARTNER_TENANT_ID"] = "11111111-1111-1111-1111-111111111111"
    if bytecode is not None:
        environment |= {"PYTHONPYCACHEPREFIX": str(bytecode), "PYTHONDONTWRITEBYTECODE": ""}
    ran = subprocess.run(
        [sys.executable, "-c", _INDEX, str(app), str(CHECKOUT), *parts],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=app,
    )
    seconds, with_part, functions, modules = json.loads(ran.stdout.splitlines()[-1])
    return Indexed(seconds, with_part, functions, frozenset(modules))
