"""What Graph's directory is asked and how its answers are typed, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from local.graph_server import LocalGraph, PartnerDirectory
from local.graph_server.control import Control, LicenceFault, StatusFault, TruncatedFault
from shared.app.app import App
from shared.graph.client import GraphClient
from shared.graph.directory import (
    ADMIN_ROLES,
    AnyPage,
    Ask,
    CustomerPart,
    HolderPart,
    ObjectPart,
    PageKind,
    RegistrationPart,
    RelationshipPart,
    decode,
    fetch,
    first_url,
    of_text,
    to_text,
)
from shared.graph.permissions import PARTS, part_of
from shared.graph.problems import BadAnswer, NotFound, Refused, Throttled, Unavailable, Unlicensed
from shared.people.fetched import Fetched
from shared.rules.rule import PARTNER
from tests.people.harness import NOON, group, people, registration, relationship, user
from tests.settings import settings_for


@asynccontextmanager
async def asking(
    monkeypatch: pytest.MonkeyPatch, *, page_size: int = 1000
) -> AsyncIterator[tuple[GraphClient, PartnerDirectory, LocalGraph]]:
    served = people({1: [user(1), group(2)], 2: [user(2)], 9: []}, eligible={1: [user(3)]})
    graph = LocalGraph([], tenant_id=PARTNER, now=NOON)
    directory = PartnerDirectory(graph, served, page_size=page_size)
    async with graph:
        monkeypatch.setenv("IDENTITY_ENDPOINT", graph.identity_url)
        monkeypatch.setenv("IDENTITY_HEADER", graph.identity.header)
        settings = settings_for(graph_base_url=graph.url)
        app = App(settings, clock=lambda: NOON)
        try:
            yield app.graph(PARTNER, 10_000), directory, graph
        finally:
            await app.close()


async def ask(client: GraphClient, kind: PageKind, of: str = "") -> AnyPage:
    return await fetch(client, Ask(kind, of), first_url(client.base_url, Ask(kind, of)))


async def test_every_question_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch) as (client, _, _):
        link = relationship(1).relationship_id
        of = {
            PageKind.ASSIGNMENTS: link,
            PageKind.GROUP: group(1),
            PageKind.MEMBERS: group(1),
            PageKind.ELIGIBLE: group(1),
            PageKind.ROLE_HOLDERS: next(iter(ADMIN_ROLES)),
            PageKind.ROLE_ELIGIBLE: next(iter(ADMIN_ROLES)),
        }
        found = {kind: await ask(client, kind, of.get(kind, "")) for kind in PageKind}
    assert {kind: len(page.value) for kind, page in found.items()} == {
        PageKind.CUSTOMERS: 2,
        PageKind.RELATIONSHIPS: 2,
        PageKind.ASSIGNMENTS: 1,
        PageKind.AGENT_GROUPS: 1,
        PageKind.GROUP: 1,
        PageKind.MEMBERS: 3,
        PageKind.ELIGIBLE: 1,
        PageKind.ROLE_HOLDERS: 1,
        PageKind.ROLE_ELIGIBLE: 0,
        PageKind.REGISTRATIONS: 4,
        PageKind.SECURITY_DEFAULTS: 1,
    }
    (first, _) = found[PageKind.RELATIONSHIPS].value
    assert isinstance(first, RelationshipPart)
    assert (first.status, first.roles) == ("active", ("f2ef992c-3afb-46b9-b7cf-a126ee74c451",))
    members = {(m.id, m.is_user, m.is_group) for m in found[PageKind.MEMBERS].value}
    assert members == {(user(1), True, False), (user(2), True, False), (group(2), False, True)}
    (holder,) = found[PageKind.ELIGIBLE].value
    assert isinstance(holder, HolderPart)
    assert holder.start_date_time is not None
    assert all(of_text(kind, to_text(page)) == page for kind, page in found.items())


async def test_pages_are_followed_as_graph_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch, page_size=1) as (client, _, _):
        fetched = Fetched()
        question = Ask(PageKind.REGISTRATIONS)
        while asks := [*fetched.open_asks([question], client.base_url)]:
            ((found, url),) = asks
            fetched.add(found, fetched.pages(found), await fetch(client, found, url))
        assert fetched.pages(question) == 4
        assert sorted(account.id for account in fetched.accounts.values()) == [user(n) for n in (1, 2, 3, 4)]


def test_the_questions_ask_for_the_most_a_page_holds_and_for_v1() -> None:
    tops = {}
    for kind in PageKind:
        url = urlsplit(first_url("https://graph.example", Ask(kind, "0f")))
        assert url.path.startswith("/v1.0/")
        tops[kind] = parse_qs(url.query).get("$top", [""])[0]
    assert {kind: top for kind, top in tops.items() if top} == {
        PageKind.CUSTOMERS: "300",
        PageKind.RELATIONSHIPS: "300",
        PageKind.ASSIGNMENTS: "300",
        PageKind.AGENT_GROUPS: "999",
        PageKind.MEMBERS: "999",
        PageKind.REGISTRATIONS: "999",
    }


async def test_a_group_that_is_gone_is_an_answer_and_a_relationship_that_is_gone_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with asking(monkeypatch) as (client, _, _):
        for kind in (PageKind.GROUP, PageKind.MEMBERS):
            page = await ask(client, kind, group(77))
            assert (page.value, page.missing) == ([], "gone")
        with pytest.raises(NotFound):
            await ask(client, PageKind.ASSIGNMENTS, "no-such-relationship")


async def test_pim_without_a_licence_is_an_answer_and_a_report_without_one_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with asking(monkeypatch) as (client, directory, graph):
        directory.pim = False
        for kind, of in ((PageKind.ELIGIBLE, group(1)), (PageKind.ROLE_ELIGIBLE, next(iter(ADMIN_ROLES)))):
            assert (await ask(client, kind, of)).missing == "unlicensed"
        graph.control(Control(faults=[LicenceFault(kind="licence", path="/userRegistrationDetails")]))
        with pytest.raises(Unlicensed, match="who has registered for MFA"):
            await ask(client, PageKind.REGISTRATIONS)


@pytest.mark.parametrize(
    ("status", "problem"), [(401, Refused), (403, Refused), (500, Unavailable), (502, Unavailable)]
)
async def test_a_refusal_is_a_problem(monkeypatch: pytest.MonkeyPatch, status: int, problem: type[Exception]) -> None:
    async with asking(monkeypatch) as (client, _, graph):
        fault = {"kind": "status", "status": status, "path": "/transitiveMembers"}
        graph.control(Control(faults=[StatusFault.model_validate(fault)]))
        with pytest.raises(problem):
            await ask(client, PageKind.MEMBERS, group(1))


async def test_a_long_wait_is_left_to_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch) as (client, _, graph):
        fault = {"kind": "status", "status": 503, "retry_after": 400, "path": "/groups"}
        graph.control(Control(faults=[StatusFault.model_validate(fault)]))
        with pytest.raises(Throttled) as problem:
            await ask(client, PageKind.GROUP, group(1))
        assert problem.value.retry_after is not None
        assert problem.value.retry_after.total_seconds() == 400


async def test_an_answer_that_was_cut_off_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch) as (client, _, graph):
        graph.control(Control(faults=[TruncatedFault(kind="truncated", path="/delegatedAdminCustomers")]))
        with pytest.raises((BadAnswer, Unavailable)):
            await ask(client, PageKind.CUSTOMERS)


async def test_a_refusal_names_the_permission(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asking(monkeypatch) as (client, _, graph):
        for kind in PageKind:
            graph.control(Control(faults=[StatusFault(kind="status", status=403, path="/v1.0/")]))
            url = first_url(client.base_url, Ask(kind, "0f"))
            part = part_of(urlsplit(url).path)
            assert part is not None
            with pytest.raises(Refused) as refused:
                await client.get(url)
            assert part.permission in str(refused.value)
            assert part.name in str(refused.value)


def test_a_path_that_nobody_declared_belongs_to_no_part() -> None:
    assert part_of("/v1.0/users/1") is None
    assert part_of("/beta/auditLogs/signIns") is PARTS[0]


# --- decoding ---------------------------------------------------------------------------------------------------------

WRONG = {
    "no list": b"{}",
    "a list of nothing": b'{"value": null}',
    "not JSON": b"<html>",
    "half": b'{"value": [{"tenantId": "1"',
    "an entry without an id": b'{"value": [{"displayName": "x"}]}',
    "an empty id": b'{"value": [{"tenantId": "  "}]}',
    "no object": b"[]",
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_no_empty_list(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        decode(PageKind.CUSTOMERS, body)


def test_unknown_members_and_values_do_no_harm() -> None:
    body = {
        "@odata.context": "x",
        "value": [
            {
                "id": "r1",
                "status": "notKnownYet",
                "customer": {"tenantId": "t1", "displayName": "x" * 1000},
                "activatedDateTime": "2026-01-05T08:00:00.1234567Z",
                "endDateTime": None,
                "accessDetails": {"unifiedRoles": None},
                "somethingNew": {"deep": [1]},
            },
            {"id": "r2", "status": "created", "customer": None},
        ],
    }
    first, second = decode(PageKind.RELATIONSHIPS, json.dumps(body).encode()).value
    assert isinstance(first, RelationshipPart)
    assert first.roles == ()
    assert first.customer is not None
    assert len(first.customer.display_name or "") == 256
    fetched = Fetched()
    fetched.add(Ask(PageKind.RELATIONSHIPS), 0, decode(PageKind.RELATIONSHIPS, json.dumps(body).encode()))
    assert [(link.id, link.in_effect) for link in fetched.links.values()] == [("r1", True)], second
    assert first.activated_date_time is not None


def test_what_is_no_person_is_no_member() -> None:
    body = {
        "value": [
            {"@odata.type": "#microsoft.graph.user", "id": "u1"},
            {"@odata.type": "#microsoft.graph.servicePrincipal", "id": "s1"},
            {"@odata.type": "#microsoft.graph.device", "id": "d1"},
            {"@odata.type": "#microsoft.graph.group", "id": "g1"},
            {"id": "untyped"},
        ]
    }
    fetched = Fetched()
    fetched.add(Ask(PageKind.MEMBERS, "g"), 0, decode(PageKind.MEMBERS, json.dumps(body).encode()))
    assert fetched.members == {"g": ["u1", "untyped"]}
    assert fetched.nested == {"g": ["g1"]}


def test_an_owner_who_may_become_one_is_no_member() -> None:
    body = {"value": [{"principalId": "u1", "accessId": "owner"}, {"principalId": "u2", "accessId": "member"}]}
    fetched = Fetched()
    fetched.add(Ask(PageKind.ELIGIBLE, "g"), 0, decode(PageKind.ELIGIBLE, json.dumps(body).encode()))
    assert [holder.id for holder in fetched.eligible["g"]] == ["u2"]


def test_a_page_out_of_its_turn_is_not_taken() -> None:
    page = decode(PageKind.CUSTOMERS, b'{"value": [{"tenantId": "t1"}], "@odata.nextLink": "https://graph.example/2"}')
    fetched, question = Fetched(), Ask(PageKind.CUSTOMERS)
    assert fetched.add(question, 1, page) is False
    assert fetched.add(question, 0, page) is True
    assert fetched.add(question, 0, page) is False
    assert [*fetched.open_asks([question], "x")] == [(question, "https://graph.example/2")]
    with pytest.raises(BadAnswer, match="circle"):
        fetched.add(question, 1, page)


def test_the_parts_are_what_their_pages_hold() -> None:
    assert isinstance(decode(PageKind.CUSTOMERS, b'{"value": [{"tenantId": "t"}]}').value[0], CustomerPart)
    assert isinstance(decode(PageKind.GROUP, b'{"id": "g", "displayName": "G"}').value[0], ObjectPart)
    report = b'{"value": [{"id": "u", "isMfaRegistered": true, "isMfaCapable": false, "userType": "Guest"}]}'
    (found,) = decode(PageKind.REGISTRATIONS, report).value
    assert isinstance(found, RegistrationPart)
    assert registration(1).is_mfa_registered
