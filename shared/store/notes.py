"""The single rows in which the app notes something for itself, so that the next process finds it: where each stands."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from shared.store.tables import SCHEMA, Row, Table, keys, upsert


class AppNote(Enum):
    """What is noted: partition and key of its row. All stand in the table `control` but SWEEP, which stands in
    `alerts`."""

    NIGHT = ("maintenance", "night")
    SESSIONS_LOOKED_AT = ("maintenance", "sessions")
    SETTINGS = ("settings", "latest")
    PAUSE = ("alerts", "pause")
    EXCEPTIONS_TENDED = ("exceptions", "tended")
    PREFLIGHT = ("preflight", "latest")
    SWEEP = ("alerts", "sweep")


def app_note_row(note: AppNote, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The row of a note, for whoever writes it only where it stands as it was read."""
    return {**keys(*note.value), "v": SCHEMA, **columns}


async def read_note(table: Table, note: AppNote) -> Row | None:
    """The row as it stands; None where nothing was noted yet."""
    return await table.get(*note.value)


async def write_note(table: Table, note: AppNote, **columns: Any) -> None:
    """Note it, whatever stood there."""
    await table.write(upsert(app_note_row(note, columns)))
