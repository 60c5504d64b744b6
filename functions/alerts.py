"""Triggers and routes of the alerts: a timer works out what there is to tell, a queue tells it, one message a delivery;
people look at deliveries and send them again."""

from http import HTTPStatus

import azure.functions as func
from pydantic import JsonValue, RootModel

from functions.blueprint import Blueprint
from functions.http import Call, NoQuery, endpoint
from functions.messages import Messages
from functions.who import Role
from shared.alerts.by_hand import (
    DeliveryBusy,
    DeliveryOutdated,
    UnknownAlert,
    UnknownChannel,
    redeliver,
    send_test_alert,
)
from shared.alerts.deliver import deliver_alert, settle_poisoned
from shared.alerts.dispatch import dispatch_alerts
from shared.answers.alert_list import (
    AlertDetail,
    AlertItem,
    AlertList,
    AlertsQuery,
    alert_item,
    list_alerts,
    read_alert,
)
from shared.app.app import running_app
from shared.basics.events import log_event
from shared.basics.queues import Queue
from shared.ledger.register import ActKind
from shared.messages.message import schema
from shared.operations.register import note_act
from shared.tending.timer import tend_incidents
from shared.wire.models import Body

bp = Blueprint()


@bp.function_name("dispatch_alerts")
@bp.timer_trigger(arg_name="timer", schedule="%ALERT_SCHEDULE%", run_on_startup=False)
@bp.queue_output(arg_name="deliveries", queue_name=Queue.ALERTS, connection="AzureWebJobsStorage")
async def dispatch(timer: func.TimerRequest, deliveries: Messages) -> None:
    """Turn pending events into deliveries and send those that are due."""
    if messages := await dispatch_alerts(running_app()):
        deliveries.set(messages)


@bp.function_name("tend_incidents")
@bp.timer_trigger(arg_name="timer", schedule="%SCAN_SCHEDULE%", run_on_startup=False)
async def tend(timer: func.TimerRequest) -> None:
    """Close the incidents that were quiet, end snoozes, make the digests that are due."""
    await tend_incidents(running_app())


@bp.function_name("deliver_alert")
@bp.queue_trigger(arg_name="message", queue_name=Queue.ALERTS, connection="AzureWebJobsStorage")
@bp.queue_output(arg_name="deliveries", queue_name=Queue.ALERTS, connection="AzureWebJobsStorage")
async def deliver(message: func.QueueMessage, deliveries: Messages) -> None:
    """Try one delivery; go on with the channel's next."""
    if messages := await deliver_alert(running_app(), message.get_body()):
        deliveries.set(messages)


@bp.function_name("settle_alert")
@bp.queue_trigger(arg_name="message", queue_name=Queue.ALERTS_POISON, connection="AzureWebJobsStorage")
async def settle(message: func.QueueMessage) -> None:
    """Note a delivery whose message crashed its workers again and again."""
    log_event("poison_message", queue=Queue.ALERTS_POISON, messageId=message.id)
    await settle_poisoned(running_app(), message.get_body())


class ChannelToTry(Body):
    """Which channel to try."""

    channel: str


class JsonSchema(RootModel[dict[str, JsonValue]]):
    """A JSON Schema."""


@endpoint(bp, "GET", "alerts", needs=Role.READER)
async def alerts(call: Call[AlertsQuery]) -> AlertList:
    """Every message to every channel, with its tries and the last answer: those under way first, then those that ended,
    each the newest first."""
    return await list_alerts(call.app, call.query)


@endpoint(
    bp,
    "POST",
    "alerts/{id}/redeliver",
    needs=Role.OPERATOR,
    errors={
        UnknownAlert: (HTTPStatus.NOT_FOUND, "There is no such alert."),
        DeliveryBusy: (HTTPStatus.CONFLICT, "It is on its way just now."),
        DeliveryOutdated: (HTTPStatus.CONFLICT, "Most of it is not true any more."),
    },
)
async def send_again(call: Call[NoQuery]) -> AlertItem:
    """Send a message again, under the same webhook-id, whatever became of it. Where incidents stand otherwise by now,
    the channel is told so behind it."""
    sent = await redeliver(call.app, call.path["id"], by=call.by)
    await note_act(call.app, ActKind.REDELIVER, call.actor, alert=sent.id)
    return alert_item(sent)


@endpoint(
    bp,
    "POST",
    "alerts/test",
    needs=Role.OPERATOR,
    errors={UnknownChannel: (HTTPStatus.NOT_FOUND, "There is no such channel.")},
)
async def try_channel(call: Call[NoQuery, ChannelToTry]) -> AlertItem:
    """Send a made-up incident, marked as a test, to a channel."""
    sent = await send_test_alert(call.app, call.body.channel)
    await note_act(call.app, ActKind.TRY_CHANNEL, call.actor, channel=call.body.channel)
    return alert_item(sent)


@endpoint(
    bp,
    "GET",
    "alerts/{id}",
    needs=Role.READER,
    errors={UnknownAlert: (HTTPStatus.NOT_FOUND, "There is no such alert.")},
)
async def alert(call: Call[NoQuery]) -> AlertDetail:
    """One message to one channel, with its body as it was sent."""
    return await read_alert(call.app, call.path["id"])


@endpoint(bp, "GET", "alerts/schema", needs=Role.READER)
async def alert_schema(call: Call[NoQuery]) -> JsonSchema:
    """The JSON Schema of what channels of kind generic get."""
    return JsonSchema(schema())
