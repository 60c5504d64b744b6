"""What changed, and who did what."""

from __future__ import annotations

import azure.functions as func

from functions.http import Call, endpoint
from functions.who import Role
from shared.answers.changes import Changes, ChangesQuery, read_changes
from shared.answers.register import RegisterPage, RegisterQuery, read_register

bp = func.Blueprint()  # type: ignore[no-untyped-call]


@endpoint(bp, "GET", "changes", needs=Role.READER)
async def changes(call: Call[ChangesQuery]) -> Changes:
    """What changed since a time: incidents opened, closed and still happening, people and customers that joined or
    left, exceptions, and how much of the log was read."""
    return await read_changes(call.app, call.query)


@endpoint(bp, "GET", "register", needs=Role.READER)
async def register(call: Call[RegisterQuery]) -> RegisterPage:
    """Who had the app do what: rescans, releases, pauses, erasures, accepted quarantine, tests, changed settings."""
    return await read_register(call.app, call.query)
