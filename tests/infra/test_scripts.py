"""The scripts that azd runs, against stand-ins for `az` and `azd` that keep what they are told."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.deployment import DEFAULTS, INFRA, ROOT, deployed

PRINCIPAL = "88888888-8888-8888-8888-888888888888"
AZ = '''#!{python}
"""Answers as `az` does for what the scripts ask; remembers what it was told in az.json beside it."""
import json, re, sys
from pathlib import Path
sys.path[:0] = ["{root}"]
from tests.infra.azure_cli import wrong_with
if why := wrong_with("az", sys.argv[1:]):
    sys.exit(why)
state_file = Path(__file__).with_name("az.json")
state = json.loads(state_file.read_text())
args = sys.argv[1:]
option = {{a: b for a, b in zip(args, args[1:]) if a.startswith("--")}}
graph = {{"id": "graph", "appRoles": [
    {{"id": "role-" + name, "value": name, "allowedMemberTypes": ["Application"]}} for name in state["known"]]}}
state["calls"].append(args)
state_file.write_text(json.dumps(state))
if state["fail"] in args:
    sys.exit("ERROR: refused")
elif args[:2] == ["cloud", "show"]:
    print("https://graph.microsoft.com/")
elif args[:3] == ["ad", "sp", "show"]:
    assert option["--id"] == "00000003-0000-0000-c000-000000000000"
    wanted = re.search(r"value=='([^']+)'", option.get("--query", ""))
    if option["--output"] == "json":
        print(json.dumps(graph))
    else:
        print(graph["id"] if wanted is None else "role-" + wanted[1] if wanted[1] in state["known"] else "")
elif args[0] == "rest":
    assert option["--url"] == "https://graph.microsoft.com/v1.0/servicePrincipals/{principal}/appRoleAssignments"
    if option["--method"] == "GET":
        found = [{{"appRoleId": role, "resourceId": "graph"}} for role in state["given"]]
        print(json.dumps({{"value": found}}) if option["--output"] == "json" else "\\n".join(state["given"]))
    else:
        body = option["--body"]
        told = json.loads(Path(body[1:]).read_text() if body.startswith("@") else body)
        assert (told["principalId"], told["resourceId"]) == ("{principal}", "graph")
        state["given"].append(told["appRoleId"])
        state_file.write_text(json.dumps(state))
elif args[:2] == ["keyvault", "list-deleted"]:
    if option["--output"] == "json":
        tags = {{"azd-env-name": "prod", "application": "partner-mfa-monitor"}}
        vault = {{"name": "kv-old", "properties": {{"location": "westeurope", "tags": tags}}}}
        print(json.dumps([vault] if state["vault"] else []))
    else:
        print("kv-old" if state["vault"] else "")
else:
    sys.exit("unknown: " + " ".join(args))
'''
AZD = """#!/bin/sh
printf '%s\\n' "$*" >> "$(dirname "$0")/azd.log"
"""
SHELLS = [
    pytest.param("sh", id="sh"),
    pytest.param(
        "pwsh",
        id="pwsh",
        marks=pytest.mark.skipif(shutil.which("pwsh") is None, reason="PowerShell (pwsh) is not installed here"),
    ),
]


@dataclass(frozen=True)
class Machine:
    """A machine on which somebody runs the scripts."""

    folder: Path
    shell: str

    def prepare(self, **state: object) -> None:
        """Puts the stand-ins in place; `state` is what `az` starts from."""
        az = self.folder / "az"
        az.write_text(AZ.format(python=sys.executable, principal=PRINCIPAL, root=ROOT), encoding="utf-8")
        (self.folder / "azd").write_text(AZD, encoding="utf-8")
        for program in (az, self.folder / "azd"):
            program.chmod(0o755)
        known = str(deployed(DEFAULTS).outputs["GRAPH_PERMISSIONS"]).split()
        self.write({"known": known, "given": [], "calls": [], "fail": "", "vault": False, **state})

    def write(self, state: dict[str, object]) -> None:
        (self.folder / "az.json").write_text(json.dumps(state), encoding="utf-8")

    def state(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = json.loads((self.folder / "az.json").read_text(encoding="utf-8"))
        return found

    def run(self, script: str, *arguments: str, path: str | None = None, **environment: str) -> tuple[int, str]:
        """Status and output of a script of infra/scripts/."""
        program = shutil.which(self.shell)
        assert program is not None
        file = INFRA / "scripts" / f"{script}.{'ps1' if self.shell == 'pwsh' else 'sh'}"
        done = subprocess.run(  # noqa: S603
            [program, str(file), *arguments],
            env={"PATH": path or f"{self.folder}:{os.environ['PATH']}", "HOME": str(self.folder), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        return done.returncode, done.stdout


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    """A machine with `az` and `azd`, for each shell."""
    made = Machine(tmp_path, request.param)
    made.prepare()
    return made


def posts(machine: Machine) -> int:
    return sum("POST" in call for call in machine.state()["calls"])


def test_missing_permissions_are_given_and_a_second_run_changes_nothing(machine: Machine) -> None:
    machine.prepare(given=["role-GroupMember.Read.All"])
    permissions = str(deployed(DEFAULTS).outputs["GRAPH_PERMISSIONS"]).split()
    status, output = machine.run("grant-graph-permissions", PRINCIPAL, *permissions)
    assert status == 0, output
    assert "GroupMember.Read.All: there already" in output
    assert "AuditLog.Read.All: giving it" in output
    assert sorted(machine.state()["given"]) == sorted(f"role-{p}" for p in permissions)
    made = posts(machine)
    assert made == len(permissions) - 1
    status, output = machine.run("grant-graph-permissions", PRINCIPAL, *permissions)
    assert status == 0, output
    assert "giving it" not in output
    assert posts(machine) == made


def test_as_a_hook_it_takes_the_list_from_azd(machine: Machine) -> None:
    status, output = machine.run(
        "grant-graph-permissions",
        GRANT_GRAPH_PERMISSIONS="false",
        AZURE_IDENTITY_PRINCIPAL_ID=PRINCIPAL,
        GRAPH_PERMISSIONS="AuditLog.Read.All Policy.Read.All",
    )
    assert status == 0, output
    assert machine.state()["given"] == ["role-AuditLog.Read.All", "role-Policy.Read.All"]


def test_as_a_hook_it_leaves_alone_what_the_deployment_has_given(machine: Machine) -> None:
    status, output = machine.run("grant-graph-permissions", GRAPH_PERMISSIONS="AuditLog.Read.All")
    assert (status, machine.state()["calls"]) == (0, []), output


def test_as_a_hook_before_the_first_deployment_it_says_what_is_missing(machine: Machine) -> None:
    status, output = machine.run("grant-graph-permissions", GRANT_GRAPH_PERMISSIONS="false")
    assert status != 0
    assert "azd provision" in output


@pytest.mark.parametrize("step", ["cloud", "ad", "GET", "POST"])
def test_who_may_not_gets_the_command_for_somebody_who_may(machine: Machine, step: str) -> None:
    machine.prepare(fail=step)
    permissions = ["AuditLog.Read.All", "Policy.Read.All"]
    status, output = machine.run("grant-graph-permissions", PRINCIPAL, *permissions)
    assert status == 1
    assert re.search(rf"az login.*grant-graph-permissions\S* {PRINCIPAL} {' '.join(permissions)}", output), output
    assert machine.state()["given"] == []


def test_a_permission_that_graph_does_not_have_is_an_error(machine: Machine) -> None:
    status, output = machine.run("grant-graph-permissions", PRINCIPAL, "AuditLog.Reed.All")
    assert status == 1
    assert "AuditLog.Reed.All: Microsoft Graph has no such application permission" in output
    assert posts(machine) == 0


def test_a_principal_without_permissions_is_misuse(machine: Machine) -> None:
    status, output = machine.run("grant-graph-permissions", PRINCIPAL)
    assert (status, "usage:" in output) == (2, True)


PROD = {
    "AZURE_SUBSCRIPTION_ID": "99999999-9999-9999-9999-999999999999",
    "AZURE_ENV_NAME": "prod",
    "AZURE_LOCATION": "westeurope",
}


@pytest.mark.parametrize(("deleted", "answer"), [(True, "true"), (False, "false")])
def test_the_vault_that_azd_down_left_is_found(machine: Machine, deleted: bool, answer: str) -> None:
    machine.prepare(vault=deleted)
    status, output = machine.run("find-deleted-vault", **PROD)
    assert status == 0, output
    assert (machine.folder / "azd.log").read_text(encoding="utf-8") == f"env set RECOVER_VAULT {answer}\n"
    (call,) = machine.state()["calls"]
    assert PROD["AZURE_SUBSCRIPTION_ID"] in call
    if machine.shell == "sh":  # the other one picks the vault out itself
        assert "'prod'" in " ".join(call)
        assert "'westeurope'" in " ".join(call)


def test_a_vault_cannot_be_looked_for_before_there_is_a_subscription(machine: Machine) -> None:
    status, output = machine.run("find-deleted-vault", AZURE_ENV_NAME="prod")
    assert (status, machine.state()["calls"]) == (0, []), output
    assert "RECOVER_VAULT" in output


def test_a_vault_that_cannot_be_looked_for_does_not_stop_the_deployment(machine: Machine) -> None:
    machine.prepare(fail="keyvault")
    status, output = machine.run("find-deleted-vault", **PROD)
    assert status == 0
    assert "azd env set RECOVER_VAULT true" in output
    assert not (machine.folder / "azd.log").exists()


def test_a_vault_that_is_there_is_not_to_be_brought_back(machine: Machine) -> None:
    machine.prepare(fail="keyvault")
    status, output = machine.run("find-deleted-vault", **PROD, AZURE_KEY_VAULT_NAME="kv-here", RECOVER_VAULT="true")
    assert status == 0, output
    assert (machine.folder / "azd.log").read_text(encoding="utf-8") == "env set RECOVER_VAULT false\n"


def test_every_hook_of_azd_is_there_for_both_systems() -> None:
    text = (ROOT / "azure.yaml").read_text(encoding="utf-8")
    scripts = re.findall(r"^ +run: \./(\S+)$", text, re.M)
    assert {Path(s).suffix for s in scripts} == {".sh", ".ps1"}
    for script in scripts:
        assert os.access(ROOT / script, os.X_OK), script
    assert sorted(p.name for p in (INFRA / "scripts").iterdir()) == sorted(Path(s).name for s in scripts)
    stems = [Path(s).stem for s in scripts]
    assert stems[::2] == stems[1::2], "for each the pair"


def test_the_scripts_of_both_systems_say_the_same_to_azure() -> None:
    """PowerShell is not everywhere where tests run: what one asks for, the other must ask for too."""
    asked = r"az (?:[a-z-]+ )+|azd env set \w+|https://graph[^'\" )]+[^'\" )/]|properties\.enabled=true|createdOn"
    for script in sorted((INFRA / "scripts").glob("*.sh")):
        texts = (file.read_text(encoding="utf-8") for file in (script, script.with_suffix(".ps1")))
        one, other = ({a.strip() for a in re.findall(asked, text) if "login" not in a} for text in texts)
        assert one == other, script.name
