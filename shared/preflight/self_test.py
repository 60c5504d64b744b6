"""The self-test: a made-up violation, marked as such, goes the way of a real one, and the time of each leg is told.

It goes through the queue `scan-slices` and its trigger, the decoder and the rules, the tables of findings and
incidents, and the dispatch and delivery of alerts. Its rows have a partition of their own that no scan, list or roll-up
reads, and they are removed when they were read back, so it never counts anywhere; its alert says that it is a test.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.alerts.outgoing import message_id, new_delivery, surroundings
from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.spelling import is_key
from shared.incidents.findings import Finding
from shared.incidents.life import News, apply_findings
from shared.incidents.model import Incident, Telling, contributions
from shared.ledger.slices import Slice
from shared.messages.compose import one
from shared.messages.delivery import Delivery, DeliveryState
from shared.rules.assess import Verdict
from shared.scan.reading import Reading
from shared.signin.decoding import decode_page
from shared.signin.directory import Customer, DelegatedAdmin, Directory, DirectoryFile
from shared.store import alerts
from shared.store.findings import finding_of_row, finding_row
from shared.store.incident_rows import INCIDENT, incident_columns, incident_of
from shared.store.packing import pack, unpack
from shared.store.tables import SCHEMA, Conflict, Table, Tables, delete, keys, upsert, utc
from shared.wire.models import Answer, BadParameter, Body

_PARTITION: Final = "self-test"
_USER: Final = "5e1f7e57-0000-4000-8000-000000000001"
_CUSTOMER: Final = "5e1f7e57-0000-4000-8000-000000000002"
_APP: Final = "5e1f7e57-0000-4000-8000-000000000003"
_RULE: Final = "interactive-without-mfa"
_QUEUED: Final = "queued"
_RUN: Final = "run"
_FAILED: Final = "failed"
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


@dataclass(frozen=True, slots=True)
class _Record:
    """What is kept of one. `legs` are those of the scan, `deliveries` the ids of its alerts by channel."""

    id: str
    at: datetime
    by: str
    channels: Sequence[str]
    state: str = _QUEUED
    legs: Sequence[dict[str, Any]] = ()
    deliveries: tuple[tuple[str, str], ...] = ()


async def start_self_test(app: App, asked: SelfTestRequest, *, by: str) -> tuple[SelfTest, str]:
    """Note that it begins. Returns how it stands, and the message that the caller sends to the queue of the scan.
    Raises BadParameter for a channel that is not there."""
    channels = app.settings.channels
    if asked.channel is not None and asked.channel not in channels:
        raise BadParameter("channel", "is not one of the channels")
    record = _Record(uuid4().hex, app.clock(), by, [asked.channel] if asked.channel else [*channels])
    tables = await app.tables()
    await _forget(tables, record.at - _KEPT)
    await _save(tables, record)
    log_event("self_test_started", self_test=record.id)
    return await _shown(tables, record), message_of(record.id)


def message_of(id_: str) -> str:
    """The queue message of a self-test."""
    return SelfTestMessage(self_test=id_).model_dump_json()


async def read_self_test(app: App, id_: str) -> SelfTest:
    """How far it got. Raises UnknownTest."""
    tables = await app.tables()
    record = await _read(tables, id_)
    if record is None:
        raise UnknownTest("no such self-test")
    return await _shown(tables, record)


def is_self_test(body: str) -> bool:
    """Whether a message of the queue is one of a self-test."""
    return _id_in(body) is not None


def _id_in(body: str) -> str | None:
    try:
        return SelfTestMessage.model_validate_json(body).self_test
    except ValidationError:
        return None


# --- the way ----------------------------------------------------------------------------------------------------------


async def run_self_test(app: App, body: str) -> None:
    """Go the way, as often as the queue delivers the message; the alert has the same webhook-id each time."""
    tables = await app.tables()
    record = await _read(tables, _id_in(body) or "")
    if record is None or record.state != _QUEUED:
        return
    taken = app.clock()
    legs = [_leg("queue", record.at, taken)]
    finding = _assess(app, record)
    assessed = app.clock()
    if finding is None:
        legs.append(_leg("assessment", taken, assessed, f"the violation was not judged as {_RULE}"))
        await _save(tables, replace(record, state=_FAILED, legs=legs))
        return
    legs.append(_leg("assessment", taken, assessed))
    telling = _telling(record, finding, app)
    wrong = await _through_tables(tables, record, finding, telling.incident)
    legs.append(_leg("tables", assessed, app.clock(), wrong))
    deliveries = [] if wrong else [(name, await _alert(app, tables, record, name, telling)) for name in record.channels]
    state = _FAILED if wrong else _RUN
    await _save(tables, replace(record, state=state, legs=legs, deliveries=tuple(deliveries)))
    log_event("self_test_went", self_test=record.id, passed=not wrong)


async def fail_self_test(app: App, body: str) -> None:
    """Its message crashed its workers again and again."""
    tables = await app.tables()
    record = await _read(tables, _id_in(body) or "")
    if record is not None and record.state == _QUEUED:
        for table in (tables.slices, tables.incidents):  # what a worker wrote before it crashed
            await _remove(table, [row async for row in table.prefixed(_PARTITION, "") if record.id in row["RowKey"]])
        leg = _leg("queue", record.at, app.clock(), "its workers crashed; the log says why")
        await _save(tables, replace(record, state=_FAILED, legs=[leg]))


def _assess(app: App, record: _Record) -> Finding | None:
    """Decode and judge it; None when it is not the violation that it is."""
    partner = app.settings.partner_tenant_id
    at = record.at.replace(microsecond=0)
    sign_in = {
        "id": f"self-test-{record.id}",
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
    found = reading.findings()
    fits = len(found) == 1 and _RULE in found[0].rules and found[0].verdict == Verdict.NON_COMPLIANT
    return found[0] if fits else None


def _telling(record: _Record, finding: Finding, app: App) -> Telling:
    ((key, (who, facts)),) = contributions([finding], settled=True).items()
    step = apply_findings(None, News(key, who, facts, record.at, (facts,)), app.settings.life)
    if step is None or step.event is None:
        raise RuntimeError("a new incident of a settled finding has nothing to tell")
    return Telling(step.event, step.incident, record.at, first_scan=False)


async def _through_tables(tables: Tables, record: _Record, finding: Finding, incident: Incident) -> str:
    """Write the finding and the incident, read them back and remove them; what was wrong, "" for nothing."""
    row = finding_row(_PARTITION, finding)
    await tables.slices.write(upsert(row))
    of_incident = {**incident_columns(incident), **keys(_PARTITION, INCIDENT + record.id)}
    await tables.incidents.write(upsert(of_incident))
    read = await tables.slices.get(_PARTITION, row["RowKey"])
    read_incident = await tables.incidents.get(_PARTITION, of_incident["RowKey"])
    await _remove(tables.slices, [row])
    await _remove(tables.incidents, [of_incident])
    if read is None or finding_of_row(read) != finding:
        return "the finding could not be read back as it was written"
    if read_incident is None or incident_of(read_incident) != incident:
        return "the incident could not be read back as it was written"
    return ""


async def _remove(table: Table, rows: Iterable[Mapping[str, Any]]) -> None:
    for row in rows:
        try:
            await table.write(delete(row))
        except Conflict:
            continue  # another worker was first


async def _alert(app: App, tables: Tables, record: _Record, channel: str, telling: Telling) -> str:
    key = message_id(channel, "self-test", record.id)
    message = one(telling, key, await surroundings(app)).model_copy(update={"test": True})
    delivery = new_delivery(app, channel, message)
    try:
        await alerts.add_delivery(tables.alerts, delivery)
    except Conflict:
        log_event("self_test_alert_was_made", self_test=record.id, channel=channel)  # by a worker before this one
    return delivery.id


# --- what is kept and shown -------------------------------------------------------------------------------------------


def _leg(name: str, begin: datetime, end: datetime, wrong: str = "") -> dict[str, Any]:
    took = (end - begin) // timedelta(milliseconds=1)
    return {"name": name, "state": "failed" if wrong else "ok", "milliseconds": took, "detail": wrong or None}


async def _save(tables: Tables, record: _Record) -> None:
    value = {**asdict(record), "at": record.at.isoformat()}
    row = {**keys(_PARTITION, f"run-{record.id}"), "v": SCHEMA, "at": record.at, **pack("run", value)}
    await tables.control.write(upsert(row))


async def _forget(tables: Tables, before: datetime) -> None:
    rows = tables.control.prefixed(_PARTITION, "run-", select=["PartitionKey", "RowKey", "at"])
    await _remove(tables.control, [row async for row in rows if utc(row["at"]) < before])


async def _read(tables: Tables, id_: str) -> _Record | None:
    if not is_key(id_):
        return None
    row = await tables.control.get(_PARTITION, f"run-{id_}")
    if row is None:
        return None
    value = unpack("run", row)
    deliveries = tuple((name, delivery) for name, delivery in value["deliveries"])
    return _Record(**{**value, "at": datetime.fromisoformat(value["at"]), "deliveries": deliveries})


async def _shown(tables: Tables, record: _Record) -> SelfTest:
    legs = [Leg.model_validate(leg) for leg in record.legs]
    known = {leg.name for leg in legs}
    missing: Literal["pending", "skipped"] = "skipped" if record.state == _FAILED else "pending"
    ahead = [name for name in ("queue", "assessment", "tables") if name not in known]
    legs += [Leg(name=name, state=missing, milliseconds=None, detail=None) for name in ahead]
    made = dict(record.deliveries)
    for channel in record.channels:
        delivery = await alerts.read_delivery(tables.alerts, made[channel]) if channel in made else None
        legs.append(_alert_leg(channel, delivery, missing))
    if not record.channels:
        legs.append(Leg(name="alert", state="skipped", milliseconds=None, detail="no channel is configured"))
    done = all(leg.state != "pending" for leg in legs)
    passed = done and all(leg.state != "failed" for leg in legs)
    return SelfTest(id=record.id, requested_at=record.at, requested_by=record.by, done=done, passed=passed, legs=legs)


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
