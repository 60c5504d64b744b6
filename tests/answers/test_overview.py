"""Summary and coverage over what the real scan wrote: real storage, the local Graph, a clock of the tests' own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from functions.answers import coverage, findings, summary
from functions.incidents import incidents
from local.graph_server.control import MalformedFault, StatusFault
from shared.rules.rule import CUSTOMER, PARTNER, PASSWORD_ONLY, TECHNICIAN
from tests.functions.asking import ask, counted_requests
from tests.scan.harness import NINE, NOON, Rig, record, rig

PARTNER_CENTER = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
WIDE: dict[str, Any] = {"slice_minutes": 240}  # few slices are quick to scan


async def _json(endpoint: Any, at: Rig, query: str = "") -> Any:
    reply = await ask(endpoint, at.app, query)
    assert reply.status == 200, reply.text
    return reply.json


async def test_what_the_scan_found_is_what_the_answers_say(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        at.log(
            record("good", NINE),
            record("bad", NINE, **PASSWORD_ONLY),
            record("refused", NINE, **PASSWORD_ONLY, status={"errorCode": 50126}),
            record("pc", NINE, resourceTenantId=PARTNER, crossTenantAccessType="none", appId=PARTNER_CENTER),
            record("home", NINE, **PASSWORD_ONLY, resourceTenantId=PARTNER, crossTenantAccessType="none"),
            record("stranger", NINE, userId="99999999-9999-9999-9999-999999999999", homeTenantId=CUSTOMER),
        )
        await at.work()
        shown = await _json(summary, at, "days=1")
        assert shown["delegatedSignIns"] == {
            "total": 3,
            "compliant": 2,
            "nonCompliant": 1,
            "unknown": 0,
            "compliancePercent": 66.67,
            "worstCasePercent": 66.67,
            "compliancePercentAfterExceptions": 66.67,
        }
        assert {scope: (n["total"], n["nonCompliant"]) for scope, n in shown["byScope"].items()} == {
            "customer": (2, 1),
            "partner-center": (1, 0),
            "partner-tenant": (1, 1),
            "guest": (0, 0),
        }
        assert {key: n for key, n in shown["byEvidence"].items() if n} == {"none": 1, "proven": 2}
        assert shown["attempts"] == {"blocked": 0, "failed": 1, "interrupted": 0}
        assert {key: n for key, n in shown["byRule"].items() if n} == {"interactive-without-mfa": 1}
        assert shown["topUsers"][0] == {
            "userId": TECHNICIAN,
            "userPrincipalName": "technician@partner.example",
            "compliant": 2,
            "nonCompliant": 1,
            "unknown": 0,
            "atLeast": False,
        }
        (top,) = shown["topCustomers"]
        assert (top["customerId"], top["customerName"], top["nonCompliant"]) == (CUSTOMER, "Customer", 1)
        assert shown["coverage"] == {
            "expectedSlices": 3,
            "completeSlices": 3,
            "percent": 100.0,
            "oldestGap": None,
            "lagSeconds": 0,
            "measuredUntil": "2026-11-02T12:00:00Z",
            "newestRead": "2026-11-02T12:00:00Z",
            "finalUntil": "2026-11-02T00:00:00Z",
            "quarantined": 0,
            "acceptedQuarantine": 0,
            "beforeInstallation": 0,
        }
        at_home = await _json(summary, at, "days=1&scope=partner-tenant")
        assert at_home["delegatedSignIns"]["nonCompliant"] == 1
        for one in (shown, at_home):  # each number is of the scopes that were asked for
            counted = one["incidents"]
            assert (counted["open"], counted["openAll"], counted["stillHappening"]) == (1, 2, 1)
            assert one["incidents"]["bySeverity"] == {"critical": 0, "high": 1, "medium": 0, "low": 0}
        everything = await _json(summary, at, "days=1&scope=customer,partner-center,partner-tenant")
        assert everything["incidents"]["open"] == 2
        found = (await _json(findings, at))["items"]
        assert {item["id"] for item in found} == {"bad", "home"}
        listed = {item["id"]: item for item in (await _json(incidents, at))["items"]}
        assert {key for item in found for key in item["incidentIds"]} == set(listed)

        at.pass_time(timedelta(minutes=1))  # the details of one arrive late: its finding is withdrawn
        at.correct(record("bad", NINE))
        at.pass_time(timedelta(hours=1))
        await at.work()
        later = await _json(summary, at, "days=1")
        assert (later["delegatedSignIns"]["nonCompliant"], later["incidents"]["open"]) == (0, 0)
        assert (await _json(summary, at, "days=1&scope=partner-tenant"))["incidents"]["open"] == 1
        assert later["delegatedSignIns"]["compliancePercent"] == 100.0
        assert [item["id"] for item in (await _json(findings, at))["items"]] == ["home"]
        assert later["coverage"]["lagSeconds"] == 3660


async def test_coverage_says_what_is_missing_and_what_to_do(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        at.log(record("good", NINE), record("late", NINE + timedelta(minutes=1)))
        at.fail(MalformedFault(kind="malformed", times=1), StatusFault(kind="status", status=503, times=1))
        await at.work()
        with counted_requests() as sent:
            shown = await _json(coverage, at, "days=2")
        assert 0 < len(sent) <= 10
        assert shown["directory"] == {"refreshedAt": "2026-11-02T12:00:00Z", "ageSeconds": 0, "sources": []}
        troubles = [(item["kind"], item["from"], item["slices"]) for item in shown["items"]]
        assert ("quarantined", "2026-11-02T08:00:00Z", 1) in troubles
        assert ("before-installation", "2026-11-01T00:00:00Z", 3) in troubles
        failing = [item for item in shown["items"] if item["kind"] == "failing"]
        assert [item["slices"] for item in failing] == [1]
        assert "tried again" in failing[0]["detail"]
        (tenant,) = shown["tenants"]
        assert tenant["gaps"] == {"before-installation": 3, "failing": 1, "quarantined": 1}
        assert (tenant["quarantined"], tenant["acceptedQuarantine"]) == (1, 0)
        assert (tenant["expectedSlices"], tenant["completeSlices"]) == (9, 4)
        assert shown["coverage"] == {key: tenant[key] for key in shown["coverage"]}
        assert shown["coverage"] == (await _json(summary, at, "days=2"))["coverage"]

        one_by_one = [(await _json(coverage, at, "days=2&limit=1"))]
        while cursor := one_by_one[-1]["cursor"]:
            one_by_one.append(await _json(coverage, at, f"days=2&limit=1&cursor={cursor}"))
        assert [item for page in one_by_one for item in page["items"]] == shown["items"]
        assert (await ask(coverage, at.app, f"days=3&cursor={one_by_one[0]['cursor']}")).wrong == ["cursor"]
        csv = await ask(coverage, at.app, "days=2&format=csv")
        assert [row["kind"] for row in csv.rows] == [item["kind"] for item in shown["items"]]


async def test_a_tenant_that_refuses_is_never_without_findings(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        at.fail(StatusFault(kind="status", status=403, times=1))
        await at.work()
        shown = await _json(coverage, at, "days=1")
        refused = [item for item in shown["items"] if item["kind"] == "tenant"]
        assert [(item["tenantId"], item["from"], item["to"]) for item in refused] == [
            (PARTNER, f"{NOON:%Y-%m-%dT%H:%M:%SZ}", None)
        ]
        assert "AuditLog.Read.All" in refused[0]["detail"]
        assert shown["tenants"][0]["problem"] in refused[0]["detail"]
        assert (shown["coverage"]["percent"], shown["coverage"]["lagSeconds"]) == (0.0, None)
        assert (await _json(summary, at, "days=1"))["delegatedSignIns"]["compliancePercent"] is None
