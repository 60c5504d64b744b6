"""Incidents over HTTP: the list, one of them, and what people do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from functions.blueprint import Blueprint
from functions.http import CHANGED, Call, Errors, NoQuery, endpoint
from functions.who import Role
from shared.answers.incident_detail import (
    ChangedIncident,
    IncidentChange,
    IncidentDetail,
    UnknownIncident,
    change_incident,
    read_detail,
)
from shared.answers.incidents import IncidentsPage, IncidentsQuery, read_incidents
from shared.incidents.acts import NotNow

bp = Blueprint()

_UNKNOWN: Final[Errors] = {UnknownIncident: (HTTPStatus.NOT_FOUND, "There is no such incident.")}


@endpoint(bp, "GET", "incidents", needs=Role.READER)
async def incidents(call: Call[IncidentsQuery]) -> IncidentsPage:
    """The incidents, those seen last first. A page may hold fewer items than its limit, even none, and still have a
    cursor: go on until the cursor is null."""
    return await read_incidents(call.app, call.query)


@endpoint(bp, "GET", "incidents/{id}", needs=Role.READER, errors=_UNKNOWN)
async def incident(call: Call[NoQuery]) -> IncidentDetail:
    """One incident with its history and the messages about it. The header ETag is its version."""
    return await read_detail(call.app, call.path["id"])


@endpoint(
    bp,
    "PATCH",
    "incidents/{id}",
    needs=Role.OPERATOR,
    errors={**_UNKNOWN, ChangedIncident: CHANGED, NotNow: (HTTPStatus.CONFLICT, None)},
)
async def update_incident(call: Call[NoQuery, IncidentChange]) -> IncidentDetail:
    """Acknowledge, snooze, resolve, open or comment. Needs the header If-Match with the incident's ETag, or *."""
    return await change_incident(call.app, call.path["id"], call.body, by=call.by, etag=call.etag)
