"""Noting in the register what people have the app do, and settings that are not those of before."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from secrets import token_hex
from typing import Any, Final
from uuid import uuid4

from pydantic import JsonValue, SecretStr

from shared.app.app import App
from shared.app.settings import Settings
from shared.incidents import history
from shared.ledger.register import Act, ActKind
from shared.store.notes import AppNote, app_note_row, read_note
from shared.store.packing import pack, unpack
from shared.store.register import write_act
from shared.store.tables import Conflict, Table, etag_of, insert, merge

# Secrets, and what only says where this process runs: never noted, not even as a hash.
_NEVER: Final = frozenset({"storage_connection_string", "website_hostname"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a name for show, and tenant and object id where the app knows them."""

    name: str
    id: str = ""


SYSTEM: Final = Actor(history.SYSTEM)


async def note_act(app: App, kind: ActKind, by: Actor, **detail: JsonValue) -> None:
    """Add an entry to the register."""
    act = Act(uuid4().hex, app.clock(), kind, by.name, by.id, detail)
    await write_act((await app.tables()).control, act)


def shown_time(at: datetime) -> str:
    """A time as an entry holds it."""
    return at.isoformat().replace("+00:00", "Z")


async def note_settings_once(app: App) -> None:
    """Note the settings that this process began with, the first time that it is asked."""
    async with app.turn("settings"):
        if not app.settings_noted:
            await note_settings(app)
            app.settings_noted = True


async def note_settings(app: App) -> bool:
    """Note which settings differ from those that the app ran with before. Returns whether any does.

    Of a secret only that it changed is noted. Several processes that start together note it once.
    """
    control = (await app.tables()).control
    row = await read_note(control, AppNote.SETTINGS)
    key = str(row["key"]) if row else token_hex(32)
    now = _described(app.settings, key)
    before: dict[str, Any] = (unpack("settings", row) or {}) if row else {}
    if row and now == before:
        return False
    if row:
        changed = sorted(name for name in now.keys() | before.keys() if now.get(name) != before.get(name))
        detail: dict[str, JsonValue] = {name: _change(name, before, now) for name in changed}
        name = sha256(json.dumps([before, now], sort_keys=True).encode()).hexdigest()[:32]
        await write_act(control, Act(name, app.clock(), ActKind.SETTINGS, SYSTEM.name, detail=detail))
    kept = app_note_row(AppNote.SETTINGS, {"key": key, **pack("settings", now)})
    await _replace(control, kept, etag_of(row) if row else None)
    return row is not None


async def _replace(control: Table, row: dict[str, Any], etag: str | None) -> None:
    try:
        await control.write(merge(row, etag) if etag else insert(row))
    except Conflict:
        return  # another process started at the same time


def _change(name: str, before: dict[str, Any], now: dict[str, Any]) -> JsonValue:
    if any(str(values.get(name, "")).startswith(_HASHED) for values in (before, now)):
        return "changed"
    return {"before": before.get(name), "after": now.get(name)}


_HASHED: Final = "hmac:"


def _described(settings: Settings, key: str) -> dict[str, Any]:
    """The settings by their names, flat; secrets as a keyed hash that says no more than whether they changed."""
    found: dict[str, Any] = {}
    for name in type(settings).model_fields:
        if name not in _NEVER:
            _describe(name.upper(), getattr(settings, name), key, found)
    return found


def _describe(name: str, value: Any, key: str, found: dict[str, Any]) -> None:
    if isinstance(value, dict):
        for inner, part in value.items():
            _describe(f"{name}__{inner.upper()}", part, key, found)
    elif hasattr(type(value), "model_fields"):
        for inner in type(value).model_fields:
            _describe(f"{name}__{inner.upper()}", getattr(value, inner), key, found)
    elif isinstance(value, SecretStr):
        digest = hmac.new(key.encode(), value.get_secret_value().encode(), sha256).hexdigest()
        found[name] = _HASHED + digest[:32]
    elif value is not None:
        found[name] = value if isinstance(value, bool | int | float) else _text(value)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple | list | frozenset) else str(value)
