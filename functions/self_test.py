"""The self-test: started here, it goes through the queue of the scan (functions/scan.py)."""

from __future__ import annotations

from http import HTTPStatus

from functions.blueprint import Blueprint
from functions.http import Call, NoQuery, Sends, Ways, endpoint
from functions.who import Role
from shared.basics.queues import Queue
from shared.ledger.register import ActKind
from shared.operations.register import note_act
from shared.preflight.self_test import SelfTest, SelfTestRequest, UnknownTest, read_self_test, start_self_test

bp = Blueprint()


@endpoint(bp, "POST", "self-test", needs=Role.OPERATOR, ways=Ways(queue=Queue.SCAN))
async def start_test(call: Call[NoQuery, SelfTestRequest]) -> Sends[SelfTest]:
    """Send a made-up violation, marked as a test, through queue, assessment, tables and alert. It never counts in the
    compliance and is in no list; ask self-test/{id} for the time of each leg."""
    answer, message = await start_self_test(call.app, call.body, by=call.by)
    await note_act(call.app, ActKind.SELF_TEST, call.actor, selfTest=answer.id)
    return Sends(answer, [message])


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
