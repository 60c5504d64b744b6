"""Applications, and causes: what would be mended first for the most."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from functions.blueprint import Blueprint
from functions.http import CHANGED, Call, Errors, endpoint
from functions.who import Role
from shared.answers.applications import ApplicationsPage, ApplicationsQuery, read_applications
from shared.answers.cause_acts import (
    CauseChanged,
    CauseDetail,
    CauseQuery,
    ChangedCause,
    UnknownCause,
    change_cause,
    read_cause,
)
from shared.answers.causes import CausesPage, CausesQuery, read_causes
from shared.answers.incident_detail import IncidentChange
from shared.answers.samples import SamplesPage, SamplesQuery, read_samples

bp = Blueprint()

_UNKNOWN: Final[Errors] = {
    UnknownCause: (HTTPStatus.NOT_FOUND, "There is no such cause in this period and these scopes.")
}


@endpoint(bp, "GET", "applications", needs=Role.READER)
async def applications(call: Call[ApplicationsQuery]) -> ApplicationsPage:
    """The applications by protocol (password flow, legacy, device code, silent, interactive), worst first: when each
    was seen, by day, and since when it is clean."""
    return await read_applications(call.app, call.query)


@endpoint(bp, "GET", "samples", needs=Role.READER)
async def samples(call: Call[SamplesQuery]) -> SamplesPage:
    """Compliant sign-ins with their evidence, drawn at random: the first ones are a sample for an audit, the same for
    the same seed. Each sign-in that is not compliant is among the findings."""
    return await read_samples(call.app, call.query)


@endpoint(bp, "GET", "causes", needs=Role.READER)
async def causes(call: Call[CausesQuery]) -> CausesPage:
    """What would be mended first for the most: open problems by person and application, with the effect on the
    percentage; with verdict=unknown, why nothing is known, by reason and application."""
    return await read_causes(call.app, call.query)


@endpoint(bp, "GET", "causes/{id}", needs=Role.READER, errors=_UNKNOWN)
async def cause(call: Call[CauseQuery]) -> CauseDetail:
    """One cause of a period. The header ETag is the version of its incidents that are not resolved."""
    return await read_cause(call.app, call.path["id"], call.query)


@endpoint(bp, "PATCH", "causes/{id}", needs=Role.OPERATOR, errors={**_UNKNOWN, ChangedCause: CHANGED})
async def update_cause(call: Call[CauseQuery, IncidentChange]) -> CauseChanged:
    """Acknowledge, snooze, resolve, assign or comment every incident of a cause that is not resolved, in one act. Needs
    the header If-Match with the ETag of the cause in the same period and scopes, or *: refused when an incident joined,
    left or was changed since. The answer says what became of each."""
    return await change_cause(call.app, call.path["id"], call.query, call.body, by=call.by, etag=call.etag)
