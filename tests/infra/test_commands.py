"""Every command of operations.md and of README's "Deploy" runs, against stand-ins that take what the real ones take.

Each shell begins as the page says: with what `azd env get-values` gives, a token and `call`. A variable that nothing
sets ends it (`set -u`), an option that az or azd does not have is refused, and a route must be one that the app has.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from functions.http import ENDPOINTS
from functions.parts import PARTS
from tests.infra.azure_cli import AZ, AZD, calls_in, put_stand_in, refused_in, wrong_with
from tests.infra.deployment import EVERYTHING, ROOT, deployed
from tests.infra.test_workflows import OF_THE_HOOKS_THEMSELVES, settings

assert PARTS, "importing them registers the routes"
PROGRAMS = ("az", "azd", "call", "curl", "echo", "git", "make", "sh", r"\.venv/bin/python")
PLACES = {
    "tag": "v0.2.0",
    "client id": "66666666-6666-6666-6666-666666666666",
    "object id": "11111111-1111-1111-1111-111111111111",
    "day": "2026-11-19",
    "last month": "2026-10",
    "why": "broken at the source",
    "from": "2026-11-01T00:00:00Z",
    "to": "2026-11-02T00:00:00Z",
    "name": "soc",
    "id": "one",
    "function app": "func-x",
}
"""What stands in angle brackets for people to fill in."""
PRELUDE = """set -eu
set -a; eval "$(azd env get-values)"; set +a
TOKEN=token
call() { curl -sS -X "$1" "$AZURE_FUNCTION_URL/api/$2" -H "Authorization: Bearer $TOKEN" ${3:+-d "$3"}; }
"""
CURL = '''#!{python}
"""Takes what the runbooks ask of curl: notes method, address and body."""
import json, sys
from pathlib import Path
args, method, body, url = sys.argv[1:], "GET", None, None
while args:
    arg = args.pop(0)
    if arg in ("-X", "-d", "-H"):
        value = args.pop(0)
        method, body = (value, body) if arg == "-X" else (method, value if arg == "-d" else body)
    elif not arg.startswith("-"):
        url = arg
with Path(__file__).with_name("asked.jsonl").open("a") as asked:
    asked.write(json.dumps([method, url, body]) + "\\n")
'''
PYTHON = '''#!{python}
"""Reads the arguments of `python -m local …` as the product does, and does nothing."""
import sys
sys.path[:0] = ["{root}"]
if sys.argv[1:4] == ["-m", "local", "ops"]:
    from local.commands.ops import parser
    parser().parse_args(sys.argv[4:])
elif sys.argv[1:] not in (["-m", "local", "preflight"], ["-m", "local", "preflight", "--json"]):
    sys.exit("no such command: " + " ".join(sys.argv[1:]))
'''


@dataclass(frozen=True)
class Command:
    """A command of a page, or a block of them."""

    page: str
    text: str


def commands() -> list[Command]:
    """What the pages tell people to run, each once."""
    found: dict[str, Command] = {}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = {
        "operations": (ROOT / "docs/operations.md").read_text(encoding="utf-8"),
        "readme": readme.split("\n## Deploy\n")[1].split("\n## Costs\n")[0],
    }
    for page, text in pages.items():
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
        prose = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        spans = re.findall(r"`((?:%s) [^`]+)`" % "|".join(PROGRAMS), prose)  # noqa: UP031 - the pattern has braces
        for command in [*blocks, *(" ".join(span.replace("\\|", "|").split("\n")) for span in spans)]:
            found.setdefault(command, Command(page, command))
    return [*found.values()]


def is_a_mention(text: str) -> bool:
    """Whether a command is only named, without what it is to be given: `az keyvault secret set`."""
    if text in (".venv/bin/python -m local ops", "azd env set NAME VALUE"):
        return True
    program, _, name = text.partition(" ")
    return name in {"az": AZ, "azd": AZD}.get(program, {}) and (program, name) != ("azd", "up")


def filled_in(text: str) -> str:
    """The command with something in each of its places."""
    heredocs = re.split(r"(<<'\w+'\n.*?^\w+$)", text, flags=re.M | re.S)
    for i in range(0, len(heredocs), 2):
        heredocs[i] = re.sub(r"<([a-z][a-z ]*)>", lambda place: PLACES[place[1]], heredocs[i])
    return "".join(heredocs)


def machine(folder: Path) -> Path:
    """A checkout with stand-ins for every program that reaches outside."""
    programs = folder / "programs"
    (folder / ".venv/bin").mkdir(parents=True)
    programs.mkdir()
    (folder / "infra").symlink_to(ROOT / "infra")
    for program in ("az", "azd"):
        put_stand_in(programs, program)
    stubs = {
        programs / "curl": CURL.format(python=sys.executable),
        programs / "git": "#!/bin/sh\n",
        programs / "make": '#!/bin/sh\ntest "$*" = setup\n',
        folder / ".venv/bin/python": PYTHON.format(python=sys.executable, root=ROOT),
    }
    for file, text in stubs.items():
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)
    outputs = deployed(EVERYTHING).outputs
    values = "\n".join(f'{name}="{re.sub("[<>]", "", str(value)) or "x"}"' for name, value in outputs.items())
    values = re.sub(r'AZURE_FUNCTION_URL=".*"', 'AZURE_FUNCTION_URL="https://func-x.azurewebsites.net"', values)
    answers = {
        "azd env get-value ": "kv-x",
        "azd env get-values": values,
        "az cloud show": "https://graph.microsoft.com",
        "az ad sp show": "role",
        "az rest --method GET": "role",
        "az ad app create": PLACES["client id"],
    }
    (programs / "answers.json").write_text(json.dumps(answers), encoding="utf-8")
    return programs


def run(command: str, folder: Path) -> tuple[subprocess.CompletedProcess[str], Path]:
    programs = machine(folder)
    bash = shutil.which("bash")
    assert bash is not None
    done = subprocess.run(  # noqa: S603
        [bash, "-c", PRELUDE + filled_in(command)],
        cwd=folder,
        env={"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(folder), "ALERT_CHANNELS": "soc=teams"},
        input="https://hooks.example/secret\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done, programs


@pytest.mark.parametrize("command", [c for c in commands() if not is_a_mention(c.text)], ids=lambda c: c.text[:60])
def test_a_command_of_the_pages_runs(command: Command, tmp_path: Path) -> None:
    done, programs = run(command.text, tmp_path)
    assert refused_in(programs) == ""
    assert done.returncode == 0, done.stderr
    asked = programs / "asked.jsonl"
    for line in asked.read_text(encoding="utf-8").splitlines() if asked.exists() else ():
        method, url, body = json.loads(line)
        path = url.removeprefix("https://func-x.azurewebsites.net/api/").split("?")[0]
        routes = [e for e in ENDPOINTS if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", e.route), path)]
        assert method in {e.method for e in routes}, f"the app has no {method} {path}"
        if body is not None:
            (endpoint,) = [e for e in routes if e.method == method]
            endpoint.body.model_validate_json(body)
    for call in calls_in(programs):
        if call[:3] == ["azd", "env", "set"]:
            assert call[3] in settings() | OF_THE_HOOKS_THEMSELVES, f"nothing reads {call[3]}"


def test_the_pages_hold_commands_to_run() -> None:
    texts = [c.text for c in commands()]
    assert len(texts) > 40
    assert any("immutability-policy lock" in text for text in texts)
    assert any("azd env set ALERT_CHANNELS siem=generic" in text for text in texts)


@pytest.mark.parametrize(
    "wrong",
    [
        'az functionapp start --group "$AZURE_RESOURCE_GROUP" -n x',
        'az keyvault secret put --vault-name "$AZURE_KEY_VAULT_NAME"',
        "azd provision --force-state",
        'echo "$AUTH_CLIENT_SECRET"',
        ".venv/bin/python -m local ops release --since yesterday",
    ],
)
def test_a_wrong_command_would_be_found(wrong: str, tmp_path: Path) -> None:
    done, programs = run(wrong, tmp_path)
    assert refused_in(programs) or done.returncode != 0


def test_what_repairs_deploys_though_nothing_has_changed() -> None:
    """azd skips a template that it has deployed before, whatever somebody did in Azure meanwhile."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    for sentence in re.findall(r"[^.:;]*puts [^.]{0,30}back", text.replace("\n", " ")):
        if "azd provision" in sentence:
            assert "azd provision --no-state" in sentence, sentence
    assert text.count("azd provision --no-state") >= 6


def test_the_preflight_names_commands_that_there_are_and_that_repair() -> None:
    """What the app itself tells people to run, from the texts in its code."""
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "shared/preflight").glob("*.py")]
    told = [command for text in sources for command in re.findall(r'"(azd [^"]+)"', text)]
    assert len(told) >= 4
    for command in (part for line in told for part in line.split(" && ")):
        program, *arguments = shlex.split(command)
        assert wrong_with(program, arguments) is None, command
    alone = [line for line in told if line.startswith("azd provision")]
    assert set(alone) == {"azd provision --no-state"}, "azd does nothing where only Azure has changed"
