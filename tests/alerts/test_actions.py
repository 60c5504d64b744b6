"""What people do about incidents and deliveries, over the app's routes."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from functions import alerts as routes
from functions.alerts import alert_schema, alerts, send_again
from functions.incidents import incident, update_incident
from functions.who import Role
from local.stage.receivers import Fault
from shared.messages.message import schema
from shared.rules.rule import Severity
from tests.alerts.harness import MINUTE, Rig, key_of, receiver, rig
from tests.functions.asking import Reply, ask, pages

DAY = timedelta(days=1)


async def read(b: Rig, who: str = "jane") -> Reply:
    return await ask(incident, b.app, path={"id": key_of(who)})


async def patch(b: Rig, who: str = "jane", *, etag: str | None = "*", **members: Any) -> Reply:
    return await ask(
        update_incident,
        b.app,
        path={"id": key_of(who)},
        headers={"If-Match": etag, "Content-Type": "application/json"}
        if etag
        else {"Content-Type": "application/json"},
        body=json.dumps(members).encode(),
    )


def done(reply: Reply) -> list[tuple[str, str, str | None]]:
    lines = reply.json["history"]
    assert (lines[0]["by"], lines[0]["action"]) == ("system", "opened")
    return [(line["by"], line["action"], line["detail"]) for line in lines[1:]]


async def test_an_incident_with_its_messages(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        await b.tick()
        reply = await read(b)
        assert reply.status == 200
        assert reply.headers["ETag"] == reply.json["etag"] == '"1-1"'
        assert (reply.json["state"], reply.json["opening"], done(reply)) == ("open", 1, [])
        assert reply.json["openedAt"] == "2026-11-02T12:00:00Z"
        assert reply.json["snoozedUntil"] is None
        (message,) = reply.json["alerts"]
        assert (message["channel"], message["state"], message["webhookId"]) == ("soc", "delivered", b.got()[0].id)


async def test_acknowledge_comment_and_resolve_with_a_history(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        acknowledged = await patch(b, state="acknowledged", comment="mine")
        assert acknowledged.json["state"] == "acknowledged"
        b.now += MINUTE
        await patch(b, comment="asked Jane")
        b.now += MINUTE
        resolved = await patch(b, state="resolved")
        assert (resolved.json["state"], resolved.json["resolvedAt"]) == ("resolved", "2026-11-02T12:02:00Z")
        assert done(await read(b)) == [
            ("local", "acknowledged", "mine"),
            ("local", "commented", "asked Jane"),
            ("local", "resolved", None),
        ]
        assert [line["at"] for line in resolved.json["history"][1:]] == [f"2026-11-02T12:0{n}:00Z" for n in range(3)]
        refused = await patch(b, state="acknowledged")
        assert (refused.status, refused.kind) == (409, "application/problem+json")
        opened = await patch(b, state="open", comment="not yet")
        assert (opened.json["state"], opened.json["reason"], opened.json["resolvedAt"]) == ("open", None, None)


async def test_whoever_saw_an_old_version_changes_nothing(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        seen = (await read(b)).json["etag"]
        assert (await patch(b, etag=None, state="acknowledged")).status == 428
        assert (await patch(b, etag=seen, state="acknowledged")).status == 200
        stale = await patch(b, etag=seen, state="resolved")
        assert stale.status == 412
        assert done(await read(b)) == [("local", "acknowledged", None)]


async def test_counting_on_is_no_new_version(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        seen = (await read(b)).json["etag"]
        for _ in range(3):
            b.now += DAY
            await b.found(at=b.now)
        assert (await read(b)).json["etag"] == seen
        assert (await patch(b, etag=seen, state="acknowledged")).status == 200


async def test_a_snoozed_incident_sleeps_until_its_date_whatever_it_counts(azurite: str) -> None:
    async with rig(azurite, realert_hours=1) as b:
        await b.found()
        await b.tick()
        until = f"{b.now + 10 * DAY:%Y-%m-%dT%H:%M:%SZ}"
        snoozed = await patch(b, state="snoozed", snoozedUntil=until)
        assert (snoozed.json["state"], snoozed.json["snoozedUntil"]) == ("snoozed", until)
        for _ in range(3):
            await b.tick(after=3 * DAY)
            await b.found(at=b.now, count=4)
        assert b.types() == ["incident.opened"]
        await b.tick(after=DAY)
        assert b.types() == ["incident.opened", "incident.ongoing"]
        reply = await read(b)
        assert (reply.json["state"], reply.json["count"]) == ("open", 13)
        assert [action for _, action, _ in done(reply)] == ["snoozed", "snooze-ended"]


async def test_a_rise_of_severity_wakes_it_and_the_history_says_so(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found(severity=Severity.MEDIUM)
        await b.tick()
        await patch(b, state="acknowledged")
        await b.found(severity=Severity.CRITICAL, at=b.now)
        await b.tick()
        assert b.types() == ["incident.opened", "incident.raised"]
        assert done(await read(b))[1] == ("system", "woken", "its severity rose")


async def test_wrong_changes_are_refused_by_name(azurite: str) -> None:
    async with rig(azurite) as b:
        await b.found()
        for members, field in (
            ({}, "body"),
            ({"state": "closed"}, "state"),
            ({"state": "snoozed"}, "body"),
            ({"state": "open", "snoozedUntil": "2027-01-01T00:00:00Z"}, "body"),
            ({"state": "snoozed", "snoozedUntil": "2026-11-02T11:00:00Z"}, "snoozedUntil"),
            ({"state": "snoozed", "snoozedUntil": "2036-11-02T11:00:00Z"}, "snoozedUntil"),
            ({"state": "snoozed", "snoozedUntil": "tomorrow"}, "snoozedUntil"),
            ({"comment": ""}, "comment"),
            ({"comment": "x" * 3000}, "comment"),
            ({"state": "open", "count": 0}, "count"),
        ):
            reply = await patch(b, **members)
            assert (reply.status, reply.wrong) == (400, [field]), members
        for id_ in ("0" * 32, "nothing", "../etc", "A" * 32):
            assert (await ask(incident, b.app, path={"id": id_})).status == 404
        assert (await patch(b, "nobody", state="acknowledged")).status == 404


async def test_every_delivery_is_listed_with_its_tries(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.FAIL] * 100), receiver("slack")) as b:
        for place in range(6):
            b.now += timedelta(seconds=1)
            await b.found(f"user{place}")
        await b.tick()
        every = await pages(alerts, b.app, "limit=5")
        assert [item["state"] for item in every] == ["pending"] * 6 + ["delivered"] * 6
        assert [item["channel"] for item in every] == ["soc"] * 6 + ["soc1"] * 6
        for half in (every[:6], every[6:]):
            assert [item["incidentId"] for item in half] == [key_of(f"user{place}") for place in reversed(range(6))]
        failed = every[5]
        assert (failed["attempts"], failed["lastStatus"], failed["lastAnswer"]) == (1, 500, "no")
        assert failed["nextTryAt"] > failed["lastTriedAt"]
        assert every[0]["lastStatus"] is None
        for query, count in (
            ("state=delivered", 6),
            ("state=pending,dead&channel=soc", 6),
            ("channel=soc1&state=pending", 0),
            (f"incident={key_of('user3')}", 2),
        ):
            assert len(await pages(alerts, b.app, f"limit=4&{query}")) == count
        assert (await ask(alerts, b.app, "state=lost")).wrong == ["state"]
        assert (await ask(alerts, b.app, "cursor=abc")).wrong == ["cursor"]


async def test_a_dead_delivery_can_be_sent_again_under_its_own_id(azurite: str) -> None:
    async with rig(azurite, receiver(faults=[Fault.GONE, Fault.FAIL])) as b:
        await b.found()
        await b.tick()
        (dead,) = (await ask(alerts, b.app)).json["items"]
        assert dead["state"] == "dead"
        b.now += DAY
        again = await ask(send_again, b.app, path={"id": dead["id"]})
        assert (again.status, again.json["state"]) == (200, "pending")
        for _ in range(5):
            await b.tick()
        tries = b.receivers[0].tries
        assert [t.fault for t in tries] == [Fault.GONE, Fault.FAIL, None]
        assert {t.id for t in tries} == {dead["webhookId"]}
        (delivered,) = (await ask(alerts, b.app)).json["items"]
        assert (delivered["id"], delivered["state"], delivered["attempts"]) == (dead["id"], "delivered", 3)
        assert done(await read(b)) == [("local", "redelivered", "to soc")]
        # And what arrived, once more: the receiver knows it by its id.
        await ask(send_again, b.app, path={"id": dead["id"]})
        await b.tick()
        assert len(b.got()) == 2
        assert [action for _, action, _ in done(await read(b))] == ["redelivered", "redelivered"]
        for id_ in ("0-soc-msg_x", "", "a/b", "delivery-0-"):
            assert (await ask(send_again, b.app, path={"id": id_})).status == 404


async def test_a_test_message_is_marked_as_one(azurite: str) -> None:
    async with rig(azurite, receiver(), receiver("teams")) as b:
        body = json.dumps({"channel": "soc1"}).encode()
        made = await ask(routes.try_channel, b.app, body=body, headers={"Content-Type": "application/json"})
        assert (made.status, made.json["test"], made.json["state"]) == (200, True, "pending")
        await b.tick()
        assert (b.got(0), len(b.got(1))) == ([], 1)
        assert "TEST" in b.got(1)[0].body.decode()
        unknown = json.dumps({"channel": "nobody"}).encode()
        assert (
            await ask(routes.try_channel, b.app, body=unknown, headers={"Content-Type": "application/json"})
        ).status == 404


async def test_the_schema_is_published_for_readers(azurite: str) -> None:
    async with rig(azurite) as b:
        reply = await ask(alert_schema, b.app)
        assert (reply.status, reply.json) == (200, schema())
        assert alert_schema.needs is Role.READER
