"""Work that is measured in a process of its own."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from local.stage.stack import CHECKOUT


async def said_by(module: str, *words: str, environment: Mapping[str, str]) -> Any:
    """Run a module of the checkout to its end. Returns the JSON that it printed. Raises RuntimeError where it fails."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words),
        cwd=CHECKOUT,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{module} ended with exit code {process.returncode}")
    return json.loads(said)
