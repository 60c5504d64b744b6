"""What the timer `maintain` does: an export first, so that it still holds what retention deletes then.

A night that failed, or was cut off, is done again by the hourly timer `maintain_again` until it is done; each step goes
on where it stopped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from shared.app.app import App
from shared.basics.events import log_event
from shared.maintenance.export import export_tables
from shared.maintenance.notes import note_yesterday
from shared.maintenance.retention import delete_expired
from shared.maintenance.watch import report_days
from shared.store.notes import AppNote, read_note, write_note
from shared.store.tables import Table, is_newer, utc

# Longer than a function may run (30 minutes on Flex Consumption), so that no two work at a night.
_LONGEST: Final = timedelta(minutes=35)


type Step = tuple[str, Callable[[App], Awaitable[object]]]


async def maintain(app: App, *further: Step) -> None:
    """Export the tables, note what is known of yesterday, do what `further` names, delete what is past its time, report
    the last days. What goes wrong is logged as an event with the name of its step and raised; nothing is deleted while
    anything before that fails."""
    control = (await app.tables()).control
    await _note(app, control, done=False)
    steps: list[Step] = [("export", _export), ("notes", note_yesterday), *further]
    steps += [("retention", delete_expired), ("report", report_days)]
    step = ""
    try:
        for name, do in steps:
            step = name
            await do(app)
        step = ""
    finally:
        if step:
            log_event("maintenance_failed", step=step)
    await _note(app, control, done=True)


async def _export(app: App) -> None:
    await export_tables(app, app.exports)


async def maintain_again(app: App, *further: Step) -> bool:
    """Do the last night's work again where it began and was not done; whether it was. Raises what maintain raises."""
    night = await read_note((await app.tables()).control, AppNote.NIGHT)
    if night is None or is_newer(night) or night["done"] or utc(night["until"]) > app.clock():
        return False
    log_event("maintenance_failed", step="unfinished")  # a host that died could not say so itself
    await maintain(app, *further)
    return True


async def _note(app: App, control: Table, *, done: bool) -> None:
    await write_note(control, AppNote.NIGHT, done=done, until=app.clock() + _LONGEST)
