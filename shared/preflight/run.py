"""All checks at once (`GET /api/preflight`, `python -m local preflight`, and a timer for the coverage)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from azure.core.exceptions import AzureError, HttpResponseError

from shared.monitor import Monitor, log_event
from shared.preflight.graph import check_graph
from shared.preflight.model import Check, Kind, Preflight, State, last_preflight, preflight_of, save_preflight
from shared.preflight.queues import check_queues
from shared.store.alerts import DELIVERED, Delivery, page_of_deliveries
from shared.store.directory import DirectoryMissing
from shared.store.tables import NAMES, Tables

# How often the timer looks.
EVERY: Final = timedelta(hours=1)
_ROLE: Final = "Storage Table Data Contributor"
_PAGES: Final = 5
_STALE: Final = timedelta(days=2)


async def preflight(monitor: Monitor) -> Preflight:
    """Check everything, and keep what was found where storage allows. Never raises for what is missing."""
    storage = await _check_storage(monitor)
    reachable = storage[0].state is State.OK
    graph, queues = await asyncio.gather(check_graph(monitor), check_queues(monitor.settings))
    rest = [await _check_directory(monitor), *await _check_webhooks(monitor)] if reachable else []
    said = preflight_of([*graph, *storage, *queues, *rest], monitor.clock())
    if reachable:
        await save_preflight((await monitor.tables()).control, said)
    log_event("preflight", missing=said.missing, unknown=said.unknown)
    return said


async def preflight_when_due(monitor: Monitor) -> None:
    """Check everything, unless that was done a short while ago."""
    last = await last_preflight((await monitor.tables()).control)
    if last is None or last.checked_at <= monitor.clock() - EVERY:
        await preflight(monitor)


async def _check_storage(monitor: Monitor) -> list[Check]:
    try:
        tables = await monitor.tables()
        for name in NAMES:
            await _table(tables, name)
    except HttpResponseError as error:
        todo = f"Give the app's identity the role {_ROLE} on the storage account."
        state = State.MISSING if error.status_code in (401, 403) else State.UNKNOWN
        return [_storage(state, f"Table Storage answered {error.status_code}.", todo, "azd provision")]
    except AzureError as error:
        todo = "Look at the network rules and private endpoints of the account, and at the setting."
        return [_storage(State.UNKNOWN, f"Table Storage could not be reached ({type(error).__name__}).", todo)]
    return [_storage(State.OK, f"The tables {', '.join(NAMES)} answer.")]


async def _table(tables: Tables, name: str) -> None:
    await getattr(tables, name).get("preflight", "probe")


def _storage(state: State, detail: str, to_do: str | None = None, command: str | None = None) -> Check:
    return Check(kind=Kind.STORAGE, name="Table Storage", state=state, detail=detail, to_do=to_do, command=command)


async def _check_directory(monitor: Monitor) -> Check:
    name = "the roster and the customers"
    command = "python -m local ops load-directory FILE"
    try:
        loaded = await monitor.directory()
    except DirectoryMissing as missing:
        todo = "Wait for the first refresh, or load a directory file."
        return Check(
            kind=Kind.DIRECTORY, name=name, state=State.MISSING, detail=str(missing), to_do=todo, command=command
        )
    age = monitor.clock() - loaded.at
    said = f"{len(loaded.file.delegated_admins)} delegated admins, {len(loaded.file.customers)} customers; refreshed "
    said += f"{age // timedelta(hours=1)} hours ago."
    if age > _STALE:
        todo = "Look at the permissions above and at the log of the refresh."
        return Check(kind=Kind.DIRECTORY, name=name, state=State.UNKNOWN, detail=said, to_do=todo, command=command)
    return Check(kind=Kind.DIRECTORY, name=name, state=State.OK, detail=said)


async def _check_webhooks(monitor: Monitor) -> list[Check]:
    """By the newest delivery that ended: nothing is sent for a check."""
    channels = monitor.settings.channels
    if not channels:
        todo = "Set CHANNELS__<NAME>__KIND and CHANNELS__<NAME>__URL, so that somebody hears of incidents."
        none = "No channel is configured."
        return [Check(kind=Kind.WEBHOOK, name="channels", state=State.MISSING, detail=none, to_do=todo)]
    table, after, newest = (await monitor.tables()).alerts, None, dict[str, Delivery]()
    for _ in range(_PAGES):
        rows, more = await page_of_deliveries(table, after)
        for name, delivery in rows:
            after = name
            if delivery.ended:
                newest.setdefault(delivery.channel, delivery)
        if not more or newest.keys() >= channels.keys():
            break
    return [_webhook(name, newest.get(name), monitor.settings.address) for name in channels]


def _webhook(name: str, last: Delivery | None, address: str | None) -> Check:
    body = f'{{"channel": "{name}"}}'
    command = f"curl -X POST {address or 'ADDRESS'}/api/alerts/test -H 'Content-Type: application/json' -d '{body}'"
    if last is None:
        why = "Nothing was sent to it yet."
        return Check(
            kind=Kind.WEBHOOK, name=name, state=State.UNKNOWN, detail=why, to_do="Send it a test.", command=command
        )
    if last.state == DELIVERED:
        return Check(
            kind=Kind.WEBHOOK,
            name=name,
            state=State.OK,
            detail=f"It took a message at {last.last_at:%Y-%m-%d %H:%M} UTC.",
        )
    why = f"The last message was given up: {last.last_answer or 'no answer'} ({last.last_status})."
    todo = f"Correct CHANNELS__{name.upper()}__URL or the receiver, then send it a test."
    return Check(kind=Kind.WEBHOOK, name=name, state=State.MISSING, detail=why, to_do=todo, command=command)


def lines(checks: Iterable[Check]) -> Iterable[str]:
    """The checks as text for a terminal."""
    for check in checks:
        yield f"{check.state:8} {check.kind:11} {check.name}"
        if check.state is not State.OK:
            yield f"         {check.detail}"
            yield f"         to do: {check.to_do}"
            if check.command:
                yield f"         {check.command}"
