"""What msgraph-sdk costs the deployed package: files, size and time at start, beside all that is deployed with it.

The app uses five of its modules, for sign-in, retry and transport; its models it does not use.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Final

from local.stage.stack import CHECKOUT

SDK: Final = "msgraph-sdk"
_IMPORTS: Final = """
import time
import azure.data.tables.aio, azure.identity.aio, httpx, kiota_abstractions, kiota_http, msgraph_core, pydantic
begin = time.perf_counter()
import msgraph.graph_request_adapter
import msgraph.generated.models.o_data_errors.o_data_error
print(time.perf_counter() - begin)
"""


@dataclass(frozen=True, slots=True)
class Price:
    """Files and megabytes as installed, without bytecode; `seconds` of an import after everything that it needs."""

    files: int
    files_of_all: int
    megabytes: float
    megabytes_of_all: float
    seconds: float


def price() -> Price:
    """Measure it, over the packages that requirements.txt names."""
    names = re.findall(r"^([A-Za-z0-9._-]+)==", (CHECKOUT / "requirements.txt").read_text(encoding="utf-8"), re.M)
    sizes = {name: _sizes(name) for name in names}
    ran = subprocess.run([sys.executable, "-c", _IMPORTS], capture_output=True, text=True, check=True)
    return Price(
        files=len(sizes[SDK]),
        files_of_all=sum(map(len, sizes.values())),
        megabytes=round(sum(sizes[SDK]) / 1e6, 1),
        megabytes_of_all=round(sum(map(sum, sizes.values())) / 1e6, 1),
        seconds=round(float(ran.stdout), 2),
    )


def _sizes(name: str) -> list[int]:
    """The bytes of each installed file of a package."""
    paths = (Path(str(file.locate())) for file in distribution(name).files or ())
    return [path.stat().st_size for path in paths if path.suffix != ".pyc" and path.is_file()]
