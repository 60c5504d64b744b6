"""What is refused whole, with what it is and what to export in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from local.commands.shapes import foreign
from tests.local.exports import (
    LOG,
    PASSWORD,
    PUSH,
    RIGHT,
    SILENT,
    TECHNICIAN,
    Command,
    as_csv,
    dump,
    dump_lines,
    envelope,
    judged,
    pascal,
    record,
    workspace_csv,
)


@pytest.fixture
def command(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    return Command(tmp_path, capsysbinary)


# --- what is refused --------------------------------------------------------------------------------------------------

_V1_MEMBERS: Final = (
    *(
        "id",
        "createdDateTime",
        "userDisplayName",
        "userPrincipalName",
        "userId",
        "appId",
        "appDisplayName",
        "ipAddress",
    ),
    *("clientAppUsed", "correlationId", "isInteractive", "resourceDisplayName", "resourceId", "status", "location"),
)
V1: Final = [{name: one[name] for name in _V1_MEMBERS} for one in LOG]
_AUDIT: Final = {
    "id": "Directory_1", "category": "UserManagement", "activityDateTime": "2026-10-15T20:01:00Z",
    "activityDisplayName": "Add user", "initiatedBy": {"user": {"id": TECHNICIAN}}, "targetResources": [],
}  # fmt: skip
_UNIFIED: Final = {
    "CreationTime": "2026-10-15T20:01:00", "Id": "x", "Operation": "UserLoggedIn", "RecordType": 15, "Workload": "x",
    "UserId": "tara.quill@northfold.example",
}  # fmt: skip
_HUNTING: Final = {
    "Timestamp": "2026-10-15T20:01:00Z", "Application": "x", "LogonType": "[]", "ErrorCode": 0, "AccountUpn": "x",
    "AccountObjectId": TECHNICIAN, "ReportId": "1",
}  # fmt: skip
_SNAKE: Final = {
    "id": "a", "created_date_time": "2026-10-15T20:01:00Z", "user_principal_name": "x", "user_id": TECHNICIAN,
    "is_interactive": True, "status": {"error_code": 0},
}  # fmt: skip
_ECS: Final = {"@timestamp": "x", "event": {"outcome": "success"}, "azure": {"signinlogs": {"properties": {"id": "a"}}}}
_SUMMARY: Final = {
    "id": "1", "aggregationDateTime": "2026-10-15T00:00:00Z", "signInCount": 40, "appId": "a", "userPrincipalName": "x",
}  # fmt: skip

_PAGE_OF_V1: Final = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns"}
_COUNTED: Final = {"Date (UTC)": "x", "Request ID": "y", "Username": "z", "Sign-in count": 5}
_UNIFIED_CSV: Final = {"CreationDate": "x", "UserIds": "y", "Operations": "z", "AuditData": "{}"}
_REGISTERED: Final = {"id": "x", "userPrincipalName": "y", "isMfaRegistered": True}
_NO_ID: Final = {"CreatedDateTime": "x", "UserPrincipalName": "y", "AppDisplayName": "z"}

REFUSED: Final[dict[str, tuple[bytes, str]]] = {
    "v1.0 page": (dump({**_PAGE_OF_V1, "value": V1}), foreign.GRAPH_V1),
    "v1.0, pretty": (dump({**_PAGE_OF_V1, "value": LOG}, indent=2), foreign.GRAPH_V1),
    "v1.0 array": (dump(V1), foreign.GRAPH_V1),
    "v1.0 lines": (dump_lines(V1), foreign.GRAPH_V1),
    "v1.0 of PowerShell": (dump(pascal(V1), indent=2), foreign.GRAPH_V1),
    "Avro": (b"Obj\x01\x04\x16avro.schema" + bytes(50), foreign.AVRO),
    "Parquet": (b"PAR1" + bytes(50), foreign.PARQUET),
    "Excel": (b"PK\x03\x04" + bytes(50), foreign.ARCHIVE),
    "Defender": (dump_lines([_HUNTING] * 3), foreign.HUNTING),
    "Defender as CSV": (as_csv([_HUNTING]), foreign.HUNTING),
    "Defender, Graph's answer": (dump({"schema": [], "results": [_HUNTING]}), foreign.HUNTING),
    "audit log": (dump({"value": [_AUDIT]}), foreign.AUDIT),
    "audit log in envelopes": (dump_lines([{"category": "AuditLogs", "properties": _AUDIT}]), foreign.AUDIT),
    "unified audit log": (dump([_UNIFIED]), foreign.AUDIT),
    "unified audit log as CSV": (as_csv([_UNIFIED_CSV]), foreign.AUDIT),
    "summaries": (dump({"value": [_SUMMARY]}), foreign.SUMMARY),
    "aggregated CSV": (as_csv([_COUNTED]), foreign.SUMMARY),
    "snake case": (dump([_SNAKE]), foreign.SIEM),
    "ECS": (dump_lines([_ECS, _ECS]), foreign.SIEM),
    "registration": (dump({"value": [_REGISTERED]}), foreign.REGISTRATION),
    "local times": (workspace_csv(LOG, "Local Time"), foreign.LOCAL_TIME),
    "a CSV without ids": (as_csv([_NO_ID]), foreign.NO_ID),
    "the portal in French": (
        as_csv([{f"Colonne {n}": "x" for n in range(50)} | {"Adresse IP": "y", "User ID": ""}]),
        foreign.OTHER_LANGUAGE,
    ),
    "users": (dump({"value": [{"id": "x", "displayName": "y"}] * 3}), foreign.NOTHING),
    "an error": (dump({"error": {"code": "Forbidden"}}), foreign.NOTHING),
    "prose": (b"Dear colleague,\n\nplease find the log attached.\n", foreign.NOTHING),
    "an image": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), foreign.NOTHING),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("options", [(), ("--no-sessions",)])
def test_what_is_no_log_of_sign_ins_is_refused_in_one_line_that_names_it(
    command: Command, kind: str, options: tuple[str, ...]
) -> None:
    content, sentence = REFUSED[kind]
    code, lines = command.run({"wrong": content, "right": dump(LOG)}, *options)
    assert code == 3
    assert list(lines[0]) == ["error", "file"]
    assert lines[0]["error"].endswith(sentence)
    assert lines[0]["file"] == str(command.folder / "wrong")
    assert judged(lines[1:]) == RIGHT


def test_a_refused_file_speaks_for_no_session(command: Command) -> None:
    root = {**V1[0], "sessionId": "s", "authenticationDetails": [PASSWORD, PUSH]}
    page = {"@odata.context": "https://graph.microsoft.com/v1.0/$metadata#auditLogs/signIns", "value": [root]}
    child = record(5, [], sessionId="s", **SILENT)
    _, lines = command.run({"v1": dump(page), "log": dump([child])})
    assert lines[1]["evidence"] == "unknown"
    _, lines = command.run({"beta": dump([LOG[0] | {"sessionId": "s"}]), "v1": dump(page), "log": dump([child])})
    assert lines[2]["evidence"] == "session"


def test_a_short_record_is_nobodys_and_is_judged(command: Command) -> None:
    code, (line,) = command.run({"log": dump({"id": "1", "createdDateTime": "2026-10-15T20:01:00Z", "userId": "u"})})
    assert (code, line["verdict"]) == (0, "out-of-scope")


def test_what_else_stands_in_a_log_of_sign_ins_is_told_in_its_place(command: Command) -> None:
    log = [envelope(LOG[0]), {"category": "AuditLogs", "properties": _AUDIT}, envelope(LOG[1])]
    code, lines = command.run({"log": dump_lines(log)})
    assert code == 3
    assert [next(iter(line)) for line in lines] == ["id", "error", "id"]
    assert lines[1]["index"] == 1
