"""Technical exceptions from request to expiry: over the app's routes, real tables and the local Graph."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from functions.answers import summary
from functions.exceptions import (
    approve_request,
    exception,
    exceptions,
    request_exception,
    request_for_partner_center,
    withdraw_request,
)
from functions.http import Endpoint
from functions.incidents import incidents
from shared.app.app import App
from shared.app.settings import AuthMode
from shared.page import PAGES, PageQuery, Visit
from shared.rules.rule import CUSTOMER, PARTNER, PASSWORD_ONLY, SILENT, TECHNICIAN
from shared.tending.exceptions import tend_exceptions
from tests.exceptions.asked import APP, asked
from tests.functions.asking import Reply, app_over, ask
from tests.scan.harness import NINE, NOON, Rig, record, rig

DAY = timedelta(days=1)
ALONE = "(local mode: no second person)"
MIDNIGHT = datetime(2026, 11, 2, tzinfo=UTC)


@pytest_asyncio.fixture
async def app(azurite: str) -> AsyncIterator[App]:
    async with app_over(azurite, NOON, PARTNER) as made:
        yield made


async def send(
    endpoint: Endpoint,
    app: App,
    body: object = None,
    *,
    id_: str = "",
    etag: str | None = None,
    query: str = "",
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Ask as curl would."""
    every = {"Content-Type": "application/json", **({"If-Match": etag} if etag else {}), **(headers or {})}
    return await ask(endpoint, app, query, headers=every, body=json.dumps(body).encode(), path={"id": id_})


async def given(app: App, /, **members: Any) -> str:
    """An approved exception; its id."""
    made = (await send(request_exception, app, asked(**members))).json
    reply = await send(approve_request, app, {}, id_=made["id"], etag=made["etag"])
    assert reply.status == 200, reply.text
    return str(made["id"])


# --- the life of one --------------------------------------------------------------------------------------------------


async def test_requested_approved_withdrawn_with_who_and_when(app: App) -> None:
    made = await send(request_exception, app, asked())
    assert (made.status, made.headers["ETag"]) == (201, made.json["etag"])
    id_, etag = made.json["id"], made.json["etag"]
    assert (made.json["state"], made.json["approvedBy"], made.json["userId"]) == ("requested", None, TECHNICIAN)

    approved = await send(
        approve_request, app, {"ticket": "TN-1", "comment": "until the new provider"}, id_=id_, etag=etag
    )
    assert (approved.status, approved.json["state"], approved.json["ticket"]) == (200, "approved", "TN-1")
    assert approved.json["etag"] != etag
    gone = await send(withdraw_request, app, id_=id_, etag=approved.json["etag"])
    assert (gone.status, gone.json["state"]) == (200, "withdrawn")
    shown = await send(exception, app, id_=id_)
    assert shown.json == gone.json
    assert [(line["action"], line["by"], line["at"], line["detail"]) for line in shown.json["history"]] == [
        ("requested", "local", "2026-11-02T12:00:00Z", "The provider cannot send the claim."),
        (
            "approved",
            "local",
            "2026-11-02T12:00:00Z",
            "ticket TN-1 until the new provider (local mode: no second person)",
        ),
        ("withdrawn", "local", "2026-11-02T12:00:00Z", None),
    ]


async def test_a_change_needs_the_version_that_was_seen(app: App) -> None:
    made = (await send(request_exception, app, asked())).json
    id_ = made["id"]
    assert (await send(approve_request, app, {}, id_=id_)).status == 428
    assert (await send(withdraw_request, app, id_=id_)).status == 428
    assert (await send(approve_request, app, {}, id_=id_, etag='"7"')).status == 412
    assert (await send(approve_request, app, {}, id_=id_, etag=made["etag"])).status == 200
    assert (await send(withdraw_request, app, id_=id_, etag=made["etag"])).status == 412
    assert (await send(approve_request, app, {}, id_=id_, etag="*")).status == 409
    assert [line["action"] for line in (await send(exception, app, id_=id_)).json["history"]] == [
        "requested",
        "approved",
    ]


TENANT = "99999999-0000-4000-8000-000000000001"
ANN, BOB = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
LONG_NAMES = "http://schemas.microsoft.com/identity/claims/"


