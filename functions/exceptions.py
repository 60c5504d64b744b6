"""Technical exceptions: their routes, and the timer that ends them, reminds of their end and silences incidents."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

import azure.functions as func

from functions.blueprint import Blueprint
from functions.http import CHANGED, Call, Errors, NoQuery, endpoint
from functions.problems import FieldError, Problem, summed_up
from functions.who import Role
from shared.answers.exception_models import (
    Approval,
    ExceptionDetail,
    ExceptionRequest,
    ExceptionsPage,
    ExceptionsQuery,
    RequestText,
)
from shared.answers.exception_request import request_of
from shared.answers.exceptions import (
    ChangedException,
    UnknownException,
    approve_exception,
    ask_exception,
    list_exceptions,
    read_exception_detail,
    withdraw_exception,
)
from shared.app.app import running_app
from shared.app.settings import AuthMode
from shared.exceptions.life import Approver, NoSecondPerson, Unacceptable, WrongState
from shared.tending.exceptions import tend_exceptions

bp = Blueprint()

_UNKNOWN: Final[Errors] = {UnknownException: (HTTPStatus.NOT_FOUND, "There is no such exception.")}
_REFUSED: Final[Errors] = {**_UNKNOWN, ChangedException: CHANGED, WrongState: (HTTPStatus.CONFLICT, None)}


@bp.function_name("tend_exceptions")
@bp.timer_trigger(arg_name="timer", schedule="%SCAN_SCHEDULE%", run_on_startup=False)
async def tend(timer: func.TimerRequest) -> None:
    """End exceptions, remind of their end, silence the incidents they cover and open them again."""
    await tend_exceptions(running_app())


@endpoint(bp, "GET", "exceptions", needs=Role.READER)
async def exceptions(call: Call[ExceptionsQuery]) -> ExceptionsPage:
    """The technical exceptions, the newest request first."""
    return await list_exceptions(call.app, call.query)


@endpoint(
    bp,
    "POST",
    "exceptions",
    needs=Role.OPERATOR,
    errors={Unacceptable: (HTTPStatus.UNPROCESSABLE_CONTENT, None)},
)
async def request_exception(call: Call[NoQuery, ExceptionRequest]) -> ExceptionDetail:
    """Ask for an exception. Common issues 1 to 5 are refused (422) with what to do in place of it; issue 6 needs its
    three documents and the vendor's confirmation named."""
    try:
        return await ask_exception(call.app, call.body, by=call.by, by_id=call.actor.id)
    except Unacceptable as refusal:
        errors = [FieldError(field=wrong.field, detail=wrong.detail) for wrong in refusal.wrong]
        raise Problem(HTTPStatus.UNPROCESSABLE_CONTENT, summed_up(errors), errors=errors) from None


@endpoint(bp, "GET", "exceptions/{id}", needs=Role.READER, errors=_UNKNOWN)
async def exception(call: Call[NoQuery]) -> ExceptionDetail:
    """One exception with its history. The header ETag is its version."""
    return await read_exception_detail(call.app, call.path["id"])


@endpoint(
    bp,
    "POST",
    "exceptions/{id}/approve",
    needs=Role.OPERATOR,
    errors={**_REFUSED, NoSecondPerson: (HTTPStatus.FORBIDDEN, None)},
)
async def approve_request(call: Call[NoQuery, Approval]) -> ExceptionDetail:
    """Approve an exception: from now to its end it silences the incidents it covers. Needs the header If-Match with its
    ETag, or *. Only a second person can, told apart by tenant and object id; who asked for it, a program and a function
    key get 403."""
    return await approve_exception(call.app, call.path["id"], call.body, by=_approver(call), etag=call.etag)


@endpoint(bp, "DELETE", "exceptions/{id}", needs=Role.OPERATOR, errors=_REFUSED)
async def withdraw_request(call: Call[NoQuery]) -> ExceptionDetail:
    """Withdraw an exception: it stays in the list, and its incidents open again. Needs the header If-Match with its
    ETag, or *."""
    return await withdraw_exception(call.app, call.path["id"], by=call.by, etag=call.etag)


@endpoint(bp, "GET", "exceptions/{id}/request", needs=Role.READER, errors=_UNKNOWN)
async def request_for_partner_center(call: Call[NoQuery]) -> RequestText:
    """The text and the list of attachments that the request at Partner Center needs, filled from the findings."""
    return await request_of(call.app, call.path["id"])


def _approver(call: Call[NoQuery, Approval]) -> Approver:
    alone = call.app.settings.auth_mode is AuthMode.LOCAL
    if call.caller is None:
        return Approver(call.by, "", is_person=False, alone=alone)
    return Approver(call.by, call.caller.id, call.caller.is_person, alone)
