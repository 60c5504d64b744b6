"""What can be asked over HTTP of what the scan found. Each route asks one function of shared/answers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from pydantic import JsonValue, RootModel

from functions.blueprint import Blueprint
from functions.http import ENDPOINTS, Call, NoQuery, endpoint
from functions.index import import_parts
from functions.openapi import document
from functions.who import Role
from shared.answers.findings import (
    FindingDetail,
    FindingQuery,
    FindingsPage,
    FindingsQuery,
    read_finding,
    read_findings,
)
from shared.answers.overview import CoverageList, CoverageQuery, SummaryQuery, read_coverage, read_summary
from shared.answers.requirement import Requirement, read_requirement
from shared.answers.rules import RulesPage, RulesQuery, read_rules
from shared.compliance.summary import Summary
from shared.wire.models import Answer, NotKnown

bp = Blueprint()


class Health(Answer):
    """The app runs and reaches its tables. `degraded`: it does, but a channel cannot be used, so somebody is not told
    of incidents (GET /api/preflight says which and why). `pack_key_id` is the fingerprint of the public key by which
    evidence packs are checked."""

    status: Literal["ok", "degraded"] = "ok"
    pack_key_id: str | None = None


class OpenApi(RootModel[dict[str, JsonValue]]):
    """An OpenAPI document."""


@endpoint(bp, "GET", "summary", needs=Role.READER)
async def summary(call: Call[SummaryQuery]) -> Summary:
    """How compliant the partner is over the last days, and how much of the log that rests on."""
    return await read_summary(call.app, call.query)


@endpoint(bp, "GET", "findings", needs=Role.READER)
async def findings(call: Call[FindingsQuery]) -> FindingsPage:
    """The sign-ins that break rules, newest first. A page may hold fewer items than its limit, even none, and still
    have a cursor: go on until the cursor is null."""
    return await read_findings(call.app, call.query)


@endpoint(
    bp,
    "GET",
    "findings/{id}",
    needs=Role.READER,
    errors={NotKnown: (HTTPStatus.NOT_FOUND, None)},
)
async def finding(call: Call[FindingQuery]) -> FindingDetail:
    """One sign-in that breaks rules, with what its verdict rests on, in plain words and as the log has it."""
    return await read_finding(call.app, call.path["id"], call.query)


@endpoint(bp, "GET", "rules", needs=Role.READER)
async def rules(call: Call[RulesQuery]) -> RulesPage:
    """Every rule: what it means, what to do, its severity by scope, its ATT&CK technique and the common issue it
    belongs to."""
    return read_rules()


@endpoint(bp, "GET", "requirement", needs=Role.READER)
async def requirement(call: Call[NoQuery]) -> Requirement:
    """What the partner security requirement says: whom it concerns, by which ways, the six common issues, and how an
    exception is filed."""
    return read_requirement()


@endpoint(bp, "GET", "coverage", needs=Role.READER)
async def coverage(call: Call[CoverageQuery]) -> CoverageList:
    """How much of the log was read over the last days; each gap and problem, newest first, with what to do."""
    return await read_coverage(call.app, call.query)


@endpoint(bp, "GET", "health", needs=None)
async def health(call: Call[NoQuery]) -> Health:
    """Whether the app runs and reaches its tables. Open to everybody; holds no data of sign-ins."""
    await (await call.app.tables()).control.get("health", "health")
    state: Literal["ok", "degraded"] = "degraded" if call.app.settings.wrong_channels else "ok"
    return Health(status=state, pack_key_id=await call.app.pack_key_id())


@endpoint(bp, "GET", "openapi.json", needs=Role.READER)
async def openapi(call: Call[NoQuery]) -> OpenApi:
    """This description of all routes."""
    import_parts()
    return OpenApi(document(ENDPOINTS, call.app.settings.auth_mode))