def claims(**given: str) -> Mapping[str, str]:
    """What Easy Auth says of an operator with these claims."""
    listed = [{"typ": "roles", "val": "Operator"}, *({"typ": typ, "val": val} for typ, val in given.items())]
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps({"claims": listed}).encode()).decode()}


async def in_mode(app: App, mode: AuthMode, monkeypatch: pytest.MonkeyPatch) -> App:
    """The same app where others let callers in."""
    monkeypatch.setenv("WEBSITE_AUTH_ENABLED", "True")
    settings = app.settings.model_copy(update={"auth_mode": mode})
    return App(settings, clock=app.clock, tables=await app.tables())


async def test_a_second_person_approves_told_apart_by_tenant_and_object_id(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    easy = await in_mode(app, AuthMode.EASY_AUTH, monkeypatch)
    ann = claims(tid=TENANT, oid=ANN, preferred_username="ann@partner.example", scp="user_impersonation")
    made = (await send(request_exception, easy, asked(), headers=ann)).json
    # The same person: by a token without a name, by another name, by claims under their long names, as a program.
    for same in (
        claims(tid=TENANT, oid=ANN, scp="user_impersonation"),
        claims(tid=TENANT, oid=ANN, preferred_username="Ann.New@partner.example"),
        claims(**{f"{LONG_NAMES}tenantid": TENANT, f"{LONG_NAMES}objectidentifier": ANN.upper(), "name": "Ann"}),
        claims(preferred_username="bob@partner.example"),  # no id: nobody knows who that is
        claims(tid=TENANT, oid=BOB),  # a program has no claim of a person
        claims(tid=TENANT, oid=BOB, idtyp="app", name="robot"),
    ):
        reply = await send(approve_request, easy, {}, id_=made["id"], etag="*", headers=same)
        assert reply.status == 403, same
    bob = claims(tid=TENANT, oid=BOB, preferred_username="ann@partner.example")  # names prove nothing, either way
    other = await send(approve_request, easy, {}, id_=made["id"], etag=made["etag"], headers=bob)
    assert (other.status, other.json["state"]) == (200, "approved")


async def test_a_function_key_is_no_second_person(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    key = await in_mode(app, AuthMode.KEY, monkeypatch)
    made = (await send(request_exception, key, asked())).json
    reply = await send(approve_request, key, {}, id_=made["id"], etag="*")
    assert (reply.status, "AUTH_MODE easyauth" in reply.text) == (403, True)


async def test_in_local_mode_the_history_says_that_nobody_else_looked(app: App) -> None:
    shown = (await send(exception, app, id_=await given(app))).json
    assert "no second person" in shown["history"][-1]["detail"]


async def test_one_that_is_not_there(app: App) -> None:
    for id_ in ("0" * 32, "not-an-id", "'", ""):
        await _is_not_there(app, id_)


async def _is_not_there(app: App, id_: str) -> None:
    for endpoint, body in (
        (exception, None),
        (approve_request, {}),
        (withdraw_request, None),
        (request_for_partner_center, None),
    ):
        assert (await send(endpoint, app, body, id_=id_, etag="*")).status == 404


REFUSED = {
    1: "Registering alone does not enable",
    2: "never sign in to a customer tenant",
    3: "never sign in to a customer tenant",
    4: "with other methods",
    5: "move off it",
}


async def test_issues_1_to_5_are_refused_with_their_guidance(app: App) -> None:
    for body, guidance in ((b, g) for i, g in REFUSED.items() for b in (asked(commonIssue=i), {"commonIssue": i})):
        reply = await send(request_exception, app, body)
        assert (reply.status, reply.kind, reply.wrong) == (422, "application/problem+json", ["commonIssue"])
        assert guidance in reply.json["errors"][0]["detail"]
    assert (await send(exceptions, app)).json["items"] == []


NEEDED: list[tuple[str, object, str]] = [
    ("documents", {"testResult": "t", "purchaseOrder": "p"}, "documents.configuration"),
    ("documents", {"configuration": "c", "purchaseOrder": "p"}, "documents.testResult"),
    ("documents", {"configuration": "c", "testResult": "t", "purchaseOrder": " "}, "documents.purchaseOrder"),
    ("vendorConfirmation", asked()["vendorConfirmation"] | {"by": ""}, "vendorConfirmation.by"),
    ("vendorConfirmation", asked()["vendorConfirmation"] | {"on": None}, "vendorConfirmation.on"),
    ("vendorConfirmation", asked()["vendorConfirmation"] | {"on": "2026-11-03"}, "vendorConfirmation.on"),
    ("vendorConfirmation", asked()["vendorConfirmation"] | {"reference": ""}, "vendorConfirmation.reference"),
    (
        "vendorConfirmation",
        asked()["vendorConfirmation"] | {"cannotSendMultipleauthn": False},
        "vendorConfirmation.cannotSendMultipleauthn",
    ),
    (
        "vendorConfirmation",
        asked()["vendorConfirmation"] | {"cannotUseExternalMfa": False},
        "vendorConfirmation.cannotUseExternalMfa",
    ),
    ("expiresOn", None, "expiresOn"),
    ("expiresOn", "2026-11-02", "expiresOn"),
    ("expiresOn", "2028-11-02", "expiresOn"),
    ("startsOn", "2026-06-01", "startsOn"),
    ("rules", [], "rules"),
    ("rules", ["interactive-without-mfa", "legacy-auth"], "rules"),
    ("rules", ["interactive-without-mfa", "password-flow"], "rules"),
    ("rules", ["interactive-without-mfa", "device-code"], "rules"),
    ("rules", ["mfa-skipped"], "rules"),
    ("rules", ["non-interactive"], "rules"),
    ("userId", None, "userId"),
]


async def test_issue_6_needs_its_papers_an_end_and_somebody(app: App) -> None:
    for member, without, field in NEEDED:
        reply = await send(request_exception, app, asked(**{member: without}))
        assert reply.status == 422, reply.text
        assert field in reply.wrong, (member, without)
    alone = await send(request_exception, app, asked(userId=None, appId=APP))
    assert (alone.status, alone.wrong) == (422, ["userId"]), "an app alone would be everybody"


async def test_a_body_that_is_none_is_a_400(app: App) -> None:
    wrong: list[dict[str, Any]] = [
        {"user": "jane@partner.example"},
        {"rules": ["no-such"]},
        {"commonIssue": 7},
        {"state": "approved"},
        {"startsOn": 1.5},
    ]
    for members in wrong:
        assert (await send(request_exception, app, asked(**members))).status == 400, members


async def test_the_list_shows_the_last_first_by_state_and_page(app: App) -> None:
    first, second = await given(app), (await send(request_exception, app, asked(title="Another"))).json["id"]
    page = (await send(exceptions, app, query="limit=1")).json
    rest = (await send(exceptions, app, query=f"limit=1&cursor={page['cursor']}")).json
    assert {page["items"][0]["id"], rest["items"][0]["id"]} == {first, second}
    assert rest["cursor"] is None
    assert [i["id"] for i in (await send(exceptions, app, query="state=approved")).json["items"]] == [first]
    assert (await send(exceptions, app, query="state=expired,withdrawn")).json["items"] == []


# --- across its expiry ------------------------------------------------------------------------------------------------


async def _numbers(at: Rig) -> tuple[int, float, float, int]:
    """Non-compliant sign-ins, both percentages, accepted sign-ins."""
    said = (await ask(summary, at.app, "days=90")).json
    numbers = said["delegatedSignIns"]
    return (
        numbers["nonCompliant"],
        numbers["compliancePercent"],
        numbers["compliancePercentAfterExceptions"],
        said["exceptions"]["acceptedSignIns"],
    )


async def _states(at: Rig) -> list[str]:
    items = (await ask(incidents, at.app)).json["items"]
    return sorted(f"{item['customerId'] == CUSTOMER and item['appId'] == APP} {item['state']}" for item in items)


async def test_it_silences_until_its_end_and_not_longer(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "dddddddd-dddd-dddd-dddd-dddddddddddd"
    async with rig(azurite, monkeypatch, slice_minutes=1440, lookback_days=2, read_ages_minutes="0") as at:
        at.log(record("good", NINE), record("bad", NINE, **PASSWORD_ONLY))
        at.set_time(MIDNIGHT + DAY + timedelta(hours=1))
        await at.work()
        assert await _states(at) == ["True open"]
        assert await at.events() == ["opened"]
        assert await _numbers(at) == (1, 50.0, 50.0, 0)

        # Approved: what it covers is silent at once, and accepted in the second number alone.
        id_ = await given(at.app, appId=APP, customerId=CUSTOMER, expiresOn="2026-11-06")
        assert await _states(at) == ["True silenced"]
        assert await _numbers(at) == (1, 50.0, 100.0, 1)
        said = (await ask(summary, at.app)).json["exceptions"]
        assert (said["approved"], said["nextExpiry"]) == (1, "2026-11-06")

        # More of the same counts on and is told to nobody; another application is not covered.
        at.log(
            record("again", NINE + DAY, **PASSWORD_ONLY), record("elsewhere", NINE + DAY, **PASSWORD_ONLY, appId=other)
        )
        at.set_time(MIDNIGHT + 2 * DAY + timedelta(hours=1))
        await at.work()
        await tend_exceptions(at.app)
        assert await _states(at) == ["False open", "True silenced"]
        assert await at.events() == ["opened", "opened"]
        assert await _numbers(at) == (3, 25.0, 50.0, 2)

        # The last instant before its end, and the end.
        at.set_time(MIDNIGHT + 4 * DAY - timedelta(seconds=1))
        await tend_exceptions(at.app)
        assert (await _states(at))[-1] == "True silenced"
        at.set_time(MIDNIGHT + 4 * DAY)
        shown = (await send(exception, at.app, id_=id_)).json
        assert shown["state"] == "expired"  # also before anybody noted it
        await tend_exceptions(at.app)
        await tend_exceptions(at.app)
        assert (await _states(at))[-1] == "True open"
        assert await at.events() == ["opened", "opened", "opened"]
        shown = (await send(exception, at.app, id_=id_)).json
        assert [(line["action"], line["by"]) for line in shown["history"]] == [
            ("requested", "local"),
            ("approved", "local"),
            ("reminded", "system"),
            ("expired", "system"),
        ]
        # What was accepted on its days stays so; a sign-in on the day of its end is not accepted.
        at.log(record("after", MIDNIGHT + 4 * DAY, **PASSWORD_ONLY))
        at.set_time(MIDNIGHT + 5 * DAY + timedelta(hours=1))
        await at.work()
        assert await _numbers(at) == (4, 20.0, 33.33, 2)


async def test_what_is_new_is_silent_from_the_start(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, slice_minutes=720) as at:
        await given(at.app)
        at.log(record("bad", NINE, **PASSWORD_ONLY))
        await at.work()
        assert await _states(at) == ["True silenced"]
        assert await at.events() == []


async def test_a_rule_it_does_not_name_wakes_the_incident(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, slice_minutes=720) as at:
        await given(at.app)
        at.log(record("bad", NINE, **PASSWORD_ONLY))
        await at.work()
        at.log(record("legacy", NINE, **PASSWORD_ONLY, clientAppUsed="IMAP4"))
        at.pass_time(timedelta(hours=7))
        await at.work()
        assert await _states(at) == ["True open"]
        assert await at.events() == ["opened"]
        assert (await _numbers(at))[3] == 1  # the one sign-in that broke the accepted rule alone


async def test_withdrawn_it_accepts_nothing_from_that_day_on(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, slice_minutes=720) as at:
        at.log(record("bad", NINE, **PASSWORD_ONLY))
        await at.work()
        id_ = await given(at.app)
        assert (await _numbers(at))[3] == 1
        assert (await send(withdraw_request, at.app, id_=id_, etag="*")).status == 200
        assert await _states(at) == ["True open"]
        assert (await _numbers(at))[3] == 0


async def test_what_is_only_requested_does_nothing(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, slice_minutes=720) as at:
        at.log(record("bad", NINE, **PASSWORD_ONLY))
        await send(request_exception, at.app, asked())
        await at.work()
        await tend_exceptions(at.app)
        assert await _states(at) == ["True open"]
        assert (await _numbers(at))[3] == 0


# --- the request ------------------------------------------------------------------------------------------------------


async def test_the_request_for_partner_center_is_filled_from_the_findings(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, slice_minutes=720) as at:
        hostile = {"appDisplayName": "<img src=x>|[a](http://evil.example)"}
        at.log(
            record("good", NINE),
            record("bad-1", NINE, **PASSWORD_ONLY, correlationId="corr-1", **hostile),
            record("old", NINE, clientAppUsed="IMAP4"),
        )
        await at.work()
        made = (await send(request_exception, at.app, asked(references=["https://intra/doc"]))).json
        said = (await send(request_for_partner_center, at.app, id_=made["id"])).json
        text = said["markdown"]
        assert "MFA - Request for exception: Smart cards of Contoso" in text.replace("\\", "")
        assert "2 sign-ins that break its rules, of 1 user" in text
        assert "(`interactive-without-mfa`): 2" in text
        assert "1 of them break other rules too" in text, "the old client: no third party explains it"
        assert "(`legacy-auth`): 1" in text
        assert "bad-1" in text
        assert "corr-1" in text
        assert "<img" not in text.replace("\\<", "")
        assert "http:" not in text
        assert [(a["document"].split(" ")[0], a["reference"]) for a in said["attachments"]] == [
            ("Configuration", "cfg.pdf"),
            ("Result", "test.json"),
            ("Purchase", "PO-77"),
            ("Confirmation", "case-4711.eml"),
            ("Further", "https://intra/doc"),
        ]


async def test_the_request_counts_what_its_rules_hit_whatever_the_verdict(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third-party MFA that says nothing leaves unknown sign-ins: a text that counts none of them proves no need."""
    async with rig(azurite, monkeypatch, slice_minutes=240) as at:
        at.log(record("silent", NINE, **SILENT))
        await at.work()
        made = (await send(request_exception, at.app, asked(rules=["mfa-evidence-unknown"]))).json
        id_ = made["id"]
        assert (made["signIns"], made["rulesBeside"]) == (1, [])
        text = (await send(request_for_partner_center, at.app, id_=id_)).json["markdown"]
        assert "1 sign-in that breaks its rules, of 1 user" in text
        assert "silent" in text


async def test_both_rules_of_one_cause_are_offered_together(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A federated provider that says nothing breaks two rules: an exception that names one of them silences nothing,
    and a text that counted what it silences would prove no need."""
    async with rig(azurite, monkeypatch, slice_minutes=240) as at:
        at.log(record("told-nothing", NINE, **SILENT, tokenIssuerType="ADFederationServices"))
        await at.work()
        one = (await send(request_exception, at.app, asked(rules=["third-party-mfa-unrecognised"]))).json
        assert (one["signIns"], one["rulesBeside"]) == (1, ["mfa-evidence-unknown"])
        text = (await send(request_for_partner_center, at.app, id_=one["id"])).json["markdown"]
        assert "1 sign-in that breaks its rules, of 1 user" in text
        assert "1 of them break other rules too" in text
        assert "told\\-nothing" in text or "told-nothing" in text
        both = (await send(request_exception, at.app, asked(rules=[*one["rules"], *one["rulesBeside"]]))).json
        assert (both["signIns"], both["rulesBeside"]) == (1, [])
        text = (await send(request_for_partner_center, at.app, id_=both["id"])).json["markdown"]
        assert "other rules" not in text
        done = await send(approve_request, at.app, {}, id_=both["id"], etag=both["etag"])
        assert done.status == 200
        assert {i["state"] for i in (await ask(incidents, at.app)).json["items"]} == {"silenced"}
        said = (await ask(summary, at.app, "days=90")).json["exceptions"]
        assert (said["approved"], said["acceptedSignIns"], said["acceptedUnknown"]) == (1, 0, 1)
        audit = next(page for page in PAGES if page.name == "page_audit")
        shown = await audit.show(Visit(at.app, PageQuery(days=90), {}, "/audit", may_act=False))
        assert "they accept 0 without MFA and 1 unknown" in shown
