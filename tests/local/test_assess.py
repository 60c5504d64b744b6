"""`python -m local assess`: its output, its exit codes, and what a hostile log can do to it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from local.__main__ import main as dispatch
from local.commands.assess import main
from local.commands.assess_table import SHOWN, harmless, percent
from shared.rules.rule import (
    AT_HOME,
    CUSTOMER,
    NON_INTERACTIVE,
    PARTNER,
    PASSWORD_ONLY,
    PLAIN,
    SILENT,
    TECHNICIAN,
    Record,
)

KEYS: Final = ["id", "identity", "scope", "outcome", "evidence", "verdict", "rules", "severity", "why", "strength"]
CONTEXT: Final = [
    *("createdDateTime", "userId", "userPrincipalName", "resourceTenantId", "appId", "appDisplayName", "ipAddress")
]
DIRECTORY: Final = {
    "partnerTenantId": PARTNER,
    "customers": [{"tenantId": CUSTOMER, "displayName": "Fabrikam"}],
    "delegatedAdmins": [{"userId": TECHNICIAN, "userPrincipalName": "technician@partner.example", "roles": ["x"]}],
    "federatedDomains": [],
}
ROOT: Final[Record] = {**PLAIN, "id": "root", "sessionId": "s1", "createdDateTime": "2026-11-02T08:00:00Z"}
ELSEWHERE: Final[Record] = {**PLAIN, "userId": "x", "homeTenantId": "y"}
CHILD: Final[Record] = {**PLAIN, **SILENT, **NON_INTERACTIVE, "id": "child", "sessionId": "S1"}


class Command:
    """The command with files in a directory of its own."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[bytes]) -> None:
        self.folder, self._captured = folder, captured
        self.write("directory.json", DIRECTORY)

    def write(self, name: str, *values: object) -> str:
        """One line a value; gives the path."""
        path = self.folder / name
        path.write_text("".join(json.dumps(value) + "\n" for value in values))
        return str(path)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, output and errors."""
        try:
            code = main([*arguments, "--directory", str(self.folder / "directory.json")])
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = self._captured.readouterr()
        return code, out.decode(), err.decode()

    def lines(self, *arguments: str) -> list[dict[str, object]]:
        code, out, err = self.run(*arguments)
        assert (code, err) == (0, "")
        return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def command(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    return Command(tmp_path, capsysbinary)


def process(
    *arguments: str, stdin: bytes = b"", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-m", "local", "assess", *arguments], input=stdin, capture_output=True, check=False, env=env
    )


# --- the lines --------------------------------------------------------------------------------------------------------


def test_a_line_has_exactly_the_members_of_the_contract_in_their_order(command: Command) -> None:
    log = command.write("log.jsonl", {**PASSWORD_ONLY, **_plain("1"), **PASSWORD_ONLY}, _plain("2"))
    code, out, _ = command.run(log)
    assert code == 0
    first, second = (json.loads(line) for line in out.splitlines())
    assert list(first) == list(second) == [*KEYS, *CONTEXT]
    assert list(first.values())[:8] == [
        "1", "user", "customer", "success", "none", "non-compliant", ["interactive-without-mfa"], "high",
    ]  # fmt: skip
    assert list(second.values())[:8] == ["2", "user", "customer", "success", "proven", "compliant", [], None]


def test_a_line_says_who_when_where_and_with_what(command: Command) -> None:
    full = {
        "createdDateTime": "2026-11-02T11:00:00.25+02:00", "userId": TECHNICIAN, "userPrincipalName": "x@y.example",
        "resourceTenantId": CUSTOMER, "appId": "a", "appDisplayName": "Portal", "ipAddress": "203.0.113.7",
    }  # fmt: skip
    bare = {**dict.fromkeys(full), "createdDateTime": "2026-11-02T09:00:00Z"}
    first, second = command.lines(command.write("log", _plain("1", **full), _plain("2", **bare)))
    assert {name: first[name] for name in CONTEXT} == {**full, "createdDateTime": "2026-11-02T09:00:00.250000Z"}
    assert {name: second[name] for name in CONTEXT} == bare


def test_a_masked_user_has_the_name_that_the_roster_knows(command: Command) -> None:
    masked = f"user_{TECHNICIAN.replace('-', '')}@partner.example"
    log = command.write("log", _plain("1", **PASSWORD_ONLY, userPrincipalName=masked), _plain("2", **PASSWORD_ONLY))
    assert command.lines(log)[0]["userPrincipalName"] == "technician@partner.example"
    assert "user_" not in table(command, _plain("1", **{**PASSWORD_ONLY, "userPrincipalName": masked}))


def _plain(name: str, **members: object) -> Record:
    return {**PLAIN, "id": name, **members}


def test_lines_are_utf8_and_keep_every_character_of_an_id(command: Command) -> None:
    name = 'Zoë \N{GRINNING FACE} "\\ \n \x1b[31m \u2028'
    (line,) = command.run(command.write("log", _plain(name)))[1].rstrip("\n").split("\n")
    assert json.loads(line)["id"] == name
    assert "Zoë \N{GRINNING FACE}" in line
    assert "\x1b" not in line


def test_input_order_is_kept_over_files(command: Command) -> None:
    first = command.write("b.json", [_plain("3"), _plain("1")])
    second = command.write("a.json", {"value": [_plain("2")]}, _plain("3"))
    assert [line["id"] for line in command.lines(first, second, first)] == ["3", "1", "2", "3", "3", "1"]


def test_the_policy_decides(command: Command) -> None:
    log = command.write("log", {**_plain("1"), **NON_INTERACTIVE})
    assert command.lines(log)[0]["rules"] == []
    assert command.lines(log, "--policy", "standard")[0]["rules"] == []
    (strict,) = command.lines("--policy", "strict", log)
    assert (strict["rules"], strict["severity"]) == (["non-interactive"], "medium")


def test_a_bad_record_gives_an_error_in_its_place_and_exit_3(command: Command) -> None:
    good = command.write("good", _plain("a"))
    log = command.write("log", _plain("1"), {"id": "2"}, {**_plain("3"), "userId": 5})
    with Path(log).open("a") as file:
        file.write("not json\n" + json.dumps(_plain("4")))
    code, out, err = command.run(good, log)
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (3, "")
    assert [line.get("id") for line in lines] == ["a", "1", None, None, None, "4"]
    assert [list(line) for line in lines[2:5]] == [["error", "file", "index"]] * 3
    assert [(line["file"], line["index"]) for line in lines[2:5]] == [(log, 1), (log, 2), (log, 3)]
    assert lines[2]["error"].startswith("createdDateTime: ")
    assert lines[3]["error"].startswith("userId: ")
    assert "not JSON" in lines[4]["error"]


def test_a_cut_off_file_gives_its_records_and_an_error_at_the_next_index(command: Command) -> None:
    path = Path(command.write("log", [_plain("1"), _plain("2")]))
    path.write_text(path.read_text()[:-9])
    code, out, _ = command.run(str(path))
    first, error = (json.loads(line) for line in out.splitlines())
    assert (code, first["id"], error["index"]) == (3, "1", 1)
    assert "cut off" in error["error"]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00"])
def test_a_time_that_no_calendar_has_in_utc_is_quarantined(command: Command, at: str) -> None:
    log = command.write("log", {**ROOT, "createdDateTime": at}, PLAIN)
    code, out, _ = command.run(log)
    assert code == 3
    bad, good = (json.loads(line) for line in out.splitlines())
    assert bad["index"] == 0
    assert bad["error"].startswith("createdDateTime")
    assert good["verdict"] == "compliant"


def test_empty_files_are_no_error(command: Command) -> None:
    assert command.lines(command.write("log"), command.write("page", {"value": []})) == []


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_a_session_speaks_over_files_and_in_any_order(command: Command) -> None:
    child, root = command.write("child", CHILD), command.write("root", ROOT)
    for files in ((child, root), (root, child)):
        told = {line["id"]: (line["evidence"], line["verdict"], line["rules"]) for line in command.lines(*files)}
        assert told == {"root": ("proven", "compliant", []), "child": ("session", "compliant", [])}
    without = command.lines(child, root, "--no-sessions")
    assert (without[0]["evidence"], without[0]["rules"]) == ("unknown", ["mfa-evidence-unknown"])
    assert command.lines(child)[0]["evidence"] == "unknown"


@pytest.mark.parametrize(
    ("changes", "evidence"),
    [
        ({}, "session"),
        (PASSWORD_ONLY, "none"),
        ({"createdDateTime": PLAIN["createdDateTime"]}, "session"),
        ({"createdDateTime": "2026-11-02T09:00:00.000001Z"}, "unknown"),
        ({"createdDateTime": "2026-11-02T11:00:00+02:00"}, "session"),
        ({"userId": "another"}, "unknown"),
        ({"sessionId": "s2"}, "unknown"),
        (NON_INTERACTIVE, "unknown"),
        ({"status": {"errorCode": 50126}}, "unknown"),
        (SILENT, "unknown"),
    ],
)
def test_who_speaks_for_a_session(command: Command, changes: Record, evidence: str) -> None:
    log = command.write("log", CHILD, {**ROOT, **changes})
    assert command.lines(log)[0]["evidence"] == evidence


def test_a_mixed_session_proves_nothing_from_where_it_is_mixed(command: Command) -> None:
    later = {**ROOT, **PASSWORD_ONLY, "id": "later", "createdDateTime": "2026-11-02T08:30:00Z"}
    before = {**CHILD, "id": "before", "createdDateTime": "2026-11-02T08:29:59Z"}
    told = command.lines(command.write("log", later, before, CHILD, ROOT))
    assert [line["evidence"] for line in told] == ["none", "session", "unknown", "proven"]


def test_only_the_version_of_a_root_that_was_served_last_speaks(command: Command) -> None:
    old, new = {**ROOT, **PASSWORD_ONLY}, ROOT
    assert [line["evidence"] for line in command.lines(command.write("log", old, CHILD, new))] == [
        *("none", "session", "proven")
    ]
    silent = {**ROOT, **SILENT}
    assert command.lines(command.write("log", CHILD, ROOT, silent))[0]["evidence"] == "unknown"


def test_a_big_log_that_waits_for_its_sessions_comes_out_whole(command: Command) -> None:
    """More than is kept in memory, so that it goes through the file."""
    pad = "x" * 800
    children = [{**CHILD, "id": f"{n} {pad}", "sessionId": f"s{n % 2}"} for n in range(8000)]
    told = command.lines(command.write("log", *children, ROOT))
    assert [line["id"] for line in told] == [*(child["id"] for child in children), "root"]
    assert [line["evidence"] for line in told[:-1]] == ["unknown", "session"] * 4000


# --- misuse -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("[]", "should be an object"),
        ("{}", "partnerTenantId: Field required"),
        ('{"partnerTenantId": ""}', "partnerTenantId: "),
        ('{"partnerTenantId": 5}', "partnerTenantId: "),
        ('{"partnerTenantId": "p", "customers": [{}]}', "customers.0.tenantId: Field required"),
        ('{"partnerTenantId": "p", "customers": {}}', "customers: "),
        ('{"partnerTenantId": "p", "delegatedAdmins": [{"userId": "u", "from": "x"}]}', "delegatedAdmins.0.from: "),
        ('{"partnerTenantId": "p", "federatedDomains": [5]}', "federatedDomains.0: "),
    ],
)
def test_a_wrong_directory_file_is_told_in_a_sentence(command: Command, text: str, says: str) -> None:
    (command.folder / "directory.json").write_text(text)
    code, out, err = command.run(command.write("log", PLAIN))
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "directory.json" in err
    assert says in err


@pytest.mark.parametrize("form", ["utf-8-sig", "utf-16"])
def test_a_directory_file_may_have_a_byte_order_mark(command: Command, form: str) -> None:
    (command.folder / "directory.json").write_text(json.dumps(DIRECTORY), encoding=form)
    assert command.lines(command.write("log", PLAIN))[0]["scope"] == "customer"


def test_misuse_is_exit_2_before_any_output(command: Command) -> None:
    log = command.write("log", PLAIN)
    for arguments in (
        (log, str(command.folder / "missing")),
        (str(command.folder), log),
        (),
        (log, "--policy", "lenient"),
        (log, "--format", "xml"),
        (log, "--no-session"),
    ):
        code, out, err = command.run(*arguments)
        assert (code, out) == (2, ""), arguments
        assert err
        assert "Traceback" not in err
    (command.folder / "directory.json").unlink()
    code, out, err = command.run(log)
    assert (code, out) == (2, "")
    assert "No such file" in err
    with pytest.raises(SystemExit, match="2"):
        main([log])


def test_the_dispatcher_knows_its_commands(command: Command, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    log = command.write("log", PLAIN)
    assert dispatch(["assess", log, "--directory", str(command.folder / "directory.json")]) == 0
    assert capsysbinary.readouterr().out.count(b"\n") == 1
    for wrong in ([], ["asses"], ["host"], ["__main__"]):
        assert dispatch(wrong) == 2
        assert capsysbinary.readouterr().err.startswith(b"usage: ")
    assert dispatch(["--help"]) == 0
    assert b"\n  assess " in capsysbinary.readouterr().out


# --- the table --------------------------------------------------------------------------------------------------------


def table(command: Command, *records: object) -> str:
    code, out, err = command.run(command.write("log", *records), "--format", "table")
    assert code in (0, 3)
    assert err == ""
    return out


def row(text: str, first: str) -> list[str]:
    """The words of the row that begins so."""
    (only,) = (line.split() for line in text.splitlines() if line.split()[:1] == [first])
    return only


def numbered(*records: Record) -> list[Record]:
    """The records with an id each."""
    return [{**record, "id": f"r{number}"} for number, record in enumerate(records)]


def test_the_table_counts_and_says_the_compliance(command: Command) -> None:
    missing = {**PLAIN, **PASSWORD_ONLY}
    failed = {**PLAIN, "status": {"errorCode": 50126}}
    records = numbered(PLAIN, PLAIN, missing, CHILD, {**missing, **AT_HOME}, ELSEWHERE, failed)
    out = table(command, *records, {"id": 5}, 6)
    assert row(out, "scope") == [
        "scope", "compliant", "non-compliant", "unknown", "total", "not-applicable", "out-of-scope"
    ]  # fmt: skip
    assert row(out, "customer") == ["customer", "2", "1", "1", "4", "1", "0"]
    assert row(out, "partner-tenant") == ["partner-tenant", "0", "1", "0", "1", "0", "0"]
    assert row(out, "proven") == ["proven", "3"]
    assert row(out, "interactive-without-mfa") == ["interactive-without-mfa", "2"]
    findings = out[out.index("Findings") :]
    for place in ("Fabrikam", "own tenant"):
        assert re.search(
            rf"^high +interactive-without-mfa +technician@partner\.example +1\n +{place} *\n +{PLAIN['appId']} *\n"
            r" +2026-11-02 09:00 *$",
            findings,
            re.MULTILINE,
        )
    assert "Customers and Partner Center: compliance 66.6 %\n  (2 compliant, 1 non-compliant, 1 unknown)" in out
    assert "Partner tenant: compliance 0.0 %\n  (0 compliant, 1 non-compliant, 0 unknown)" in out
    assert "2 quarantined" in out
    assert "record 8: a record must be a JSON object" in out


def test_the_table_fits_a_terminal_of_80_columns(command: Command) -> None:
    long = {"userPrincipalName": f"{'x' * 60}@partner.example", "appDisplayName": "y" * 200}
    legacy = {**PLAIN, **long, "clientAppUsed": "IMAP4", "authenticationProtocol": "ropc", **NON_INTERACTIVE}
    out = table(command, *numbered(legacy, {**PLAIN, **PASSWORD_ONLY, **long}, CHILD))
    assert max(map(len, out.splitlines())) <= 80
    assert "non-interactive-without-mfa" in out


def test_of_one_sign_in_the_version_served_last_counts_alone(command: Command) -> None:
    late, other = {**PLAIN, "id": "late"}, {**PLAIN, **PASSWORD_ONLY, "id": "other"}
    early = {**late, **PASSWORD_ONLY}
    first, second = command.write("1", early, other), command.write("2", other, late)
    code, out, _ = command.run(first, second, "--format", "table")
    assert code == 0
    assert row(out, "customer") == ["customer", "1", "1", "0", "2", "0", "0"]
    assert row(out, "high")[-1] == "1"
    assert len(command.lines(first, second)) == 4


def test_the_table_asks_sessions_too(command: Command) -> None:
    assert row(table(command, CHILD, ROOT), "session") == ["session", "1"]


def test_nothing_to_divide_is_not_measurable(command: Command) -> None:
    out = table(command)
    assert out.count("compliance not measurable\n  (0 compliant, 0 non-compliant, 0 unknown)") == 2
    assert "Findings" not in out


@pytest.mark.parametrize(
    ("counts", "text"),
    [((0, 0), "not measurable"), ((0, 3), "0.0 %"), ((3, 0), "100.0 %"), ((9999, 1), "99.9 %"), ((1, 2), "33.3 %")],
)
def test_a_percentage_never_rounds_up(counts: tuple[int, int], text: str) -> None:
    assert percent(*counts) == text


def test_the_table_is_bounded_and_says_what_it_leaves_out(command: Command) -> None:
    missing: list[Record] = [
        {**PLAIN, **PASSWORD_ONLY, "userPrincipalName": f"u{n}@x.example"} for n in range(SHOWN + 7)
    ]
    legacy = {**PLAIN, "clientAppUsed": "IMAP4"}
    out = table(command, *numbered(*missing, missing[-1], legacy))
    findings = out[out.index("Findings") :]
    assert len(re.findall(r"^(?:critical|high)", findings, re.MULTILINE)) == SHOWN
    assert findings.index("critical") < findings.index("u56@x.example") < findings.index("u0@x.example")
    assert "… and 8 more findings, in 8 or more other groups" in out


def test_names_cannot_steer_the_terminal_or_the_table(command: Command) -> None:
    name = "[bold]\x1b[2J\r\n\x00\u202e\x9b1m:x:"
    out = table(command, {**PLAIN, **PASSWORD_ONLY, "userPrincipalName": name, "appDisplayName": "[/red]"})
    assert not re.search(r"[^\n\x20-\x7e\u2500-\u257f…]", out)
    assert "[bold]\\x1b[2J\\r\\n\\x00\\u202e\\x9b1" in out
    assert "[/red]" in out
    assert harmless("\x00" * 1000) == "\\x00" * 14 + "\\x0…"


def test_a_terminal_that_knows_few_characters_gets_the_table(command: Command) -> None:
    log = command.write("log", {**PLAIN, **PASSWORD_ONLY, "userPrincipalName": "zoë"})
    arguments = [log, "--format", "table", "--directory", str(command.folder / "directory.json")]
    done = process(*arguments, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b" zo\\xeb " in done.stdout


# --- the process ------------------------------------------------------------------------------------------------------


def test_standard_input_is_a_file_too(command: Command) -> None:
    directory = str(command.folder / "directory.json")
    log = "".join(json.dumps(one) + "\n" for one in (CHILD, ROOT)).encode()
    done = process("-", "--directory", directory, stdin=log)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [json.loads(line)["evidence"] for line in done.stdout.splitlines()] == ["session", "proven"]
    broken = process("-", "--directory", directory, "--format", "table", stdin=log + b"[")
    assert broken.returncode == 3
    assert b"- record 2: " in broken.stdout


def test_a_file_name_that_is_no_text_is_printed_as_json(command: Command) -> None:
    name = os.fsencode(command.folder) + b"/\xff\xc3\xa9"
    Path(os.fsdecode(name)).write_bytes(b"[")
    done = process(os.fsdecode(name), "--directory", str(command.folder / "directory.json"))
    (line,) = done.stdout.decode("utf-8", "strict").splitlines()
    assert done.returncode == 3
    assert os.fsencode(json.loads(line)["file"]) == name


@pytest.mark.parametrize("option", ["--no-sessions", "--format=jsonl", "--format=table"])
def test_a_reader_that_stops_ends_the_command_quietly(command: Command, option: str) -> None:
    log = command.write("log", *[_plain(f"{n} {'x' * 200}") for n in range(3000)])
    arguments = [sys.executable, "-m", "local", "assess", log, option, "--directory"]
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as nobody_reads:
        done = subprocess.run(  # noqa: S603 - this interpreter
            [*arguments, str(command.folder / "directory.json")],
            stdout=nobody_reads,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_bar_is_shown_on_a_terminal_only_and_never_in_the_output(command: Command) -> None:
    log = command.write("log", {"value": [PLAIN], "note": "x" * (20 << 20)})
    arguments = [sys.executable, "-m", "local", "assess", log, "--directory", str(command.folder / "directory.json")]
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "wb", buffering=0) as terminal:
        done = subprocess.run(  # noqa: S603 - this interpreter
            arguments, stdout=subprocess.PIPE, stderr=terminal, check=False, env={**os.environ, "TERM": "xterm"}
        )
        terminal.write(b"\nend")
    shown = b""
    while not shown.endswith(b"end"):
        shown += os.read(ours, 65536)
    os.close(ours)
    assert b"reading" in shown
    assert list(json.loads(done.stdout)) == [*KEYS, *CONTEXT]
    quiet = process(log, "--directory", str(command.folder / "directory.json"))
    assert (quiet.stdout, quiet.stderr) == (done.stdout, b"")
