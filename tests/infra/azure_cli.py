"""What the real `az`, `azd` and `curl` take, as far as scripts and runbooks use them, and stand-ins that insist on it.

From Microsoft Learn, "Azure CLI reference" and "Azure Developer CLI reference", November 2026. A command or an option
that is not here fails a test: whoever needs one looks it up first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

OPTIONS_OF_ALL = ("--output", "-o", "--query", "--subscription", "--only-show-errors")

type Command = tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]
"""What is required, each by any of its spellings; what else may be there."""

_GROUP, _NAME = ("--resource-group", "-g"), ("--name", "-n")
_CONTAINER = ("--container-name", "-c")

AZ: dict[str, Command] = {
    "login": ((), ("--service-principal", "--identity", "--use-device-code", "--tenant", "--scope")),
    "cloud show": ((), ()),
    "cloud set": ((_NAME,), ()),
    "account get-access-token": ((), ("--scope", "--resource", "--tenant")),
    "account show": ((), ()),
    "provider register": ((("--namespace", "-n"),), ("--wait",)),
    "rest": ((("--url", "--uri", "-u"),), ("--method", "-m", "--headers", "--body", "-b", "--resource")),
    "ad sp show": ((("--id",),), ()),
    "ad sp create": ((("--id",),), ()),
    "ad sp update": ((("--id",),), ("--set",)),
    "ad signed-in-user show": ((), ()),
    "ad app create": (
        (("--display-name",),),
        (
            *("--sign-in-audience", "--requested-access-token-version", "--enable-id-token-issuance", "--app-roles"),
            *("--identifier-uris", "--web-redirect-uris"),
        ),
    ),
    "ad app show": ((("--id",),), ()),
    "ad app delete": ((("--id",),), ()),
    "ad app update": ((("--id",),), ("--identifier-uris", "--web-redirect-uris", "--app-roles", "--set")),
    "ad app federated-credential create": ((("--id",), ("--parameters",)), ()),
    "role assignment list": (
        (),
        ("--assignee", "--scope", "--all", "--include-inherited", "--include-groups", "--role", "--resource-group"),
    ),
    "keyvault list-deleted": ((), ("--resource-type",)),
    "keyvault key create": ((("--vault-name",), _NAME), ("--kty", "--curve", "--ops", "--protection", "--size")),
    "keyvault key show": ((("--vault-name",), _NAME), ("--version",)),
    "keyvault secret set": ((("--vault-name",), _NAME, ("--value", "--file")), ("--content-type", "--expires")),
    "functionapp show": ((_GROUP, _NAME), ()),
    "functionapp start": ((_GROUP, _NAME), ()),
    "functionapp stop": ((_GROUP, _NAME), ()),
    "functionapp restart": ((_GROUP, _NAME), ()),
    "functionapp keys list": ((_GROUP, _NAME), ()),
    "functionapp list-flexconsumption-locations": ((), ("--runtime", "--zone-redundant", "--details")),
    "functionapp deployment source config-zip": ((_GROUP, _NAME, ("--src",)), ("--build-remote", "--timeout")),
    "resource update": ((("--ids",), ("--set",)), ()),
    "monitor metrics list": ((("--resource",),), ("--metric", "--metrics", "--aggregation", "--interval", "--offset")),
    "monitor log-analytics query": ((("--workspace", "-w"), ("--analytics-query",)), ("--timespan", "-t")),
    "monitor action-group test-notifications create": (
        (_GROUP, ("--action-group",), ("--alert-type",)),
        ("--add-action", "-a"),
    ),
    "storage message put": (
        (("--queue-name", "-q"), ("--content",)),
        ("--account-name", "--auth-mode", "--time-to-live", "--visibility-timeout"),
    ),
    "storage blob list": ((_CONTAINER,), ("--account-name", "--auth-mode", "--prefix", "--num-results")),
    "storage account keys list": ((("--account-name", "-n"),), ("--resource-group", "-g")),
    "storage container immutability-policy show": ((("--account-name",), _CONTAINER), _GROUP),
    "storage container immutability-policy lock": ((("--account-name",), _CONTAINER, ("--if-match",)), _GROUP),
    "bicep build": ((("--file", "-f"),), ("--outfile", "--outdir", "--stdout")),
    "bicep build-params": ((("--file", "-f"),), ("--outfile", "--stdout")),
    "bicep install": ((), ("--version",)),
    "bicep lint": ((("--file", "-f"),), ()),
    "deployment sub create": ((("--location", "-l"),), ("--template-file", "-f", "--parameters", "-p", "--name", "-n")),
    "deployment sub validate": ((("--location", "-l"),), ("--template-file", "-f", "--parameters", "-p")),
}
FLAGS = (
    *("--all", "--include-inherited", "--include-groups", "--service-principal", "--identity", "--use-device-code"),
    *("--wait", "--only-show-errors", "--build-remote", "--details"),
)
"""Options that take no value."""

TAKES_MANY = ("--parameters", "-p", "--set", "--headers", "--add-action")
"""Options that take every value up to the next option."""

AZD: dict[str, Command] = {
    "auth login": ((), ("--use-device-code", "--client-id", "--federated-credential-provider", "--tenant-id")),
    "config set": ((), ()),
    "env new": ((), ("--subscription", "--location")),
    "env list": ((), ()),
    "env select": ((), ()),
    "env set": ((), ()),
    "env get-value": ((), ()),
    "env get-values": ((), ()),
    "env refresh": ((), ()),
    "init": ((), ("--template", "-t")),
    "package": ((), ("--output-path",)),
    "pipeline config": ((), ("--provider", "--auth-type")),
    "provision": ((), ("--no-state", "--preview")),
    "deploy": ((), ("--from-package",)),
    "up": ((), ()),
    "down": ((), ("--force", "--purge")),
    "version": ((), ()),
}
AZD_OF_ALL = ("--no-prompt", "-e", "--environment", "--output", "-o")
AZD_FLAGS = ("--no-state", "--preview", "--no-prompt", "--force", "--purge", "--use-device-code")
MOST_ARGUMENTS = {
    "env set": 2,
    "env get-value": 1,
    "env new": 1,
    "env select": 1,
    "deploy": 1,
    "package": 1,
    "config set": 2,
}

_STAND_IN = '''#!{python}
"""Stands in for a program: refuses what the real one would, remembers what it was told, answers from answers.json."""
import json, sys
from pathlib import Path
sys.path[:0] = {path}
from tests.infra.azure_cli import answer
sys.exit(answer("{program}", sys.argv[1:], Path(__file__).parent))
'''


def put_stand_in(folder: Path, program: str) -> None:
    """Make a stand-in for `az` or `azd` in a folder."""
    root = Path(__file__).resolve().parents[2]
    file = folder / program
    file.write_text(_STAND_IN.format(python=sys.executable, path=[str(root)], program=program), encoding="utf-8")
    file.chmod(0o755)


def wrong_with(program: str, arguments: list[str]) -> str | None:
    """What the real program would refuse of these arguments; None when nothing."""
    commands = AZ if program == "az" else AZD
    words = next((w for w in _beginnings(arguments) if " ".join(w) in commands), None)
    if words is None:
        return f"{program} has no command {' '.join(arguments[:3])}"
    name, rest = " ".join(words), arguments[len(words) :]
    required, others = commands[name]
    of_all, flags = (OPTIONS_OF_ALL, FLAGS) if program == "az" else (AZD_OF_ALL, AZD_FLAGS)
    given, free = _split(rest, flags)
    known = {*of_all, *others, *(spelling for spellings in required for spelling in spellings)}
    if unknown := given - known:
        return f"{program} {name} has no option {sorted(unknown)}"
    if missing := [spellings for spellings in required if given.isdisjoint(spellings)]:
        return f"{program} {name} needs {missing}"
    if len(free) > (0 if program == "az" else MOST_ARGUMENTS.get(name, 0)):
        return f"{program} {name} does not take {free}"
    if program == "azd" and name == "env set" and len(free) != MOST_ARGUMENTS[name]:
        return "azd env set takes a name and a value"
    return None


def _beginnings(arguments: list[str]) -> list[list[str]]:
    words = []
    for argument in arguments:
        if argument.startswith("-"):
            break
        words.append(argument)
    return [words[:length] for length in range(len(words), 0, -1)]


def _split(arguments: list[str], flags: tuple[str, ...]) -> tuple[set[str], list[str]]:
    """The options that are given, and what is none and no option's value."""
    given: set[str] = set()
    free: list[str] = []
    takes_value = takes_many = False
    for argument in arguments:
        if argument.startswith("-") and not takes_value and argument != "-":
            option = argument.split("=", 1)[0]
            given.add(option)
            takes_value = option not in flags and "=" not in argument
            takes_many = option in TAKES_MANY
        elif takes_value or takes_many:
            takes_value = False
        else:
            free.append(argument)
    return given, free


def answer(program: str, arguments: list[str], folder: Path) -> int:
    """What the stand-in does: note the call, refuse what is wrong, print what was laid out for it."""
    with (folder / "calls.jsonl").open("a", encoding="utf-8") as calls:
        calls.write(json.dumps([program, *arguments]) + "\n")
    if why := wrong_with(program, arguments):
        with (folder / "refused.txt").open("a", encoding="utf-8") as refused:
            refused.write(why + "\n")
        sys.stderr.write(why + "\n")
        return 2
    line = " ".join([program, *arguments])
    answers: dict[str, str | None] = json.loads((folder / "answers.json").read_text(encoding="utf-8"))
    found = [text for beginning, text in answers.items() if line.startswith(beginning)]
    if found and found[-1] is None:
        sys.stderr.write("ERROR: refused\n")
        return 1
    sys.stdout.write(((found[-1] or "") if found else "") + "\n")
    return 0


def calls_in(folder: Path) -> list[list[str]]:
    """What the stand-ins in a folder were told, in order."""
    file = folder / "calls.jsonl"
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def refused_in(folder: Path) -> str:
    """What the stand-ins in a folder refused."""
    file = folder / "refused.txt"
    return file.read_text(encoding="utf-8") if file.exists() else ""
