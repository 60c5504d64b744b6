"""What changed since a time."""

from __future__ import annotations

from functions.blueprint import Blueprint
from functions.http import Call, endpoint
from functions.who import Role
from shared.answers.changes import Changes, ChangesQuery, read_changes

bp = Blueprint()


@endpoint(bp, "GET", "changes", needs=Role.READER)
async def changes(call: Call[ChangesQuery]) -> Changes:
    """What changed since a time: incidents opened, closed and still happening, people and customers that joined or
    left, exceptions, and how much of the log was read."""
    return await read_changes(call.app, call.query)
