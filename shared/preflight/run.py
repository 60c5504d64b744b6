"""All checks at once (`GET /api/preflight`, `python -m local preflight`, and a timer for the coverage)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from azure.core.exceptions import AzureError

from shared.app.app import App
from shared.app.settings import AuthMode, Settings
from shared.basics.events import log_event
from shared.messages.delivery import Delivery, DeliveryState
from shared.preflight.graph import check_graph
from shared.preflight.identity import check_identity
from shared.preflight.model import (
    Check,
    CheckKind,
    CheckState,
    Preflight,
    kept_preflight,
    last_preflight,
    preflight_of,
    save_preflight,
)
from shared.preflight.queues import check_queues, queues_unasked
from shared.preflight.rules import check_rules, judged_by
from shared.preflight.storage import check_storage, storage_unasked
from shared.store.alerts import page_of_deliveries
from shared.store.directory import DirectoryMissing
from shared.wire.text import clean

# How often the timer looks.
EVERY: Final = timedelta(hours=1)
FRESH: Final = timedelta(minutes=1)
# The name of the check that finds no channel at all: somebody's choice, not a fault of a channel.
NO_CHANNEL: Final = "channels"
SEND_A_TEST: Final = 'Send it a test; docs/operations.md, "Calling the app", says how to get the token.'
# Has the platform read every Key Vault reference anew; otherwise it does so once a day (docs/operations.md).
READ_AGAIN: Final = "sh infra/scripts/refresh-references.sh"
_PAGES: Final = 5
_STALE: Final = timedelta(days=2)


async def recent_preflight(app: App) -> Preflight:
    """What was found within the last minute, else what is found now; one check at a time. Never raises for what is
    missing."""
    async with app.turn("preflight"):
        return await _kept(app) or await preflight(app)


async def _kept(app: App) -> Preflight | None:
    try:
        kept = await kept_preflight((await app.tables()).control)
    except AzureError:
        return None
    return kept if kept and app.clock() - FRESH < kept.checked_at <= app.clock() else None


async def preflight(app: App) -> Preflight:
    """Check everything, and keep what was found where storage allows. Never raises for what is missing."""
    settings = app.settings
    identity = await check_identity(settings)
    has_token = identity.state is CheckState.OK
    reaches_storage = has_token or settings.storage_connection_string is not None
    storage = await check_storage(app) if reaches_storage else storage_unasked()
    graph = await check_graph(app, ask=has_token)
    queues = await check_queues(settings) if reaches_storage else queues_unasked()
    has_tables = storage[0].state is CheckState.OK
    versions = await judged_by(app) if has_tables else None
    rest = [await _check_directory(app), *await _check_webhooks(app)] if has_tables else []
    rest += [check_rules(versions)] if versions is not None else []
    said = preflight_of([identity, *graph, *storage, *queues, *rest], app.clock(), versions)
    if has_tables:
        await save_preflight((await app.tables()).control, said)
    log_event("preflight", missing=said.missing, unknown=said.unknown, **_missing_by_kind(said))
    return said


def _missing_by_kind(said: Preflight) -> dict[str, int]:
    """What alert rules ask for: what keeps the scan from reading, and who will not hear of it."""
    lacking = [check for check in said.checks if check.state is CheckState.MISSING]
    return {
        "missingPermissions": sum(check.kind is CheckKind.PERMISSION for check in lacking),
        "missingLicences": sum(check.kind is CheckKind.LICENCE for check in lacking),
        "deadChannels": sum(check.kind is CheckKind.WEBHOOK and check.name != NO_CHANNEL for check in lacking),
    }


async def preflight_when_due(app: App) -> None:
    """Check everything, unless that was done a short while ago."""
    last = await last_preflight((await app.tables()).control)
    if last is None or last.checked_at <= app.clock() - EVERY:
        await preflight(app)


async def _check_directory(app: App) -> Check:
    name = "the roster and the customers"
    command = "python -m local ops load-directory FILE"
    try:
        loaded = await app.directory()
    except DirectoryMissing as missing:
        todo = "Wait for the first refresh, or load a directory file."
        return Check(
            kind=CheckKind.DIRECTORY,
            name=name,
            state=CheckState.MISSING,
            detail=str(missing),
            to_do=todo,
            command=command,
        )
    age = app.clock() - loaded.at
    said = f"{len(loaded.file.delegated_admins)} delegated admins, {len(loaded.file.customers)} customers; refreshed "
    said += f"{age // timedelta(hours=1)} hours ago."
    if age > _STALE:
        todo = "Look at the permissions above and at the log of the refresh."
        return Check(
            kind=CheckKind.DIRECTORY, name=name, state=CheckState.UNKNOWN, detail=said, to_do=todo, command=command
        )
    return Check(kind=CheckKind.DIRECTORY, name=name, state=CheckState.OK, detail=said)


async def _check_webhooks(app: App) -> list[Check]:
    """By the newest delivery that ended: nothing is sent for a check."""
    channels = app.settings.channels
    wrong = [_wrong_channel(name, why) for name, why in app.settings.wrong_channels.items()]
    if not channels and not wrong:
        todo = "Put its address into the vault and name it (README.md, Deploy), so that somebody hears of incidents."
        none, name = "No channel is configured.", "azd env set ALERT_CHANNELS soc=teams && azd provision"
        return [
            Check(
                kind=CheckKind.WEBHOOK, name=NO_CHANNEL, state=CheckState.MISSING, detail=none, to_do=todo, command=name
            )
        ]
    table, after, newest = (await app.tables()).alerts, None, dict[str, Delivery]()
    for _ in range(_PAGES):
        rows, more = await page_of_deliveries(table, after)
        for name, delivery in rows:
            after = name
            if delivery.ended:
                newest.setdefault(delivery.channel, delivery)
        if not more or newest.keys() >= channels.keys():
            break
    return wrong + [_webhook(name, newest.get(name), _test_command(name, app.settings)) for name in channels]


def _wrong_channel(name: str, why: str) -> Check:
    shown = clean(name)
    return Check(
        kind=CheckKind.WEBHOOK,
        name=shown,
        state=CheckState.MISSING,
        detail=f"The channel is dead, and nothing is sent to it: {why}.",
        to_do=f"Correct CHANNELS__{shown.upper()}__… and its secret in the vault, then have the app read it again.",
        command=READ_AGAIN,
    )


def _test_command(channel: str, settings: Settings) -> str:
    key = {AuthMode.EASY_AUTH: '-H "Authorization: Bearer $TOKEN" ', AuthMode.KEY: '-H "x-functions-key: $KEY" '}
    body = f"-H 'Content-Type: application/json' -d '{{\"channel\": \"{channel}\"}}'"
    return f"curl -X POST {settings.address or 'ADDRESS'}/api/alerts/test {key.get(settings.auth_mode, '')}{body}"


def _webhook(name: str, last: Delivery | None, command: str) -> Check:
    if last is None:
        why = "Nothing was sent to it yet."
        return Check(
            kind=CheckKind.WEBHOOK, name=name, state=CheckState.UNKNOWN, detail=why, to_do=SEND_A_TEST, command=command
        )
    if last.state == DeliveryState.DELIVERED:
        return Check(
            kind=CheckKind.WEBHOOK,
            name=name,
            state=CheckState.OK,
            detail=f"It took a message at {last.last_at:%Y-%m-%d %H:%M} UTC.",
        )
    why = f"The last message was given up: {last.last_answer or 'no answer'} ({last.last_status})."
    todo = f"Correct CHANNELS__{name.upper()}__URL or the receiver, then: {SEND_A_TEST}"
    return Check(kind=CheckKind.WEBHOOK, name=name, state=CheckState.MISSING, detail=why, to_do=todo, command=command)


def lines(checks: Iterable[Check]) -> Iterable[str]:
    """The checks as text for a terminal."""
    for check in checks:
        yield f"{check.state:8} {check.kind:11} {check.name}"
        if check.state is not CheckState.OK:
            yield f"         {check.detail}"
            yield f"         to do: {check.to_do}"
            if check.command:
                yield f"         {check.command}"
