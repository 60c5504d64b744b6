"""The register: who had the app do what."""

from __future__ import annotations

from functions.blueprint import Blueprint
from functions.http import Call, endpoint
from functions.who import Role
from shared.answers.register import RegisterPage, RegisterQuery, read_register

bp = Blueprint()


@endpoint(bp, "GET", "register", needs=Role.READER)
async def register(call: Call[RegisterQuery]) -> RegisterPage:
    """Who had the app do what: rescans, releases, pauses, erasures, accepted quarantine, tests, changed settings."""
    return await read_register(call.app, call.query)
