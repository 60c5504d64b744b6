"""The local Graph answers as Graph does: filters and refusals, paging, tokens, and its own process."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import aiohttp
import pytest
from aiohttp import web
from azure.identity.aio import ManagedIdentityCredential

from local.graph_server import Call, LocalGraph
from local.graph_server.errors import GraphError
from local.graph_server.identity import IdentityEndpoint
from local.graph_server.odata import Query, parse_query, ticks
from local.sample import JsonObject, LogRecord, make_sample, write_sample
from tests.local.graph_client import NOON, OTHER_TENANT, TENANT, USERS, Caller, entry, error, ids, record, serving

ROOT = Path(__file__).parents[2]
GRAPH = "https://graph.microsoft.com"


def parsed(text: str, *, beta: bool = True) -> Query:
    return parse_query([("$filter", text)], beta=beta)


# --- the filter


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("createdDateTime ge 2026-11-18T12:00:00Z", "2026-11-18T12:00:00Z", None),
        ("createdDateTime le 2026-11-18T12:00:00Z", None, "2026-11-18T12:00:00Z"),
        ("createdDateTime eq 2026-11-18T12:00:00.1234567Z", "2026-11-18T12:00:00.1234567Z", "same"),
        ("createdDateTime ge 2026-11-18", "2026-11-18T00:00:00Z", None),
        ("createdDateTime ge 2026-11-18T13:00:00+01:00", "2026-11-18T12:00:00Z", None),
        ("(createdDateTime ge 2026-11-18) and (createdDateTime le 2026-11-19)", "2026-11-18", "2026-11-19"),
        ("createdDateTime ge 2026-11-18 and createdDateTime ge 2026-11-20", "2026-11-20", None),
        (f"createdDateTime ge 2026-11-18 and ({USERS})", "2026-11-18", None),
    ],
)
def test_a_window_of_time_is_understood(text: str, first: str | None, last: str | None) -> None:
    query = parsed(text)
    assert query.first == (ticks(first) if first else 0)
    if last == "same":
        assert query.last == query.first
    else:
        assert query.last == (ticks(last) if last else Query().last)


def test_times_are_counted_in_tenths_of_microseconds_from_any_zone() -> None:
    noon = ticks("2026-11-18T12:00:00Z")
    assert ticks("2026-11-18T12:00:00.5Z") == noon + 5_000_000
    assert ticks("2026-11-18T12:00:00.0000001Z") == noon + 1
    assert ticks("2026-11-18T11:00:01-01:00") == noon + 10_000_000
    assert ticks("2026-11-19") == noon + 12 * 3600 * 10**7


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("createdDateTime ge 2026-11-18", {"interactiveUser"}),
        ("signInEventTypes/any(t: t eq 'nonInteractiveUser')", {"nonInteractiveUser"}),
        ("signInEventTypes/any(x:x eq 'interactiveUser')", {"interactiveUser"}),
        (USERS, {"interactiveUser", "nonInteractiveUser"}),
        ("signInEventTypes/any(z: (z eq 'servicePrincipal') or z eq 'managedIdentity')",
         {"servicePrincipal", "managedIdentity"}),
        (f"{USERS} and signInEventTypes/any(t: t eq 'nonInteractiveUser')", {"nonInteractiveUser"}),
    ],
)  # fmt: skip
def test_the_types_of_sign_in_are_understood(text: str, types: set[str]) -> None:
    assert parsed(text).types == types


@pytest.mark.parametrize(
    "text",
    [
        "",
        "createdDateTime",
        "createdDateTime ge",
        "createdDateTime ge '2026-11-18T12:00:00Z'",
        "createdDateTime gt 2026-11-18T12:00:00Z",
        "createdDateTime lt 2026-11-18T12:00:00Z",
        "createdDateTime ge 2026-11-18T12:00:00",
        "createdDateTime ge 2026-13-01",
        "createdDateTime GE 2026-11-18",
        "createdDateTime ge 2026-11-18 or createdDateTime le 2026-11-17",
        "createdDateTime ge 2026-11-18 and",
        "(createdDateTime ge 2026-11-18",
        "createdDateTime ge 2026-11-18)",
        "not createdDateTime ge 2026-11-18",
        "crossTenantAccessType eq 'serviceProvider'",
        "userId eq 'x'",
        "status/errorCode eq 0",
        "signInEventTypes/any(t: t ne 'interactiveUser')",
        "signInEventTypes/all(t: t eq 'interactiveUser')",
        "signInEventTypes/any(t: x eq 'interactiveUser')",
        "signInEventTypes/any(t: t eq 'somethingElse')",
        "signInEventTypes/any(t: t eq 'interactiveUser'",
        "createdDateTime ge 2026-11-18 & 1",
    ],
)
def test_any_other_filter_is_refused(text: str) -> None:
    with pytest.raises(GraphError, match="400 BadRequest: Invalid filter clause"):
        parsed(text)


def test_user_and_application_types_do_not_mix() -> None:
    with pytest.raises(GraphError, match="cannot be combined"):
        parsed("signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'servicePrincipal')")


def test_v1_knows_no_sign_in_types() -> None:
    assert parsed("createdDateTime ge 2026-11-18", beta=False).types == {"interactiveUser"}
    with pytest.raises(GraphError, match="Invalid filter clause"):
        parsed(USERS, beta=False)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("$skip", "10", "Query option 'Skip' is not allowed."),
        ("$count", "true", "Query option 'Count' is not allowed."),
        ("$select", "id", "Query option 'Select' is not allowed."),
        ("$top", "1001", "The limit of '1000' for Top query has been exceeded."),
        ("$top", "0", "Invalid value '0' for $top"),
        ("$top", "many", "Invalid value 'many' for $top"),
        ("$orderby", "userId", "Invalid orderby clause"),
        ("$orderby", "createdDateTime up", "Invalid orderby clause"),
        ("$skiptoken", "abc", "Skip token is null."),
        ("$filter", "createdDateTime ge 'now'", "Invalid filter clause"),
    ],
)
async def test_options_that_graph_does_not_take_are_refused_in_its_form(name: str, value: str, message: str) -> None:
    async with serving([entry("a")]) as caller:
        status, body, headers = await caller.get(
            "/beta/auditLogs/signIns", {name: value}, {"client-request-id": "mine"}
        )
    assert status == 400
    code, said = error(body)
    assert code == "BadRequest"
    assert said.startswith(message)
    inner = cast("dict[str, dict[str, str]]", body["error"])["innerError"]
    assert inner["date"] == "2026-11-18T12:00:00"
    assert inner["client-request-id"] == headers["client-request-id"] == "mine"


async def test_the_same_option_twice_is_refused() -> None:
    async with serving() as caller:
        status, body, _ = await caller.get("/beta/auditLogs/signIns?$top=5&$top=6")
    assert (status, error(body)[0]) == (400, "BadRequest")


# --- what a query gives


async def test_both_ends_of_the_window_belong_to_it_and_comparison_is_exact() -> None:
    times = {
        "before": "2026-11-18T11:59:59.9999999Z",
        "from": "2026-11-18T12:00:00Z",
        "between": "2026-11-18T12:00:00.000001Z",
        "to": "2026-11-18T12:15:00Z",
        "after": "2026-11-18T12:15:00.0000001Z",
    }
    entries = [LogRecord(TENANT, NOON, record(name) | {"createdDateTime": text}) for name, text in times.items()]
    async with serving(entries) as caller:
        window = "createdDateTime ge 2026-11-18T12:00:00Z and createdDateTime le 2026-11-18T12:15:00Z"
        assert await caller.pages(filter=window) == [["to", "between", "from"]]
        assert await caller.pages(filter="createdDateTime ge 2026-11-18T12:00:00.000001Z") == [
            ["after", "to", "between"]
        ]
        assert await caller.pages(filter="createdDateTime eq 2026-11-18T12:15:00.0000001Z") == [["after"]]
        assert await caller.pages(filter="createdDateTime ge 2026-11-20 and createdDateTime le 2026-11-19") == [[]]


async def test_without_a_type_only_interactive_sign_ins_come_and_applications_only_when_asked() -> None:
    kinds = ("interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity")
    async with serving([entry(kind, NOON, kind) for kind in kinds]) as caller:
        assert await caller.pages() == [["interactiveUser"]]
        assert await caller.pages(filter=USERS) == [["nonInteractiveUser", "interactiveUser"]]
        applications = "signInEventTypes/any(t:t eq 'servicePrincipal')"
        assert await caller.pages(filter=applications) == [["servicePrincipal"]]
        status, body = await caller.sign_ins(filter=f"{USERS[:-1]} or t eq 'servicePrincipal')")
    assert (status, error(body)[0]) == (400, "BadRequest")


async def test_an_answer_names_its_context_and_has_whole_records() -> None:
    whole = next(one for one in make_sample(1, 7, NOON).log if one.record["isInteractive"])
    async with serving([LogRecord(TENANT, NOON, whole.record)]) as caller:
        status, body, headers = await caller.get("/beta/auditLogs/signIns")
        assert body["@odata.context"] == f"{caller.graph.url}/beta/$metadata#auditLogs/signIns"
    assert status == 200
    assert body["value"] == [whole.record]
    assert headers["Content-Type"].startswith("application/json")


async def test_v1_serves_interactive_sign_ins_without_the_members_of_beta() -> None:
    sample = make_sample(1, 7, NOON)
    entries = [e for e in sample.log if e.tenant_id == sample.people.partner_tenant_id][:300]
    async with serving([LogRecord(TENANT, e.available_at, e.record) for e in entries], now=sample.end) as caller:
        _, body, _ = await caller.get("/v1.0/auditLogs/signIns")
        _, beta, _ = await caller.get("/beta/auditLogs/signIns")
    assert body["@odata.context"] == f"{caller.graph.url}/v1.0/$metadata#auditLogs/signIns"
    assert ids(body) == ids(beta)
    records = cast("list[JsonObject]", body["value"])
    assert len(records) > 50
    missing = {"authenticationDetails", "authenticationRequirement", "crossTenantAccessType", "signInEventTypes"}
    assert not [one for one in records if missing & set(one)]
    assert all({"status", "userId", "appId", "resourceTenantId"} <= set(one) for one in records)


async def test_newer_enum_values_come_only_when_they_are_asked_for() -> None:
    newer = record(
        "a",
        crossTenantAccessType="passthrough",
        incomingTokenType="refreshToken",
        authenticationProtocol="prtGrant",
        tokenIssuerType="NPSExtension",
        agent={"agentType": "agentIDuser"},
    )
    older = record("b", crossTenantAccessType="delegatedAgent", authenticationProtocol="ropc")
    async with serving([LogRecord(TENANT, NOON, newer), LogRecord(TENANT, NOON, older)]) as caller:
        path = "/beta/auditLogs/signIns"
        _, asked, headers = await caller.get(path, None, {"Prefer": "include-unknown-enum-members"})
        _, plain, _ = await caller.get(path)
    assert asked["value"] == [older, newer]
    assert headers["Preference-Applied"] == "include-unknown-enum-members"
    hidden = "unknownFutureValue"
    names = ("crossTenantAccessType", "incomingTokenType", "authenticationProtocol", "tokenIssuerType")
    expected = {**newer, **dict.fromkeys(names, hidden), "agent": {"agentType": hidden}}
    assert plain["value"] == [older, expected]


async def test_a_token_shows_only_the_log_of_its_tenant() -> None:
    async with serving([entry("mine"), entry("theirs", tenant=OTHER_TENANT)]) as caller:
        assert await caller.pages() == [["mine"]]
        caller.token = caller.graph.identity.issue(GRAPH, OTHER_TENANT)
        assert await caller.pages() == [["theirs"]]
        caller.token = caller.graph.identity.issue(GRAPH, "cccccccc-0000-4000-8000-000000000003")
        assert await caller.pages() == [[]]


# --- paging


@pytest.mark.parametrize(("count", "sizes"), [(999, [999]), (1000, [1000]), (1001, [1000, 1]), (2000, [1000, 1000])])
async def test_a_page_holds_a_thousand_and_a_link_only_where_more_follow(count: int, sizes: list[int]) -> None:
    entries = [entry(f"{n:04}", NOON - timedelta(seconds=n // 3)) for n in range(count)]
    async with serving(entries) as caller:
        pages = await caller.pages()
    assert [len(page) for page in pages] == sizes
    assert sorted(name for page in pages for name in page) == [e.id for e in entries]


@pytest.mark.parametrize("order", ["createdDateTime desc", "createdDateTime asc"])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
async def test_equal_times_across_the_edge_of_a_page_come_once_each_in_order(size: int, order: str) -> None:
    entries = [entry("a", NOON), entry("g", NOON - timedelta(seconds=2))]
    entries += [entry(name, NOON - timedelta(seconds=1)) for name in "bcdef"]
    async with serving(entries, page_size=size) as caller:
        pages = await caller.pages(orderby=order)
    assert all(len(page) == size for page in pages[:-1])
    flat = [name for page in pages for name in page]
    assert sorted(flat) == list("abcdefg")
    newest_first = flat if order.endswith("desc") else flat[::-1]
    assert (newest_first[0], newest_first[-1]) == ("a", "g")


async def test_top_makes_pages_smaller_and_the_links_keep_the_query() -> None:
    entries = [entry(f"{n}", NOON - timedelta(minutes=n)) for n in range(9)]
    async with serving(entries) as caller:
        assert await caller.pages(top="2", filter="createdDateTime ge 2026-11-18T11:56:00Z") == [
            ["0", "1"],
            ["2", "3"],
            ["4"],
        ]


async def test_a_skip_token_is_good_only_as_it_was_given() -> None:
    entries = [entry(f"{n}", NOON - timedelta(minutes=n)) for n in range(9)]
    async with serving(entries, page_size=2) as caller:
        _, body = await caller.sign_ins(filter=USERS)
        link = str(body["@odata.nextLink"])
        assert link.startswith(f"{caller.graph.url}/beta/auditLogs/signIns?")
        where, _, token = link.partition("$skiptoken=")
        other = where.replace("nonInteractiveUser", "interactiveUser") + "$skiptoken=" + token
        changed = token[:9] + ("A" if token[9] != "A" else "B") + token[10:]
        for bad in (f"{where}$skiptoken={changed}", f"{where}$skiptoken=%C3%A9", f"{where}$skiptoken=", other):
            status, refusal, _ = await caller.get(bad)
            assert (status, error(refusal)) == (400, ("BadRequest", "Skip token is null."))
        status, body, _ = await caller.get(link)
        assert (status, ids(body)) == (200, ["2", "3"])
        caller.token = caller.graph.identity.issue(GRAPH, OTHER_TENANT)
        assert (await caller.get(link))[0] == 400


async def test_records_that_arrive_between_two_pages_do_not_move_the_rest() -> None:
    entries = [entry(f"{n}", NOON - timedelta(minutes=n)) for n in range(4)]
    async with serving(entries, page_size=2) as caller:
        _, body = await caller.sign_ins()
        await caller.control(add=[{"record": record("new", NOON + timedelta(minutes=1))}])
        _, rest, _ = await caller.get(str(body["@odata.nextLink"]))
        assert ids(rest) == ["2", "3"]
        assert await caller.pages() == [["new", "0"], ["1", "2"], ["3"]]


# --- tokens


async def test_azure_identity_gets_a_token_that_the_log_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving([entry("a")]) as caller:
        monkeypatch.setenv("IDENTITY_ENDPOINT", caller.graph.identity_url)
        monkeypatch.setenv("IDENTITY_HEADER", caller.graph.identity.header)
        async with ManagedIdentityCredential(client_id="some-identity") as credential:
            token = await credential.get_token(f"{caller.graph.url}/.default")
        caller.token = token.token
        assert await caller.pages() == [["a"]]
        report = await caller.report()
    assert token.expires_on > datetime.now(UTC).timestamp() + 3600
    assert report["tokensIssued"] == 2  # the caller's own, and this one
    assert token.token not in json.dumps(report)


async def test_the_identity_endpoint_answers_as_app_service_does() -> None:
    async with serving() as caller:

        async def ask(header: str, **options: str) -> tuple[int, dict[str, str]]:
            headers = {"X-IDENTITY-HEADER": header} if header else {}
            async with caller.http.get(caller.graph.identity_url, params=options, headers=headers) as answer:
                return answer.status, await answer.json()

        good = {"resource": GRAPH, "api-version": "2019-08-01"}
        secret = caller.graph.identity.header
        status, body = await ask(secret, **good)
        assert status == 200
        assert (body["token_type"], body["resource"]) == ("Bearer", GRAPH)
        assert body["expires_on"].isdigit()
        caller.token = body["access_token"]
        assert await caller.pages() == [[]]
        assert (await ask("wrong", **good))[0] == 401
        assert (await ask("", **good))[0] == 401
        assert (await ask(secret, resource=GRAPH))[0] == 400
        assert (await ask(secret, **{"api-version": "2019-08-01"}))[0] == 400


async def test_only_the_named_client_id_has_a_token_where_one_is_named() -> None:
    graph = LocalGraph([], tenant_id=TENANT, identity=IdentityEndpoint("h", TENANT, "ours"))
    async with graph, aiohttp.ClientSession(headers={"X-IDENTITY-HEADER": "h"}) as http:
        url = f"{graph.identity_url}?resource={GRAPH}&api-version=2019-08-01&client_id="
        async with http.get(url + "ours") as ours, http.get(url + "theirs") as theirs:
            assert (ours.status, theirs.status) == (200, 400)


async def test_a_token_that_is_not_of_this_endpoint_and_for_this_graph_is_refused() -> None:
    async with serving([entry("a")]) as caller, serving() as elsewhere:
        own = caller.graph.identity
        refused = {
            "": "Access token is empty.",
            "nonsense": "Access token validation failure.",
            "ünsinn.x.y": "Access token validation failure.",
            elsewhere.graph.identity.issue(caller.graph.url, TENANT): "Access token validation failure.",
            own.issue("https://management.azure.com", TENANT): "Access token validation failure. Invalid audience.",
            own.issue(GRAPH, TENANT, expires=1): "Lifetime validation failed, the token is expired.",
        }
        good = own.issue(GRAPH + "/", TENANT)
        for token, message in refused.items():
            status, body, headers = await caller.get(
                "/beta/auditLogs/signIns", None, {"Authorization": f"Bearer {token}".encode().decode("latin-1")}
            )
            assert (status, error(body)) == (401, ("InvalidAuthenticationToken", message))
            assert headers["WWW-Authenticate"].startswith("Bearer")
        async with caller.http.get(f"{caller.graph.url}/beta/auditLogs/signIns") as bare:
            assert bare.status == 401
        caller.token = good
        assert await caller.pages() == [["a"]]


# --- more of Graph, and the process


async def test_a_new_route_stands_behind_the_same_token_check_and_faults() -> None:
    async def domains(call: Call) -> web.StreamResponse:
        return web.json_response({"tenant": call.tenant_id, "name": call.request.match_info["name"], "v": call.version})

    graph = LocalGraph([], tenant_id=TENANT, now=NOON)
    graph.get("/domains/{name}", domains, versions=["v1.0"])
    async with graph, aiohttp.ClientSession() as http:
        caller = Caller(graph, http, graph.identity.issue(graph.url, TENANT))
        _, body, _ = await caller.get("/v1.0/domains/a.example")
        assert body == {"tenant": TENANT, "name": "a.example", "v": "v1.0"}
        await caller.control(faults=[{"kind": "status", "status": 503, "path": "/domains"}])
        assert (await caller.get("/v1.0/domains/a.example"))[0] == 503
        assert (await caller.get("/v1.0/domains/a.example", None, {"Authorization": "Bearer x"}))[0] == 401
        async with http.get(f"{graph.url}/beta/domains/a.example") as unknown:
            assert unknown.status == 404


async def test_the_whole_sample_comes_back_page_by_page() -> None:
    sample = make_sample(2, 7, NOON)
    tenant_id = sample.people.partner_tenant_id
    graph = LocalGraph(sample.log, tenant_id=tenant_id, page_size=100, now=sample.end)
    async with graph, aiohttp.ClientSession() as http:
        caller = Caller(graph, http, graph.identity.issue(graph.url, tenant_id))
        found = [name for page in await caller.pages(filter=USERS) for name in page]
    expected = [
        e.id for e in sample.log if e.tenant_id == tenant_id and e.record["signInEventTypes"] != ["servicePrincipal"]
    ]
    assert sorted(found) == sorted(expected)
    assert len(set(found)) == len(found)


async def test_the_process_says_when_it_is_ready_serves_a_sample_and_stops_when_told(tmp_path: Path) -> None:
    sample = make_sample(2, 7, NOON)
    write_sample(sample, tmp_path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.graph_server", "--sample", str(tmp_path), "--page-size", "10"),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={"IDENTITY_HEADER": "from-the-environment", "PATH": ""},
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    assert ready["identityHeader"] == "from-the-environment"
    options = {"resource": ready["url"], "api-version": "2019-08-01"}
    async with aiohttp.ClientSession() as http:
        headers = {"X-IDENTITY-HEADER": ready["identityHeader"]}
        async with http.get(ready["identityEndpoint"], params=options, headers=headers) as answer:
            token = (await answer.json())["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        async with http.get(ready["url"] + "/beta/auditLogs/signIns", headers=headers) as answer:
            assert answer.status == 200
            assert len((await answer.json(content_type=None))["value"]) == 10
    process.terminate()
    assert await process.wait() == 0


async def test_the_process_refuses_a_directory_that_is_no_sample(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "local.graph_server", "--sample", str(tmp_path)),
        cwd=ROOT,
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert said.startswith(b"graph_server: ")


def test_a_page_holds_between_one_and_a_thousand() -> None:
    for size in (0, 1001):
        with pytest.raises(ValueError, match="1 to 1000"):
            LocalGraph([], tenant_id=TENANT, page_size=size)


def test_a_log_has_each_id_once_and_needs_times() -> None:
    with pytest.raises(ValueError, match="already"):
        LocalGraph([entry("a"), entry("a", NOON - timedelta(days=1))], tenant_id=TENANT)
    with pytest.raises(ValueError, match="needs id and createdDateTime"):
        LocalGraph([LogRecord(TENANT, NOON, {"id": "a"})], tenant_id=TENANT)
    with pytest.raises(ValueError, match="not a time"):
        LocalGraph([LogRecord(TENANT, NOON, {"id": "a", "createdDateTime": "noon"})], tenant_id=TENANT)
