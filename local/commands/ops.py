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
from local.commands.rescan_forecast import NobodyReads, forecast_period, progress_bar, sending, told
from shared.app.app import App
from shared.app.settings import SettingsError, load_settings
from shared.basics.spelling import id_key
from shared.ledger.register import ActKind
from shared.maintenance.erase import NoSuchPerson, StillOnRoster, erase_person
from shared.maintenance.export import export_tables
from shared.maintenance.lines import Damaged
from shared.maintenance.restore import NotEmpty, fetch, restore
from shared.operations.pause import pause_alerts
from shared.operations.register import Actor, note_act, shown_time
from shared.operations.slices import accept, release, replay, rescan
from shared.signin.directory import DirectoryFile
from shared.store.directory import DirectoryMissing, save_directory
from shared.store.exports import Exports
from shared.store.tables import Tables

# As over HTTP.
_SHORTEST_REASON, _LONGEST_REASON = 3, 1000

_PERIODS = {
    ActKind.RELEASE: (release, "have parked slices tried again"),
    ActKind.RESCAN: (rescan, "have a period read again"),
    ActKind.REPLAY: (replay, "have slices with quarantined records read again"),
}


def main(argv: list[str]) -> int:
    """Run one command; 0 when it was done, 2 on misuse, 1 when the storage refused or the app does nothing, 3 when it
    was done in part."""
    options = parser().parse_args(argv)
    try:
        said = asyncio.run(_run(options))
    except (SettingsError, OSError, ValueError, LookupError, Damaged, NotEmpty, DirectoryMissing) as error:
        print(f"ops: {error}", file=sys.stderr)
        return 2
    except AzureError as error:
        print(f"ops: the storage did not do it: {error.message}", file=sys.stderr)
        return 1
    except NobodyReads as nobody:
        print(f"ops: {nobody}", file=sys.stderr)
        return 1
    print(said)
    return 3 if isinstance(said, _InPart) else 0


class _InPart(str):
    """What is said of a thing that was done in part."""


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    made = argparse.ArgumentParser(prog="python -m local ops", description=__doc__)
    commands = made.add_subparsers(dest="command", required=True)
    for name, (_, text) in _PERIODS.items():
        command = commands.add_parser(name, help=text)
        command.add_argument("--from", dest="first", type=_time, metavar="ISO", help="first instant (a month ago)")
        command.add_argument("--to", dest="end", type=_time, metavar="ISO", help="first instant behind (now)")
        command.add_argument("--tenant", help="one tenant only")
        if name is ActKind.RESCAN:
            command.add_argument("--dry-run", action="store_true", help="only say what that would change")
    take = commands.add_parser(ActKind.ACCEPT_QUARANTINE, help="count slices as complete in spite of their quarantine")
    take.add_argument("--from", dest="first", type=_time, required=True, metavar="ISO", help="first instant")
    take.add_argument("--to", dest="end", type=_time, required=True, metavar="ISO", help="first instant behind")
    take.add_argument("--reason", required=True, help="why, for the register")
    take.add_argument("--tenant", help="one tenant only")
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
    return made


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
        if getattr(options, "dry_run", False):
            with progress_bar() as tell:
                send = await stack.enter_async_context(sending(settings, credential))
                tenants, first, end = _period(app, options)
                forecast = await forecast_period(app, tenants, first, end, send, tell)
            return _InPart(told(forecast)) if forecast.failed else told(forecast)
        return await act(app, options)


async def act(app: App, options: argparse.Namespace) -> str:
    """Do what was asked for on the tables; says what was done. Raises ValueError for what makes no sense."""
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
        case ActKind.ACCEPT_QUARANTINE:
            return await _accept(app, options)
        case _:
            kind = ActKind(options.command)
            work, _ = _PERIODS[kind]
            tenants, first, end = _period(app, options)
            done = sum([await work(app, tenant, first, end) for tenant in tenants])
            await note_act(app, kind, _who(), **_shown(first, end), tenants=[*tenants], slices=done)
            return f"{done} slices will be read by the next plan."


async def _accept(app: App, options: argparse.Namespace) -> str:
    reason = options.reason.strip()
    if not _SHORTEST_REASON <= len(reason) <= _LONGEST_REASON:
        raise ValueError(f"the reason must have {_SHORTEST_REASON} to {_LONGEST_REASON} characters")
    tenants, first, end = _period(app, options)
    done = [await accept(app, tenant, first, end) for tenant in tenants]
    counts = {name: sum(getattr(one, name) for one in done) for name in ("slices", "records", "busy")}
    await note_act(app, ActKind.ACCEPT_QUARANTINE, _who(), **_shown(first, end), reason=reason, **counts)
    said = f"{counts['records']} records in {counts['slices']} slices are accepted as unreadable."
    busy = counts["busy"]
    return _InPart(f"{said} {busy} slices were being read: run the command again.") if busy else said


def _period(app: App, options: argparse.Namespace) -> tuple[tuple[str, ...], datetime, datetime]:
    """The tenants and the period that are meant: all of the last 31 days where nothing is said. Raises ValueError."""
    now = app.clock()
    end = options.end or now
    first = options.first or end - timedelta(days=31)
    if first >= end:
        raise ValueError("--to must be after --from")
    watched = app.settings.tenants
    if options.tenant is None:
        return watched, first, end
    tenant = next((one for one in watched if id_key(one) == id_key(options.tenant)), None)
    if tenant is None:
        raise ValueError(f"--tenant must be one whose log is read: {', '.join(watched)}")
    return (tenant,), first, end


def _shown(first: datetime, end: datetime) -> dict[str, JsonValue]:
    return {"from": shown_time(first), "to": shown_time(end)}


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
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date or time such as 2026-11-02T09:00Z") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
