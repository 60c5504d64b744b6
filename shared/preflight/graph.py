"""Whether Graph lets the app read each part it needs, and whether the licences are there: one small read a part."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from shared.app.app import App
from shared.basics.well_known import GLOBAL_ADMINISTRATOR
from shared.graph.permissions import PARTS, Part
from shared.graph.problems import BadAnswer, GraphProblem, NotFound, NoToken, Refused, Unlicensed
from shared.preflight.identity import NO_TOKEN, SEE_IDENTITY
from shared.preflight.model import Check, CheckKind, CheckState

_NOBODY: Final = "00000000-0000-0000-0000-000000000000"
_GRANT: Final = (
    'infra/scripts/grant-graph-permissions.sh "$(azd env get-value AZURE_IDENTITY_PRINCIPAL_ID)" {permission}'
)
_SIGN_INS: Final = "auditLogs/signIns"
_PIM: Final = "identityGovernance/privilegedAccess/group/"
_FEDERATION: Final = "domains/{id}/federationConfiguration"
# The smallest read of each part.
_PROBES: Final = {
    _SIGN_INS: "beta/auditLogs/signIns?$top=1",
    "reports/authenticationMethods/": "v1.0/reports/authenticationMethods/userRegistrationDetails?$top=1",
    "tenantRelationships/": "v1.0/tenantRelationships/delegatedAdminCustomers?$top=1",
    "groups": "v1.0/groups?$select=id&$top=1",
    "roleManagement/directory/": "v1.0/roleManagement/directory/roleAssignments?$filter="
    + quote(f"roleDefinitionId eq '{GLOBAL_ADMINISTRATOR}'"),
    _PIM: f"v1.0/{_PIM}eligibilityScheduleInstances?$filter=" + quote(f"groupId eq '{_NOBODY}'"),
    "policies/": "v1.0/policies/identitySecurityDefaultsEnforcementPolicy?$select=isEnabled",
    "identity/conditionalAccess/": "v1.0/identity/conditionalAccess/policies?$select=id&$top=1",
    "domains": "v1.0/domains?$select=id",
    _FEDERATION: "v1.0/domains/nobody.invalid/federationConfiguration",
}
# What is asked for in vain on purpose: that it was looked for shows that the app may read.
_NOT_THERE: Final = (_PIM, _FEDERATION)
# Only with READ_FEDERATION: else the deployment gives no permission for them, and nobody reads them.
_OPTIONAL: Final = ("domains", _FEDERATION)
# A budget of its own: whoever asks for a preflight never has the scan wait (tests/preflight/test_preflight.py). A look
# asks about a dozen parts once each, of the sign-in log a single page; its last answer is served while it is fresh, so
# this is a bound for what nobody foresaw and no pace that anybody should feel.
_REQUESTS_PER_10_SECONDS: Final = 60
_LICENCES: Final = {
    _SIGN_INS: ("Microsoft Entra ID P1 or P2 (sign-in log)", "The sign-in log needs it: assign one."),
    _PIM: (
        "Microsoft Entra ID P2 or Governance (PIM)",
        "Only where people are eligible for roles: without it nobody can be, and nothing is missed.",
    ),
}


async def check_graph(app: App, *, ask: bool) -> list[Check]:
    """A check a permission and licence; of the sign-in log for each tenant that is watched. Without `ask` nobody is
    asked, because there is no token to ask with."""
    partner = app.settings.partner_tenant_id
    parts = [part for part in PARTS if app.settings.read_federation or part.path not in _OPTIONAL]
    asked = [(part, t) for part in parts for t in (app.settings.tenants if part.path == _SIGN_INS else (partner,))]
    problems: list[GraphProblem | None] = [NoToken(NO_TOKEN)] * len(asked)
    if ask:
        problems = await asyncio.gather(*(_problem(app, part, tenant) for part, tenant in asked))
    found = [*zip(asked, problems, strict=True)]
    watched = app.settings.tenants
    checks = [_permission(part, tenant, watched, problem) for (part, tenant), problem in found]
    licensed = [each for each in found if each[0][0].path in _LICENCES]
    return checks + [_licence(part, tenant, watched, problem) for (part, tenant), problem in licensed]


async def _problem(app: App, part: Part, tenant: str) -> GraphProblem | None:
    graph = app.graph(tenant, _REQUESTS_PER_10_SECONDS, use="preflight")
    try:
        await graph.get(f"{graph.base_url}/{_PROBES[part.path]}")
    except GraphProblem as problem:
        return problem
    return None


def _of(name: str, part: Part, tenant: str, tenants: Sequence[str]) -> str:
    """What a check is called: with its tenant where another's log is watched too, so that each has a name of its
    own."""
    return f"{name} ({tenant})" if part.path == _SIGN_INS and len(tenants) > 1 else name


def _permission(part: Part, tenant: str, tenants: Sequence[str], problem: GraphProblem | None) -> Check:
    name = _of(f"{part.permission}: {part.name}", part, tenant, tenants)
    command = _GRANT.format(permission=part.permission)
    if problem is None or (isinstance(problem, NotFound) and part.path in _NOT_THERE):
        return Check(kind=CheckKind.PERMISSION, name=name, state=CheckState.OK, detail="Graph answers.")
    if isinstance(problem, Unlicensed):
        why = "A licence is missing, so Graph does not say whether the permission is there."
        return Check(
            kind=CheckKind.PERMISSION, name=name, state=CheckState.UNKNOWN, detail=why, to_do="See the licence."
        )
    if isinstance(problem, NoToken):
        return Check(
            kind=CheckKind.PERMISSION, name=name, state=CheckState.UNKNOWN, detail=str(problem), to_do=SEE_IDENTITY
        )
    if isinstance(problem, Refused):
        todo = f"Grant the app's identity {part.permission} with admin consent."
        return Check(
            kind=CheckKind.PERMISSION,
            name=name,
            state=CheckState.MISSING,
            detail=str(problem),
            to_do=todo,
            command=command,
        )
    todo = "Report it: the query is not understood." if isinstance(problem, BadAnswer) else "Try again in a minute."
    return Check(kind=CheckKind.PERMISSION, name=name, state=CheckState.UNKNOWN, detail=str(problem), to_do=todo)


def _licence(part: Part, tenant: str, tenants: Sequence[str], problem: GraphProblem | None) -> Check:
    name, todo = _LICENCES[part.path]
    name = _of(name, part, tenant, tenants)
    if isinstance(problem, Unlicensed):
        return Check(kind=CheckKind.LICENCE, name=name, state=CheckState.MISSING, detail=str(problem), to_do=todo)
    if problem is None or (isinstance(problem, NotFound) and part.path == _PIM):
        return Check(kind=CheckKind.LICENCE, name=name, state=CheckState.OK, detail="Graph answers.")
    why = "Graph did not answer, so nobody can say."
    return Check(kind=CheckKind.LICENCE, name=name, state=CheckState.UNKNOWN, detail=why, to_do="See the permission.")
