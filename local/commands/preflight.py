"""`python -m local preflight`: whether an installation has what it needs, with the settings of this environment.

The same settings and the same managed identity as the app's apply: where a machine has none, nothing about Graph can be
found out there, and the deployed app says it (GET /api/preflight). Nothing is sent to webhooks; what was found is kept
for the coverage.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys

from shared.app.app import App
from shared.app.log_levels import quiet_libraries
from shared.app.settings import SettingsError, load_settings
from shared.preflight.model import Preflight
from shared.preflight.run import lines, preflight


def main(argv: list[str]) -> int:
    """Check and print; 0 when all is ok, 1 when something is missing, 3 when something is unknown, 2 on misuse."""
    parser = argparse.ArgumentParser(prog="python -m local preflight", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print what GET /api/preflight answers")
    options = parser.parse_args(argv)
    try:
        said = asyncio.run(_run())
    except SettingsError as error:
        print(f"preflight: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(said.model_dump_json(by_alias=True))
    else:
        print("\n".join(lines(said.checks)))
        print(f"\n{len(said.checks)} checks: {said.missing} missing, {said.unknown} unknown.")
    return 1 if said.missing else 3 if said.unknown else 0


async def _run() -> Preflight:
    app = App(load_settings())
    quiet_libraries(logging.CRITICAL)  # each check says what went wrong, once
    try:
        return await preflight(app)
    finally:
        await app.close()
