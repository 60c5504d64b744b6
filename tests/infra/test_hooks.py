"""The hooks around a deployment: what they refuse, wait for and switch on. `az` and `azd` are stand-ins that take only
what the real ones take."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.infra.azure_cli import calls_in, put_stand_in, refused_in
from tests.infra.deployment import INFRA
from tests.infra.test_scripts import SHELLS

GLOBAL = "62e90394-69f5-4237-9190-012177145e10"
PRIVILEGED = "e8611ab8-c189-46e8-94e1-60213ab1f814"
APPLICATIONS = "158c047a-c907-4556-b7ef-446551a6b5f7"
RULE = "/subscriptions/s/resourceGroups/rg-prod/providers/Microsoft.Insights/metricAlerts/alert-no-executions-x"
DEPLOYED = {
    "AZURE_SUBSCRIPTION_ID": "99999999-9999-9999-9999-999999999999",
    "AZURE_RESOURCE_GROUP": "rg-prod",
    "AZURE_FUNCTION_NAME": "func-x",
    "AZURE_FUNCTION_URL": "https://func-x.azurewebsites.net",
    "AZURE_TENANT_ID": "22222222-2222-2222-2222-222222222222",
    "AZURE_IDENTITY_PRINCIPAL_ID": "88888888-8888-8888-8888-888888888888",
    "NO_EXECUTIONS_RULE": RULE,
}
FITTING: dict[str, str | None] = {
    "az cloud show": "AzureCloud",
    "az ad signed-in-user show": "me",
    "az role assignment list": "Reader\nOwner",
    "az rest --method GET": f"{PRIVILEGED}\n{APPLICATIONS}",
    "az functionapp show": "/subscriptions/s/func-x",
}


@dataclass(frozen=True)
class Machine:
    """A machine with stand-ins for `az` and `azd`."""

    folder: Path
    shell: str

    def run(self, script: str, answers: dict[str, str | None] | None, **variables: str) -> tuple[int, str]:
        """Status and output of a hook; where there are no answers, there is no `az`."""
        for program in ("azd",) if answers is None else ("az", "azd"):
            put_stand_in(self.folder, program)
        (self.folder / "answers.json").write_text(json.dumps(answers or {}), encoding="utf-8")
        interpreter = shutil.which(self.shell)
        assert interpreter is not None
        suffix = "ps1" if self.shell == "pwsh" else "sh"
        done = subprocess.run(  # noqa: S603
            [interpreter, str(INFRA / "scripts" / f"{script}.{suffix}")],
            env={"PATH": f"{self.folder}:{os.environ['PATH']}", "HOME": str(self.folder), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        assert refused_in(self.folder) == ""
        return done.returncode, done.stdout

    def told(self, program: str) -> list[str]:
        """What a stand-in was told."""
        return [" ".join(call[1:]) for call in calls_in(self.folder) if call[0] == program]


@pytest.fixture(params=SHELLS)
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    return Machine(tmp_path, request.param)


# ---- Before anything is made


def test_who_may_deploy_may_go_on(machine: Machine) -> None:
    status, output = machine.run("check-deployment", FITTING, AZURE_SUBSCRIPTION_ID="s")
    assert status == 0, output
    assert "the rights suffice" in output
    assert machine.told("azd") == ["env set APP_DEPLOYED false"]


@pytest.mark.parametrize(
    ("answers", "variables", "says"),
    [
        ({"az role assignment list": "Contributor"}, {}, "Role Based Access Control Administrator"),
        ({"az role assignment list": "Reader\nUser Access Administrator"}, {}, "Owner, or Contributor"),
        ({"az rest --method GET": APPLICATIONS}, {}, "azd env set GRANT_GRAPH_PERMISSIONS false"),
        ({"az rest --method GET": PRIVILEGED}, {}, "azd env set AUTH_MODE key"),
        ({"az rest --method GET": ""}, {"GRANT_GRAPH_PERMISSIONS": "false"}, "azd env set AUTH_CLIENT_ID"),
        ({"az cloud show": "AzureUSGovernment"}, {}, "public cloud only"),
        ({}, {"GRAPH_BASE_URL": "https://graph.microsoft.us"}, "national cloud"),
        ({}, {"EXTRA_SETTINGS": '{"CHANNELS__SOC__URL": "https://hooks.example/s"}'}, "CHANNELS__SOC__URL"),
    ],
)
def test_what_would_fail_later_is_refused_at_once(
    machine: Machine, answers: dict[str, str | None], variables: dict[str, str], says: str
) -> None:
    status, output = machine.run("check-deployment", {**FITTING, **answers}, AZURE_SUBSCRIPTION_ID="s", **variables)
    assert status == 1, output
    assert says in output
    assert "hooks.example" not in output


@pytest.mark.parametrize(
    ("answers", "variables"),
    [
        ({"az role assignment list": "Contributor\nUser Access Administrator"}, {}),
        ({"az rest --method GET": GLOBAL}, {}),
        ({"az rest --method GET": ""}, {"GRANT_GRAPH_PERMISSIONS": "false", "AUTH_MODE": "key"}),
        ({"az rest --method GET": ""}, {"GRANT_GRAPH_PERMISSIONS": "false", "AUTH_CLIENT_ID": "c"}),
        ({"az rest --method GET": ""}, {"CHECK_RIGHTS": "false"}),
        ({"az cloud show": None}, {}),
        ({"az ad signed-in-user show": None}, {}),
        ({"az role assignment list": None}, {}),
        ({"az rest --method GET": None}, {}),
        ({}, {"EXTRA_SETTINGS": '{"CHANNELS__SOC__SECRET": "@Microsoft.KeyVault(VaultName=k;SecretName=s)"}'}),
        ({}, {"GRAPH_BASE_URL": "https://graph.microsoft.com"}),
    ],
)
def test_nobody_is_stopped_for_what_suffices_or_cannot_be_known(
    machine: Machine, answers: dict[str, str | None], variables: dict[str, str]
) -> None:
    status, output = machine.run("check-deployment", {**FITTING, **answers}, AZURE_SUBSCRIPTION_ID="s", **variables)
    assert status == 0, output


def test_without_the_azure_cli_it_says_that_it_did_not_look(tmp_path: Path) -> None:
    sh = Machine(tmp_path, "sh")
    if shutil.which("az"):
        pytest.skip("the real az is here")
    status, output = sh.run("check-deployment", None)
    assert (status, "rights are not looked at" in output) == (0, True)


def test_executions_are_counted_from_the_second_deployment_on(machine: Machine) -> None:
    machine.run("check-deployment", FITTING, **DEPLOYED)
    assert machine.told("azd") == ["env set APP_DEPLOYED true"]


def test_after_azd_down_they_are_not(machine: Machine) -> None:
    """azd takes the outputs out of the environment, APP_DEPLOYED it does not know."""
    machine.run("check-deployment", FITTING, AZURE_SUBSCRIPTION_ID="s", APP_DEPLOYED="true")
    assert machine.told("azd") == ["env set APP_DEPLOYED false"]


@pytest.mark.parametrize(("version", "status"), [("0.36.1", 0), ("1.0.0", 0), ("0.35.9", 1), ("0.9.1", 1)])
def test_an_old_bicep_is_refused(tmp_path: Path, version: str, status: int) -> None:
    bicep = tmp_path / "bicep"
    bicep.write_text(f"#!/bin/sh\necho 'Bicep CLI version {version} (a1b2)'\n", encoding="utf-8")
    bicep.chmod(0o755)
    assert Machine(tmp_path, "sh").run("check-deployment", FITTING, AZD_BICEP_TOOL_PATH=str(bicep))[0] == status


# ---- Before the code


@pytest.mark.parametrize(("young", "waits"), [("3", True), ("0", False)])
def test_the_first_deployment_waits_for_its_roles(machine: Machine, young: str, waits: bool) -> None:
    answers: dict[str, str | None] = {"az role assignment list": young}
    status, output = machine.run("wait-for-roles", answers, **DEPLOYED, ROLE_WAIT_SECONDS="0")
    assert status == 0
    assert ("waiting 0 seconds" in output) is waits
    (call,) = machine.told("az")
    assert "[?createdOn >= '20" in call


def test_it_waits_where_it_cannot_know(machine: Machine) -> None:
    status, output = machine.run("wait-for-roles", {"az role": None}, **DEPLOYED, ROLE_WAIT_SECONDS="0")
    assert (status, "waiting" in output) == (0, True)


# ---- After the code


def test_executions_are_counted_once_there_are_some(machine: Machine) -> None:
    answers = {**FITTING, "az monitor metrics list": "4"}
    status, output = machine.run("start-watching", answers, **DEPLOYED)
    assert status == 0, output
    assert machine.told("azd") == ["env set APP_DEPLOYED true"]
    assert machine.told("az")[-1] == f"resource update --ids {RULE} --set properties.enabled=true --output none"


def test_without_an_execution_the_rule_stays_off_and_says_so(machine: Machine) -> None:
    answers = {**FITTING, "az monitor metrics list": "0"}
    status, output = machine.run("start-watching", answers, **DEPLOYED, WATCH_TRIES="2", WATCH_PAUSE_SECONDS="0")
    assert status == 0
    assert f'az resource update --ids "{RULE}"' in output
    assert sum(call.startswith("monitor metrics") for call in machine.told("az")) == 2
    assert not any(call.startswith("resource update") for call in machine.told("az"))


def test_a_later_deployment_changes_no_rule(machine: Machine) -> None:
    assert machine.run("start-watching", FITTING, **DEPLOYED, APP_DEPLOYED="true")[0] == 0
    assert machine.told("az") == []


# ---- Secrets and registrations


def test_references_are_read_again_where_there_are_channels(machine: Machine) -> None:
    status, output = machine.run("refresh-references", FITTING, **DEPLOYED, ALERT_CHANNELS="soc=teams")
    assert status == 0, output
    url = "/subscriptions/s/func-x/config/configreferences/appsettings/refresh?api-version=2022-03-01"
    assert machine.told("az")[-1] == f"rest --method POST --output none --url {url}"


def test_without_channels_nothing_is_read_again(machine: Machine) -> None:
    status, output = machine.run("refresh-references", FITTING, **DEPLOYED)
    assert (status, machine.told("az")) == (0, []), output


def test_a_refusal_is_told(machine: Machine) -> None:
    answers = {**FITTING, "az rest --method POST": None}
    assert machine.run("refresh-references", answers, **DEPLOYED, ALERT_CHANNELS="soc=teams")[0] == 1


def test_who_owns_the_registration_is_told_what_only_now_is_known(machine: Machine) -> None:
    status, output = machine.run("finish-registration", {}, **DEPLOYED, AUTH_CLIENT_ID="client")
    assert status == 0, output
    assert "https://func-x.azurewebsites.net/.auth/login/aad/callback" in output
    assert DEPLOYED["AZURE_IDENTITY_PRINCIPAL_ID"] in output
    assert "api://AzureADTokenExchange" in output
    assert machine.told("az") == []
    commands = output.split("in bash:\n")[1].split("\nThen ")[0]
    bash = shutil.which("bash")
    assert bash is not None
    env = {"PATH": f"{machine.folder}:{os.environ['PATH']}"}
    subprocess.run([bash, "-eu"], input=commands, env=env, text=True, check=True, timeout=60)  # noqa: S603
    assert refused_in(machine.folder) == ""
    assert len(machine.told("az")) == 2
    (parameters,) = [call[-1] for call in calls_in(machine.folder) if "--parameters" in call]
    assert json.loads(parameters)["issuer"].endswith(f"/{DEPLOYED['AZURE_TENANT_ID']}/v2.0")


def test_with_the_templates_own_registration_nothing_is_left_to_do(machine: Machine) -> None:
    assert machine.run("finish-registration", {}, **DEPLOYED) == (0, "")
