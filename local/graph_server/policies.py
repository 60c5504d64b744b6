"""The local Graph's policies: Conditional Access, named locations, strengths, domains, as Graph v1.0 documents them.

`licensed` False is a tenant without P1: Conditional Access is refused there, as Graph does it. Which application
permissions are granted decides `refused` (by path), so that every part can be taken away alone.
"""

from __future__ import annotations

from aiohttp import web

from local.sample import JsonObject

from .errors import GraphError
from .server import Call, LocalGraph


class PartnerPolicies:
    """Serves policies on `graph`. Everything may be changed between two requests."""

    def __init__(self, graph: LocalGraph) -> None:
        self.conditional_access: list[JsonObject] = []
        self.named_locations: list[JsonObject] = []
        self.strengths: list[JsonObject] = []
        self.cross_tenant: JsonObject = {"isServiceDefault": True, "inboundTrust": {"isMfaAccepted": False}}
        self.domains: list[JsonObject] = []
        self.federation: dict[str, list[JsonObject]] = {}
        self.licensed = True
        self.refused: set[str] = set()
        """The beginnings of paths that the app has no permission for."""
        graph.get("/identity/conditionalAccess/policies", self._conditional_access)
        graph.get("/identity/conditionalAccess/namedLocations", self._named_locations)
        graph.get("/policies/authenticationStrengthPolicies", self._strengths)
        graph.get("/policies/crossTenantAccessPolicy/default", self._cross_tenant)
        graph.get("/domains", self._domains)
        graph.get("/domains/{id}/federationConfiguration", self._federation)

    def serve_domains(self, *, managed: str, federated: str) -> None:
        """Have a managed domain and a federated one whose provider's MFA is accepted."""
        self.domains = [
            {"id": managed, "authenticationType": "Managed", "isDefault": True, "isVerified": True},
            {"id": federated, "authenticationType": "Federated", "isDefault": False, "isVerified": True},
        ]
        self.federation = {federated: [{"id": "1", "federatedIdpMfaBehavior": "acceptIfMfaDoneByFederatedIdp"}]}

    async def _conditional_access(self, call: Call) -> web.StreamResponse:
        return self._list(call, self.conditional_access, needs_licence=True)

    async def _named_locations(self, call: Call) -> web.StreamResponse:
        return self._list(call, self.named_locations, needs_licence=True)

    async def _strengths(self, call: Call) -> web.StreamResponse:
        return self._list(call, self.strengths)

    async def _cross_tenant(self, call: Call) -> web.StreamResponse:
        self._check(call)
        return web.json_response(self.cross_tenant)

    async def _domains(self, call: Call) -> web.StreamResponse:
        return self._list(call, self.domains)

    async def _federation(self, call: Call) -> web.StreamResponse:
        domain = call.request.match_info["id"]
        if all(known.get("id") != domain for known in self.domains):
            raise GraphError(404, "Request_ResourceNotFound", "Resource does not exist.")
        return self._list(call, self.federation.get(domain, []))

    def _list(self, call: Call, found: list[JsonObject], *, needs_licence: bool = False) -> web.Response:
        self._check(call)
        if needs_licence and not self.licensed:
            message = "Your tenant does not have a premium license to use this feature."
            raise GraphError(403, "AccessDenied", message)
        return web.json_response({"@odata.context": f"{call.base_url}/$metadata", "value": found})

    def _check(self, call: Call) -> None:
        path = call.request.path.partition("/v1.0/")[2] or call.request.path.partition("/beta/")[2]
        if any(path.startswith(refused) for refused in self.refused):
            message = "You cannot perform the requested operation, required scopes are missing in the token."
            raise GraphError(403, "AccessDenied", message)
