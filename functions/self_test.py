"""The self-test: started here, it goes through the queue of the scan (functions/scan.py)."""

from __future__ import annotations

import json
from http import HTTPStatus

import azure.functions as func

from functions.http import ENDPOINTS, Call, NoQuery, describe, endpoint
from functions.messages import Messages
from functions.who import Role
from shared.app.app import running_app
from shared.preflight.self_test import (
    SelfTest,
    SelfTestRequest,
    UnknownTest,
    message_of,
    read_self_test,
    start_self_test,
)

bp = func.Blueprint()  # type: ignore[no-untyped-call]


async def start_test(call: Call[NoQuery, SelfTestRequest]) -> SelfTest:
    """Send a made-up violation, marked as a test, through queue, assessment, tables and alert. It never counts in the
    compliance and is in no list; ask self-test/{id} for the time of each leg."""
    return await start_self_test(call.app, call.body, by=call.by)


START = describe(start_test, "POST", "self-test", Role.OPERATOR)
ENDPOINTS.append(START)


@bp.function_name(START.name)
@bp.route(route=START.route, methods=[START.method])
@bp.queue_output(arg_name="slices", queue_name="scan-slices", connection="AzureWebJobsStorage")
async def start(req: func.HttpRequest, slices: Messages) -> func.HttpResponse:
    """The one route that sends a message."""
    answer = await START.serve(running_app(), req)
    if answer.status_code == HTTPStatus.OK:
        slices.set([message_of(json.loads(answer.get_body())["id"])])
    return answer


@endpoint(
    bp,
    "GET",
    "self-test/{id}",
    needs=Role.READER,
    errors={UnknownTest: (HTTPStatus.NOT_FOUND, "There is no such self-test.")},
)
async def self_test(call: Call[NoQuery]) -> SelfTest:
    """How far a self-test got, and how long each leg took."""
    return await read_self_test(call.app, call.path["id"])
