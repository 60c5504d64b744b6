"""The self-test: a made-up violation, marked as such, goes the way of a real one, and the time of each leg is told.

It goes through the queue `scan-slices` and its trigger, the decoder and the rules, the tables of findings and
incidents, and the dispatch and delivery of alerts. Its rows have a partition of their own that no scan, list or roll-up
reads, and they are removed when they were read back, so it never counts anywhere; its alert says that it is a test.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from shared.alerts.outgoing import message_id, new_delivery, surroundings
from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.queue_messages import QueueBody, message_in
from shared.incidents.findings import Finding
from shared.incidents.life import News, apply_findings
from shared.incidents.model import Telling, contributions
from shared.ledger.slices import Slice
from shared.messages.compose import one
from shared.messages.delivery import Delivery, DeliveryState
from shared.rules.assess import Verdict
from shared.scan.reading import Reading
from shared.signin.decoding import decode_page
from shared.signin.directory import Customer, DelegatedAdmin, Directory, DirectoryFile
from shared.store import alerts
from shared.store.self_tests import (
    RunState,
    SelfTestRun,
    forget_runs,
    read_run,
    remove_left_rows,
    save_run,
    write_and_read,
)
from shared.store.tables import Conflict, Tables
from shared.wire.models import Answer, BadParameter, Body

_USER: Final = "5e1f7e57-0000-4000-8000-000000000001"
_CUSTOMER: Final = "5e1f7e57-0000-4000-8000-000000000002"
_APP: Final = "5e1f7e57-0000-4000-8000-000000000003"
_RULE: Final = "interactive-without-mfa"
# How long what a self-test said can be read.
_KEPT: Final = timedelta(days=30)


class UnknownTest(Exception):  # noqa: N818
    """There is no such self-test."""


class SelfTestRequest(Body):
    """Which channel gets the alert; all of them when none is named."""

    channel: str | None = Field(default=None, min_length=1, max_length=100)


class SelfTestMessage(BaseModel):
    """What the queue carries."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    self_test: str


class Leg(Answer):
    """One leg of the way: how long it took, in milliseconds, once it is done. `skipped`: there is nothing there."""

    name: str
    state: Literal["pending", "ok", "failed", "skipped"]
    milliseconds: int | None
    detail: str | None


class SelfTest(Answer):
    """A self-test. `done` when no leg is pending; `passed` when none failed besides."""

    id: str
    requested_at: datetime
    requested_by: str
    done: bool
    passed: bool
    legs: list[Leg]


async def start_self_test(app: App, asked: SelfTestRequest, *, by: str) -> tuple[SelfTest, str]:
    """Note that it begins. Returns how it stands, and the message that the caller sends to the queue of the scan.
    Raises BadParameter for a channel that is not there."""
    channels = app.settings.channels
    if asked.channel is not None and asked.channel not in channels:
        raise BadParameter("channel", "is not one of the channels")
    run = SelfTestRun(uuid4().hex, app.clock(), by, [asked.channel] if asked.channel else [*channels])
    tables = await app.tables()
    await forget_runs(tables, run.at - _KEPT)
    await save_run(tables, run)
    log_event("self_test_started", self_test=run.id)
    return await _shown(tables, run), message_of(run.id)


def message_of(id_: str) -> str:
    """The queue message of a self-test."""
    return SelfTestMessage(self_test=id_).model_dump_json()


async def read_self_test(app: App, id_: str) -> SelfTest:
    """How far it got. Raises UnknownTest."""
    tables = await app.tables()
    run = await read_run(tables, id_)
    if run is None:
        raise UnknownTest("no such self-test")
    return await _shown(tables, run)


def is_self_test(body: QueueBody) -> bool:
    """Whether a message of the queue is one of a self-test."""
    return _id_in(body) is not None


def _id_in(body: QueueBody) -> str | None:
    message = message_in(SelfTestMessage, body)
    return message.self_test if message else None


# --- the way ----------------------------------------------------------------------------------------------------------


async def run_self_test(app: App, body: QueueBody) -> None:
    """Go the way, as often as the queue delivers the message; the alert has the same webhook-id each time."""
    tables = await app.tables()
    run = await read_run(tables, _id_in(body) or "")
    if run is None or run.state != RunState.QUEUED:
        return
    taken = app.clock()
    legs = [_leg("queue", run.at, taken)]
    finding = _assess(app, run)
    assessed = app.clock()
    if finding is None:
        legs.append(_leg("assessment", taken, assessed, f"the violation was not judged as {_RULE}"))
        await save_run(tables, replace(run, state=RunState.FAILED, legs=legs))
        return
    legs.append(_leg("assessment", taken, assessed))
    telling = _telling(run, finding, app)
    wrong = await write_and_read(tables, run, finding, telling.incident)
    legs.append(_leg("tables", assessed, app.clock(), wrong))
    deliveries = [] if wrong else [(name, await _alert(app, tables, run, name, telling)) for name in run.channels]
    state = RunState.FAILED if wrong else RunState.DONE
    await save_run(tables, replace(run, state=state, legs=legs, deliveries=tuple(deliveries)))
    log_event("self_test_went", self_test=run.id, passed=not wrong)


