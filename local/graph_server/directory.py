"""The local Graph's directory: customers, relationships, groups, roles, registrations, as Graph v1.0 documents them.

An app with GroupMember.Read.All and no permission to read users gets group members as type and id, every other property
null: so does everybody here. Who is in a group follows the server's clock (`Technician.valid_from`, `valid_to`).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from aiohttp import web

from local.sample import JsonObject, iso
from local.sample.model import Group, People, Registration

from .control import NextLinkFault, RepeatedPageFault, TruncatedFault
from .cutting import cut_off
from .directory_json import (
    ONE_OF,
    customer_json,
    is_of,
    object_json,
    options_of,
    registration_json,
    relationship_json,
    selected,
    top_of,
)
from .errors import GraphError, bad_request
from .policies import PartnerPolicies
from .server import Call, LocalGraph

_USER = "#microsoft.graph.user"
_GROUP = "#microsoft.graph.group"
_NAMED = re.compile(r"displayName (?:eq ('(?:[^']|'')*')|in \(((?:'(?:[^']|'')*')(?:,\s*'(?:[^']|'')*')*)\))")


class PartnerDirectory:
    """Serves `people` on `graph`, in both versions of the API. Everything may be changed between two requests.

    `pim` False is a tenant without the licence for PIM. `page_size` shrinks every page.
    """

    def __init__(self, graph: LocalGraph, people: People, *, page_size: int = 1000) -> None:
        self.people = people
        self.page_size = page_size
        self.pim = True
        self.security_defaults = False
        self.eligible_for_role: dict[str, tuple[str, ...]] = {}
        """Template id of a role → who may take it."""
        self.disabled: set[str] = set()
        """Accounts that the registration report leaves out."""
        self._key = secrets.token_bytes(32)
        partner = "/tenantRelationships"
        graph.get(f"{partner}/delegatedAdminCustomers", self._customers)
        graph.get(f"{partner}/delegatedAdminRelationships", self._relationships)
        graph.get(f"{partner}/delegatedAdminRelationships/{{id}}/accessAssignments", self._assignments)
        graph.get("/groups", self._groups)
        graph.get("/groups/{id}", self._group)
        graph.get("/groups/{id}/transitiveMembers", self._members)
        graph.get("/identityGovernance/privilegedAccess/group/eligibilityScheduleInstances", self._eligible)
        graph.get("/roleManagement/directory/roleAssignments", self._role_assignments)
        graph.get("/roleManagement/directory/roleEligibilityScheduleInstances", self._role_eligibility)
        graph.get("/reports/authenticationMethods/userRegistrationDetails", self._registrations)
        graph.get("/policies/identitySecurityDefaultsEnforcementPolicy", self._security_defaults)
        self.policies = PartnerPolicies(graph)
        self.policies.serve_domains(managed=people.managed_domain, federated=people.federated_domain)

    # --- customers and relationships ----------------------------------------------------------------------------------

    async def _customers(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$top", "$select", "$count", "$orderby")
        return await self._page(call, self.people.customers, top_of(options, 300, 300), customer_json)

    async def _relationships(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$top", "$select", "$count", "$orderby")
        return await self._page(call, self.people.relationships, top_of(options, 300, 300), relationship_json)

    async def _assignments(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$top", "$select", "$count", "$orderby")
        wanted = call.request.match_info["id"]
        relationship = next((r for r in self.people.relationships if r.relationship_id == wanted), None)
        if relationship is None:
            raise GraphError(404, "notFound", "The delegated admin relationship does not exist.")
        assignments: list[JsonObject] = [
            {
                "@odata.type": "#microsoft.graph.delegatedAdminAccessAssignment",
                "id": f"{relationship.relationship_id[:36]}-{place}",
                "status": "active" if relationship.status == "active" else "deleted",
                "createdDateTime": iso(relationship.activated),
                "accessContainer": {"accessContainerId": group, "accessContainerType": "securityGroup"},
                "accessDetails": {"unifiedRoles": [{"roleDefinitionId": role} for role in roles]},
            }
            for place, (group, roles) in enumerate(relationship.assignments)
        ]
        return await self._page(call, assignments, top_of(options, 300, 300))

    # --- groups -------------------------------------------------------------------------------------------------------

    async def _groups(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$filter", "$select", "$top")
        groups: Iterable[Group] = self.people.groups
        if "$filter" in options:
            match = _NAMED.fullmatch(options["$filter"])
            if match is None:
                raise bad_request("Invalid filter clause")
            names = {name[1:-1].replace("''", "'") for name in re.findall(r"'(?:[^']|'')*'", match.group())}
            groups = [group for group in groups if group.display_name in names]
        found = [selected(options, {"id": g.group_id, "displayName": g.display_name}) for g in groups]
        return await self._page(call, found, top_of(options, 100, 999))

    async def _group(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$select")
        group = self._known_group(call)
        body = selected(options, {"id": group.group_id, "displayName": group.display_name})
        return web.json_response({"@odata.context": f"{call.base_url}/$metadata#groups/$entity", **body})

    async def _members(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$select", "$top")
        users, groups = self._transitive(self._known_group(call), call.now)
        found = [object_json(options, _GROUP, group) for group in groups] + [
            object_json(options, _USER, u) for u in users
        ]
        return await self._page(call, found, top_of(options, 100, 999))

    async def _eligible(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$filter", "$expand", "$select")
        self._needs_pim()
        match = ONE_OF.fullmatch(options.get("$filter", ""))
        if match is None or match.group(1) not in ("groupId", "principalId"):
            raise GraphError(400, "MissingParameters", "The request needs a filter on groupId or principalId.")
        of_group = match.group(1) == "groupId"
        found = []
        for group in self.people.groups:
            if of_group and group.group_id != match.group(2).lower():
                continue
            for principal in self._there(group.eligible_member_ids, call.now):
                if of_group or principal == match.group(2).lower():
                    holder = self._holder(options, principal)
                    instance = f"{group.group_id}_member_{principal}"
                    found.append({"id": instance, "accessId": "member", "groupId": group.group_id, **holder})
        return await self._page(call, found, self.page_size)

    # --- roles --------------------------------------------------------------------------------------------------------

    async def _role_assignments(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$filter", "$expand", "$select")
        found = []
        for role in self.people.roles:
            for member in self._there(role.member_ids, call.now):
                if is_of(options, role.template_id, member):
                    row = {"roleDefinitionId": role.template_id, "directoryScopeId": "/"}
                    holder = self._holder(options, member, dated=False)
                    found.append({"id": f"{role.template_id}-{member}", **row, **holder})
        return await self._page(call, found, self.page_size)

    async def _role_eligibility(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$filter", "$expand", "$select")
        self._needs_pim()
        found = []
        for role, members in self.eligible_for_role.items():
            for member in members:
                if is_of(options, role, member):
                    row = {"roleDefinitionId": role, "directoryScopeId": "/", "memberType": "Direct"}
                    found.append({"id": f"{role}-{member}-e", **row, **self._holder(options, member)})
        return await self._page(call, found, self.page_size)

    # --- registrations and policy -------------------------------------------------------------------------------------

    async def _registrations(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$top", "$filter", "$select", "$orderby")
        names = {t.user_id: t.display_name for t in self.people.technicians}
        names |= {e.user_id: e.display_name for e in self.people.employees}
        known = [*self.people.registrations, *self._of_employees(call.now)]
        found = [registration for registration in known if registration.user_id not in self.disabled]
        top = top_of(options, 1000, 1000)
        return await self._page(call, found, top, lambda each: registration_json(each, names.get(each.user_id)))

    def _of_employees(self, now: datetime) -> Iterable[Registration]:
        """The office has registered, but for every fourth of them."""
        for place, person in enumerate(self.people.employees):
            registered = place % 4 != 3
            methods = ("mobilePhone",) if registered else ()
            yield Registration(
                person.user_id, person.user_principal_name, False, registered, registered, methods, "member", now
            )

    async def _security_defaults(self, call: Call) -> web.StreamResponse:
        options = options_of(call, "$select")
        body = {
            "id": "00000000-0000-0000-0000-000000000005",
            "displayName": "Security Defaults",
            "isEnabled": self.security_defaults,
        }
        context = f"{call.base_url}/$metadata#policies/identitySecurityDefaultsEnforcementPolicy/$entity"
        return web.json_response({"@odata.context": context, **selected(options, body)})

    # --- what they share ----------------------------------------------------------------------------------------------

    def _known_group(self, call: Call) -> Group:
        wanted = call.request.match_info["id"].lower()
        group = next((group for group in self.people.groups if group.group_id == wanted), None)
        if group is None:
            raise GraphError(404, "Request_ResourceNotFound", f"Resource '{wanted[:50]}' does not exist.")
        return group

    def _transitive(self, group: Group, now: datetime) -> tuple[list[str], list[str]]:
        """The users and the groups in a group, however deep. An id that is a group's stands for that group."""
        groups = {g.group_id: g for g in self.people.groups}
        users: dict[str, None] = {}
        nested: dict[str, None] = {}
        rest = [*group.member_ids]
        while rest:
            member = rest.pop(0)
            if member not in groups:
                users[member] = None
            elif member not in nested:
                nested[member] = None
                rest += groups[member].member_ids
        return self._there([*users], now), [*nested]

    def _there(self, ids: Sequence[str], now: datetime) -> list[str]:
        """Those of the ids whose technician is there at that time; others always are."""
        periods = {t.user_id: (t.valid_from, t.valid_to) for t in self.people.technicians if t.valid_from or t.valid_to}
        there = []
        for each in ids:
            begin, end = periods.get(each, (None, None))
            if (begin is None or begin <= now) and (end is None or now < end):
                there.append(each)
        return there

    def _holder(self, options: Mapping[str, str], principal: str, *, dated: bool = True) -> JsonObject:
        body: JsonObject = {"principalId": principal}
        if dated:
            body |= {"memberType": "Direct", "startDateTime": "2026-01-05T08:00:00Z", "endDateTime": None}
        if options.get("$expand") == "principal":
            kind = _GROUP if any(group.group_id == principal for group in self.people.groups) else _USER
            body["principal"] = {"@odata.type": kind, "id": principal, "displayName": None}
        return body

    def _needs_pim(self) -> None:
        if not self.pim:
            message = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
            raise GraphError(400, "AadPremiumLicenseRequired", message)

    async def _page[T](
        self, call: Call, found: Sequence[T], size: int, shape: Callable[[T], object] = lambda each: each
    ) -> web.StreamResponse:
        """One page of what was found, each put into its shape, and the link to the next."""
        size = min(size, self.page_size)
        first = self._place_of(call)
        head: JsonObject = {"@odata.context": f"{call.base_url}/$metadata#{call.request.path.rpartition('/')[2]}"}
        link = self._link(call, first + size) if first + size < len(found) else None
        match call.fault:
            case RepeatedPageFault():
                link = self._link(call, first)
            case NextLinkFault(url=url):
                link = url
        if link is not None:
            head["@odata.nextLink"] = link
        body = json.dumps({**head, "value": [shape(each) for each in found[first : first + size]]}).encode()
        headers = {"Content-Type": "application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8"}
        if isinstance(call.fault, TruncatedFault):
            return await cut_off(call.request, body, headers)
        return web.Response(body=body, headers=headers)

    def _link(self, call: Call, place: int) -> str:
        token = base64.urlsafe_b64encode(self._seal(call, place) + str(place).encode()).decode().rstrip("=")
        options = [(name, value) for name, value in call.request.query.items() if name != "$skiptoken"]
        text = "&".join(f"{quote(n, safe='$')}={quote(v, safe='')}" for n, v in (*options, ("$skiptoken", token)))
        return f"{call.request.url.origin()}{call.request.path}?{text}"

    def _place_of(self, call: Call) -> int:
        """Where the skip token says to go on. Raises GraphError (400) on one that this question did not give."""
        token = call.request.query.get("$skiptoken")
        if token is None:
            return 0
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            place = int(raw[16:])
        except ValueError:
            raise bad_request("Skip token is null.") from None
        if not hmac.compare_digest(raw[:16], self._seal(call, place)):
            raise bad_request("Skip token is null.")
        return place

    def _seal(self, call: Call, place: int) -> bytes:
        question = [(n, v) for n, v in call.request.query.items() if n != "$skiptoken"]
        text = json.dumps([call.request.path, question, call.tenant_id, place])
        return hmac.digest(self._key, text.encode(), hashlib.sha256)[:16]
