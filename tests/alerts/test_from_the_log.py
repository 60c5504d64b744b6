"""From sign-ins in the log to what people get: the scan, the incidents and the alerts together."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local.stage.receivers import Receivers
from shared.alerts.deliver import deliver_alert
from shared.alerts.dispatch import dispatch_alerts
from shared.rules.rule import CUSTOMER, PASSWORD_ONLY
from shared.tending.timer import tend_incidents
from tests.alerts.harness import receiver
from tests.scan.harness import NOON, Rig, record, rig

OTHER = "44444444-4444-4444-4444-444444444444"
TEN_PAST = NOON + timedelta(minutes=10)


async def minute(b: Rig) -> None:
    """What the app's timers do in a minute, once the scan has nothing left to do."""
    b.pass_time(timedelta(minutes=1))
    await b.work()
    await tend_incidents(b.app)
    messages = await dispatch_alerts(b.app)
    while messages:
        messages = [m for body in messages for m in await deliver_alert(b.app, body)]


async def test_a_sign_in_without_mfa_is_told_when_it_is_sure_and_withdrawn_when_it_is_corrected(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = receiver(name="soc")
    async with Receivers(hook):
        channels = {"soc": {"kind": "generic", "url": hook.url, "secret": hook.secret}}
        async with rig(azurite, monkeypatch, channels=channels) as b:
            await minute(b)
            b.log(record("jane", TEN_PAST, **PASSWORD_ONLY))
            b.set_time(NOON + timedelta(hours=1))
            await minute(b)
            assert hook.taken == []  # details arrive late
            b.set_time(NOON + timedelta(hours=1, minutes=20))
            await minute(b)
            await minute(b)
            (opened,) = hook.taken
            assert opened.verified
            incident = opened.json["data"]["incident"]
            assert opened.json["type"] == "incident.opened"
            assert (incident["user"]["name"], incident["count"]) == ("technician@partner.example", 1)
            assert [rule["id"] for rule in incident["rules"]] == ["interactive-without-mfa"]
            b.correct(record("jane", TEN_PAST))
            b.set_time(NOON + timedelta(hours=2))
            await minute(b)
            await minute(b)
            assert [r.json["type"] for r in hook.taken] == ["incident.opened", "incident.withdrawn"]
            assert hook.taken[1].json["data"]["incident"]["id"] == incident["id"]


async def test_the_digest_of_a_day(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all customers, and for channels of one customer of that one alone."""
    hooks = {name: receiver(name=name) for name in ("every", "one", "other")}
    async with Receivers(*hooks.values()):
        usual = {"kind": "generic", "alerts": False, "digest": "daily"}
        channels = {name: {**usual, "url": hook.url, "secret": hook.secret} for name, hook in hooks.items()}
        channels["one"]["customers"] = CUSTOMER
        channels["other"]["customers"] = OTHER
        async with rig(azurite, monkeypatch, channels=channels) as b:
            await minute(b)
            b.log(
                record("good", TEN_PAST),
                record("also good", TEN_PAST),
                record("bad", TEN_PAST, **PASSWORD_ONLY),
                record("legacy", TEN_PAST, **PASSWORD_ONLY, clientAppUsed="IMAP4"),
                record("elsewhere", TEN_PAST, resourceTenantId=OTHER, **PASSWORD_ONLY),
            )
            b.set_time(NOON + timedelta(hours=20))  # eight in the morning
            await minute(b)
            await minute(b)
            got = {name: hook.taken[0].json for name, hook in hooks.items()}
            assert {(len(hook.taken), hook.taken[0].json["type"]) for hook in hooks.values()} == {(1, "digest.daily")}
            data = {name: digest["data"] for name, digest in got.items()}
            assert {(d["periodFrom"], d["periodTo"]) for d in data.values()} == {
                ("2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z")
            }
            assert {name: d["compliance"] for name, d in data.items()} == {
                "every": {"compliant": 2, "nonCompliant": 3, "unknown": 0, "percent": 40.0, "change": None},
                "one": {"compliant": 2, "nonCompliant": 2, "unknown": 0, "percent": 50.0, "change": None},
                "other": {"compliant": 0, "nonCompliant": 1, "unknown": 0, "percent": 0.0, "change": None},
            }
            for d in data.values():
                assert d["coverage"] == {"expectedSlices": 24, "completeSlices": 24, "percent": 100.0}
            # Found after midnight: news of tomorrow.
            none = {"new": 0, "acknowledged": 0, "resolved": 0}
            assert [data[name]["incidents"] for name in hooks] == [none | {"open": n} for n in (2, 1, 1)]
            single, legacy = (
                "Delegated admin signed in with a single factor",
                "Delegated admin signed in by legacy authentication",
            )
            begins = {name: [text.partition(":")[0] for text in d["toDo"]] for name, d in data.items()}
            assert begins == {
                "every": [f"{single} (3 times)", f"{legacy} (1 time)"],
                "one": [f"{legacy} (1 incident)", f"{single} (1 incident)"],
                "other": [f"{single} (1 incident)"],
            }
            assert got["other"]["severity"] == "high"
            assert got["one"]["severity"] == "critical"
