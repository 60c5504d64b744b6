"""From an incident to a receiver, over real storage and real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from local.stage.receivers import TAKES, Fault
from shared.alerts.by_hand import DeliveryOutdated, redeliver, send_test_alert
from shared.alerts.deliver import deliver_alert, settle_poisoned
from shared.alerts.dispatch import DeliveryMessage, dispatch_alerts
from shared.alerts.post import Answer, Target, post
from shared.incidents import acts
from shared.incidents.life import Step
from shared.incidents.model import Incident
from shared.incidents.tending import apply_exceptions
from shared.ledger.head import SliceState
from shared.ledger.slices import Slice
from shared.operations.pause import pause_alerts
from shared.rules.rule import Severity
from shared.store.flights import change_flight, read_flight
from shared.store.incidents import read_incident, take_step
from shared.store.ledger import Claim
from shared.store.tables import Tables
from tests.alerts.channel_model import wrong_words
from tests.alerts.harness import MINUTE, Rig, key_of, receiver, rig, slice_at

DAY = timedelta(days=1)

type Care = Callable[[Incident, datetime], Step]


async def test_an_incident_is_told_once_and_signed(azurite: str) -> None:
    async with rig(azurite) as b:
        key = await b.found("jane")
        assert await b.tick() == 1
        for _ in range(3):
            await b.found("jane", at=b.now)
            assert await b.tick() == 0
        (got,) = b.got()
        assert got.verified
        assert got.json["data"]["incident"]["id"] == key
        assert got.json["data"]["incident"]["customer"]["displayName"] == "Customer & Sons"
        assert got.id == got.json["idempotencyKey"]
        (delivery,) = await b.deliveries()
        assert (delivery.state, delivery.attempts, delivery.last_status) == ("delivered", 1, 200)


async def test_both_keys_are_valid_while_one_replaces_the_other(azurite: str) -> None:
    old, new = receiver(), receiver()
    one = receiver()
    one.secret = old.secret
    members = {"soc": {"secret": new.secret, "previous_secret": old.secret}}
    async with rig(azurite, one, channels=members) as b:
        await b.found()
        await b.tick()
        assert b.got()[0].verified
        assert len(b.got()[0].headers["webhook-signature"].split(" ")) == 2


@pytest.mark.parametrize("fault", [Fault.FAIL, Fault.REDIRECT, Fault.DROP, Fault.TAKE_AND_DROP, Fault.LIE_LONG])
async def test_a_receiver_that_fails_gets_it_again_under_the_same_id(azurite: str, fault: Fault) -> None:
    async with rig(azurite, receiver(faults=[fault] * 2)) as b:
        await b.found()
        for _ in range(6):
            await b.tick()
        tries = b.receivers[0].tries
        assert [t.fault for t in tries] == [fault, fault, None]
        assert len({t.id for t in tries}) == 1
        assert len({t.body for t in tries}) == 1
        (delivery,) = await b.deliveries()
        assert (delivery.state, delivery.attempts) == ("delivered", 3)


async def test_a_receiver_that_is_down_for_hours_loses_nothing(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.FAIL] * 8)) as b:
        for who in ("ann", "bob", "cid"):
            await b.found(who)
        for _ in range(20):
            await b.tick(after=timedelta(hours=1))
        assert {r.json["data"]["incident"]["user"]["name"] for r in b.got()} == {
            f"{who}@partner.example" for who in ("ann", "bob", "cid")
        }
        assert len({r.id for r in b.got()}) == len(b.got()) == 3


async def test_retry_after_is_honoured(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.SLOW_DOWN], retry_after="3600")) as b:
        await b.found()
        await b.tick()
        asked = b.now
        while not b.got():
            await b.tick(after=5 * MINUTE)
        assert b.now >= asked + timedelta(hours=1)
        assert b.now <= asked + timedelta(hours=1, minutes=10)


@pytest.mark.parametrize(
    "asked",
    ["0", "99999999999999999999", "-5", "soon", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"],
)
async def test_an_absurd_retry_after_loses_no_alert(azurite: str, asked: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.SLOW_DOWN], retry_after=asked)) as b:
        await b.found()
        await b.tick()
        assert b.got() == []
        await b.tick(after=DAY)
        (delivery,) = await b.deliveries()
        assert (delivery.state, delivery.attempts, len(b.got())) == ("delivered", 2, 1)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.GONE], ids=lambda fault: fault.name)
async def test_whatever_a_receiver_does_once_the_alert_arrives(azurite: str, fault: Fault) -> None:
    async with rig(azurite, receiver(faults=[fault])) as b:
        b.post = partial(post, timeout_seconds=0.5)
        await b.found()
        for _ in range(2):
            await b.tick(after=timedelta(hours=1))
        said_yes = fault in TAKES and fault is not Fault.TAKE_AND_DROP
        assert [t.fault for t in b.receivers[0].tries] == ([fault] if said_yes else [fault, None])
        assert len({t.id for t in b.receivers[0].tries}) == 1
        (delivery,) = await b.deliveries()
        assert delivery.state == "delivered"


async def test_after_a_day_it_is_dead_and_says_so(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.FAIL] * 1000)) as b:
        await b.found()
        for _ in range(28):
            await b.tick(after=timedelta(hours=1))
        (delivery,) = await b.deliveries()
        assert delivery.state == "dead"
        assert delivery.last_answer == "tried for a day in vain: no"
        assert 8 <= delivery.attempts == len(b.receivers[0].tries) <= 30
        assert await b.tick() == 0


async def test_gone_is_gone(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.GONE])) as b:
        await b.found()
        await b.tick()
        (delivery,) = await b.deliveries()
        assert (delivery.state, delivery.last_status, delivery.attempts) == ("dead", 410, 1)
        assert await b.tick(after=DAY) == 0


async def test_a_channel_that_is_down_holds_up_no_other(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.FAIL] * 1000), receiver("teams"), receiver("slack")) as b:
        for place in range(5):
            await b.found(f"user{place}")
        await b.tick()
        assert [len(b.got(place)) for place in range(3)] == [0, 5, 5]
        assert len(b.receivers[0].tries) == 1  # one a minute, however many wait


async def test_what_is_told_first_arrives_first(azurite: str) -> None:
    async with rig(azurite) as b:
        for place in range(8):
            b.now += timedelta(seconds=1)
            await b.found(f"user{place}")
        await b.tick()
        names = [r.json["data"]["incident"]["user"]["name"].partition("@")[0] for r in b.got()]
        assert names == [f"user{place}" for place in range(8)]


async def test_channels_choose_by_severity_rule_and_customer(azurite: str) -> None:
    other = "44444444-4444-4444-4444-444444444444"
    members = {
        "soc": {"minimum_severity": "critical"},
        "soc1": {"rules": "device-code"},
        "soc2": {"customers": other},
    }
    async with rig(azurite, receiver(), receiver(), receiver(), channels=members) as b:
        await b.found("ann", severity=Severity.HIGH)
        await b.found("bob", severity=Severity.CRITICAL)
        await b.found("cid", severity=Severity.LOW, rules=["device-code", "legacy-auth"])
        await b.found("dan", severity=Severity.LOW, customer=other)
        await b.tick()
        names = [[r.json["data"]["incident"]["user"]["name"][:3] for r in b.got(place)] for place in range(3)]
        assert names == [["bob"], ["cid"], ["dan"]]


async def test_a_rise_reaches_a_channel_that_the_beginning_was_too_low_for(azurite: str) -> None:
    async with rig(azurite, channels={"soc": {"minimum_severity": "high"}}) as b:
        await b.found(severity=Severity.LOW)
        await b.tick()
        assert b.got() == []
        await b.found(severity=Severity.CRITICAL, at=b.now)
        await b.tick()
        assert b.types() == ["incident.raised"]


async def test_quiet_hours_keep_it_until_the_morning(azurite: str) -> None:
    members = {"soc": {"quiet_hours": "11:00-14:00", "quiet_except": "critical"}}
    async with rig(azurite, channels=members) as b:
        await b.found("ann")
        await b.found("bob", severity=Severity.CRITICAL)
        await b.tick()
        assert [r.json["severity"] for r in b.got()] == ["critical"]
        await b.tick(after=timedelta(hours=1))
        await b.found("ann", severity=Severity.CRITICAL, slice_=slice_at(b.now - 3 * DAY), settled=False)
        assert len(b.got()) == 1
        await b.tick(after=timedelta(hours=1))
        assert [r.json["severity"] for r in b.got()] == ["critical", "high"]


def _silenced(before: Incident, now: datetime) -> Step:
    step = apply_exceptions(before, lambda who, facts: "by exception e1", now)
    assert step is not None
    return step


CARE: dict[str, Care] = {
    "acknowledged": lambda before, now: acts.acknowledge(before, "op", "", now),
    "snoozed": lambda before, now: acts.snooze(before, "op", "", until=now + 2 * DAY, now=now),
    "resolved": lambda before, now: acts.resolve(before, "op", "", now),
    "silenced": _silenced,
}


async def _took_care(b: Rig, who: str, how: Care) -> None:
    tables = await b.app.tables()
    found = await read_incident(tables.incidents, key_of(who))
    assert found is not None
    await take_step(tables.incidents, how(found[0], b.now), found[1], b.now)


def _names(b: Rig) -> list[str]:
    return [r.json["data"]["incident"]["user"]["name"].partition("@")[0] for r in b.got()]


@pytest.mark.parametrize("how", CARE)
async def test_what_somebody_took_care_of_in_the_quiet_hours_is_not_told(azurite: str, how: str) -> None:
    async with rig(azurite, channels={"soc": {"quiet_hours": "11:00-14:00"}}) as b:
        for who in ("ann", "bob"):
            await b.found(who)
        await b.tick()
        await _took_care(b, "ann", CARE[how])
        await b.tick(after=timedelta(hours=2))
        assert _names(b) == ["bob"]
        assert await b.tick() == 0
        assert len(await b.deliveries()) == 1


async def test_what_somebody_took_care_of_and_gave_back_is_told(azurite: str) -> None:
    async with rig(azurite, channels={"soc": {"quiet_hours": "11:00-14:00"}}) as b:
        await b.found()
        await b.tick()
        await _took_care(b, "jane", CARE["acknowledged"])
        await b.tick()
        await _took_care(b, "jane", lambda before, now: acts.reopen(before, "op", "", now))
        await b.tick(after=timedelta(hours=2))
        assert b.types() == ["incident.opened"]


async def test_what_got_worse_after_somebody_took_care_of_it_is_told(azurite: str) -> None:
    async with rig(azurite, channels={"soc": {"quiet_hours": "11:00-14:00"}}) as b:
        await b.found(severity=Severity.MEDIUM)
        await _took_care(b, "jane", CARE["snoozed"])
        await b.tick()
        await b.found(severity=Severity.CRITICAL, at=b.now)
        await b.tick(after=timedelta(hours=2))
        assert b.types() == ["incident.raised"]


async def test_what_was_withdrawn_in_the_quiet_hours_is_not_told(azurite: str) -> None:
    async with rig(azurite, channels={"soc": {"quiet_hours": "11:00-14:00"}}) as b:
        await b.found()
        await b.tick()
        await b.found(count=0)
        await b.tick()
        await b.tick(after=timedelta(hours=2))
        assert b.got() == []


async def test_what_somebody_took_care_of_is_no_part_of_a_storm_or_of_the_first_summary(azurite: str) -> None:
    async with rig(azurite, channels={"soc": {"quiet_hours": "11:00-14:00"}}, storm_threshold=3) as b:
        for place in range(5):
            await b.found(f"new{place}")
            await b.found(f"old{place}", first_scan=True, at=b.now - DAY)
        await b.tick()
        await _took_care(b, "new0", CARE["acknowledged"])
        await _took_care(b, "old0", CARE["resolved"])
        b.now += timedelta(hours=2)
        await b.tick(after=DAY)  # the quiet hours are over, and the first scan is waited for no longer
        assert {r.json["type"]: r.json["data"]["total"] for r in b.got()} == {
            "incidents.storm": 4,
            "incidents.first-scan": 4,
        }


async def test_what_closed_by_itself_while_alerts_were_paused_is_told_and_says_so(azurite: str) -> None:
    async with rig(azurite, incident_quiet_days=2) as b:
        await pause_alerts(b.app, b.now + 3 * DAY, "op")
        await b.found()
        await b.tick()
        await b.tick(after=2 * DAY + timedelta(hours=1))
        assert b.got() == []
        await b.tick(after=DAY)
        (got,) = b.got()
        incident = got.json["data"]["incident"]
        assert got.json["type"] == "incident.opened"
        assert (incident["state"], incident["reason"]) == ("resolved", "quiet for 2 days")


async def test_one_more_try_waits_for_the_end_of_the_quiet_hours_too(azurite: str) -> None:
    members = {"soc": {"quiet_hours": "12:02-14:00", "quiet_except": "critical"}}
    async with rig(azurite, receiver(faults=[Fault.FAIL] * 3), channels=members) as b:
        await b.found("ann")
        await b.tick()
        for _ in range(3):
            await b.tick(after=timedelta(minutes=30))
        assert len(b.receivers[0].tries) == 1
        await b.found("bob", severity=Severity.CRITICAL)
        await b.tick()
        assert len(b.receivers[0].tries) == 2
        (ann,) = (d for d in await b.deliveries() if d.severity == Severity.HIGH)
        await redeliver(b.app, ann.id, by="op")  # somebody is awake
        await b.tick()
        assert len(b.receivers[0].tries) == 3
        await b.tick(after=timedelta(hours=1))
        assert sorted(_names(b)) == ["ann", "bob"]


# --- sent again by hand -----------------------------------------------------------------------------------------------


async def test_what_is_sent_again_is_not_the_last_word_where_it_is_not_true_any_more(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.GONE])) as b:
        await b.found("ann", severity=Severity.MEDIUM)
        await b.tick()
        (opened,) = await b.deliveries()
        assert opened.state == "dead"
        await b.found("ann", severity=Severity.CRITICAL)
        await b.tick()
        await redeliver(b.app, opened.id, by="op")
        await b.tick()
        await b.tick(after=10 * MINUTE)
        assert b.types() == ["incident.raised", "incident.opened", "incident.raised"]
        await b.found("ann", count=0)
        await b.tick(after=10 * MINUTE)
        await redeliver(b.app, opened.id, by="op")
        await b.tick()
        await b.tick(after=10 * MINUTE)
        types = [got.json["type"] for got in b.got()]
        assert types[3:] == ["incident.withdrawn", "incident.opened", "incident.withdrawn"]
        assert wrong_words([got.json for got in b.got()], [await b.incident("ann")]) == []
        await b.tick(after=10 * MINUTE)
        assert len(b.got()) == 6, "once"


async def test_what_is_sent_again_and_stands_is_followed_by_nothing(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.GONE])) as b:
        await b.found("ann")
        await b.tick()
        (opened,) = await b.deliveries()
        await redeliver(b.app, opened.id, by="op")
        await b.tick()
        await b.tick(after=10 * MINUTE)
        assert b.types() == ["incident.opened"]


async def test_a_storm_that_is_not_true_any_more_is_not_sent_again(azurite: str) -> None:
    async with rig(azurite) as b:
        names = [f"user{n}" for n in range(31)]
        for name in names:
            await b.found(name)
        await b.tick()
        (storm,) = await b.deliveries()
        for name in names:
            await b.found(name, count=0)
        await b.tick()
        with pytest.raises(DeliveryOutdated, match="31 of its incidents"):
            await redeliver(b.app, storm.id, by="op")


async def test_a_pause_stops_what_is_in_the_queue_already(azurite: str) -> None:
    async with rig(azurite) as b:
        for who in ("ann", "bob"):
            await b.found(who)
        (message,) = await dispatch_alerts(b.app)
        await pause_alerts(b.app, b.now + timedelta(hours=1), "op")
        assert await deliver_alert(b.app, message) == []
        await b.tick(after=30 * MINUTE)
        assert b.receivers[0].tries == []
        await b.tick(after=30 * MINUTE)
        assert sorted(_names(b)) == ["ann", "bob"]


async def test_digests_and_tests_come_when_they_were_asked_for(azurite: str) -> None:
    members = {"soc": {"quiet_hours": "11:00-20:00", "digest": "daily", "digest_at": "12:30"}}
    async with rig(azurite, channels=members) as b:
        await _flight(b, timedelta(0))
        await b.found()
        await send_test_alert(b.app, "soc")
        await b.tick()
        await b.tick(after=timedelta(hours=1))
        assert [(r.json["type"], r.json["test"]) for r in b.got()] == [
            ("incident.opened", True),
            ("digest.daily", False),
        ]


async def test_a_storm_is_one_message_that_lists_them(azurite: str) -> None:
    async with rig(azurite, receiver(), receiver("teams"), channels={"soc1": {"minimum_severity": "critical"}}) as b:
        for place in range(50):
            await b.found(f"user{place}", severity=Severity.CRITICAL if place < 3 else Severity.HIGH)
        await b.tick()
        (storm,) = b.got(0)
        assert storm.json["type"] == "incidents.storm"
        assert (storm.json["data"]["total"], storm.json["data"]["bySeverity"]) == (50, {"critical": 3, "high": 47})
        assert len(b.got(1)) == 3  # for that channel it is no storm
        assert await b.tick() == 0
        # Who was alerted by the storm hears of the withdrawal too.
        await b.found("user0", count=0)
        await b.tick()
        assert b.types(0) == ["incidents.storm", "incident.withdrawn"]
        assert len(b.got(1)) == 4


async def test_a_withdrawal_goes_to_those_who_were_alerted_and_to_nobody_else(azurite: str) -> None:
    members = {"soc1": {"minimum_severity": "critical"}}
    async with rig(azurite, receiver(), receiver(), channels=members) as b:
        await b.found("ann")
        await b.found("bob")
        await b.found("bob", count=0)  # before anybody heard of it
        await b.tick()
        await b.found("ann", count=0)
        await b.tick()
        assert b.types(0) == ["incident.opened", "incident.withdrawn"]
        assert b.types(1) == []
        gone = b.got(0)[1].json["data"]["incident"]
        assert (gone["state"], gone["count"]) == ("resolved", 0)
        assert gone["reason"] == "withdrawn: its records were corrected"


async def _flight(b: Rig, until: timedelta) -> None:
    tables: Tables = await b.app.tables()
    tenant = b.app.settings.partner_tenant_id
    flight = await read_flight(tables.control, tenant)
    assert await change_flight(tables.control, flight, send_id="s", slice_id="x", until=b.now + until, first_seen=b.now)


async def test_a_storm_that_a_scan_finds_bit_by_bit_is_seen_whole(azurite: str) -> None:
    async with rig(azurite, storm_threshold=5) as b:
        await _flight(b, timedelta(minutes=3, seconds=30))
        for minute in range(3):
            for place in range(2):
                await b.found(f"user{minute}-{place}")
            await b.tick()
        assert b.got() == []
        await b.tick()
        assert b.types() == ["incidents.storm"]
        assert b.got()[0].json["data"]["total"] == 6


async def test_a_scan_that_does_not_end_holds_nothing_back_for_long(azurite: str) -> None:
    async with rig(azurite) as b:
        await _flight(b, timedelta(hours=1))
        await b.found()
        for _ in range(4):
            await b.tick()
        assert b.got() == []
        await b.tick()
        assert b.types() == ["incident.opened"]


async def test_the_first_scan_of_old_days_is_one_summary(azurite: str) -> None:
    async with rig(azurite, lookback_days=2, retention_days=2, slice_minutes=1440) as b:
        tables = await b.app.tables()
        tenant = b.app.settings.partner_tenant_id
        await _flight(b, timedelta(0))
        for place in range(12):
            await b.found(f"user{place}", at=b.now - DAY, first_scan=True)
        for _ in range(6):
            await b.tick()
        assert b.got() == []  # yesterday was not read to its end
        yesterday = b.now.replace(hour=0, minute=0) - DAY
        claim = await Claim.take(
            tables.slices, Slice(tenant, yesterday, DAY), owner="o", send_id="s", now=b.now, lease=MINUTE
        )
        assert claim is not None
        await claim.write(
            [], b.now, replace(claim.head, state=SliceState.IDLE, whole=True, settled=timedelta(hours=12))
        )
        await b.tick()
        assert b.types() == ["incidents.first-scan"]
        assert b.got()[0].json["data"]["total"] == 12
        await b.found("new")
        await b.tick()
        assert b.types() == ["incidents.first-scan", "incident.opened"]


async def test_it_is_told_again_after_realert_hours_when_it_goes_on(azurite: str) -> None:
    async with rig(azurite, realert_hours=2) as b:
        await b.found()
        await b.tick()
        await b.tick(after=timedelta(hours=3))
        assert b.types() == ["incident.opened"]
        await b.found(at=b.now)
        await b.tick()
        await b.found(at=b.now)
        await b.tick()
        assert b.types() == ["incident.opened", "incident.ongoing"]


async def test_the_sweep_closes_what_was_quiet_and_the_incident_opens_again(azurite: str) -> None:
    async with rig(azurite, incident_quiet_days=2) as b:
        await b.found()
        await b.tick()
        await b.tick(after=3 * DAY)
        assert ((await b.incident()).state, (await b.incident()).reason) == ("resolved", "quiet for 2 days")
        await b.found(at=b.now)
        await b.tick()
        assert (await b.incident()).opening == 2
        assert b.types() == ["incident.opened", "incident.opened"]
        assert len({r.id for r in b.got()}) == 2


async def test_a_lost_queue_message_is_sent_again(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        assert len(await dispatch_alerts(b.app)) == 1  # and nobody gets it
        assert await dispatch_alerts(b.app) == []
        await b.tick(after=3 * MINUTE)
        assert b.types() == ["incident.opened"]


async def test_messages_that_come_twice_or_late_send_nothing_twice(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.FAIL])) as b:
        await b.found()
        (message,) = await dispatch_alerts(b.app)
        for _ in range(3):
            await deliver_alert(b.app, message)  # it failed, and is not due again yet
        assert len(b.receivers[0].tries) == 1
        await b.tick(after=10 * MINUTE)
        await deliver_alert(b.app, message)
        assert len(b.receivers[0].tries) == 2


async def test_a_worker_that_died_while_sending_is_followed_by_another(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.TAKE_AND_DROP])) as b:
        await b.found()
        (message,) = await dispatch_alerts(b.app)
        await deliver_alert(b.app, message)
        await b.tick(after=10 * MINUTE)
        assert len(b.got()) == 2
        assert len({r.id for r in b.got()}) == 1


async def test_a_poisoned_message_counts_as_a_try_and_junk_as_nothing(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        (message,) = await dispatch_alerts(b.app)
        await settle_poisoned(b.app, message)
        (delivery,) = await b.deliveries()
        assert (delivery.state, delivery.last_answer) == ("due", "its workers crashed")
        assert delivery.next_due > b.now
        await settle_poisoned(b.app, "junk")
        await settle_poisoned(b.app, DeliveryMessage(delivery="0-soc-x").model_dump_json())
        await b.tick(after=10 * MINUTE)
        assert b.types() == ["incident.opened"]
        await settle_poisoned(b.app, message)
        assert [d.state for d in await b.deliveries()] == ["delivered"]


async def test_a_message_that_always_kills_its_worker_is_given_up(azurite: str) -> None:
    """Whoever claims it dies before it can note anything, again and again."""

    async def die(_target: Target, _body: bytes, _headers: Mapping[str, str]) -> Answer:
        raise MemoryError

    async with rig(azurite) as b:
        await b.found()
        for _ in range(7):
            b.now += timedelta(hours=12)
            for message in await dispatch_alerts(b.app):
                try:
                    await deliver_alert(b.app, message, die)
                except MemoryError:
                    continue
        (delivery,) = await b.deliveries()
        assert (delivery.state, delivery.last_answer) == ("dead", "tried for a day in vain: its workers crashed")
        assert b.receivers[0].tries == []


async def test_a_channel_that_was_taken_away_ends_in_the_dead_letters(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.FAIL] * 3)) as b:
        await b.found()
        await b.tick()
        b.app.settings.channels.clear()
        for _ in range(8):
            await b.tick(after=timedelta(hours=4))
        (delivery,) = await b.deliveries()
        assert delivery.state == "dead"
        assert "not configured" in delivery.last_answer


async def test_a_digest_is_made_once(azurite: str) -> None:
    members = {"soc": {"digest": "daily", "digest_at": "12:30", "alerts": False}}
    async with rig(azurite, receiver(), receiver("slack"), channels=members) as b:
        await _flight(b, timedelta(0))
        await b.found()
        await b.tick()
        assert b.types(0) == []
        assert len(b.got(1)) == 1
        for _ in range(4):
            await b.tick(after=15 * MINUTE)
        assert b.types(0) == ["digest.daily"]
        digest = b.got(0)[0].json
        assert (digest["data"]["periodFrom"], digest["data"]["periodTo"]) == (
            "2026-11-01T00:00:00Z",
            "2026-11-02T00:00:00Z",
        )
        assert digest["data"]["incidents"] == {"new": 0, "open": 1, "acknowledged": 0, "resolved": 0}
        assert digest["data"]["compliance"]["percent"] is None
        assert "were not read" in digest["data"]["toDo"][0]
        await b.found("ann")
        await b.found("bob")
        await _took_care(b, "ann", CARE["snoozed"])
        await _took_care(b, "bob", CARE["silenced"])
        await b.tick(after=DAY)
        assert len(b.got(0)) == 2
        # What somebody has in hand, and what an exception silences, waits for nobody.
        assert b.got(0)[1].json["data"]["incidents"] == {"new": 3, "open": 1, "acknowledged": 1, "resolved": 0}


async def test_nothing_in_the_tables_tells_a_url_or_a_key(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.REFUSE, Fault.FAIL])) as b:
        await b.found()
        for _ in range(5):
            await b.tick(after=5 * MINUTE)
        one = b.receivers[0]
        tables = await b.app.tables()
        rows = [repr(dict(row)) for table in (tables.alerts, tables.incidents) async for row in table.everything()]
        text = "\n".join(rows) + repr([delivery.message for delivery in await b.deliveries()])
        assert one.path.rpartition("/")[2] not in text
        assert one.secret is not None
        assert one.secret not in text
        assert "127.0.0.1" not in text
