"""The portals that ask for no customer tenant."""

from __future__ import annotations

from functions.blueprint import Blueprint
from functions.http import Call, endpoint
from functions.who import Role
from shared.answers.portals import PortalsPage, PortalsQuery, read_portals

bp = Blueprint()


@endpoint(bp, "GET", "portals", needs=Role.READER)
async def portals(call: Call[PortalsQuery]) -> PortalsPage:
    """The portals that still ask for no customer tenant, so that the log shows a sign-in to the partner alone: how much
    each is used, by day, who used it without proof of MFA, and how to try what asks for more."""
    return await read_portals(call.app, call.query)
