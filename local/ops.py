"""`python -m local ops …`: what operators do to the running app's tables, with the settings of this environment.

The same settings as the app's apply (AzureWebJobsStorage__tableServiceUri and an identity, or AzureWebJobsStorage).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from shared.directory import DirectoryFile
from shared.monitor import Monitor
from shared.scan.operate import release, rescan
from shared.settings import SettingsError, load_settings
from shared.store.directory import save_directory


def main(argv: list[str]) -> int:
    """Run one command; 0 when it was done, 2 on misuse."""
    parser = argparse.ArgumentParser(prog="python -m local ops", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (("release", "have parked slices tried again"), ("rescan", "have a period read again")):
        command = commands.add_parser(name, help=text)
        command.add_argument("--from", dest="first", type=_time, required=True, metavar="ISO", help="first instant")
        command.add_argument("--to", dest="end", type=_time, required=True, metavar="ISO", help="first instant behind")
        command.add_argument("--tenant", help="one tenant only")
    load = commands.add_parser("load-directory", help="load roster, customers and federated domains from a file")
    load.add_argument("file", type=Path)
    options = parser.parse_args(argv)
    try:
        print(asyncio.run(_run(options)))
    except (SettingsError, OSError, ValueError) as error:
        print(f"ops: {error}", file=sys.stderr)
        return 2
    return 0


async def _run(options: argparse.Namespace) -> str:
    monitor = Monitor(load_settings())
    try:
        if options.command == "load-directory":
            try:
                file = DirectoryFile.model_validate_json(options.file.read_bytes())
            except ValidationError as error:
                first = error.errors(include_url=False, include_input=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                raise ValueError(f"{options.file}: {where}: {first['msg']}") from None
            await save_directory((await monitor.tables()).directory, file, monitor.clock())
            return f"{len(file.delegated_admins)} delegated admins and {len(file.customers)} customers loaded."
        tenants = [options.tenant] if options.tenant else [*monitor.settings.tenants]
        work = release if options.command == "release" else rescan
        done = sum([await work(monitor, tenant, options.first, options.end) for tenant in tenants])
        return f"{done} slices will be read by the next plan."
    finally:
        await monitor.close()


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
