"""Histories of incidents, receivers that fail and clocks that differ: each channel's last words are what stands."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from functions.alerts import alerts
from local.stage.receivers import Fault
from shared.incidents import acts
from shared.incidents.acts import NotNow
from shared.ledger.slices import Slice
from shared.rules.rule import Severity
from shared.store.incidents import all_incidents, read_incident, take_step
from shared.store.tables import delete
from tests.alerts.channel_model import last_words, said_twice, told_falsely, wrong_words
from tests.alerts.harness import MINUTE, Rig, key_of, receiver, rig, slice_at
from tests.functions.asking import ask

HOUR = timedelta(hours=1)
PEOPLE = ("ann", "bob", "cid", "dee")


def heard(b: Rig, place: int) -> list[dict[str, Any]]:
    return [received.json for received in b.got(place)]


async def wrong(b: Rig, minimums: tuple[int, ...]) -> list[str]:
    table = (await b.app.tables()).incidents
    incidents = [incident async for incident in all_incidents(table)]
    last = [f"{n}: {w}" for n, least in enumerate(minimums) for w in wrong_words(heard(b, n), incidents, least)]
    return last + [f"{n}: {w}" for n in range(len(minimums)) for w in said_twice(heard(b, n))]


async def act(b: Rig, who: str, draw: random.Random) -> None:
    """Somebody does something with an incident, if it can be done."""
    table = (await b.app.tables()).incidents
    found = await read_incident(table, key_of(who))
    if found is None:
        return
    incident, etag = found
    do = draw.choice(("acknowledge", "snooze", "resolve", "reopen", "reopen"))
    try:
        match do:
            case "acknowledge":
                step = acts.acknowledge(incident, "op", "", b.now)
            case "snooze":
                step = acts.snooze(incident, "op", "", until=b.now + HOUR, now=b.now)
            case "resolve":
                step = acts.resolve(incident, "op", "", b.now)
            case _:
                step = acts.reopen(incident, "op", "", b.now)
    except NotNow:
        return
    await take_step(table, step, etag, b.now)


async def history(b: Rig, draw: random.Random) -> None:
    """Findings come, change and go; people act; time passes."""
    for _ in range(40):
        who, what = draw.choice(PEOPLE), draw.random()
        b.now += draw.choice((timedelta(0), timedelta(0), MINUTE, 5 * MINUTE))
        # One instance's clock is behind the other's.
        b.now -= (skew := timedelta(seconds=draw.choice((0, 0, 45))))
        slice_: Slice = slice_at(b.now - draw.choice((1, 2, 3)) * HOUR)
        if what < 0.6:
            severity = draw.choice([*Severity])
            await b.found(who, slice_=slice_, at=slice_.start, severity=severity, count=draw.choice((0, 0, 1, 2)))
        elif what < 0.75:
            await act(b, who, draw)
        else:
            await b.tick(after=draw.choice((MINUTE, 10 * MINUTE)))
        b.now += skew


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(n, marks=pytest.mark.soak) for n in (2, 3))])
async def test_a_channels_last_words_are_what_stands(azurite: str, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311 - a history, not a secret
    failing = [draw.choice((Fault.FAIL, Fault.REFUSE, Fault.TAKE_AND_DROP)) for _ in range(8)]
    members = {"soc2": {"minimum_severity": "high"}}
    async with rig(
        azurite,
        receiver(),
        receiver(faults=failing, name="r1"),
        receiver(name="r2"),
        channels=members,
        storm_threshold=3,
    ) as b:
        await history(b, draw)
        for _ in range(12):
            await b.tick(after=30 * MINUTE)
        assert await wrong(b, (1, 1, 3)) == []


async def test_a_withdrawal_never_overtakes_its_opening_behind_a_receiver_that_fails(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.FAIL] * 5)) as b:
        await b.found(severity=Severity.MEDIUM)
        await b.tick()
        await b.found(severity=Severity.CRITICAL)
        await b.tick()
        await b.found(count=0)
        for _ in range(60):
            await b.tick()
        assert b.types() == ["incident.opened", "incident.raised", "incident.withdrawn"]
        assert await wrong(b, (1,)) == []


async def test_what_was_told_is_taken_back_though_it_opened_and_went_again(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        await b.tick()
        for count in (0, 1, 0):
            await b.found(count=count, at=b.now - HOUR)
        await b.tick()
        assert b.types() == ["incident.opened", "incident.withdrawn"]


async def test_an_incident_given_back_is_told_to_whoever_does_not_know_it(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        table = (await b.app.tables()).incidents

        async def do(step_of: Any) -> None:
            found = await read_incident(table, key_of("jane"))
            assert found is not None
            await take_step(table, step_of(found[0]), found[1], b.now)

        await do(lambda i: acts.acknowledge(i, "op", "", b.now))
        await b.tick()
        assert b.types() == []
        await do(lambda i: acts.reopen(i, "op", "", b.now))
        await b.tick()
        assert b.types() == ["incident.opened"]
        await do(lambda i: acts.acknowledge(i, "op", "", b.now))
        await do(lambda i: acts.reopen(i, "op", "", b.now))
        await b.tick()
        assert b.types() == ["incident.opened"]  # it knows


def body(type_: str, id_: str) -> dict[str, Any]:
    incident = {"id": "a", "opening": 1, "severity": "low"}
    data = {"incidents": [incident]} if type_.startswith("incidents.") else {"incident": incident}
    return {"type": type_, "idempotencyKey": id_, "data": data}


def test_the_model_knows_what_is_said_twice_and_what_is_false() -> None:
    ahead, summary, later = (body(f"incidents.{t}", t) for t in ("ahead", "first-scan", "storm"))
    assert said_twice([ahead, ahead, summary, later]) == []
    assert len(said_twice([summary, body("incidents.first-scan", "again")])) == 1
    assert len(said_twice([summary, body("incident.opened", "again")])) == 1
    assert said_twice([summary, body("incident.ongoing", "again")]) == []
    assert len(said_twice([body("incident.withdrawn", "gone")])) == 1
    gone = body("incident.withdrawn", "gone")
    assert len(said_twice([summary, gone, body("incident.withdrawn", "gone twice")])) == 2
    assert told_falsely([summary], {"a"}) == []
    assert len(told_falsely([summary, gone], {"b"})) == 1


def test_a_message_that_comes_again_is_no_newer_word() -> None:
    opened, gone = body("incident.opened", "m1"), body("incident.withdrawn", "m2")
    assert last_words([opened, gone, opened])["a"].withdrawn
    assert not last_words([gone, opened])["a"].withdrawn


async def test_what_an_older_version_of_the_app_told_is_taken_back_too(azurite: str) -> None:
    """It noted which event went into which delivery, and no word."""
    async with rig(azurite) as b:
        await b.found()
        await b.tick()
        table = (await b.app.tables()).alerts
        rows = [row async for row in table.prefixed("alerts", "word-")]
        rows += [row async for row in table.prefixed("alerts", "channel-")]
        await table.transact([delete(row) for row in rows])
        await b.found(count=0)
        await b.tick()
        assert b.types() == ["incident.opened", "incident.withdrawn"]
        assert await wrong(b, (1,)) == []


async def test_a_message_about_many_is_found_by_each_of_its_incidents(azurite: str) -> None:
    async with rig(azurite, storm_threshold=2) as b:
        for n in range(40):  # more than one transaction holds
            await b.found(f"user{n}")
        await b.tick()
        assert b.types() == ["incidents.storm"]
        (delivery,) = await b.deliveries()
        found = await ask(alerts, b.app, f"incident={key_of('user39')}")
        assert [item["id"] for item in found.json["items"]] == [delivery.id]
        for query, said in (
            (f"incident={key_of('nobody')}", "no such incident"),
            ("incident=nonsense", "no such incident"),
            ("channel=nobody", "no such channel"),
        ):
            refused = await ask(alerts, b.app, query)
            assert (refused.status, refused.json["detail"]) == (404, said), query
        await b.found("user7", count=0)
        await b.tick()
        assert b.types() == ["incidents.storm", "incident.withdrawn"]
