"""What time does to incidents: closes the quiet ones, ends snoozes."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from shared.app.app import App
from shared.basics.events import log_event
from shared.incidents.tending import pass_time
from shared.store.incidents import take_step, unresolved
from shared.store.notes import AppNote, read_note, write_note
from shared.store.tables import Conflict, Tables, utc

EVERY: Final = timedelta(minutes=15)


async def sweep(app: App, tables: Tables) -> None:
    """Look at every incident that is not resolved, unless that was done a short while ago."""
    now = app.clock()
    last = await read_note(tables.alerts, AppNote.SWEEP)
    if last is not None and utc(last["at"]) > now - EVERY:
        return
    stepped = 0
    async for incident, etag in unresolved(tables.incidents):
        step = pass_time(incident, now, app.settings.life)
        if step is None:
            continue
        try:
            await take_step(tables.incidents, step, etag, now)
        except Conflict:
            continue  # something happened to it just now: the next sweep looks again
        stepped += 1
    await write_note(tables.alerts, AppNote.SWEEP, at=now)
    if stepped:
        log_event("incidents_swept", incidents=stepped)
