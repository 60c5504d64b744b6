"""The trouble that the local Graph can make: its clock, throttling, each fault, and a log that changes."""

import asyncio
import json
from datetime import timedelta
from typing import cast

import aiohttp
import pytest

from local.sample import JsonObject, LogRecord, iso
from tests.local.graph_client import NOON, OTHER_TENANT, TENANT, Caller, entry, error, ids, record, serving

FOUR = [entry(name, NOON - timedelta(minutes=n)) for n, name in enumerate("abcd")]
LATER = NOON + timedelta(hours=1)


async def once(caller: Caller, **fault: object) -> None:
    await caller.control(faults=[fault])


# --- the clock and a log that changes


async def test_a_record_is_served_from_the_time_on_that_it_arrives() -> None:
    late = LogRecord(TENANT, LATER, record("late", NOON))
    async with serving([*FOUR, late]) as caller:
        assert await caller.pages() == [["a", "b", "c", "d"]]
        await caller.control(clock={"now": iso(LATER - timedelta(seconds=1))})
        assert "late" not in (await caller.pages())[0]
        await caller.control(clock={"advanceSeconds": 1})
        assert "late" in (await caller.pages())[0]
        assert (await caller.report())["now"] == iso(LATER)


async def test_late_details_replace_the_record_at_their_time() -> None:
    first, last = record("x", NOON, said="one factor"), record("x", NOON, said="MFA")
    async with serving([LogRecord(TENANT, NOON, first, LATER, last)]) as caller:
        assert (await caller.sign_ins())[1]["value"] == [first]
        await caller.control(clock={"advanceSeconds": 3600})
        assert (await caller.sign_ins())[1]["value"] == [last]


async def test_the_clock_is_real_until_it_is_set_and_can_be_so_again() -> None:
    async with serving([LogRecord(TENANT, NOON, record("old"))], now=None) as caller:
        await caller.control(clock={"now": iso(NOON - timedelta(days=1))})
        assert await caller.pages() == [[]]
        await caller.control(clock={"real": True})
        assert await caller.pages() == [["old"]]
        async with caller.http.post(f"{caller.graph.url}/_control", json={"clock": {"advanceSeconds": 1}}) as answer:
            assert answer.status == 400
            assert "only a clock that was set" in await answer.text()


async def test_records_are_added_corrected_hidden_and_shown_again() -> None:
    async with serving(FOUR) as caller:
        corrected = record("b", NOON - timedelta(minutes=1), said="now more")
        await caller.control(
            add=[{"record": record("new", NOON)}, {"record": record("future", NOON), "at": iso(LATER)}],
            correct=[{"record": corrected}],
        )
        _, body = await caller.sign_ins()
        assert ids(body) == ["new", "a", "b", "c", "d"]
        assert cast("list[JsonObject]", body["value"])[2] == corrected
        await caller.control(hide={"ids": ["a"], "olderThan": iso(NOON - timedelta(minutes=2))})
        assert await caller.pages() == [["new", "b", "c"]]
        await caller.control(showAll=True, clock={"now": iso(LATER)})
        assert await caller.pages() == [["new", "future", "a", "b", "c", "d"]]


async def test_another_tenants_log_can_be_filled_too() -> None:
    async with serving(FOUR) as caller:
        await caller.control(add=[{"record": record("theirs"), "tenantId": OTHER_TENANT}])
        assert "theirs" not in (await caller.pages())[0]
        caller.token = caller.graph.identity.issue(caller.graph.url, OTHER_TENANT)
        assert await caller.pages() == [["theirs"]]


