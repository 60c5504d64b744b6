"""Timers that look after the app itself."""

import azure.functions as func

from functions.blueprint import Blueprint
from shared.app.app import running_app
from shared.maintenance.night import maintain, maintain_again
from shared.maintenance.watch import watch_scan
from shared.operations.register import note_settings_once
from shared.statement.freezing import seal_due_months
from shared.statement.packs import remove_old_packs

bp = Blueprint()

_FURTHER = (("statements", seal_due_months), ("packs", remove_old_packs))


@bp.function_name("maintain")
@bp.timer_trigger(arg_name="timer", schedule="%MAINTENANCE_SCHEDULE%", run_on_startup=False)
async def nightly(timer: func.TimerRequest) -> None:
    """Export the tables, seal the month that has ended, delete what is past its time, report the last days."""
    await maintain(running_app(), *_FURTHER)


@bp.function_name("maintain_again")
@bp.timer_trigger(arg_name="timer", schedule="0 25 * * * *", run_on_startup=False)
async def again(timer: func.TimerRequest) -> None:
    """Do the last night's work again, each hour, until it is done."""
    await maintain_again(running_app(), *_FURTHER)


@bp.function_name("watch_scan")
@bp.timer_trigger(arg_name="timer", schedule="%SCAN_SCHEDULE%", run_on_startup=False)
async def watch(timer: func.TimerRequest) -> None:
    """Say in the log how far behind the scan is and how much of the log was read; note settings that are new."""
    await note_settings_once(running_app())
    await watch_scan(running_app())
