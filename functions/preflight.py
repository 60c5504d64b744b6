"""Whether the installation has what it needs: the route, and the timer that keeps the answer for the coverage."""

from __future__ import annotations

import azure.functions as func

from functions.blueprint import Blueprint
from functions.http import Call, NoQuery, endpoint
from functions.who import Role
from shared.app.app import running_app
from shared.preflight.model import Preflight
from shared.preflight.run import preflight_when_due, recent_preflight

bp = Blueprint()


@bp.function_name("check_itself")
@bp.timer_trigger(arg_name="timer", schedule="%SCAN_SCHEDULE%", run_on_startup=False)
async def check(timer: func.TimerRequest) -> None:
    """Check once an hour what the installation needs."""
    await preflight_when_due(running_app())


@endpoint(bp, "GET", "preflight", needs=Role.READER)
async def preflight(call: Call[NoQuery]) -> Preflight:
    """Each permission, licence, table, queue and webhook: ok, missing or unknown, what to do and which command. Asks
    Graph, so it takes a moment, and at most once a minute; sends nothing to webhooks."""
    return await recent_preflight(call.app)
