"""Triggers of the scan: a timer plans, a queue reads one slice a message, another holds those that crashed."""

import azure.functions as func

from functions.blueprint import Blueprint
from functions.messages import Messages
from shared.app.app import running_app
from shared.basics.events import log_event
from shared.basics.queues import Queue
from shared.preflight.self_test import fail_self_test, is_self_test, run_self_test
from shared.scan.dry_run_job import fail_dry_run, go_on, is_dry_run
from shared.scan.job import park_poisoned, scan_slice
from shared.scan.plan import plan_scans

bp = Blueprint()


@bp.function_name("plan_scans")
@bp.timer_trigger(arg_name="timer", schedule="%SCAN_SCHEDULE%", run_on_startup=False)
@bp.queue_output(arg_name="slices", queue_name=Queue.SCAN, connection="AzureWebJobsStorage")
async def plan(timer: func.TimerRequest, slices: Messages) -> None:
    """Send what is due."""
    if messages := await plan_scans(running_app()):
        slices.set(messages)


@bp.function_name("scan_slice")
@bp.queue_trigger(arg_name="message", queue_name=Queue.SCAN, connection="AzureWebJobsStorage")
@bp.queue_output(arg_name="slices", queue_name=Queue.SCAN, connection="AzureWebJobsStorage")
async def scan(message: func.QueueMessage, slices: Messages) -> None:
    """Read one slice; send the tenant's next. Or go the way of a self-test, or on with a dry run."""
    body = message.get_body()
    if is_self_test(body):
        await run_self_test(running_app(), body)
    elif messages := await (go_on if is_dry_run(body) else scan_slice)(running_app(), body):
        slices.set(messages)


@bp.function_name("park_slice")
@bp.queue_trigger(arg_name="message", queue_name=Queue.SCAN_POISON, connection="AzureWebJobsStorage")
async def park(message: func.QueueMessage) -> None:
    """Give up what a message was about that crashed its workers again and again: park the slice, fail the self-test,
    end the dry run."""
    log_event("poison_message", queue=Queue.SCAN_POISON, messageId=message.id)
    body = message.get_body()
    fail = fail_self_test if is_self_test(body) else fail_dry_run if is_dry_run(body) else park_poisoned
    await fail(running_app(), body)