@pytest.mark.parametrize(
    "members",
    [
        {"add": [{"record": record("a")}]},
        {"add": [{"record": {"id": "no time"}}]},
        {"correct": [{"record": record("nobody")}]},
        {"correct": [{"record": record("a", NOON + timedelta(minutes=9))}]},
        {"faults": [{"kind": "surprise"}]},
        {"faults": [{"kind": "status", "status": 418}]},
        {"faults": [{"kind": "hang", "times": 0}]},
        {"clock": {"now": "2026-11-18T12:00:00"}},
        {"clock": {"now": iso(NOON), "real": True}},
        {"typo": 1},
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(members: dict[str, object]) -> None:
    async with serving(FOUR) as caller:
        async with caller.http.post(f"{caller.graph.url}/_control", json=members) as answer:
            assert answer.status == 400
            assert "error" in await answer.json()
        assert await caller.pages() == [["a", "b", "c", "d"]]


# --- throttling


async def test_the_sixth_request_in_ten_seconds_is_throttled_until_the_clock_moves_on() -> None:
    async with serving(FOUR) as caller:
        await caller.control(throttling={})
        for _ in range(3):
            assert (await caller.sign_ins())[0] == 200
        await caller.control(clock={"advanceSeconds": 4})
        for _ in range(2):
            assert (await caller.sign_ins())[0] == 200
        status, body, headers = await caller.get("/beta/auditLogs/signIns")
        assert (status, error(body)[0], headers["Retry-After"]) == (429, "TooManyRequests", "6")
        await caller.control(clock={"advanceSeconds": 5.5})
        assert (await caller.get("/beta/auditLogs/signIns"))[0] == 429
        await caller.control(clock={"advanceSeconds": 0.5})
        # The first three left the window and refused requests never were in it: three places.
        assert [(await caller.sign_ins())[0] for _ in range(4)] == [200, 200, 200, 429]
        assert (await caller.report())["throttled"] == 3


@pytest.mark.parametrize(("said", "header"), [(None, None), (300, "300"), ("auto", "10")])
async def test_retry_after_can_be_left_out_or_be_as_given(said: int | str | None, header: str | None) -> None:
    async with serving(FOUR) as caller:
        await caller.control(throttling={"requests": 1, "retryAfter": said})
        await caller.sign_ins()
        status, _, headers = await caller.get("/beta/auditLogs/signIns")
        assert (status, headers.get("Retry-After")) == (429, header)
        await caller.control(throttling=None)
        assert (await caller.sign_ins())[0] == 200


async def test_each_tenant_is_throttled_for_itself_and_tokens_never() -> None:
    async with serving(FOUR) as caller:
        await caller.control(throttling={"requests": 1})
        assert [(await caller.sign_ins())[0] for _ in range(2)] == [200, 429]
        caller.token = caller.graph.identity.issue(caller.graph.url, OTHER_TENANT)
        assert (await caller.sign_ins())[0] == 200
        headers = {"X-IDENTITY-HEADER": caller.graph.identity.header}
        url = f"{caller.graph.identity_url}?resource=r&api-version=2019-08-01"
        async with caller.http.get(url, headers=headers) as answer:
            assert answer.status == 200


# --- faults


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ({"kind": "status", "status": 500}, 500, "InternalServerError"),
        ({"kind": "status", "status": 502}, 502, "BadGateway"),
        ({"kind": "status", "status": 503}, 503, "ServiceUnavailable"),
        ({"kind": "status", "status": 504}, 504, "GatewayTimeout"),
        ({"kind": "status", "status": 401}, 401, "InvalidAuthenticationToken"),
        ({"kind": "status", "status": 403}, 403, "Authorization_RequestDenied"),
        ({"kind": "licence"}, 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"),
    ],
)
async def test_a_fault_is_met_once(fault: dict[str, object], status: int, code: str) -> None:
    async with serving(FOUR) as caller:
        await once(caller, **fault)
        got, body = await caller.sign_ins()
        assert (got, error(body)[0]) == (status, code)
        assert await caller.pages() == [["a", "b", "c", "d"]]


async def test_faults_come_in_their_order_for_the_requests_they_fit_and_can_be_cleared() -> None:
    async with serving(FOUR) as caller:
        await caller.control(
            faults=[
                {"kind": "status", "status": 503, "skip": 1, "times": 2, "retryAfter": 7},
                {"kind": "status", "status": 500, "path": "/v1.0/"},
                {"kind": "licence", "times": 9},
            ]
        )
        # While the first fault lets a request by, the next one that fits it is met.
        assert [(await caller.sign_ins())[0] for _ in range(4)] == [403, 503, 503, 403]
        assert (await caller.get("/v1.0/auditLogs/signIns"))[0] == 500
        assert (await caller.report())["faultsLeft"] == 1
        await caller.control(clearFaults=True)
        assert (await caller.sign_ins())[0] == 200


async def test_a_status_can_carry_retry_after_and_the_identity_endpoint_can_fail_too() -> None:
    async with serving(FOUR) as caller:
        await once(caller, kind="status", status=503, retryAfter=300)
        assert (await caller.get("/beta/auditLogs/signIns"))[2]["Retry-After"] == "300"
        await once(caller, kind="status", status=500, path="/msi/token")
        async with caller.http.get(caller.graph.identity_url) as answer:
            assert answer.status == 500


async def test_a_hanging_request_ends_when_the_caller_leaves_and_holds_up_no_other() -> None:
    async with serving(FOUR) as caller:
        await once(caller, kind="hang")
        waiting = asyncio.create_task(caller.sign_ins())
        while (await caller.report())["requests"] != 1:
            assert not waiting.done()
        assert await caller.pages() == [["a", "b", "c", "d"]]
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_hanging_request_is_let_go_when_the_server_stops() -> None:
    async with serving(FOUR) as caller:
        await once(caller, kind="hang")
        waiting = asyncio.create_task(caller.sign_ins())
        while (await caller.report())["requests"] != 1:
            assert not waiting.done()
        await caller.graph.stop()
        assert (await waiting)[0] == 503


async def test_a_body_can_end_in_the_middle() -> None:
    async with serving(FOUR) as caller:
        await once(caller, kind="truncated")
        headers = {"Authorization": f"Bearer {caller.token}"}
        async with caller.http.get(f"{caller.graph.url}/beta/auditLogs/signIns", headers=headers) as answer:
            assert answer.status == 200
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
        assert await caller.pages() == [["a", "b", "c", "d"]]


async def test_a_connection_can_be_reset_at_a_byte() -> None:
    async with serving(FOUR) as caller:
        for at in (0, 1, 100_000):
            await once(caller, kind="reset", at=at)
            headers = {"Authorization": f"Bearer {caller.token}"}
            with pytest.raises(aiohttp.ClientError):
                async with caller.http.get(f"{caller.graph.url}/beta/auditLogs/signIns", headers=headers) as answer:
                    await answer.read()
        assert await caller.pages() == [["a", "b", "c", "d"]]


async def test_a_body_can_be_anything_and_a_429_can_name_a_date() -> None:
    async with serving(FOUR) as caller:
        await once(caller, kind="body", body="[]")
        headers = {"Authorization": f"Bearer {caller.token}"}
        async with caller.http.get(f"{caller.graph.url}/beta/auditLogs/signIns", headers=headers) as answer:
            assert (answer.status, await answer.text()) == (200, "[]")
        await once(caller, kind="status", status=429, retry_after="date")
        status, refusal, answered = await caller.get(f"{caller.graph.url}/beta/auditLogs/signIns")
        assert (status, error(refusal)[0]) == (429, "TooManyRequests")
        assert answered["Retry-After"].endswith(" GMT")


async def test_skip_token_is_null_hits_a_next_page_only() -> None:
    async with serving(FOUR, page_size=2) as caller:
        await once(caller, kind="skip-token")
        status, body = await caller.sign_ins()
        assert status == 200
        status, refusal, _ = await caller.get(str(body["@odata.nextLink"]))
        assert (status, error(refusal)) == (400, ("BadRequest", "Skip token is null."))
        assert await caller.pages() == [["a", "b"], ["c", "d"]]


@pytest.mark.parametrize(
    ("skip", "pages"),
    [
        (0, [["a", "b"], ["a", "b"], ["c", "d"]]),
        (1, [["a", "b"], ["c", "d"], ["c", "d"]]),
    ],
)
async def test_a_page_can_come_twice_under_another_link(skip: int, pages: list[list[str]]) -> None:
    async with serving(FOUR, page_size=2) as caller:
        await once(caller, kind="repeated-page", skip=skip)
        assert await caller.pages() == pages
        links = [str(entry["query"]) for entry in cast("list[JsonObject]", (await caller.report())["log"])]
        assert len(set(links)) == len(links)


async def test_a_next_link_can_lead_elsewhere() -> None:
    async with serving(FOUR) as caller:
        await once(caller, kind="next-link", url="https://evil.example/more")
        assert (await caller.sign_ins())[1]["@odata.nextLink"] == "https://evil.example/more"


@pytest.mark.parametrize(
    ("shape", "member", "value"),
    [
        ("missing-id", "id", "absent"),
        ("null-id", "id", None),
        ("missing-time", "createdDateTime", "absent"),
        ("bad-time", "createdDateTime", "yesterday"),
        ("number-as-time", "createdDateTime", 1763600000),
        ("status-is-text", "status", "0"),
        ("details-is-object", "authenticationDetails", {"authenticationMethod": "Password"}),
        ("text-as-flag", "isInteractive", "perhaps"),
    ],
)
async def test_a_record_of_a_broken_shape_stands_at_its_index(shape: str, member: str, value: object) -> None:
    async with serving(FOUR) as caller:
        await once(caller, kind="malformed", shape=shape, index=2)
        records = cast("list[JsonObject]", (await caller.sign_ins())[1]["value"])
    assert [one.get("id") for one in (records[0], records[1], records[3], records[4])] == ["a", "b", "c", "d"]
    assert records[2].get(member, "absent") == value


@pytest.mark.parametrize(
    ("fault", "value"),
    [({"shape": "not-an-object"}, 42), ({"shape": "null"}, None), ({"record": {"id": "own"}}, {"id": "own"})],
)
async def test_something_else_than_a_record_can_stand_in_a_page_even_an_empty_one(
    fault: dict[str, object], value: object
) -> None:
    async with serving() as caller:
        await once(caller, kind="malformed", **fault)
        assert (await caller.sign_ins())[1]["value"] == [value]


# --- the report


async def test_the_report_counts_and_never_shows_a_token_or_a_header() -> None:
    async with serving(FOUR) as caller:
        await caller.sign_ins(top="1")
        await caller.get("/v1.0/auditLogs/signIns", None, {"Authorization": "Bearer secret-of-mine"})
        report = await caller.report()
        assert report["requests"] == 2
        assert report["byPath"] == {"/beta/auditLogs/signIns": 1, "/v1.0/auditLogs/signIns": 1}
        assert report["log"] == [
            {"method": "GET", "path": "/beta/auditLogs/signIns", "query": "$top=1", "status": 200},
            {"method": "GET", "path": "/v1.0/auditLogs/signIns", "query": "", "status": 401},
        ]
        text = json.dumps(report)
        assert caller.token not in text
        assert "secret-of-mine" not in text
        await caller.control(clearRequests=True)
        assert (await caller.report())["requests"] == 0
