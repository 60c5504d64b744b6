"""Applications, causes, changes, the register and one finding, over what the real scan wrote."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from functions.answers import finding, findings, summary
from functions.changes import changes
from functions.incidents import incidents
from functions.inventory import applications, cause, causes, samples, update_cause
from functions.ops import pause
from functions.people import customers
from functions.register import register
from shared.rules.rule import AT_HOME, CUSTOMER, PASSWORD_ONLY, TECHNICIAN
from shared.store.policies import save_policies
from tests.functions.asking import Reply, ask, counted_requests
from tests.scan.harness import NINE, Rig, record, rig

OTHER = "44444444-4444-4444-4444-444444444444"
APP = "55555555-5555-5555-5555-555555555555"
WIDE: dict[str, Any] = {"slice_minutes": 240}
JSON = {"Content-Type": "application/json"}


async def _json(endpoint: Any, at: Rig, query: str = "", **path: str) -> Any:
    with counted_requests() as sent:
        reply = await ask(endpoint, at.app, query, path=path)
    assert reply.status == 200, reply.text
    assert len(sent) <= 12, sent
    return reply.json


def _policy(id_: str, name: str, result: str, **more: Any) -> dict[str, Any]:
    made = {"id": id_, "displayName": name, "result": result, "enforcedGrantControls": ["Mfa"], **more}
    return {"appliedConditionalAccessPolicies": [made]}


HOLE = _policy(
    "p-1",
    "MFA for all",
    "notApplied",
    excludeRulesSatisfied=[{"conditionalAccessCondition": "users", "ruleSatisfied": "groupId"}],
)
REPORT_ONLY = _policy("p-2", "MFA, <b>soon</b>", "reportOnlyFailure")


BACKUP = {**PASSWORD_ONLY, **HOLE, "appId": APP, "appDisplayName": "Backup", "authenticationProtocol": "ropc"}


async def _scanned(at: Rig) -> None:
    at.log(
        record("good", NINE),
        record("one", NINE, **BACKUP),
        record("two", NINE, **BACKUP, resourceTenantId=OTHER),
        record("plain", NINE, **PASSWORD_ONLY, **REPORT_ONLY),
    )
    await at.work()


async def test_what_would_help_most_comes_first_and_is_dealt_with_in_one_act(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        await _scanned(at)
        page = await _json(causes, at, "days=1")
        first, second = page["items"]
        assert page["sentence"] == "2 gaps explain 100 % of 3 sign-ins without MFA; 1 person shares the first."
        assert (first["kind"], first["policyName"], first["policyRule"]) == ("excluded", "MFA for all", "groupId")
        assert (first["signIns"], first["ofAll"], first["customersReached"], page["notListed"]) == (2, 3, 2, 0)
        assert [(a["appName"], a["signIns"]) for a in first["applications"]] == [("Backup", 2)]
        assert [(p["userId"], p["signIns"]) for p in first["people"]] == [(TECHNICIAN, 2)]
        assert {c["customerId"] for c in first["customers"]} == {CUSTOMER, OTHER}
        assert (first["compliancePercent"], first["compliancePercentIfFixed"]) == (25.0, 75.0)
        assert "closing it lifts 25.0 % to 75.0 %" in first["sentence"]
        assert first["whatCloses"]["steps"]
        assert first["whatCloses"]["link"].startswith("https://learn.microsoft.com/")
        behind = (await _json(findings, at, f"cause={first['id']}"))["items"]
        assert ({i["id"] for i in behind}, {i["cause"] for i in behind}) == ({"one", "two"}, {"excluded"})
        assert (second["kind"], second["policyName"]) == ("report-only", "MFA, <b>soon</b>")
        assert set(page["ruleTexts"]) >= {"password-flow"}
        assert (second["signIns"], len(first["incidentIds"])) == (1, 2)
        body = json.dumps({"state": "acknowledged", "comment": "moving it"}).encode()
        done = await _change(at, first["id"], body, first["etag"])
        assert (done.status, done.json["refused"], done.json["movedOn"]) == (200, {}, [])
        assert sorted(done.json["changed"]) == sorted(first["incidentIds"])
        shown = (await _json(summary, at, "days=1"))["incidents"]
        assert (shown["acknowledged"], shown["open"], shown["stillHappening"]) == (2, 1, 3)
        assert (await _change(at, "0" * 32, body, "*")).status == 404
        owner = json.dumps({"assignee": "jane", "dueOn": "2026-12-01"}).encode()
        assert (await _change(at, first["id"], owner, "*")).status == 200
        listed = {item["id"]: item for item in (await _json(incidents, at))["items"]}
        assert {(listed[i]["assignee"], listed[i]["dueOn"]) for i in first["incidentIds"]} == {("jane", "2026-12-01")}


async def _change(at: Rig, id_: str, body: bytes, etag: str | None, query: str = "days=1") -> Reply:
    headers = JSON if etag is None else {**JSON, "If-Match": etag}
    return await ask(update_cause, at.app, query, headers=headers, body=body, path={"id": id_})


async def test_acting_on_a_cause_says_which_version_was_seen(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        await _scanned(at)
        listed = (await _json(causes, at, "days=1"))["items"][0]
        shown = await ask(cause, at.app, "days=1", path={"id": listed["id"]})
        assert (shown.status, shown.headers["ETag"]) == (200, listed["etag"])
        assert {name: shown.json[name] for name in listed} == listed
        assert (shown.json["period"]["from"], shown.json["coverage"]["percent"]) == ("2026-11-02T00:00:00Z", 100.0)
        body = json.dumps({"comment": "seen"}).encode()
        assert (await _change(at, listed["id"], body, None)).status == 428
        at.log(record("three", NINE + timedelta(minutes=1), **BACKUP))  # counts on: nobody did anything
        at.pass_time(timedelta(days=1) - timedelta(hours=15))
        await at.work()
        assert (await ask(cause, at.app, "days=1", path={"id": listed["id"]})).headers["ETag"] == listed["etag"]
        assert (await _change(at, listed["id"], body, listed["etag"])).status == 200
        late = await _change(at, listed["id"], body, listed["etag"])
        assert (late.status, late.kind) == (412, "application/problem+json")
        other = await _change(at, listed["id"], body, "*", "from=2026-11-01&to=2026-11-02")
        assert (other.status, other.json["detail"]) == (404, "There is no such cause in this period and these scopes.")


async def test_two_people_who_act_on_a_cause_at_once_never_both_change_an_incident(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        await _scanned(at)
        listed = (await _json(causes, at, "days=1"))["items"][0]
        bodies = [json.dumps(body).encode() for body in ({"state": "acknowledged"}, {"comment": "mine"})]
        both = await asyncio.gather(*(_change(at, listed["id"], body, listed["etag"]) for body in bodies))
        assert {each.status for each in both} <= {200, 412}
        told = [each.json for each in both if each.status == 200]
        changed = [id_ for each in told for id_ in each["changed"]]
        assert sorted(changed) == sorted(listed["incidentIds"])
        for each in told:
            assert sorted([*each["changed"], *each["movedOn"]]) == sorted(changed)
            assert each["refused"] == {}


async def test_compliant_sign_ins_are_drawn_by_a_seed(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        await _scanned(at)
        at.log(*(record(f"more-{n}", NINE + timedelta(minutes=n), appId=APP) for n in range(30)))
        at.pass_time(timedelta(hours=1))
        await at.work()
        page = await _json(samples, at, "days=1&limit=5&seed=a")
        again = await _json(samples, at, "days=1&limit=5&seed=a")
        other = await _json(samples, at, "days=1&limit=5&seed=b")
        assert (page["total"], page["compliant"], len(page["items"])) == (20, 31, 5)
        assert page["items"] == again["items"] != other["items"]
        shown = {**page["items"][0], "id": "", "signedInAt": ""}
        assert shown.pop("userPrincipalName") == "technician@partner.example"
        assert shown.pop("appName") in ("Backup", None)
        assert {**shown, "appId": APP} == {
            "id": "",
            "signedInAt": "",
            "scope": "customer",
            "evidence": "proven",
            "strength": "untold",
            "protocol": "interactive",
            "userId": TECHNICIAN,
            "customerId": CUSTOMER,
            "customerName": "Customer",
            "appId": APP,
        }
        every = [i["id"] for i in (await _json(samples, at, "days=1&limit=100"))["items"]]
        assert not {"one", "two", "plain"} & {*every}
        assert len((await _json(samples, at, f"days=1&limit=100&app={APP}"))["items"]) >= 19
        assert (await _json(samples, at, f"days=1&customer={OTHER}"))["items"] == []
        assert (await ask(samples, at.app, "customer=nobody")).json["detail"] == "no such customer"
        gone = [id_ for id_ in every if id_.startswith("more-")][:2]
        minutes = [int(id_.removeprefix("more-")) for id_ in gone]
        at.correct(*(record(f"more-{n}", NINE + timedelta(minutes=n), **PASSWORD_ONLY) for n in minutes))
        at.pass_time(timedelta(days=1))
        await at.work()
        left = [i["id"] for i in (await _json(samples, at, "days=2&limit=100"))["items"]]
        assert (len(left), {*gone} & {*left}) == (20, set()), "what proved otherwise is no sample any more"


async def test_the_inventory_says_how_each_application_signs_in(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        await _scanned(at)
        first, *_ = (await _json(applications, at, "days=1"))["items"]
        assert (first["appId"], first["appName"], first["nonCompliant"], first["customers"]) == (APP, "Backup", 2, 2)
        assert [(p["protocol"], p["nonCompliant"]) for p in first["protocols"]] == [("ropc", 2)]
        assert first["cleanSince"] == first["lastSeenOn"] == "2026-11-02"
        assert [day["nonCompliant"] for day in first["trend"]] == [2]
        assert [a["appId"] for a in (await _json(applications, at, "protocol=ropc"))["items"]] == [APP]
        assert [a["appId"] for a in (await _json(applications, at, "app=backup"))["items"]] == [APP]
        assert (await ask(applications, at.app, "app=nothing")).json["detail"] == "no such application"


async def test_one_customers_person_or_application_can_be_asked_about(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        await _scanned(at)
        whole = (await _json(summary, at, "days=1"))["delegatedSignIns"]
        assert (whole["total"], whole["nonCompliant"]) == (4, 3)
        assert (await _json(summary, at, f"days=1&app={APP}"))["delegatedSignIns"]["nonCompliant"] == 2
        by_name = await _json(summary, at, "from=2026-11-02&to=2026-11-03&user=technician%40partner.example")
        assert (by_name["delegatedSignIns"]["total"], by_name["byRule"]) == (4, None)
        for query, said in (("customer=nobody", "no such customer"), ("user=nobody", "no such person")):
            reply = await ask(summary, at.app, query)
            assert (reply.status, reply.json["detail"]) == (404, said)
        assert (await ask(summary, at.app, f"customer={CUSTOMER}&app={APP}")).status == 400
        listed = (await _json(customers, at, "days=1"))["items"]
        assert (listed[0]["customerId"], listed[0]["relationship"]) == (OTHER, "none"), "what no relationship lists"


async def test_one_finding_says_why(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        await _scanned(at)
        (item,) = [i for i in (await _json(findings, at))["items"] if i["id"] == "plain"]
        for query in ("", f"signedInAt={quote(item['signedInAt'])}"):
            shown = await _json(finding, at, query, id="plain")
            assert shown["explanation"]
            assert set(item) <= set(shown)
            assert shown["whyPossible"]["kind"] == shown["cause"] == "report-only"
            assert [(p["policyName"], p["result"]) for p in shown["policies"]] == [
                ("MFA, <b>soon</b>", "reportOnlyFailure")
            ]
        assert (await ask(finding, at.app, path={"id": "none-such"})).status == 404


@pytest.mark.parametrize(
    ("read_before", "kind"),
    [
        pytest.param(timedelta(hours=3), "no-policy-applied", id="read-today"),
        pytest.param(timedelta(days=3), "cannot-tell", id="read-long-ago"),
        pytest.param(None, "cannot-tell", id="never-read"),
    ],
)
async def test_an_empty_list_of_policies_means_none_where_they_were_read(
    azurite: str, monkeypatch: pytest.MonkeyPatch, read_before: timedelta | None, kind: str
) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        if read_before is not None:
            read = datetime(2026, 11, 2, 9, tzinfo=UTC) - read_before
            await save_policies((await at.tables()).directory, {"conditionalAccess": []}, {}, read)
        at.log(record("home", NINE, **PASSWORD_ONLY, **AT_HOME))
        await at.work()
        page = await _json(causes, at, "days=1&scope=all")
        assert [(c["kind"], c["signIns"]) for c in page["items"]] == [(kind, 1)]


async def test_what_changed_and_who_did_what(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, **WIDE) as at:
        await _scanned(at)
        shown = await _json(changes, at, "since=2026-11-02T00:00:00Z")
        assert {i["userId"] for i in shown["opened"]} == {TECHNICIAN}
        assert (len(shown["opened"]), shown["closed"], shown["truncated"]) == (3, [], False)
        assert (await ask(changes, at.app, "since=2030-01-01")).wrong == ["since"]
        body = json.dumps({"until": "2026-11-02T18:00:00Z"}).encode()
        assert (await ask(pause, at.app, headers=JSON, body=body)).status == 200
        state = (await _json(summary, at, "days=1"))["alerts"]
        assert (state["state"], state["pausedUntil"], state["pausedBy"]) == ("paused", "2026-11-02T18:00:00Z", "local")
        acts = (await _json(register, at))["items"]
        assert (acts[0]["kind"], acts[0]["by"]) == ("pause", "local")
