"""GET policies, and what technicians and customers say beside it, after a real refresh and a real scan."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from functions.inventory import causes
from functions.people import customers, technicians
from functions.policies import policies
from functions.portals import portals
from local.sample.people import BILLING_ADMINISTRATOR, GLOBAL_ADMINISTRATOR
from shared.alerts.digest_sections import DigestView, gaps_of_sign_ins
from shared.app.channels import Channel
from shared.messages.kind import ChannelKind
from shared.page import PAGES
from shared.page.asked import PageQuery, Visit
from shared.people.lists import CustomerEntry, Technician, from_kept
from shared.rules.rule import AT_HOME, PASSWORD_ONLY
from shared.store.people import CUSTOMERS, TECHNICIANS, load_list, save_list
from shared.store.tables import Table, delete
from tests.functions.asking import ask, counted_requests
from tests.people.harness import (
    DAY,
    HOUR,
    NOON,
    Office,
    broken,
    group,
    office,
    people,
    registration,
    relationship,
    tenant,
    user,
)
from tests.scan.harness import record

HOSTILE = "=HYPERLINK(1)<script>alert(1)</script> MFA‮"
MFA: dict[str, Any] = {
    "id": "11111111-0000-4000-8000-000000000001",
    "displayName": HOSTILE,
    "state": "enabled",
    "conditions": {
        "users": {
            "includeUsers": ["All"],
            "excludeGroups": [group(5)],
            "excludeUsers": [user(4)],
            "excludeRoles": [BILLING_ADMINISTRATOR],
        },
        "applications": {"includeApplications": ["All"]},
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}
REPORT: dict[str, Any] = {
    **MFA,
    "id": "11111111-0000-4000-8000-000000000002",
    "displayName": "Strict",
    "state": "enabledForReportingButNotEnforced",
}
SERVED = people(
    {1: [user(1), user(2), user(4)], 5: [user(2)], 9: [user(1)]},
    names={5: "No MFA please"},
    roles={GLOBAL_ADMINISTRATOR: [user(1)], BILLING_ADMINISTRATOR: []},
    relationships=[relationship(1), relationship(2, ends=NOON + 12 * DAY)],
    registrations=[registration(1, registered=False), registration(2), registration(4)],
)


def met(policy: dict[str, Any], rule: str) -> dict[str, Any]:
    return {
        "appliedConditionalAccessPolicies": [
            {
                "id": policy["id"],
                "displayName": policy["displayName"],
                "result": "notApplied",
                "enforcedGrantControls": ["Mfa"],
                "conditionsNotSatisfied": "users",
                "excludeRulesSatisfied": [{"conditionalAccessCondition": "users", "ruleSatisfied": rule}],
            }
        ]
    }


def sign_in(name: str, person: int, customer: int, **members: Any) -> dict[str, Any]:
    who = {"userId": user(person), "userPrincipalName": f"user{person}@partner.example"}
    return record(name, NOON - HOUR, **{**who, "resourceTenantId": tenant(customer), **members})


async def shown(at: Office, query: str = "") -> dict[str, Any]:
    reply = await ask(policies, at.rig.app, query)
    assert reply.status == 200, reply.text
    answer: dict[str, Any] = reply.json
    return answer


async def prepared(at: Office, *further: dict[str, Any]) -> None:
    at.directory.policies.conditional_access = [MFA, REPORT]
    await at.refresh()
    at.rig.log(
        sign_in("proven", 1, 1),
        *(sign_in(f"by the group {n}", 2, 1, **PASSWORD_ONLY, **met(MFA, "groupId")) for n in range(3)),
        sign_in("as named", 4, 2, **PASSWORD_ONLY, **met(MFA, "userId")),
        sign_in("by what is gone", 4, 2, **PASSWORD_ONLY, **met(MFA, "allTrustedLocations")),
        *further,
        at=NOON - HOUR,
    )
    await at.rig.work()
    at.pass_time(timedelta(minutes=1))
    await at.refresh()


async def test_what_the_policies_leave_open_and_how_many_went_that_way(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(azurite, monkeypatch, SERVED, slice_minutes=240) as at:
        assert (await shown(at))["missing"] == [
            {
                "part": "all",
                "problem": "The policies were never read: the first refresh of the directory is not done (see GET "
                "preflight).",
            }
        ]
        await prepared(at)
        with counted_requests() as asked:
            told = await shown(at)
        assert len(asked) <= 10
        assert (told["readAt"], told["way"], told["securityDefaults"]) == (
            "2026-11-02T12:01:00Z",
            "conditional-access",
            False,
        )
        assert told["trustsGuestMfa"] is False
        assert told["mfaForAll"] == {
            "answer": "partly",
            "sentence": "1 of 3 delegated admins have to do MFA for every application; 0 cannot be told.",
            "covered": 1,
            "uncovered": 2,
            "unsure": 0,
            "people": [
                {
                    "userId": user(n),
                    "userPrincipalName": f"user{n}@partner.example",
                    "reason": f"Left out of “{HOSTILE}”.",
                }
                for n in (2, 4)
            ],
        }
        holes = [
            (hole["rule"], hole["configured"], hole["people"], hole["signIns"], hole["parts"])
            for hole in told["exclusions"]
        ]
        assert holes == [
            ("group", True, 1, 3, [{"id": group(5), "name": "No MFA please"}]),
            ("user", True, 1, 1, [{"id": user(4), "name": "user4@partner.example"}]),
            ("role", True, 0, 0, [{"id": BILLING_ADMINISTRATOR, "name": "Billing Administrator"}]),
            ("location", False, None, 1, [{"id": "allTrustedLocations", "name": None}]),
        ]
        assert (told["legacyBlocked"]["answer"], told["deviceCodeBlocked"]["answer"]) == ("no", "no")
        assert told["reportOnly"] == ["Strict"]
        assert [(d["domain"], d["providerMfa"]) for d in told["federatedDomains"]] == [
            ("fed.partner.example", "accepted")
        ]
        assert told["missing"] == []
        rows = (await ask(causes, at.rig.app, "format=csv")).text.splitlines()
        assert any(cell.startswith("'=HYPERLINK(1)<script>") for row in csv.reader(rows) for cell in row)
        assert not any(cell.startswith("=") for row in csv.reader(rows) for cell in row)
        assert json.dumps(told).count("script") == json.dumps(told).count("<script>") * 2, "as it is, in JSON"
        assert [hole["signIns"] for hole in (await shown(at, "scope=guest"))["exclusions"]] == [0, 0, 0]


async def test_what_cannot_be_read_is_not_told(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same log, without the policies, then without the members of a group."""
    async with office(azurite, monkeypatch, SERVED, slice_minutes=240) as at:
        at.directory.policies.licensed = False
        at.directory.policies.refused = {"domains/"}
        await prepared(at)
        told = await shown(at)
        assert (told["mfaForAll"]["answer"], told["mfaForAll"]["unsure"]) == ("cannot-tell", 3)
        assert (told["legacyBlocked"]["answer"], told["deviceCodeBlocked"]["answer"]) == ("cannot-tell", "cannot-tell")
        assert [d["providerMfa"] for d in told["federatedDomains"]] == ["cannot-tell"]
        missing = {part["part"]: part["problem"] for part in told["missing"]}
        assert missing.keys() == {"conditionalAccess", "namedLocations", "federation"}
        assert "Domain-InternalFederation.Read.All" in missing["federation"]
        # The record itself told by what rule: what went that way is told, and nothing of the policy of today.
        assert {(hole["rule"], hole["configured"], hole["signIns"]) for hole in told["exclusions"]} == {
            ("group", False, 3),
            ("user", False, 1),
            ("location", False, 1),
        }

        at.directory.policies.licensed = True
        at.fail(broken(status=403, path=f"/v1.0/groups/{group(5)}/transitiveMembers"))
        await at.refresh()
        told = await shown(at)
        assert (told["mfaForAll"]["answer"], told["mfaForAll"]["unsure"]) == ("partly", 2)
        assert [hole["people"] for hole in told["exclusions"] if hole["rule"] == "group"] == [None]
        assert "GroupMember.Read.All" in {p["part"]: p["problem"] for p in told["missing"]}["groups"]


