"""The messages to channels, with their tries and the last answer; and one message with its body.

The list stands beside how much of the log was read: silence rests on that.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final, Literal

from pydantic import Field, JsonValue

from shared.alerts.by_hand import UnknownAlert
from shared.answers.period import CoveredPage, read_standing, times_of
from shared.app.app import App
from shared.basics.spelling import id_key, is_key
from shared.messages.delivery import Delivery, DeliveryState
from shared.rules.rule import SeverityName
from shared.store.alerts import page_of_deliveries, read_delivery
from shared.store.incidents import read_incident
from shared.wire.cursor import Place, from_cursor, to_cursor
from shared.wire.filling import filled
from shared.wire.models import Answer, BadParameter, Listed, ListQuery, Named, NotKnown, severity_name

type StateName = Literal["pending", "sending", "delivered", "dead"]

_REQUESTS: Final = 6  # one call makes at most ten, some for what the period is (docs/architecture.md)
_STATES: Final[dict[str, StateName]] = {
    DeliveryState.GATHERING: "pending",
    DeliveryState.SENDING: "sending",
    DeliveryState.DELIVERED: "delivered",
    DeliveryState.DEAD: "dead",
}


class AlertsQuery(ListQuery):
    """Which deliveries. Filters that are set must all fit; a comma list fits by any of its entries."""

    state: Listed[StateName] | None = None
    channel: Named | None = Field(default=None, description="Name of a channel, in lower case.")
    incident: Named | None = Field(
        default=None,
        description="Id of an incident; finds every message that tells of it, those about many too.",
    )

    def fits(self, delivery: Delivery) -> bool:
        """Whether a delivery is asked for."""
        return (
            (self.state is None or state_of(delivery) in self.state)
            and self.channel in (None, delivery.channel)
            and (self.incident is None or self.incident in delivery.incidents)
        )


class AlertItem(Answer):
    """One message to one channel. `next_try_at` is null when it ended. `last_status` is null where no answer came;
    `last_answer` says why, or how a refusal began: it is the receiver's text, so treat it as hostile."""

    id: str
    channel: str
    type: str
    incident_id: str | None
    severity: SeverityName
    test: bool
    state: StateName
    webhook_id: str
    created_at: datetime
    attempts: int
    next_try_at: datetime | None
    last_tried_at: datetime | None
    last_status: int | None
    last_answer: str | None


class AlertDetail(AlertItem):
    """A message with its body as it was sent, in the form of channels of kind generic."""

    body: dict[str, JsonValue]


class AlertList(CoveredPage[AlertItem]):
    """Deliveries: those under way, the newest first, then those that ended, the newest first. The period is that since
    which the log is read."""


class _After(Place):
    row: str


async def list_alerts(app: App, query: AlertsQuery) -> AlertList:
    """A page of deliveries. Raises BadParameter for a wrong cursor, and NotKnown for an incident or a channel that is
    not, so that no mistyped one reads like silence."""
    question = query.question("alerts")
    after = from_cursor(query.cursor, _After, question).row if query.cursor else None
    if after is not None and not after.startswith("delivery-"):
        raise BadParameter("cursor", "is not one of this list")
    table = (await app.tables()).alerts
    rows, after = await filled(
        partial(page_of_deliveries, table), after, fits=query.fits, limit=query.limit, requests=_REQUESTS
    )
    if not rows and after is None:
        await _must_be_known(app, query)
    standing = await read_standing(app, await times_of(app, None, None))
    return AlertList(
        items=[alert_item(delivery) for delivery in rows],
        cursor=to_cursor(_After(row=after), question) if after else None,
        period=standing.period,
        coverage=standing.coverage,
    )


async def _must_be_known(app: App, query: AlertsQuery) -> None:
    """Raises NotKnown for an incident that is not kept and a channel that is not set: told of neither is nothing."""
    if query.channel is not None and query.channel not in {*app.settings.channels, *app.settings.wrong_channels}:
        raise NotKnown("no such channel")
    if query.incident is not None:
        key = id_key(query.incident)
        if not is_key(key) or await read_incident((await app.tables()).incidents, key) is None:
            raise NotKnown("no such incident")


async def read_alert(app: App, id_: str) -> AlertDetail:
    """One message with its body. Raises UnknownAlert."""
    delivery = await read_delivery((await app.tables()).alerts, id_)
    if delivery is None:
        raise UnknownAlert("no such alert")
    return AlertDetail(**dict(alert_item(delivery)), body=delivery.message)


def alert_item(delivery: Delivery) -> AlertItem:
    """A delivery as the answers show it."""
    return AlertItem(
        id=delivery.id,
        channel=delivery.channel,
        type=delivery.type,
        incident_id=delivery.incident or None,
        severity=severity_name(delivery.severity),
        test=delivery.message.get("test") is True,
        state=state_of(delivery),
        webhook_id=delivery.message_id,
        created_at=delivery.created,
        attempts=delivery.attempts,
        next_try_at=None if delivery.ended else delivery.next_due,
        last_tried_at=delivery.last_at,
        last_status=delivery.last_status or None,
        last_answer=delivery.last_answer or None,
    )


def state_of(delivery: Delivery) -> StateName:
    """pending, sending, delivered or dead."""
    return _STATES.get(delivery.state, "pending")
