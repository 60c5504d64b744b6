"""An attacker's log through the app, watched from outside: its routes, and what a receiver gets.

A flood of attempts beside one critical sign-in, one more behind an incident that somebody acknowledged, one through an
agent, text that wants to be something else, and one id under two users.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from functions.answers import findings, summary
from functions.incidents import incident, update_incident
from local.stage.receivers import Receivers
from shared.rules.rule import PASSWORD_ONLY, Record
from shared.store.incidents import all_incidents
from tests.alerts.channel_model import said_twice, wrong_words
from tests.alerts.harness import receiver
from tests.alerts.test_from_the_log import TEN_PAST, minute
from tests.functions.asking import ask
from tests.scan.harness import NOON, record, rig

SECOND = timedelta(seconds=1)
OTHER: Record = {"userId": "44444444-4444-4444-4444-444444444444", "userPrincipalName": "other@partner.example"}
TEXT: Record = {
    "appDisplayName": "=cmd|'/C calc'!A0; <!channel> <at>all</at> \u202e[x](https://evil.example)",
    "userAgent": "Mozilla;=cmd|'/C calc'!A0;<script>alert(1)</script>\u0000",
    "userDisplayName": "{{DATE()}}\n@here",
}
AGENT: Record = {"agent": {"agentType": "agenticAppInstance", "agentSubjectType": "notAgentic"}}


def app_id(number: int) -> str:
    return f"77777777-7777-4777-8777-{number:012d}"


def flood(first: int, number: int) -> list[dict[str, Any]]:
    """Attempts with a wrong password, each with a client id of its own."""
    attempt = {"authenticationProtocol": "ropc", "status": {"errorCode": 50126}}
    return [
        record(f"try-{n}", TEN_PAST + (n % 600) * SECOND, appId=app_id(n), **TEXT, **attempt)
        for n in range(first, first + number)
    ]


async def test_an_attackers_log_hides_nothing_and_delays_nothing(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hook = receiver(name="soc")
    async with Receivers(hook):
        channels = {"soc": {"kind": "generic", "url": hook.url, "secret": hook.secret}}
        async with rig(azurite, monkeypatch, channels=channels) as at:
            await minute(at)
            legacy = record("legacy", TEN_PAST + timedelta(minutes=9), clientAppUsed="IMAP4", **TEXT)
            at.log(*flood(0, 300), legacy)
            at.set_time(NOON + timedelta(hours=1, minutes=1))
            await minute(at)
            said = [received.json for received in hook.taken]
            assert said[0]["data"]["incident"]["severity"] == "critical", "no flood stands before it"
            assert len(said) == 2, "all attempts of a rule are one incident"

            # Somebody acknowledges it; the attacker comes back with the same application and another rule.
            critical = said[0]["data"]["incident"]
            acknowledged = await ask(
                update_incident,
                at.app,
                path={"id": critical["id"]},
                headers={"If-Match": "*", "Content-Type": "application/json"},
                body=json.dumps({"state": "acknowledged", "comment": "an old phone"}).encode(),
            )
            assert acknowledged.status == 200
            again = {"authenticationProtocol": "ropc", "location": {"countryOrRegion": "XX"}}
            through_agent = record("agent", NOON + timedelta(hours=1, minutes=3), **PASSWORD_ONLY, **AGENT, **OTHER)
            twice = record("twice", NOON + timedelta(hours=1, minutes=4), **PASSWORD_ONLY, appId=app_id(1))
            at.log(
                record("again", NOON + timedelta(hours=1, minutes=2), **again, **TEXT),
                through_agent,
                twice,
                *flood(300, 100),
            )
            at.set_time(NOON + timedelta(hours=2, minutes=21))
            await minute(at)
            await minute(at)
            woken = await ask(incident, at.app, path={"id": critical["id"]})
            assert woken.json["state"] == "open"
            last = [m["data"]["incident"] for m in (r.json for r in hook.taken) if "incident" in m["data"]]
            assert [i["severity"] for i in last if i["id"] == critical["id"]] == ["critical", "critical"]

            # The record that was the technician's turns out to be another's.
            at.correct({**twice, **OTHER})
            at.set_time(NOON + timedelta(hours=8))
            await minute(at)
            await minute(at)
            found = {item["id"]: item for item in (await ask(findings, at.app, "limit=1000")).json["items"]}
            assert found["twice"]["userPrincipalName"] == OTHER["userPrincipalName"]
            assert "interactive-without-mfa" in found["agent"]["rules"]
            numbers = (await ask(summary, at.app, "days=2")).json["delegatedSignIns"]
            assert (numbers["nonCompliant"], numbers["total"]) == (4, 4)
            sheet = (await ask(findings, at.app, "limit=1000&format=csv")).text
            assert not [cell for line in sheet.splitlines() for cell in line.split(",") if cell.strip('" ')[:1] == "="]

            stands = [i async for i in all_incidents((await at.tables()).incidents)]
            bodies = [received.json for received in hook.taken]
            assert all(received.verified for received in hook.taken)
            assert wrong_words(bodies, stands) + said_twice(bodies) == []
