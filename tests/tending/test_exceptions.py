"""Reminders before the end of an exception: through real queues of deliveries to a real receiver."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.alerts.digest import make_digests
from shared.answers.exception_models import Approval, ExceptionRequest
from shared.answers.exceptions import approve_exception, ask_exception
from shared.exceptions.life import Approver
from shared.rules.rule import CUSTOMER
from shared.store.flights import change_flight, read_flight
from shared.tending.exceptions import tend_exceptions
from tests.alerts.harness import Rig, receiver, rig, uuid_of
from tests.exceptions.asked import asked

END = datetime(2026, 11, 30, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


async def _given(at: Rig, **members: Any) -> str:
    request = ExceptionRequest.model_validate_json(json.dumps(asked(**members)))
    made = await ask_exception(at.app, request, by="jane", by_id="t/jane")
    await approve_exception(at.app, made.id, Approval(), by=Approver("joe", "t/joe", is_person=True), etag="*")
    return made.id


async def _tick(at: Rig, now: datetime) -> None:
    at.now = now
    await tend_exceptions(at.app)
    await tend_exceptions(at.app)
    await at.tick(after=SECOND)


def _told(at: Rig, place: int = 0) -> list[tuple[str, str]]:
    bodies = [json.loads(received.body) for received in at.got(place)]
    return [(body["severity"], body["data"]["expires"]) for body in bodies if body["type"] == "exception.expiring"]


async def test_it_reminds_14_and_3_days_before_its_end_and_once_each(azurite: str) -> None:
    async with rig(azurite) as at:
        await _given(at)
        await _tick(at, END - 14 * DAY - SECOND)
        assert _told(at) == []
        for days in (14, 13, 4):
            await _tick(at, END - days * DAY)
            assert _told(at) == [("medium", "2026-11-30T00:00:00Z")]
        for days in (3, 2, 1):
            await _tick(at, END - days * DAY)
            assert _told(at) == [("medium", "2026-11-30T00:00:00Z"), ("high", "2026-11-30T00:00:00Z")]
        await _tick(at, END)
        assert len(at.got()) == 2
        assert all(received.verified for received in at.got())


async def test_an_alert_that_waits_when_it_is_approved_is_told_after_its_end_alone(azurite: str) -> None:
    async with rig(azurite, channels={"soc": {"quiet_hours": "11:00-14:00"}}) as at:
        await at.found()  # at noon
        await at.tick()
        await _given(at, userId=uuid_of("jane"), expiresOn="2026-11-05")
        await at.tick(after=timedelta(hours=3))
        assert at.types() == []
        await _tick(at, datetime(2026, 11, 5, 15, tzinfo=UTC))
        assert at.types() == ["incident.opened"]


async def test_one_that_begins_near_its_end_is_reminded_of_once(azurite: str) -> None:
    async with rig(azurite) as at:
        await _given(at, expiresOn="2026-11-04")
        await _tick(at, datetime(2026, 11, 2, 13, tzinfo=UTC))
        assert [severity for severity, _ in _told(at)] == ["high"]


async def test_a_channel_hears_of_its_customers_alone_and_not_in_its_quiet_hours(azurite: str) -> None:
    other = "99999999-9999-9999-9999-999999999999"
    channels = {"soc": {"customers": other}, "soc1": {"customers": CUSTOMER, "quiet_hours": "22:00-07:00"}}
    async with rig(azurite, receiver(), receiver(name="second"), channels=channels) as at:
        await _given(at, customerId=CUSTOMER)
        await _tick(at, END - 14 * DAY)
        assert (_told(at, 0), _told(at, 1)) == ([], [])
        await _tick(at, END - 14 * DAY + timedelta(hours=7))
        assert (_told(at, 0), len(_told(at, 1))) == ([], 1)


@pytest.mark.parametrize("kind", ["teams", "slack"])
async def test_people_read_it_in_their_chat(azurite: str, kind: str) -> None:
    async with rig(azurite, receiver(kind)) as at:
        await _given(at)
        await _tick(at, END - 3 * DAY)
        assert b"A technical exception ends on 2026-11-30" in at.got()[0].body


async def test_the_digest_names_what_ends_soon(azurite: str) -> None:
    async with rig(azurite, channels={"soc": {"alerts": False, "digest": "daily"}}) as at:
        id_ = await _given(at)
        tables = await at.app.tables()
        flight = await read_flight(tables.control, at.app.settings.partner_tenant_id)
        await change_flight(tables.control, flight, first_seen=END - 30 * DAY)
        at.now = END - 5 * DAY + timedelta(hours=9)
        await make_digests(at.app, tables)
        await at.tick()
        (digest,) = [json.loads(received.body) for received in at.got()]
        assert [(e["id"], e["title"]) for e in digest["data"]["exceptions"]] == [(id_, "Smart cards of Contoso")]
