"""The Graph permissions that the template gives are those that the code has a use for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.infra.deployment import DEFAULTS, EVERYTHING, KEYS, ROOT, deployed

PERMISSION_OF = {
    r"auditLogs/signIns": "AuditLog.Read.All",
    r"reports/authenticationMethods/": "AuditLog.Read.All",
    r"tenantRelationships/": "DelegatedAdminRelationship.Read.All",
    r"groups(/|$|\?)": "GroupMember.Read.All",
    r"directoryRoles|roleManagement/directory/": "RoleManagement.Read.Directory",
    r"policies/": "Policy.Read.All",
    r"identityGovernance/privilegedAccess/group/": "PrivilegedEligibilitySchedule.Read.AzureADGroup",
    r"security/partner/": "PartnerSecurity.Read.All",
    r"domains(/|$|\?)": "Domain.Read.All",
    r"users(/|$|\?)": "User.Read.All",
    r"organization(/|$|\?)": "Organization.Read.All",
    r"servicePrincipals|applications": "Application.Read.All",
}
"""The least application permission for each part of Graph that such a program may ask (Microsoft's reference)."""

OPTIONAL = {"PartnerSecurity.Read.All"}
"""Given only where a parameter asks for it."""

NOT_CALLED_YET = {
    "DelegatedAdminRelationship.Read.All",
    "GroupMember.Read.All",
    "PartnerSecurity.Read.All",
    "Policy.Read.All",
    "PrivilegedEligibilitySchedule.Read.AzureADGroup",
    "RoleManagement.Read.Directory",
}
"""Permissions of parts that are still to be written. Whoever writes one takes it out here."""


def called() -> dict[str, set[str]]:
    """Permission → the files that need it, from the texts in the code that look like paths of Graph."""
    found: dict[str, set[str]] = {}
    for file in sorted([*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]):
        for text in texts_of(file):
            path = re.sub(r"^(\{\}|https://[^/]+)?/?((beta|v1\.0)/)?", "", text)
            for pattern, permission in PERMISSION_OF.items():
                if re.match(pattern, path) and (path != text or "/" in path):
                    found.setdefault(permission, set()).add(file.name)
    return found


def texts_of(file: Path) -> Iterator[str]:
    """Every text in a file that is not documentation; what an f-string fills in is `{}`."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    ignored = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            ignored |= {id(part) for part in node.values}
            yield "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in ignored:
            yield node.value


def given(environment: tuple[tuple[str, str], ...]) -> set[str]:
    return set(str(deployed(environment).outputs["GRAPH_PERMISSIONS"]).split())


def test_nothing_is_given_that_the_code_does_not_call() -> None:
    assert given(EVERYTHING) - called().keys() == NOT_CALLED_YET


def test_nothing_is_called_that_is_not_given() -> None:
    missing = {permission: files for permission, files in called().items() if permission not in given(EVERYTHING)}
    assert missing == {}


def test_every_permission_reads_and_none_writes() -> None:
    assert [p for p in given(EVERYTHING) if ".Read." not in p or "Write" in p] == []


def test_optional_permissions_are_given_only_when_asked() -> None:
    assert given(EVERYTHING) - given(DEFAULTS) == OPTIONAL


def test_the_deployment_gives_exactly_the_list_that_the_script_gets() -> None:
    deployment = deployed(EVERYTHING)
    grants = [g for g in deployment.all("Microsoft.Graph/appRoleAssignedTo") if g.file == "graph-permissions.bicep"]
    assert len(grants) == len(given(EVERYTHING))
    for grant in grants:
        assert "properties.principalId" in str(grant.body["principalId"])


def test_a_deployment_without_the_right_to_give_them_gives_none() -> None:
    assert deployed(KEYS).all("Microsoft.Graph/appRoleAssignedTo") == []
    assert given(KEYS) == given(DEFAULTS)
