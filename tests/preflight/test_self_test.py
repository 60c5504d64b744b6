"""The self-test goes the whole way and counts nowhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from functions.answers import coverage, findings, summary
from functions.incidents import incidents
from functions.self_test import self_test, start_test
from local.stage.receivers import Fault
from shared.preflight.self_test import fail_self_test, is_self_test, message_of, run_self_test
from tests.alerts.harness import Rig, receiver, rig
from tests.functions.asking import ask
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss

JSON = {"Content-Type": "application/json"}


async def _start(at: Rig, **body: str) -> str:
    reply = await ask(start_test, at.app, headers=JSON, body=json.dumps(body).encode())
    assert reply.status == 200, reply.text
    assert not reply.json["done"]
    return str(reply.json["id"])


async def _shown(at: Rig, id_: str) -> Any:
    return (await ask(self_test, at.app, path={"id": id_})).json


async def test_it_goes_the_way_and_counts_nowhere(azurite: str) -> None:
    async with rig(azurite, receiver(), receiver("slack")) as at:
        tables = await at.app.tables()
        before = [(await ask(route, at.app)).json for route in (summary, findings, incidents, coverage)]
        id_ = await _start(at)
        await run_self_test(at.app, message_of(id_))
        await run_self_test(at.app, message_of(id_))  # the queue delivers at least once
        states = {leg["name"]: leg["state"] for leg in (await _shown(at, id_))["legs"]}
        assert states == {
            "queue": "ok",
            "assessment": "ok",
            "tables": "ok",
            "alert:soc": "pending",
            "alert:soc1": "pending",
        }
        assert [(await ask(route, at.app)).json for route in (summary, findings, incidents, coverage)] == before
        assert [row async for row in tables.slices.everything()] == []
        assert [row async for row in tables.incidents.everything()] == []

        await at.tick()
        await at.tick()
        shown = await _shown(at, id_)
        assert (shown["done"], shown["passed"]) == (True, True)
        assert {leg["name"]: leg["milliseconds"] for leg in shown["legs"]} == {
            "queue": 0,  # the rig's clock stands still
            "assessment": 0,
            "tables": 0,
            "alert:soc": 60_000,
            "alert:soc1": 60_000,
        }
        (got,) = at.got(0)
        message = json.loads(got.body)
        assert (message["test"], message["type"], message["severity"]) == (True, "incident.opened", "high")
        assert message["data"]["incident"]["user"]["name"] == "self-test@partner.example"
        assert len(at.got(1)) == 1


async def test_an_alert_that_nobody_takes_fails_it(azurite: str) -> None:
    async with rig(azurite, receiver(), receiver(name="other")) as at:
        at.receivers[1].faults.append(Fault.GONE)
        id_ = await _start(at, channel="soc1")
        await run_self_test(at.app, message_of(id_))
        await at.tick()
        shown = await _shown(at, id_)
        assert (shown["done"], shown["passed"]) == (True, False)
        assert (shown["legs"][-1]["name"], shown["legs"][-1]["state"]) == ("alert:soc1", "failed")
        assert at.got(0) == []


async def test_one_whose_message_crashes_its_workers_has_failed(azurite: str) -> None:
    async with rig(azurite) as at:
        id_ = await _start(at)
        await fail_self_test(at.app, message_of(id_))
        await run_self_test(at.app, message_of(id_))
        shown = await _shown(at, id_)
        assert (shown["done"], shown["passed"]) == (True, False)
        assert [leg["state"] for leg in shown["legs"]] == ["failed", "skipped", "skipped", "skipped"]


async def test_a_worker_that_dies_on_the_way_leaves_nothing_behind(azurite: str) -> None:
    """Cut off at each of its writes, then either run again or given up."""
    async with rig(azurite, receiver()) as at, CutProxy(azurite) as proxy:
        tables = await at.app.tables()
        dying = at.worker(proxy.connection, retries=0)
        await dying.tables()
        try:
            for _ in range(2):  # the first time it also reads what it remembers
                id_ = await _start(at)
                proxy.begin()
                await run_self_test(dying, message_of(id_))
            writes = proxy.writes
            assert len(writes) >= 6
            for number in writes:
                for ending in (run_self_test, fail_self_test):
                    id_ = await _start(at)
                    proxy.begin(Cut(number, Loss.ANSWER, Aftermath.CRASH))
                    with pytest.raises((ServiceRequestError, ServiceResponseError)):
                        await run_self_test(dying, message_of(id_))
                    await ending(at.app, message_of(id_))
                    for table in (tables.slices, tables.incidents):
                        assert [row["RowKey"] async for row in table.everything()] == [], (number, ending.__name__)
                    assert len([d for d in await at.deliveries() if id_ in json.dumps(d.message)]) <= 1
        finally:
            await dying.close()


async def test_what_it_said_is_kept_for_a_month(azurite: str) -> None:
    async with rig(azurite) as at:
        old = await _start(at)
        at.now += timedelta(days=30)
        kept = await _start(at)
        at.now += timedelta(seconds=1)
        await _start(at)
        assert (await ask(self_test, at.app, path={"id": old})).status == 404
        assert (await ask(self_test, at.app, path={"id": kept})).status == 200


async def test_what_cannot_be_asked(azurite: str) -> None:
    async with rig(azurite) as at:
        for body in (b'{"channel": "nobody"}', b'{"channel": 1}', b'{"colour": "red"}', b""):
            assert (await ask(start_test, at.app, headers=JSON, body=body)).status == 400
        for id_ in ("0" * 32, "'", ""):
            assert (await ask(self_test, at.app, path={"id": id_})).status == 404


@pytest.mark.parametrize("body", ["", "{}", '{"tenant":"t","self_test":"x"}', "[]", '{"self_test":1}'])
def test_other_messages_of_the_queue_are_none(body: str) -> None:
    assert not is_self_test(body)
