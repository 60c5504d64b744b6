"""The local Graph's directory, as Graph documents it: over HTTP, by a caller that is not the product."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import aiohttp
import pytest

from local.graph_server import LocalGraph, PartnerDirectory
from local.sample import make_sample
from tests.local.graph_client import NOON, TENANT, Caller, error

SAMPLE = make_sample(3, 7, NOON)
PEOPLE = SAMPLE.people
GROUPS = {group.display_name: group for group in PEOPLE.groups}


@asynccontextmanager
async def served(page_size: int = 1000) -> AsyncIterator[tuple[Caller, PartnerDirectory]]:
    graph = LocalGraph([], tenant_id=TENANT, now=NOON)
    directory = PartnerDirectory(graph, PEOPLE, page_size=page_size)
    async with graph, aiohttp.ClientSession() as http:
        yield Caller(graph, http, graph.identity.issue(graph.url, TENANT)), directory


async def every(caller: Caller, path: str, options: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    status, body, _ = await caller.get(f"/v1.0{path}", options)
    found: list[dict[str, Any]] = []
    while True:
        assert status == 200, body
        found += cast("list[dict[str, Any]]", body["value"])
        if "@odata.nextLink" not in body:
            return found
        status, body, _ = await caller.get(str(body["@odata.nextLink"]))


async def test_the_sample_partner_is_there() -> None:
    async with served(page_size=7) as (caller, _):
        customers = await every(caller, "/tenantRelationships/delegatedAdminCustomers", {"$top": "300"})
        assert {c["tenantId"] for c in customers} == {c.tenant_id for c in PEOPLE.customers}
        links = await every(caller, "/tenantRelationships/delegatedAdminRelationships")
        assert len(links) == len(PEOPLE.relationships)
        assert {link["status"] for link in links} == {"active", "terminated"}
        (some, *_) = links
        path = f"/tenantRelationships/delegatedAdminRelationships/{some['id']}/accessAssignments"
        containers = {a["accessContainer"]["accessContainerId"] for a in await every(caller, path)}
        assert containers == {GROUPS["GDAP Tier 1"].group_id, GROUPS["GDAP Tier 2"].group_id}
        report = await every(caller, "/reports/authenticationMethods/userRegistrationDetails")
        assert len(report) == len(PEOPLE.technicians) + len(PEOPLE.employees)
        assert {r["userType"] for r in report} == {"member", "guest"}


async def test_members_come_as_type_and_id_and_as_the_clock_says() -> None:
    group = GROUPS["GDAP Tier 1"]
    async with served(page_size=5) as (caller, _):
        options = {"$select": "id,displayName"}
        members = await every(caller, f"/groups/{group.group_id}/transitiveMembers", options)
        assert members[0] == {"@odata.type": "#microsoft.graph.user", "id": members[0]["id"], "displayName": None}
        leaver = PEOPLE.technician("igor").user_id
        here = {m["id"] for m in members}
        assert here == set(group.member_ids) - {leaver}
        moment = PEOPLE.technician("igor").valid_to
        assert moment is not None
        await caller.control(clock={"now": "2026-11-11T12:00:00Z"})
        joiner = PEOPLE.technician("hanna").user_id
        earlier = {m["id"] for m in await every(caller, f"/groups/{group.group_id}/transitiveMembers")}
        assert earlier ^ here <= {leaver, joiner}
        assert earlier != here


async def test_groups_are_found_by_their_names() -> None:
    async with served() as (caller, _):
        found = await every(caller, "/groups", {"$filter": "displayName in ('AdminAgents','SalesAgents','Nobody')"})
        assert {g["displayName"] for g in found} == {"AdminAgents", "SalesAgents"}
        (one,) = await every(caller, "/groups", {"$filter": "displayName eq 'AdminAgents'", "$select": "id"})
        assert one == {"id": GROUPS["AdminAgents"].group_id}
        status, body, _ = await caller.get(f"/v1.0/groups/{one['id']}?$select=displayName")
        assert (status, body["displayName"]) == (200, "AdminAgents")


async def test_eligible_members_and_roles_need_their_filters() -> None:
    pim = "/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances"
    roles = "/roleManagement/directory/roleAssignments"
    group = GROUPS["GDAP Tier 2"]
    async with served() as (caller, directory):
        found = await every(caller, pim, {"$filter": f"groupId eq '{group.group_id}'", "$expand": "principal"})
        gone = {t.user_id for t in PEOPLE.technicians if t.valid_to and t.valid_to <= NOON}
        assert {e["principalId"] for e in found} == set(group.eligible_member_ids) - gone
        assert found[0]["principal"]["@odata.type"] == "#microsoft.graph.user"
        mine = await every(caller, pim, {"$filter": f"principalId eq '{found[0]['principalId']}'"})
        assert [e["groupId"] for e in mine] == [group.group_id]
        assert (await caller.get(f"/v1.0{pim}"))[0] == 400
        role = PEOPLE.roles[0]
        held = await every(caller, roles, {"$filter": f"roleDefinitionId eq '{role.template_id}'"})
        assert {a["principalId"] for a in held} == set(role.member_ids)
        directory.pim = False
        status, body, _ = await caller.get(f"/v1.0{pim}", {"$filter": f"groupId eq '{group.group_id}'"})
        assert (status, error(body)[0]) == (400, "AadPremiumLicenseRequired")


async def test_what_is_not_there_is_not_found() -> None:
    missing = "99999999-9999-4999-8999-999999999999"
    async with served() as (caller, _):
        for path in (f"/groups/{missing}", f"/groups/{missing}/transitiveMembers"):
            status, body, _ = await caller.get(f"/v1.0{path}")
            assert (status, error(body)[0]) == (404, "Request_ResourceNotFound")
        status, _, _ = await caller.get("/v1.0/tenantRelationships/delegatedAdminRelationships/none/accessAssignments")
        assert status == 404


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/tenantRelationships/delegatedAdminCustomers", {"$top": "301"}),
        ("/tenantRelationships/delegatedAdminCustomers", {"$expand": "x"}),
        ("/groups", {"$filter": "startswith(displayName,'A')"}),
        ("/groups", {"$top": "1000"}),
        ("/roleManagement/directory/roleAssignments", {"$filter": "roleDefinitionId ne 'x'"}),
        ("/reports/authenticationMethods/userRegistrationDetails", {"$top": "none"}),
        ("/groups", {"$skiptoken": "nonsense"}),
    ],
)
async def test_what_graph_does_not_take_is_refused(path: str, options: dict[str, str]) -> None:
    async with served() as (caller, _):
        status, body, _ = await caller.get(f"/v1.0{path}", options)
        assert (status, error(body)[0]) == (400, "BadRequest")


async def test_a_skip_token_is_good_for_its_own_question() -> None:
    async with served(page_size=5) as (caller, _):
        _, body, _ = await caller.get("/v1.0/tenantRelationships/delegatedAdminCustomers")
        link = str(body["@odata.nextLink"])
        token = link.partition("$skiptoken=")[2]
        other = "/v1.0/tenantRelationships/delegatedAdminRelationships"
        assert (await caller.get(f"{other}?$skiptoken={token}"))[0] == 400
        assert (await caller.get(link))[0] == 200


async def test_only_reports_are_throttled_as_reports() -> None:
    async with served() as (caller, _):
        await caller.control(throttling={"requests": 1, "seconds": 10})
        report = "/v1.0/reports/authenticationMethods/userRegistrationDetails"
        assert [(await caller.get(report))[0] for _ in range(2)] == [200, 429]
        assert [(await caller.get("/v1.0/groups"))[0] for _ in range(5)] == [200] * 5


async def test_accounts_that_are_disabled_are_not_in_the_report() -> None:
    person = PEOPLE.technicians[0].user_id
    async with served() as (caller, directory):
        directory.disabled.add(person)
        report = await every(caller, "/reports/authenticationMethods/userRegistrationDetails")
        assert person not in {r["id"] for r in report}
        directory.security_defaults = True
        _, body, _ = await caller.get("/v1.0/policies/identitySecurityDefaultsEnforcementPolicy?$select=isEnabled")
        assert body["isEnabled"] is True
