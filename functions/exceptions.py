"""Technical exceptions: their routes, and the timer that ends them, reminds of their end and silences incidents."""

from __future__ import annotations

from http import HTTPStatus

import azure.functions as func

from functions.http import Call, NoQuery, endpoint
from functions.problems import FieldError, Problem
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
from shared.exceptions.life import Approver, NoSecondPerson, NotNow, Unacceptable
from shared.tending.exceptions import tend_exceptions

bp = func.Blueprint()  # type: ignore[no-untyped-call]


@bp.function_name("tend_exceptions")
@bp.timer_trigger(arg_name="timer", schedule="%SCAN_SCHEDULE%", run_on_startup=False)
async def tend(timer: func.TimerRequest) -> None:
    """End exceptions, remind of their end, silence the incidents they cover and open them again."""
    await tend_exceptions(running_app())


@endpoint(bp, "GET", "exceptions", needs=Role.READER)
async def exceptions(call: Call[ExceptionsQuery]) -> ExceptionsPage:
    """The technical exceptions, the one asked for last first."""
    return await list_exceptions(call.app, call.query)


@endpoint(bp, "POST", "exceptions", needs=Role.OPERATOR)
async def request_exception(call: Call[NoQuery, ExceptionRequest]) -> ExceptionDetail:
    """Ask for an exception. Common issues 1 to 5 are refused (422) with what to do in place of it; issue 6 needs its
    three documents and the vendor's confirmation named."""
    try:
        return await ask_exception(call.app, call.body, by=call.by, by_id=call.actor.id)
    except Unacceptable as refusal:
        errors = [FieldError(field=wrong.field, detail=wrong.detail) for wrong in refusal.wrong]
        raise Problem(HTTPStatus.UNPROCESSABLE_CONTENT, str(refusal), errors=errors) from None


@endpoint(bp, "GET", "exceptions/{id}", needs=Role.READER)
async def exception(call: Call[NoQuery]) -> ExceptionDetail:
    """One exception with its history. The header ETag is its version."""
    try:
        return await read_exception_detail(call.app, call.path["id"])
    except UnknownException:
        raise _unknown() from None


@endpoint(bp, "POST", "exceptions/{id}/approve", needs=Role.OPERATOR)
async def approve(call: Call[NoQuery, Approval]) -> ExceptionDetail:
    """Approve an exception: from now to its end it silences the incidents it covers. Needs the header If-Match with its
    ETag, or *. Only a second person can, told apart by tenant and object id; who asked for it, a program and a function
    key get 403."""
    try:
        return await approve_exception(call.app, call.path["id"], call.body, by=_approver(call), etag=call.etag)
    except NoSecondPerson as refusal:
        raise Problem(HTTPStatus.FORBIDDEN, str(refusal)) from None
    except (UnknownException, ChangedException, NotNow) as refusal:
        raise _refused(refusal) from None


@endpoint(bp, "DELETE", "exceptions/{id}", needs=Role.OPERATOR)
async def withdraw(call: Call[NoQuery]) -> ExceptionDetail:
    """Withdraw an exception: it stays in the list, and its incidents open again. Needs the header If-Match with its
    ETag, or *."""
    try:
        return await withdraw_exception(call.app, call.path["id"], by=call.by, etag=call.etag)
    except (UnknownException, ChangedException, NotNow) as refusal:
        raise _refused(refusal) from None


@endpoint(bp, "GET", "exceptions/{id}/request", needs=Role.READER)
async def request_for_partner_center(call: Call[NoQuery]) -> RequestText:
    """The text and the list of attachments that the request at Partner Center needs, filled from the findings."""
    try:
        return await request_of(call.app, call.path["id"])
    except UnknownException:
        raise _unknown() from None


def _approver(call: Call[NoQuery, Approval]) -> Approver:
    alone = call.app.settings.auth_mode is AuthMode.LOCAL
    if call.caller is None:
        return Approver(call.by, "", is_person=False, alone=alone)
    return Approver(call.by, call.caller.id, call.caller.is_person, alone)


def _refused(refusal: Exception) -> Problem:
    if isinstance(refusal, UnknownException):
        return _unknown()
    if isinstance(refusal, ChangedException):
        return Problem(HTTPStatus.PRECONDITION_FAILED, "Somebody changed it meanwhile; read it again.")
    return Problem(HTTPStatus.CONFLICT, str(refusal))


def _unknown() -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "There is no such exception.")