async def fail_self_test(app: App, body: QueueBody) -> None:
    """Its message crashed its workers again and again."""
    tables = await app.tables()
    run = await read_run(tables, _id_in(body) or "")
    if run is not None and run.state == RunState.QUEUED:
        await remove_left_rows(tables, run)
        leg = _leg("queue", run.at, app.clock(), "its workers crashed; the log says why")
        await save_run(tables, replace(run, state=RunState.FAILED, legs=[leg]))


def _assess(app: App, run: SelfTestRun) -> Finding | None:
    """Decode and judge it; None when it is not the violation that it is."""
    partner = app.settings.partner_tenant_id
    at = run.at.replace(microsecond=0)
    sign_in = {
        "id": f"self-test-{run.id}",
        "createdDateTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "userId": _USER,
        "userPrincipalName": "self-test@partner.example",
        "userDisplayName": "Self-test",
        "homeTenantId": partner,
        "resourceTenantId": _CUSTOMER,
        "crossTenantAccessType": "serviceProvider",
        "appId": _APP,
        "appDisplayName": "Self-test",
        "clientAppUsed": "Browser",
        "signInEventTypes": ["interactiveUser"],
        "authenticationRequirement": "singleFactorAuthentication",
        "status": {"errorCode": 0},
        "authenticationDetails": [{"authenticationMethod": "Password", "succeeded": True}],
    }
    directory = Directory.of(
        DirectoryFile(
            partner_tenant_id=partner,
            customers=[Customer(tenant_id=_CUSTOMER)],
            delegated_admins=[DelegatedAdmin(user_id=_USER)],
        )
    )
    midnight = at.replace(hour=0, minute=0, second=0)
    reading = Reading(Slice(partner, midnight, timedelta(days=1)), directory, app.settings.policy)
    reading.add(decode_page(json.dumps({"value": [sign_in]}).encode()))
    found = [*reading.findings()]
    fits = len(found) == 1 and _RULE in found[0].rules and found[0].verdict == Verdict.NON_COMPLIANT
    return found[0] if fits else None


def _telling(run: SelfTestRun, finding: Finding, app: App) -> Telling:
    ((key, (who, facts)),) = contributions([finding], settled=True).items()
    step = apply_findings(None, News(key, who, facts, run.at, (facts,)), app.settings.life)
    if step is None or step.event is None:
        raise RuntimeError("a new incident of a settled finding has nothing to tell")
    return Telling(step.event, step.incident, run.at, first_scan=False)


async def _alert(app: App, tables: Tables, run: SelfTestRun, channel: str, telling: Telling) -> str:
    key = message_id(channel, "self-test", run.id)
    message = one(telling, key, await surroundings(app)).model_copy(update={"test": True})
    delivery = new_delivery(app, channel, message)
    try:
        await alerts.add_delivery(tables.alerts, delivery)
    except Conflict:
        log_event("self_test_alert_was_made", self_test=run.id, channel=channel)  # by a worker before this one
    return delivery.id


# --- what is kept and shown -------------------------------------------------------------------------------------------


def _leg(name: str, begin: datetime, end: datetime, wrong: str = "") -> dict[str, Any]:
    took = (end - begin) // timedelta(milliseconds=1)
    return {"name": name, "state": "failed" if wrong else "ok", "milliseconds": took, "detail": wrong or None}


async def _shown(tables: Tables, run: SelfTestRun) -> SelfTest:
    legs = [Leg.model_validate(leg) for leg in run.legs]
    known = {leg.name for leg in legs}
    missing: Literal["pending", "skipped"] = "skipped" if run.state == RunState.FAILED else "pending"
    ahead = [name for name in ("queue", "assessment", "tables") if name not in known]
    legs += [Leg(name=name, state=missing, milliseconds=None, detail=None) for name in ahead]
    made = dict(run.deliveries)
    for channel in run.channels:
        delivery = await alerts.read_delivery(tables.alerts, made[channel]) if channel in made else None
        legs.append(_alert_leg(channel, delivery, missing))
    if not run.channels:
        legs.append(Leg(name="alert", state="skipped", milliseconds=None, detail="no channel is configured"))
    done = all(leg.state != "pending" for leg in legs)
    passed = done and all(leg.state != "failed" for leg in legs)
    return SelfTest(id=run.id, requested_at=run.at, requested_by=run.by, done=done, passed=passed, legs=legs)


def _alert_leg(channel: str, delivery: Delivery | None, missing: Literal["pending", "skipped"]) -> Leg:
    """From the making of the alert to the receiver's answer: dispatch, queue and post."""
    name = f"alert:{channel}"
    if delivery is None or not delivery.ended or delivery.last_at is None:
        state = missing if delivery is None else "pending"
        return Leg(name=name, state=state, milliseconds=None, detail=delivery.last_answer or None if delivery else None)
    took = (delivery.last_at - delivery.created) // timedelta(milliseconds=1)
    delivered = delivery.state == DeliveryState.DELIVERED
    detail = None if delivered else delivery.last_answer or "given up"
    return Leg(name=name, state="ok" if delivered else "failed", milliseconds=took, detail=detail)
