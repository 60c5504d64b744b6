"""The workflows and azure.yaml: every setting is passed on, and nothing runs that somebody could exchange."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from tests.infra.azure_cli import wrong_with
from tests.infra.deployment import INFRA, ROOT
from tests.infra.test_settings import OF_AZD, OF_HOOKS

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
OF_THE_HOOKS_THEMSELVES = {"RECOVER_VAULT", "APP_DEPLOYED"}
SECRET = {"ALERT_WEBHOOK_URL"}


def read(file: Path) -> dict[Any, Any]:
    found = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def settings() -> set[str]:
    """What a deployment can be told."""
    asked = set(re.findall(r"readEnvironmentVariable\('(\w+)'", (INFRA / "main.bicepparam").read_text("utf-8")))
    return asked - OF_AZD - OF_THE_HOOKS_THEMSELVES | OF_HOOKS


def test_a_pipeline_passes_on_every_setting() -> None:
    """One that it does not falls back to its default: channels, mail addresses and network rules would be gone."""
    deploy = read(ROOT / ".github/workflows/deploy.yml")["jobs"]["deploy"]["env"]
    own = {"AZURE_DEV_COLLECT_TELEMETRY", "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"}
    assert deploy.keys() - own == settings() | {"AZURE_ENV_NAME", "AZURE_LOCATION"}
    for name in settings():
        assert deploy[name] == f"${{{{ {'secrets' if name in SECRET else 'vars'}.{name} }}}}"
    pipeline = read(ROOT / "azure.yaml")["pipeline"]
    assert set(pipeline["variables"]) == settings() - SECRET
    assert set(pipeline["secrets"]) == SECRET


def test_azd_is_demanded_in_the_version_that_is_needed() -> None:
    assert read(ROOT / "azure.yaml")["requiredVersions"] == {"azd": ">= 1.23.15"}


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_action_is_pinned_by_commit(file: Path) -> None:
    for used in re.findall(r"uses: (\S+)", file.read_text(encoding="utf-8")):
        assert re.search(r"@(sha256:[0-9a-f]{64}|[0-9a-f]{40})$", used), used
    named = re.findall(r"uses: \S+@[0-9a-f]{40}( # v\d+\.\d+\.\d+)?$", file.read_text(encoding="utf-8"), re.M)
    assert all(named), "a commit says nothing to a reader without its version"


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_may_read_and_no_more_unless_a_job_says_why(file: Path) -> None:
    found = read(file)["permissions"]
    assert found["contents"] == "read"
    assert set(found) <= {"contents", "id-token"}, "id-token is how a deployment signs in without a secret"
    assert "pull_request_target" not in read(file).get(True, {}), "it would run strangers' code with our rights"


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_every_azd_and_az_command_is_one_that_there_is(file: Path) -> None:
    scripts = [step.get("run", "") for job in read(file)["jobs"].values() for step in job["steps"]]
    lines = [line.strip() for script in scripts for line in script.replace("\\\n", " ").splitlines()]
    for line in lines:
        if command := re.match(r"(az|azd) (.+?)(?: 2?>| \||$)", line):
            assert wrong_with(command[1], [word.strip('"') for word in command[2].split()]) is None, line


def test_what_is_deployed_is_pinned_by_hash() -> None:
    """pip refuses a file that has another hash as soon as one is named, and the remote build of Azure runs pip."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    blocks = re.findall(r"^([A-Za-z0-9._-]+)==\S+ \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", text, re.M)
    assert len(blocks) == len(re.findall(r"^\S+==", text, re.M)) > 40
    assert "azure-functions-runtime" in {name for name, _ in blocks}, "or the platform takes what it has"
