"""Technicians, customers and accounts over HTTP, after a real refresh and a real scan."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.answers import coverage, summary
from functions.http import Endpoint
from functions.people import accounts, customers, technicians
from local.sample.people import BILLING_ADMINISTRATOR, GLOBAL_ADMINISTRATOR
from shared.basics.spelling import id_key
from shared.rules.rule import PARTNER, PASSWORD_ONLY, SILENT
from tests.functions.asking import ask, pages
from tests.people.harness import (
    DAY,
    HOUR,
    NOON,
    Office,
    broken,
    group,
    key,
    office,
    people,
    registration,
    relationship,
    tenant,
    user,
    without,
)
from tests.scan.harness import record

PARTNER_CENTER = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
SERVED = people(
    {1: [user(1), user(2)], 9: [user(1)]},
    eligible={1: [user(3)]},
    roles={GLOBAL_ADMINISTRATOR: [user(4)], BILLING_ADMINISTRATOR: []},
    relationships=[relationship(1), relationship(2, ends=NOON + 12 * DAY)],
    registrations=[
        registration(1),
        registration(2, registered=False),
        registration(4, capable=False),
        registration(5, registered=False, guest=True),
    ],
)


def sign_in(name: str, person: int, customer: int, **members: Any) -> dict[str, Any]:
    who = {"userId": user(person), "userPrincipalName": f"user{person}@partner.example"}
    return record(name, NOON - HOUR, **{**who, "resourceTenantId": tenant(customer), **members})


async def prepared(at: Office) -> None:
    """A refresh, an hour of sign-ins scanned, and a refresh that knows of them."""
    await at.refresh()
    at.rig.log(
        sign_in("good", 1, 1),
        sign_in("good too", 1, 2),
        sign_in("bad", 1, 2, **PASSWORD_ONLY),
        sign_in("silent", 2, 1, **SILENT),
        sign_in("pc", 4, 1, resourceTenantId=PARTNER, crossTenantAccessType="none", appId=PARTNER_CENTER),
        sign_in("masked", 3, 2, userId=None, userPrincipalName=f"user_{key(3)}@x.example", homeTenantId=PARTNER),
        sign_in("refused", 3, 1, status={"errorCode": 50126}),
        at=NOON - HOUR,
    )
    await at.rig.work()
    await at.refresh()


async def items(endpoint: Endpoint, at: Office, query: str = "") -> list[dict[str, Any]]:
    reply = await ask(endpoint, at.rig.app, query)
    assert reply.status == 200, reply.text
    found: list[dict[str, Any]] = reply.json["items"]
    return found


async def test_what_the_answers_say_of_people_and_customers(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, SERVED, slice_minutes=240) as at:
        await prepared(at)

        one, two, four, three = await items(technicians, at, "days=1")  # a name that nobody told sorts last
        assert one == {
            "userId": user(1),
            "userPrincipalName": "user1@partner.example",
            "userDisplayName": "user1",
            "userType": "member",
            "state": "current",
            "roles": ["AdminAgents", "Group 1"],
            "eligibleRoles": [],
            "validFrom": None,
            "validTo": None,
            "mfaRegistered": True,
            "mfaCapable": True,
            "mfaMethods": ["mobilePhone"],
            "partnerCenterPages": ["Customers", "Support > Customer requests", "Billing"],
            "total": 3,
            "compliant": 2,
            "nonCompliant": 1,
            "unknown": 0,
            "compliancePercent": 66.67,
            "neverMfa": False,
            "totalByScope": {"customer": 3, "partner-center": 0, "partner-tenant": 0, "guest": 0},
            "openIncidents": 1,
            "worstSeverity": "high",
            "byStrength": {"phishing-resistant": 0, "passwordless": 0, "app": 0, "phone": 0, "untold": 2},
            "weakest": None,
            "customersReachable": 2,
            "customersReached": 2,
            "lastSeenOn": "2026-11-02",
            "dormant": False,
            "offBoarded": False,
            "postureRules": [],
            "postureSeverity": None,
            "contradiction": None,
        }
        assert (two["unknown"], two["compliancePercent"], two["postureRules"], two["postureSeverity"]) == (
            1,
            None,
            ["mfa-not-registered"],
            "high",
        )
        assert (four["partnerCenterPages"], four["roles"], four["total"], four["customersReached"]) == (
            ["Billing"],
            ["Global Administrator"],
            1,
            0,
        )
        # Known by the object id in the name that the customer's log shows; in a group, and not in the report.
        assert (three["userId"], three["eligibleRoles"], three["compliant"], three["customersReached"]) == (
            user(3),
            ["Group 1"],
            1,
            1,
        )
        assert (three["offBoarded"], three["state"], three["mfaCapable"]) == (True, "current", None)

        first, second = await items(customers, at, "days=1")
        assert first == {
            "customerId": tenant(1),
            "customerName": "Customer 1",
            "relationship": "active",
            "roles": ["Global Reader"],
            "relationshipFrom": "2026-07-25T12:00:00Z",
            "relationshipTo": "2027-02-10T12:00:00Z",
            "daysLeft": 100,
            "autoExtends": False,
            "validFrom": None,
            "validTo": None,
            "total": 2,
            "compliant": 1,
            "nonCompliant": 0,
            "unknown": 1,
            "compliancePercent": 100.0,
            "techniciansSeen": 2,
            "technicians": [
                {
                    "userId": user(n),
                    "userPrincipalName": f"user{n}@partner.example",
                    "customersReachable": 2,
                    "customersReached": reached,
                }
                for n, reached in ((1, 2), (2, 1))
            ],
            "techniciansWithoutMfa": [],
            "techniciansReachable": 3,
            "groups": [{"groupId": group(1), "groupName": "Group 1", "people": 3}],
            "risks": {
                "globalAdministrator": False,
                "endsSoon": False,
                "everybodyInOneGroup": True,
                "noPim": False,
                "unused": False,
            },
            "lastSeenOn": "2026-11-02",
            "openIncidents": 1,
        }
        assert (second["nonCompliant"], second["openIncidents"], second["daysLeft"]) == (1, 1, 12)
        assert [t["userId"] for t in second["technicians"]] == [user(3), user(1)]

        assert await items(customers, at, "days=1&neverMfa=true") == []
        (reached,) = await items(customers, at, "days=1&user=user2@partner.example")
        assert (reached["customerId"], reached["unknown"], reached["compliant"]) == (tenant(1), 1, 0), "that person's"
        assert [t["userId"] for t in reached["technicians"]] == [user(2)]
        assert [t["userId"] for t in await items(technicians, at, "days=1&neverMfa=false")] != []
        assert await items(technicians, at, "days=1&neverMfa=true") == []

        found = await items(accounts, at)
        assert [(a["userId"], a["postureSeverity"], a["postureRules"]) for a in found] == [
            (user(2), "high", ["mfa-not-registered"]),
            (user(4), "medium", ["mfa-not-capable"]),
            (user(5), "medium", ["mfa-not-registered", "guest-without-mfa"]),
        ]
        assert (found[2]["userType"], found[2]["delegatedAdmin"]) == ("guest", False)
        assert found[0]["whatToDo"].startswith("Give the person a Temporary Access Pass")

        shown = (await ask(summary, at.rig.app, "days=1")).json
        assert shown["posture"]["accounts"] == {
            "total": 4,
            "registered": 2,
            "capable": 1,
            "registeredPercent": 50.0,
            "capablePercent": 25.0,
        }
        assert shown["delegatedSignIns"]["total"] == 6, "the two are never mixed"
        assert shown["posture"]["securityDefaults"] is False
        assert shown["posture"]["delegatedAdmins"]["offBoarded"] == 1


async def test_filters_pages_and_csv(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, SERVED, slice_minutes=240) as at:
        await prepared(at)

        async def who(query: str) -> list[str]:
            return [t["userId"][-1] for t in await items(technicians, at, query)]

        assert await who(f"user={user(1)}") == ["1"]
        assert await who(f"user={id_key(user(1)).upper()}") == ["1"]
        assert await who("user=USER2@partner.example") == ["2"]
        assert await who(f"user=user_{key(3)}@customer.example") == ["3"], "as a customer's log shows them"
        assert await who("role=adminagents") == ["1"]
        refused = await ask(technicians, at.rig.app, "role=GlobalAdmin")
        assert (refused.status, refused.wrong) == (400, ["role"])
        assert "Global Administrator" in refused.json["detail"]
        assert await who("role=Group%201") == ["1", "2", "3"]
        assert await who("state=off-boarded") == ["3"]
        assert await who("state=left") == []
        assert await who("rule=mfa-not-registered,mfa-not-capable") == ["2", "4"]
        assert (await ask(technicians, at.rig.app, "user=nobody")).json["detail"] == "no such person"
        unknown = await ask(accounts, at.rig.app, "user=nobody")
        assert (unknown.status, unknown.json["detail"]) == (404, "no such person")
        assert (await ask(customers, at.rig.app, "customer=nobody")).json["detail"] == "no such customer"
        assert [c["customerId"][-1] for c in await items(customers, at, f"customer={tenant(2)}")] == ["2"]
        assert [c["customerId"][-1] for c in await items(customers, at, "endsWithin=30")] == ["2"]
        assert [c["customerId"][-1] for c in await items(customers, at, "risk=ends-soon,unused")] == ["2"]
        assert [a["userId"][-1] for a in await items(accounts, at, "severity=high")] == ["2"]
        assert [a["userId"][-1] for a in await items(accounts, at, "rule=guest-without-mfa")] == ["5"]

        for endpoint in (technicians, customers, accounts):
            every = await items(endpoint, at)
            assert await pages(endpoint, at.rig.app, "limit=1") == every  # each by ten requests at the most
            reply = await ask(endpoint, at.rig.app, "limit=2&format=csv")
            assert reply.kind == "text/csv"
            assert len(reply.rows) == 2
            assert set(reply.rows[0]) == set(every[0])

        for query, wrong in (
            ("days=0", ["days"]),
            ("days=401", ["days"]),
            ("days=3&from=2026-10-01", ["days"]),
            ("from=2026-10-01T00:00:00Z", ["from"]),
            ("from=2025-01-01", ["from"]),
            ("state=asleep", ["state"]),
            ("rule=legacy-auth", ["rule"]),
            ("cursor=nonsense", ["cursor"]),
            ("unknown=1", ["unknown"]),
        ):
            reply = await ask(technicians, at.rig.app, query)
            assert (reply.status, reply.wrong) == (400, wrong)
        assert (await ask(customers, at.rig.app, "endsWithin=-1")).wrong == ["endsWithin"]
        assert (await ask(accounts, at.rig.app, "severity=bad")).wrong == ["severity"]


async def test_before_the_first_refresh_there_is_nothing_to_say(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, SERVED) as at:
        for endpoint in (technicians, customers, accounts):
            reply = await ask(endpoint, at.rig.app)
            assert (reply.json["items"], reply.json["cursor"], reply.json["refreshedAt"]) == ([], None, None)
        assert (await ask(summary, at.rig.app)).json["posture"]["accounts"] is None


async def test_who_left_is_shown_as_such(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, SERVED) as at:
        await at.refresh()
        at.pass_time(6 * HOUR)
        at.serve(without(SERVED, user(2)))
        await at.refresh()
        (left,) = await items(technicians, at, "state=left")
        assert (left["userId"], left["validTo"], left["postureRules"]) == (user(2), "2026-11-02T18:00:00Z", [])
        assert left["partnerCenterPages"] == []


async def test_the_dormant_are_known_once_four_weeks_were_read(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wide: dict[str, Any] = {"lookback_days": 30, "slice_minutes": 1440, "retention_days": 40}
    async with office(azurite, monkeypatch, SERVED, **wide) as at:
        await at.refresh()
        assert {t["dormant"] for t in await items(technicians, at)} == {None}
        at.rig.log(sign_in("lately", 1, 1), at=NOON - HOUR)
        at.pass_time(DAY)
        await at.rig.work()
        await at.refresh()
        dormant = {t["userId"][-1]: t["dormant"] for t in await items(technicians, at)}
        assert dormant == {"1": False, "2": True, "3": True, "4": True}
        assert [t["userId"][-1] for t in await items(technicians, at, "state=dormant")] == ["2", "4", "3"]
        (found,) = await items(accounts, at, f"user={user(3)}")
        assert (found["postureRules"], found["postureSeverity"]) == (["delegated-admin-dormant"], "low")


async def test_coverage_shows_what_keeps_the_directory_old(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, SERVED) as at:
        await at.refresh()
        at.pass_time(6 * HOUR)
        at.fail(broken(status=403, path="/delegatedAdminRelationships", times=9))
        await at.refresh()
        at.pass_time(timedelta(minutes=1))
        shown = (await ask(coverage, at.rig.app)).json["directory"]
        assert (shown["refreshedAt"], shown["ageSeconds"]) == ("2026-11-02T12:00:00Z", 6 * 3600 + 60)
        states = {source["source"]: source for source in shown["sources"]}
        assert states["registrations"]["problem"] is None
        assert "DelegatedAdminRelationship.Read.All" in states["roster"]["problem"]
        assert states["roster"]["problemSince"] == "2026-11-02T18:00:00Z"
        assert states["roster"]["refreshedAt"] == "2026-11-02T12:00:00Z"
