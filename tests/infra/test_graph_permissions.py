"""The Graph permissions that the template gives are those that the code has a use for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.graph.directory import Ask, PageKind, first_url
from shared.graph.permissions import PARTS, part_of
from tests.infra.deployment import DEFAULTS, EVERYTHING, KEYS, ROOT, deployed

OTHERS = {
    "domains": "Domain.Read.All",
    "users": "User.Read.All",
    "organization": "Organization.Read.All",
    "servicePrincipals": "Application.Read.All",
    "applications": "Application.Read.All",
    "directoryRoles": "RoleManagement.Read.Directory",
    "directoryObjects": "Directory.Read.All",
    "identity/": "Policy.Read.All",
}
"""Parts of Graph that the code declares nothing about: the least permission, were it to ask them all the same."""

FEDERATION = "domains/{id}/federationConfiguration"
PERMISSION_OF_FEDERATION = "Domain-InternalFederation.Read.All"

OPTIONAL = {"Domain-InternalFederation.Read.All", "Domain.Read.All"}
"""Given unless READ_FEDERATION is false."""

DECLARATION = ROOT / "shared" / "graph" / "permissions.py"


def called() -> dict[str, set[str]]:
    """Permission → the files that need it, from the texts in the code that look like paths of Graph."""
    declared = {part.path: part.permission for part in PARTS} | OTHERS
    del declared[FEDERATION]
    found: dict[str, set[str]] = {}
    files = {*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")} - {DECLARATION}
    files -= {*(ROOT / "shared" / "page").rglob("*.py")}  # its addresses are its own: "applications" is a page there
    for file in sorted(files):
        for text in texts_of(file):
            if text.endswith("/federationConfiguration"):
                found.setdefault(PERMISSION_OF_FEDERATION, set()).add(file.name)
                continue
            path = re.sub(r"^(\{\}|https://[^/]+)?/?((beta|v1\.0)/)?", "", text)
            for beginning, permission in declared.items():
                if path.startswith(beginning) and _ends_well(path, beginning) and (path != text or "/" in path):
                    found.setdefault(permission, set()).add(file.name)
    return found


def _ends_well(path: str, beginning: str) -> bool:
    """Whether the beginning ends where a part of the path ends."""
    return beginning.endswith("/") or path[len(beginning) : len(beginning) + 1] in ("", "/", "?")


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
    assert given(EVERYTHING) - called().keys() == set()


def test_what_the_code_declares_is_what_it_calls() -> None:
    assert {part.permission for part in PARTS} == called().keys()


@pytest.mark.parametrize("kind", PageKind)
def test_every_question_has_a_declared_permission(kind: PageKind) -> None:
    url = urlsplit(first_url("https://graph.example", Ask(kind, "0f" * 16)))
    part = part_of(url.path)
    assert part is not None
    assert part.permission in given(DEFAULTS)


def test_nothing_is_called_that_is_not_given() -> None:
    missing = {permission: files for permission, files in called().items() if permission not in given(EVERYTHING)}
    assert missing == {}


def test_every_permission_reads_and_none_writes() -> None:
    assert [p for p in given(EVERYTHING) if ".Read." not in p or "Write" in p] == []


def test_optional_permissions_can_be_left_out() -> None:
    assert given(DEFAULTS) - given((("READ_FEDERATION", "false"),)) == OPTIONAL


def test_the_deployment_gives_exactly_the_list_that_the_script_gets() -> None:
    deployment = deployed(EVERYTHING)
    grants = [g for g in deployment.all("Microsoft.Graph/appRoleAssignedTo") if g.file == "graph-permissions.bicep"]
    assert len(grants) == len(given(EVERYTHING))
    for grant in grants:
        assert "properties.principalId" in str(grant.body["principalId"])


def test_a_deployment_without_the_right_to_give_them_gives_none() -> None:
    assert deployed(KEYS).all("Microsoft.Graph/appRoleAssignedTo") == []
    assert given(KEYS) == given(DEFAULTS) - OPTIONAL