async def test_a_registration_that_sign_ins_contradict_is_shown_and_no_alarm(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(azurite, monkeypatch, SERVED, slice_minutes=240) as at:
        await prepared(at)
        one, two, four = (await ask(technicians, at.rig.app, "scope=guest")).json["items"]
        assert one["contradiction"]["kind"] == "unregistered-but-proven"
        assert one["contradiction"]["evidence"] == "1 sign-ins with MFA, 0 without, 0 of which nobody knows."
        assert one["postureRules"] == []
        assert [who["contradiction"]["kind"] for who in (two, four)] == ["registered-but-unused"] * 2
        assert two["contradiction"]["registration"] == "The registration report knows mobilePhone."
        seen = await page_of(at, "/technicians", user(1))
        assert "The registration report knows no MFA method of the account." in seen
        seen = await page_of(at, "/customers", tenant(2))
        assert "it ends within 30 days; one group holds everybody" in seen
        assert "Azure Lighthouse" in seen
        assert "opens 2 customers, was at 1" in seen


async def list_page(at: Office, route: str) -> str:
    """What a person sees of many things."""
    (page,) = (page for page in PAGES if page.route == route)
    return await page.show(Visit(at.rig.app, page.query(), {}, f"/{route}", True))


async def page_of(at: Office, place: str, key: str) -> str:
    """What a person sees of one thing."""
    (page,) = (page for page in PAGES if page.route == f"{place[1:]}/{{id}}")
    return await page.show(Visit(at.rig.app, PageQuery(), {"id": key}, f"{place}/{key}", True))


async def test_a_customer_is_called_unused_once_ninety_days_were_watched(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide: dict[str, Any] = {"lookback_days": 30, "slice_minutes": 1440, "retention_days": 40}
    async with office(azurite, monkeypatch, SERVED, **wide) as at:

        async def unused() -> list[bool | None]:
            return [c["risks"]["unused"] for c in (await ask(customers, at.rig.app)).json["items"]]

        await at.refresh()
        at.rig.log(sign_in("lately", 1, 1), at=NOON - HOUR)
        at.pass_time(DAY)
        await at.rig.work()
        await at.refresh()
        assert await unused() == [False, None]
        for _ in range(4):  # read every four weeks at least: whoever looked away for longer saw less
            at.pass_time(timedelta(days=25))
            await at.rig.work()
            await at.refresh()
        assert await unused() == [True, True]
        at.pass_time(timedelta(days=35))
        await at.refresh()
        assert await unused() == [None, None]


async def test_a_list_of_version_1_is_read(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows without groups, risks and memberships: nothing is claimed of them."""
    async with office(azurite, monkeypatch, SERVED, slice_minutes=240) as at:
        await at.refresh()
        await _as_version_1((await at.rig.tables()).directory)
        (first, _) = (await ask(customers, at.rig.app)).json["items"]
        assert (first["groups"], first["techniciansReachable"], first["lastSeenOn"]) == ([], None, None)
        assert first["risks"] == {
            "globalAdministrator": False,
            "endsSoon": False,
            "everybodyInOneGroup": None,
            "noPim": None,
            "unused": None,
        }
        assert (await shown(at))["mfaForAll"]["answer"] in ("no", "cannot-tell")


async def _as_version_1(table: Table) -> None:
    """Take from the lists what version 1 of the app had not."""
    for name, kind, members in ((TECHNICIANS, Technician, 17), (CUSTOMERS, CustomerEntry, 9)):
        kept = await load_list(table, name)
        assert kept is not None
        entries = [[*from_kept(kind, entry)][:members] for entry in kept.entries]
        await save_list(table, name, entries, {}, kept.at)


async def test_portals_without_a_customer_tenant_and_what_the_digest_says(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with office(azurite, monkeypatch, SERVED, slice_minutes=240) as at:
        home = {"appId": "9" * 32, "appDisplayName": "Exchange <admin> center", **AT_HOME}
        await prepared(
            at, sign_in("home", 1, 1, **home), *(sign_in(f"bare {n}", 4, 1, **home, **PASSWORD_ONLY) for n in (1, 2))
        )
        told = (await ask(portals, at.rig.app)).json
        assert "security defaults in a test customer tenant" in told["tip"]
        (portal,) = told["items"]
        assert (portal["appName"], portal["total"], portal["lacking"]) == ("Exchange <admin> center", 3, 2)
        assert portal["people"] == [
            {"userId": user(4), "userPrincipalName": "user4@partner.example", "signIns": 2, "lacking": 2},
            {"userId": user(1), "userPrincipalName": "user1@partner.example", "signIns": 1, "lacking": 0},
        ]
        assert portal["peopleCount"] == 2
        shown_portals = await list_page(at, "portals")
        assert all(words in shown_portals for words in ("Exchange &lt;admin&gt; center", "2 people", "user1<wbr>@"))
        # Where the numbers of customers and of the reach of accounts stand, it is said what none of them has.
        for route in ("customers", "technicians"):
            assert "Azure Lighthouse" in await list_page(at, route)
        for place, key in (("/customers", tenant(1)), ("/technicians", user(1))):
            assert "Azure Lighthouse" in await page_of(at, place, key)
        for endpoint in (customers, technicians):
            assert "Azure Lighthouse" in (await ask(endpoint, at.rig.app)).json["lighthouse"]

        # Of a day that an older version added up only what lacked MFA is told: null, and not 0.
        rollups = (await at.rig.tables()).rollups
        (row,) = [row async for row in rollups.range("partner", "portals-20261102", "portals-20261102~")]
        await rollups.write(delete(row))
        (portal,) = (await ask(portals, at.rig.app)).json["items"]
        assert portal["people"] == [
            {"userId": user(4), "userPrincipalName": "user4@partner.example", "signIns": None, "lacking": 2}
        ]
        assert portal["peopleCount"] is None
        assert "not known of every day" in await list_page(at, "portals")
        assert portal["trend"] == [{"date": "2026-11-02", "total": 3, "lacking": 2}]

        view = DigestView(
            await at.rig.tables(), Channel(kind=ChannelKind.GENERIC, url=SecretStr("https://hooks.example/x")),
            NOON - 12 * HOUR, NOON + 12 * HOUR, [], [],
        )  # fmt: skip
        made = await gaps_of_sign_ins(view)
        assert made is not None
        assert made.total == 3
        assert made.lines[0].endswith(": 3 of 5, 1 person")
        assert "groupId" in made.lines[0]
        assert "<script>" in made.lines[0]  # as it is: each channel escapes as it needs
        assert all(line.isprintable() for line in made.lines)
        one = Channel(kind=ChannelKind.GENERIC, url=SecretStr("https://hooks.example/x"), customers=(tenant(2),))
        only = await gaps_of_sign_ins(replace(view, channel=one))
        assert only is not None
        assert [line[-16:] for line in only.lines] == [": 1 of 2, 1 person"[-16:]] * 2
