"""An attacker's log through the served app, over days: its worker, its routes and two receivers, watched from outside.

The app runs by a clock that the test moves; the log is what somebody would write who wants to hide in it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from shared.rules.rule import PASSWORD_ONLY, PLAIN, Record
from tests.alerts.channel_model import said_twice
from tests.soak.rig import MINIMUM, Rig, rig

pytestmark = [pytest.mark.soak, pytest.mark.asyncio(loop_scope="module")]

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
SECOND: Final = timedelta(seconds=1)
LEGACY: Final[Record] = {"clientAppUsed": "IMAP4", "userAgent": "Thing/1.2", "location": {"countryOrRegion": "AT"}}
ATTEMPT: Final[Record] = {"authenticationProtocol": "ropc", "status": {"errorCode": 50126}}
AGENT: Final[Record] = {"agent": {"agentType": "agenticAppInstance", "agentSubjectType": "notAgentic"}}
ODD: Final = (
    "=cmd|'/C calc'!A0",
    "Mozilla;=cmd|'/C calc'!A0;",
    "a\n=1+1",
    "\t@SUM(1)",
    "+1\r\n-1",
    "\u202e\u2066gnp.exe",
    "\u3164\u115f\u2800",
    "\x00\x01\x1b[31m",
    "{{DATE()}} <at>all</at> <!channel>",
    "<script>alert(1)</script>",
    "[x](javascript:1)",
    "' or PartitionKey ne '",
    "../../x?y#z%00",
    "\U0001f600" * 300,
    "x" * 5_000,
    "\ufeff",
    "",
    " ",
)
LISTS: Final = (
    "findings", "incidents", "customers", "technicians", "applications", "causes", "portals", "coverage",
    "accounts", "alerts", "register",
)  # fmt: skip


class Attack:
    """The rig with a clock of the app that can be moved."""

    def __init__(self, at: Rig, moved: Path) -> None:
        self.at = at
        self._moved = moved
        self._by = timedelta(0)

    @property
    def now(self) -> datetime:
        """The app's time."""
        return datetime.now(UTC) + self._by

    @property
    def this_hour(self) -> datetime:
        """When the hour began, which is a slice."""
        return self.now.replace(minute=0, second=0, microsecond=0)

    def move_to(self, to: datetime) -> None:
        """Move the app's clock."""
        self._by = to - datetime.now(UTC)
        self._moved.write_text(str(self._by.total_seconds()), "utf-8")

    def record(self, id_: str, at: datetime, person: int = 0, *more: Record) -> dict[str, Any]:
        """A sign-in of a technician into the first customer."""
        people = self.at.sample.people
        who = people.technicians[person]
        made: dict[str, Any] = {
            **PLAIN,
            "id": id_,
            "createdDateTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "userId": who.user_id,
            "userPrincipalName": who.user_principal_name,
            "homeTenantId": people.partner_tenant_id,
            "resourceTenantId": people.customers[0].tenant_id,
        }
        for members in more:
            made |= members
        return made

    async def hour(self, *records: dict[str, Any]) -> None:
        """Have these in the log, and this hour and the age of its first re-read pass."""
        for begin in range(0, len(records), 20):
            await self.at.control(add=[{"record": r} for r in records[begin : begin + 20]])
        self.move_to(self.this_hour + HOUR + 20 * MINUTE)
        await self.settle()

    async def settle(self) -> None:
        """Wait until all of the last day is read and told."""
        await self.at.settle(120, days=1)

    def heard(self, channel: str) -> list[Any]:
        """What a channel heard, message by message."""
        return [received.json for received in self.at.receivers[channel].taken]

    async def incident(self, id_: str) -> Any:
        return await self.at.ask("GET", f"incidents/{id_}")

    async def acknowledge(self, id_: str) -> None:
        change = {"state": "acknowledged", "comment": "an old phone"}
        await self.at.ask("PATCH", f"incidents/{id_}", json=change, headers={"If-Match": "*"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def attack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Attack]:
    work = tmp_path_factory.mktemp("attack")
    moved = work / "moved"
    moved.write_text("0", "utf-8")
    async with rig(work) as at:
        await at.begin()
        app = at.patched(
            "moving",
            "shared/app/app.py",
            "    return datetime.now(UTC)\n",
            f"    return datetime.now(UTC) + timedelta(seconds=float(open({str(moved)!r}).read() or 0))\n",
        )
        made = Attack(at, moved)
        for receiver in at.receivers.values():
            receiver.verify = _is_signed
        made.move_to(made.this_hour + 20 * MINUTE)
        await at.start({"SLICE_MINUTES": "60", "LOOKBACK_DAYS": "2"}, app=app)
        await made.settle()
        yield made


async def test_a_flood_of_attempts_delays_no_critical_one(attack: Attack) -> None:
    begin = attack.this_hour
    people = len(attack.at.sample.people.technicians)
    flood = [
        attack.record(
            f"try-{n}", begin + n * SECOND, n % people, ATTEMPT, {"appId": f"77777777-7777-4777-8777-{n:012d}"}
        )
        for n in range(1500)
    ]
    await attack.hour(*flood, attack.record("legacy", begin + 50 * MINUTE, 3, LEGACY))
    for channel in ("all", "worst"):
        data = attack.heard(channel)[0]["data"]
        first = data["incidents"][0] if "incidents" in data else data["incident"]
        assert first["severity"] == "critical", f"no flood stands before it in {channel}"
    assert len(attack.heard("all")) <= 3, "all attempts of a rule and a person are one incident"
    listed = (await attack.at.ask("GET", "incidents?limit=1000"))["items"]
    assert len(listed) == people + 1


async def test_an_acknowledged_incident_wakes_for_a_new_country_client_and_rule_alone(attack: Attack) -> None:
    critical = await attack.at.ask("GET", "incidents?severity=critical")
    (id_,) = [item["id"] for item in critical["items"]]

    async def comes(name: str, *more: Record) -> str:
        begin = attack.this_hour
        await attack.hour(attack.record(name, begin + MINUTE, 3, LEGACY, *more))
        state: str = (await attack.incident(id_))["state"]
        return state

    await attack.acknowledge(id_)
    assert await comes("address", {"ipAddress": "198.51.100.7"}) == "acknowledged"
    assert await comes("version", {"userAgent": "Thing/2.0"}) == "acknowledged"
    heard = len(attack.heard("worst"))
    news: dict[str, Record] = {
        "country": {"location": {"countryOrRegion": "KP"}},
        "client": {"userAgent": "Other/1.0"},
        "rule": {"authenticationProtocol": "ropc"},
    }
    for name, new in news.items():
        assert await comes(name, new) == "open", name
        assert len(attack.heard("worst")) == heard + 1, name
        heard += 1
        await attack.acknowledge(id_)
        assert await comes(f"{name} again", new) == "acknowledged", name
        attack.move_to(attack.now + 25 * HOUR)
        await attack.settle()


async def test_an_agent_hides_no_technician(attack: Attack) -> None:
    begin = attack.this_hour
    silent: Record = {"signInEventTypes": ["nonInteractiveUser"]}
    newest: Record = {"agent": {"agentType": "unknownFutureValue", "agentSubjectType": "unknownFutureValue"}}
    await attack.hour(
        attack.record("agent", begin + MINUTE, 4, PASSWORD_ONLY, AGENT),
        attack.record("agent-silent", begin + MINUTE, 4, PASSWORD_ONLY, AGENT, silent),
        attack.record("agent-new", begin + MINUTE, 4, PASSWORD_ONLY, newest),
    )
    found = await _findings(attack)
    assert {name for name in found if name.startswith("agent")} == {"agent", "agent-silent", "agent-new"}
    assert {found[name]["severity"] for name in ("agent", "agent-silent", "agent-new")} == {"high"}


async def test_odd_text_is_judged_and_harmless_in_every_answer(attack: Attack) -> None:
    begin = attack.this_hour
    before = (await attack.at.ask("GET", "summary?days=9"))["delegatedSignIns"]["total"]
    records = [
        attack.record(f"odd-{n}", begin + n * SECOND, 5, PASSWORD_ONLY, _odd(text)) for n, text in enumerate(ODD)
    ]
    await attack.hour(*records)
    found = await _findings(attack)
    assert {f"odd-{n}" for n in range(len(ODD))} <= found.keys()
    summary = await attack.at.ask("GET", "summary?days=9")
    assert summary["delegatedSignIns"]["total"] == before + len(ODD)
    assert summary["coverage"]["quarantined"] == 0
    for path in LISTS:
        await attack.at.ask("GET", f"{path}?limit=1000")
        for cell in await _cells(attack, path):
            assert (
                not cell.lstrip(" '\ufeff").startswith(("=", "+", "@", "-"))
                or cell.lstrip(" ").startswith("'")
                or (_is_number(cell))
            ), (path, cell)
    for item in found.values():
        await attack.at.ask("GET", f"findings/{item['id']}")


async def test_what_the_channels_heard_of_all_of_it_is_right(attack: Attack) -> None:
    assert await attack.at.wrong_words() == []
    for channel in MINIMUM:
        assert said_twice(attack.heard(channel)) == []
        assert all(received.verified for received in attack.at.receivers[channel].taken)


def _is_signed(secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the signature is right, by the sender's clock."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    return Webhook(secret).sign(headers["webhook-id"], at, body.decode()) in headers["webhook-signature"].split()


def _odd(text: str) -> Record:
    """The text in every member that is one and that no verdict needs."""
    names = ("appDisplayName", "userAgent", "userDisplayName", "resourceDisplayName", "ipAddress", "correlationId",
             "sessionId", "uniqueTokenIdentifier", "clientAppUsed", "conditionalAccessStatus", "riskState",
             "riskLevelAggregated", "tokenIssuerName", "incomingTokenType")  # fmt: skip
    place = {"city": text, "state": text, "countryOrRegion": text}
    device = {"deviceId": text, "displayName": text, "browser": text, "operatingSystem": text, "trustType": text}
    policy = {"id": text, "displayName": text, "result": text, "enforcedGrantControls": [text]}
    detail = {"authenticationMethod": "Password", "succeeded": True, "authenticationMethodDetail": text}
    return {
        **dict.fromkeys(names, text),
        "location": place,
        "deviceDetail": device,
        "appliedConditionalAccessPolicies": [policy],
        "authenticationDetails": [detail],
        "status": {"errorCode": 0, "failureReason": text, "additionalDetails": text},
    }


async def _findings(attack: Attack) -> Mapping[str, Any]:
    return {item["id"]: item for item in (await attack.at.ask("GET", "findings?limit=1000"))["items"]}


async def _cells(attack: Attack, path: str) -> list[str]:
    """All cells of a list as CSV, as a program sees them that takes commas and one that takes semicolons."""
    url = f"{attack.at.hosts[0].url}/api/{path}?limit=1000&format=csv"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        text = await answer.text("utf-8")
        assert answer.status == 200, text
    return [cell for mark in ",;" for row in csv.reader(io.StringIO(text, newline=""), delimiter=mark) for cell in row]


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(".", "", 1).isdigit()
