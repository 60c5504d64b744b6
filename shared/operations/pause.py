"""Alerts that are paused until a time: findings and incidents go on, and what there is to tell waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.app.app import App
from shared.basics.events import log_event
from shared.store.notes import AppNote, read_note, write_note
from shared.store.tables import Row, Tables, utc

LONGEST: Final = timedelta(days=7)


async def pause_alerts(app: App, until: datetime, by: str) -> datetime:
    """Send nothing until then (UTC); a time that has passed ends a pause. Returns the time. Raises ValueError for a
    pause of more than a week: a silence that nobody remembers is an outage."""
    now = app.clock()
    if until > now + LONGEST:
        raise ValueError("alerts can be paused for a week at most")
    tables = await app.tables()
    await write_note(tables.control, AppNote.PAUSE, until=until, by=by, at=now)
    log_event("alerts_paused", until=until)
    return until


@dataclass(frozen=True, slots=True)
class Pause:
    """Until when (UTC) nothing is told, and who said so. It may have passed."""

    until: datetime
    by: str


async def read_pause(tables: Tables) -> Pause | None:
    """The pause that was set last; None when there never was one."""
    return pause_of(await read_note(tables.control, AppNote.PAUSE))


def pause_of(row: Row | None) -> Pause | None:
    """The pause that a row notes; None where there is none."""
    return None if row is None else Pause(utc(row["until"]), str(row.get("by", "")))


async def is_paused(tables: Tables, now: datetime) -> bool:
    """Whether nothing may be sent now."""
    pause = await read_pause(tables)
    return pause is not None and pause.until > now
