"""`python -m local ops …`: what operators do to the running app's tables, with the settings of this environment.

The same settings as the app's apply: AzureWebJobsStorage__tableServiceUri and …__blobServiceUri, where whoever is
signed in to the Azure CLI or azd needs the storage's data roles; or AzureWebJobsStorage for this machine's emulator.
"""

from __future__ import annotations

import argparse
import asyncio
import getpass
import sys
import tempfile
from contextlib import AsyncExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from azure.core.exceptions import AzureError
from azure.identity.aio import AzureCliCredential, AzureDeveloperCliCredential, ChainedTokenCredential
from pydantic import JsonValue, ValidationError

from local.commands.directory import directory_text
from shared.app.app import App
from shared.app.settings import Settings, SettingsError, load_settings
from shared.ledger.register import ActKind
from shared.maintenance.erase import NoSuchPerson, StillOnRoster, erase_person
from shared.maintenance.export import export_tables
from shared.maintenance.lines import Damaged
from shared.maintenance.restore import NotEmpty, fetch, restore
from shared.operations.pause import pause_alerts
from shared.operations.register import Actor, note_act, shown_time
from shared.operations.slices import release, replay, rescan
from shared.signin.directory import DirectoryFile
from shared.store.directory import DirectoryMissing, save_directory
from shared.store.exports import Exports
from shared.store.tables import Tables

_PERIODS = {
    ActKind.RELEASE: (release, "have parked slices tried again"),
    ActKind.RESCAN: (rescan, "have a period read again"),
    ActKind.REPLAY: (replay, "have slices with quarantined records read again"),
}


def main(argv: list[str]) -> int:
    """Run one command; 0 when it was done, 2 on misuse, 1 when the storage refused."""
    options = _parser().parse_args(argv)
    try:
        print(asyncio.run(_run(options)))
    except (SettingsError, OSError, ValueError, LookupError, Damaged, NotEmpty, DirectoryMissing) as error:
        print(f"ops: {error}", file=sys.stderr)
        return 2
    except AzureError as error:
        print(f"ops: the storage did not do it: {error.message}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local ops", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, text) in _PERIODS.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--from", dest="first", type=_time, metavar="ISO", help="first instant (a month ago)")
        command.add_argument("--to", dest="end", type=_time, metavar="ISO", help="first instant behind (now)")
        command.add_argument("--tenant", help="one tenant only")
    pause = commands.add_parser("pause", help="tell no channel anything until a time; one that has passed ends it")
    pause.add_argument("--until", type=_time, required=True, metavar="ISO", help="within a week")
    erase = commands.add_parser("erase", help="remove a person from what is kept; the counts stay")
    erase.add_argument("--user", required=True, help="object id")
    erase.add_argument("--force", action="store_true", help="also somebody who is on the roster")
    commands.add_parser("export", help="export the tables now, once a day (UTC)")
    back = commands.add_parser("restore", help="fill empty tables with an export")
    back.add_argument("--from", dest="export", required=True, help="a day, YYYY-MM-DD, or a folder with its files")
    back.add_argument("--to", dest="target", help="address of a table service (that of the settings)")
    write = commands.add_parser("directory", help="write out roster, customers and federated domains as a file")
    write.add_argument("--out", default="-", metavar="PATH", help="default: standard output")
    load = commands.add_parser("load-directory", help="load roster, customers and federated domains from a file")
    load.add_argument("file", type=Path)
    return parser


async def _run(options: argparse.Namespace) -> str:
    settings = load_settings()
    async with AsyncExitStack() as stack:
        credential = ChainedTokenCredential(AzureCliCredential(), AzureDeveloperCliCredential())
        stack.push_async_callback(credential.close)
        connection = settings.storage_connection_string
        tables = Tables.connect(connection, settings.table_service_uri, None if connection else credential)
        app = App(settings, tables=tables)
        stack.push_async_callback(app.close)
        if options.command in ("export", "restore"):
            exports = Exports.connect(connection, settings.blob_service_uri, None if connection else credential)
            stack.push_async_callback(exports.close)
            if options.command == "export":
                return _listed("Exported", await export_tables(app, exports))
            target = await app.tables() if options.target is None else _elsewhere(stack, options.target, credential)
            return _listed("Restored", await _restore(options.export, exports, target))
        return await _do(app, settings, options)


async def _do(app: App, settings: Settings, options: argparse.Namespace) -> str:
    match options.command:
        case "load-directory":
            file = _directory_file(options.file)
            await save_directory((await app.tables()).directory, file, app.clock())
            return f"{len(file.delegated_admins)} delegated admins and {len(file.customers)} customers loaded."
        case "directory":
            return _written((await app.directory()).file, options.out)
        case "pause":
            until = await pause_alerts(app, options.until, _who().name)
            await note_act(app, ActKind.PAUSE, _who(), until=shown_time(until))
            return f"No alert is sent before {until.isoformat()}."
        case "erase":
            try:
                erased = await erase_person(app, options.user, _who(), force=options.force)
            except (NoSuchPerson, StillOnRoster) as refusal:
                raise ValueError(str(refusal)) from None
            rows = f"{erased.changed} rows changed and {erased.removed} removed"
            return f"{rows}; {erased.pseudonym} stands in their place."
        case _:
            kind = ActKind(options.command)
            work, _ = _PERIODS[kind]
            now = app.clock()
            first, end = options.first or now - timedelta(days=31), options.end or now
            tenants = [options.tenant] if options.tenant else [*settings.tenants]
            done = sum([await work(app, tenant, first, end) for tenant in tenants])
            period: dict[str, JsonValue] = {"from": shown_time(first), "to": shown_time(end)}
            await note_act(app, kind, _who(), **period, tenants=[*tenants], slices=done)
            return f"{done} slices will be read by the next plan."


def _who() -> Actor:
    """Who sits at this terminal, for show: the storage knows them by its own sign-in."""
    return Actor(f"{getpass.getuser()} (command line)")


async def _restore(source: str, exports: Exports, tables: Tables) -> dict[str, int]:
    if (folder := Path(source)).is_dir():
        return await restore(folder, tables)
    day = date.fromisoformat(source).isoformat()  # its words become the name of a blob
    with tempfile.TemporaryDirectory() as kept:
        await fetch(exports, day, Path(kept))
        return await restore(Path(kept), tables)


def _elsewhere(stack: AsyncExitStack, address: str, credential: ChainedTokenCredential) -> Tables:
    tables = Tables.connect(None, address, credential)
    stack.push_async_callback(tables.close)
    return tables


def _listed(what: str, rows: dict[str, int]) -> str:
    told = ", ".join(f"{name} {count}" for name, count in rows.items())
    return f"{what} {sum(rows.values())} rows: {told}." if rows else "There is nothing to do: today's export is there."


def _directory_file(path: Path) -> DirectoryFile:
    try:
        return DirectoryFile.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{path}: {where}: {first['msg']}") from None


def _written(file: DirectoryFile, out: str) -> str:
    text = directory_text(file)
    if out == "-":
        return text
    Path(out).write_text(text + "\n", encoding="utf-8")
    return f"{len(file.delegated_admins)} delegated admins and {len(file.customers)} customers written."


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
