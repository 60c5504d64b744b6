"""A partner of 300 people whose one exclusion explains most findings; the same log with its policies and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from functions.answers import summary
from functions.inventory import causes
from functions.policies import policies
from shared.compliance.coverage import percent
from shared.rules.rule import AT_HOME, PASSWORD_ONLY
from tests.functions.asking import ask
from tests.people.harness import HOUR, NOON, Office, group, office, people, registration, relationship, tenant, user
from tests.scan.harness import record

PEOPLE, LEFT_OUT, CUSTOMERS = 300, 40, 25
MFA: Final[dict[str, Any]] = {
    "id": "11111111-0000-4000-8000-000000000001",
    "displayName": "MFA for all",
    "state": "enabled",
    "conditions": {
        "users": {"includeUsers": ["All"], "excludeGroups": [group(5)]},
        "applications": {"includeApplications": ["All"]},
        "clientAppTypes": ["all"],
    },
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}
SERVED = people(
    {1: [user(n) for n in range(PEOPLE)], 5: [user(n) for n in range(LEFT_OUT)], 9: [user(0)]},
    names={5: "Without MFA"},
    relationships=[relationship(n) for n in range(1, CUSTOMERS + 1)],
    registrations=[registration(n) for n in range(PEOPLE)],
)


def met(result: str, **members: Any) -> dict[str, Any]:
    return {
        "id": MFA["id"],
        "displayName": MFA["displayName"],
        "result": result,
        "enforcedGrantControls": ["Mfa"],
        **members,
    }


EXCLUDED = met(
    "notApplied",
    conditionsNotSatisfied="users",
    excludeRulesSatisfied=[{"conditionalAccessCondition": "users", "ruleSatisfied": "groupId"}],
)
DEVICE = {"id": "d", "displayName": "Devices", "result": "success", "enforcedGrantControls": ["RequireCompliantDevice"]}


def log(*, listed: bool) -> Iterator[dict[str, Any]]:
    """600 sign-ins with MFA, 200 of those who are left out, 10 with a device instead; 5 at home."""

    def of(name: str, person: int, policy: dict[str, Any], **members: Any) -> dict[str, Any]:
        return record(
            name,
            NOON - HOUR,
            userId=user(person),
            userPrincipalName=f"user{person}@partner.example",
            resourceTenantId=tenant(1 + person % CUSTOMERS),
            **members,
            appliedConditionalAccessPolicies=[policy] if listed else [],
        )

    for n in range(PEOPLE):
        yield from (of(f"{n} with {i}", n, met("success")) for i in range(2))
    for n in range(LEFT_OUT):
        yield from (of(f"{n} without {i}", n, EXCLUDED, **PASSWORD_ONLY) for i in range(5))
    yield from (of(f"device {n}", LEFT_OUT + n, DEVICE, **PASSWORD_ONLY) for n in range(10))
    for n in range(5):
        yield {**of(f"home {n}", 100 + n, EXCLUDED, **PASSWORD_ONLY), **AT_HOME}


async def answer(at: Office, endpoint: Any, query: str = "") -> dict[str, Any]:
    reply = await ask(endpoint, at.rig.app, query)
    assert reply.status == 200, reply.text
    told: dict[str, Any] = reply.json
    return told


async def prepared(at: Office, *, listed: bool, readable: bool) -> None:
    at.directory.policies.conditional_access = [MFA]
    at.directory.policies.licensed = readable
    await at.refresh()
    at.rig.log(*log(listed=listed), at=NOON - HOUR)
    await at.rig.work()
    await at.refresh()


def adds_up(found: dict[str, Any], whole: dict[str, Any]) -> None:
    """Every cause's share and effect, and all of them together, by the summary's own numbers."""
    good, bad = whole["compliant"], whole["nonCompliant"]
    assert sum(cause["signIns"] for cause in found["items"]) + found["notListed"] == bad
    for cause in found["items"]:
        assert cause["ofAll"] == bad
        assert cause["compliancePercent"] == whole["compliancePercent"]
        assert cause["compliancePercentIfFixed"] == percent(good + cause["signIns"], bad - cause["signIns"])


async def test_one_exclusion_explains_most(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with office(azurite, monkeypatch, SERVED, slice_minutes=240) as at:
        await prepared(at, listed=True, readable=True)
        whole = (await answer(at, summary))["delegatedSignIns"]
        assert (whole["compliant"], whole["nonCompliant"], whole["compliancePercent"]) == (600, 210, 74.07)
        found = await answer(at, causes)
        adds_up(found, whole)
        assert found["sentence"] == "1 gap explains 95 % of 210 sign-ins without MFA; 40 people share the first."
        first, second = found["items"]
        assert (first["kind"], first["policyName"], first["policyRule"]) == ("excluded", "MFA for all", "groupId")
        assert (first["signIns"], first["peopleCount"], first["customersReached"]) == (200, LEFT_OUT, CUSTOMERS)
        assert first["compliancePercentIfFixed"] == 98.77
        assert first["sentence"].endswith(
            "200 of 210 sign-ins without MFA, 40 people; closing it lifts 74.07 % to 98.77 %."
        )
        assert (second["kind"], second["signIns"], second["peopleCount"]) == ("not-mfa-control", 10, 10)
        (hole,) = (await answer(at, policies))["exclusions"]
        assert (hole["signIns"], hole["people"], hole["parts"][0]["name"]) == (200, LEFT_OUT, "Without MFA")
        (home,) = (await answer(at, causes, "scope=partner-tenant"))["items"]
        assert (home["kind"], home["signIns"]) == ("excluded", 5)


@pytest.mark.parametrize(("readable", "at_home"), [(True, "no-policy-applied"), (False, "cannot-tell")])
async def test_the_same_log_without_its_policies(
    azurite: str, monkeypatch: pytest.MonkeyPatch, readable: bool, at_home: str
) -> None:
    """The numbers stay; of the causes only what is known is told."""
    async with office(azurite, monkeypatch, SERVED, slice_minutes=240) as at:
        await prepared(at, listed=False, readable=readable)
        whole = (await answer(at, summary))["delegatedSignIns"]
        assert (whole["compliant"], whole["nonCompliant"], whole["compliancePercent"]) == (600, 210, 74.07)
        found = await answer(at, causes)
        adds_up(found, whole)
        assert [(cause["kind"], cause["signIns"]) for cause in found["items"]] == [("customer-side", 210)]
        assert found["sentence"] == "1 gap explains 100 % of 210 sign-ins without MFA; 50 people share the first."
        (home,) = (await answer(at, causes, "scope=partner-tenant"))["items"]
        assert (home["kind"], home["signIns"]) == (at_home, 5)
        holes = (await answer(at, policies))["exclusions"]
        assert [hole["signIns"] for hole in holes] == ([0] if readable else [])
