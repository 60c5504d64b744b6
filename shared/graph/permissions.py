"""Which application permission each part of Graph takes, and what people call that part.

The least permission for a read, of Microsoft's reference. A refusal names it, and a test compares the list with what
the deployment gives (infra/main.bicep).
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Part(NamedTuple):
    """A part of Graph: how its paths begin (below the API version), the permission, and its name in a sentence."""

    path: str
    permission: str
    name: str


PARTS: Final = (
    Part("auditLogs/signIns", "AuditLog.Read.All", "the sign-in log"),
    Part("reports/authenticationMethods/", "AuditLog.Read.All", "who has registered for MFA"),
    Part("tenantRelationships/", "DelegatedAdminRelationship.Read.All", "the customers and their GDAP relationships"),
    Part("groups", "GroupMember.Read.All", "the groups and who is in them"),
    Part("roleManagement/directory/", "RoleManagement.Read.Directory", "who holds a directory role"),
    Part(
        "identityGovernance/privilegedAccess/group/",
        "PrivilegedEligibilitySchedule.Read.AzureADGroup",
        "the eligible (PIM) members of groups",
    ),
    Part("policies/", "Policy.Read.All", "whether security defaults are on, and the policies of access"),
    Part("identity/conditionalAccess/", "Policy.Read.All", "the Conditional Access policies"),
    Part("domains", "Domain.Read.All", "the domains of the tenant"),
    Part("domains/{id}/federationConfiguration", "Domain-InternalFederation.Read.All", "how domains are federated"),
)
_FEDERATION: Final = PARTS[-1]


def part_of(path: str) -> Part | None:
    """The part that a URL's path (`/v1.0/groups/…`) belongs to; None for one that the app has no business with."""
    _, _, below = path.strip("/").partition("/")
    if below.startswith("domains/") and below.endswith("/federationConfiguration"):
        return _FEDERATION
    return next((part for part in PARTS if below.startswith(part.path)), None)
