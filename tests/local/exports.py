"""Four sign-ins, and the shapes in which people hold them: what the tests of `assess` read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from local.commands.assess import main

PARTNER: Final = "11111111-aaaa-4aaa-8aaa-111111111111"
CUSTOMER: Final = "22222222-bbbb-4bbb-8bbb-222222222222"
TECHNICIAN: Final = "33333333-cccc-4ccc-8ccc-333333333333"
DIRECTORY: Final = {
    "partnerTenantId": PARTNER,
    "customers": [{"tenantId": CUSTOMER, "displayName": "Harbour Bakery"}],
    "delegatedAdmins": [{"userId": TECHNICIAN, "userPrincipalName": "tara.quill@northfold.example", "roles": []}],
    "federatedDomains": [],
}

type Record = dict[str, Any]
type Files = dict[str, bytes]

PASSWORD: Final[Record] = {
    "authenticationStepDateTime": "2026-10-15T08:00:00Z",
    "authenticationMethod": "Password",
    "authenticationMethodDetail": "Password in the cloud",
    "succeeded": True,
    "authenticationStepResultDetail": "Correct password",
    "authenticationStepRequirement": "Primary authentication",
}
PUSH: Final[Record] = {
    **PASSWORD,
    "authenticationMethod": "Mobile app notification",
    "authenticationMethodDetail": "",
    "authenticationStepResultDetail": "MFA successfully completed",
    "authenticationStepRequirement": "Multifactor authentication",
}


def record(number: int, steps: list[Record], **members: Any) -> Record:
    return {
        "id": f"a0000000-0000-4000-8000-00000000000{number}",
        "createdDateTime": f"2026-10-15T20:0{number}:00Z",
        "userDisplayName": "Tara Quill",
        "userPrincipalName": "tara.quill@northfold.example",
        "userId": TECHNICIAN,
        "appId": "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
        "appDisplayName": "Azure Portal",
        "ipAddress": "203.0.113.7",
        "clientAppUsed": "Browser",
        "userAgent": "Mozilla/5.0",
        "correlationId": "b0000000-0000-4000-8000-000000000001",
        "isInteractive": True,
        "signInEventTypes": ["interactiveUser"],
        "tokenIssuerType": "AzureAD",
        "resourceDisplayName": "Azure Resource Manager",
        "resourceId": "797f4846-ba00-4fd7-ba43-dac1f8f63013",
        "resourceTenantId": CUSTOMER,
        "homeTenantId": PARTNER,
        "crossTenantAccessType": "serviceProvider",
        "authenticationRequirement": "singleFactorAuthentication",
        "authenticationDetails": steps,
        "authenticationProtocol": "none",
        "status": {"errorCode": 0, "failureReason": "Other.", "additionalDetails": None},
        "location": {"city": "Leeds", "state": "West Yorkshire", "countryOrRegion": "GB"},
        **members,
    }


SILENT: Final = {"isInteractive": False, "signInEventTypes": ["nonInteractiveUser"]}
_FAILED: Final = {"errorCode": 50126, "failureReason": "Invalid username or password", "additionalDetails": None}
LOG: Final = [
    record(1, [PASSWORD, PUSH], authenticationRequirement="multiFactorAuthentication"),
    record(2, [PASSWORD]),
    record(3, [PASSWORD], authenticationProtocol="ropc", clientAppUsed="IMAP4", **SILENT),
    record(4, [{**PASSWORD, "succeeded": False}], status=_FAILED),
]
PROVEN: Final[tuple[str, str, list[str]]] = ("success", "proven", [])
NONE: Final = ("success", "none", ["interactive-without-mfa"])
ROPC: Final = ("success", "none", ["legacy-auth", "password-flow", "non-interactive-without-mfa"])
RIGHT: Final = [PROVEN, NONE, ROPC, ("failed", "not-applicable", [])]


# --- the shapes -------------------------------------------------------------------------------------------------------


def dump(value: object, **options: Any) -> bytes:
    return json.dumps(value, **options).encode()


def dump_lines(values: Sequence[object]) -> bytes:
    return b"".join(dump(value) + b"\n" for value in values)


def as_csv(rows: Sequence[Mapping[str, object]], delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def envelope(one: Record) -> Record:
    interactive = one["isInteractive"]
    return {
        "time": "2026-10-15T20:09:00Z",
        "resourceId": f"/tenants/{PARTNER}/providers/Microsoft.aadiam",
        "operationName": "Sign-in activity",
        "category": "SignInLogs" if interactive else "NonInteractiveUserSignInLogs",
        "tenantId": PARTNER,
        "resultType": str(one["status"]["errorCode"]),
        "properties": one,
    }


def pascal(value: Any) -> Any:
    """As the PowerShell module and Log Analytics name members."""
    if isinstance(value, list):
        return [pascal(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        "IPAddress" if name == "ipAddress" else name[:1].upper() + name[1:]: pascal(one) for name, one in value.items()
    }


def lowered(value: Any) -> Any:
    if isinstance(value, list):
        return [lowered(one) for one in value]
    return {name.lower(): lowered(one) for name, one in value.items()} if isinstance(value, dict) else value


def row_of_workspace(one: Record) -> Record:
    """A row of SigninLogs or AADNonInteractiveUserSignInLogs."""
    row = {name: dump(v).decode() if isinstance(v, dict | list) else v for name, v in pascal(one).items()}
    row["Status"], row["AuthenticationDetails"] = (
        dump(one["status"]).decode(),
        dump(one["authenticationDetails"]).decode(),
    )
    del row["ResourceId"], row["SignInEventTypes"]
    table = "SigninLogs" if one["isInteractive"] else "AADNonInteractiveUserSignInLogs"
    if not one["isInteractive"]:
        del row["IsInteractive"]
    return {
        "TenantId": "99999999-ffff-4fff-8fff-999999999999",
        "SourceSystem": "Azure AD",
        "TimeGenerated": one["createdDateTime"],
        "ResourceId": f"/tenants/{PARTNER}/providers/Microsoft.aadiam",
        "Category": envelope(one)["category"],
        "ResultType": str(one["status"]["errorCode"]),
        **row,
        "ResourceIdentity": one["resourceId"],
        "Type": table,
    }


def us_time(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f"{at.month}/{at.day}/{at.year}, {at.hour % 12 or 12}:{at:%M:%S}.000 {at:%p}"


def workspace_csv(log: list[Record], zone: str = "UTC") -> bytes:
    rows = [row_of_workspace(one) for one in log]
    columns = {name for row in rows for name in row}
    named = []
    for row in rows:
        row.update(TimeGenerated=us_time(row["TimeGenerated"]), CreatedDateTime=us_time(row["CreatedDateTime"]))
        full = {name: str(row.get(name, "")) for name in sorted(columns)}
        named.append({f"{n} [{zone}]" if n in ("TimeGenerated", "CreatedDateTime") else n: v for n, v in full.items()})
    return as_csv(named)


def query_api(log: list[Record]) -> Record:
    rows = [row_of_workspace(one) for one in log]
    columns = sorted({name for row in rows for name in row})
    return {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [{"name": name, "type": "string"} for name in columns],
                "rows": [[row.get(name) for name in columns] for row in rows],
            }
        ]
    }


def old_powershell(log: list[Record]) -> bytes:
    """Windows PowerShell 5.1: Out-File writes UTF-16, dates are /Date(…)/, some lists are wrapped."""

    def old(one: Record) -> Record:
        at = datetime.fromisoformat(one["createdDateTime"])
        named: Record = pascal(one)
        named["CreatedDateTime"] = f"/Date({int(at.timestamp() * 1000)})/"
        named["SignInEventTypes"] = {"value": one["signInEventTypes"], "Count": 1}
        named["Status"]["AdditionalProperties"] = {}
        return named

    text = json.dumps([old(one) for one in log], indent=4).replace("/", "\\/").replace("\n", "\r\n")
    return b"\xff\xfe" + text.encode("utf-16-le")


def united(one: Record) -> Record:
    """A row of a union: Status is an object in one table and text in the other."""
    row = row_of_workspace(one)
    kind, other = ("dynamic", "string") if one["isInteractive"] else ("string", "dynamic")
    return {**row, f"Status_{kind}": row.pop("Status"), f"Status_{other}": ""}


def older(one: Record) -> Record:
    """As a PowerShell module writes what it does not know."""
    named: Record = pascal(one)
    return {**named, "AdditionalProperties": {"homeTenantId": named.pop("HomeTenantId")}}


PORTAL: Final = {
    "Date (UTC)": "createdDateTime", "Request ID": "id", "User agent": "userAgent", "Correlation ID": "correlationId",
    "User ID": "userId", "User": "userDisplayName", "Username": "userPrincipalName", "Application": "appDisplayName",
    "Application ID ": "appId", "Resource": "resourceDisplayName", "Resource ID ": "resourceId",
    "Resource tenant ID": "resourceTenantId", "Home tenant ID": "homeTenantId", "IP address": "ipAddress",
    "Client app": "clientAppUsed",
}  # fmt: skip
_WORDS: Final = {
    "none": "None", "ropc": "ROPC", "singleFactorAuthentication": "Single-factor authentication",
    "multiFactorAuthentication": "Multifactor authentication",
}  # fmt: skip


def portal_row(one: Record) -> dict[str, object]:
    code = one["status"]["errorCode"]
    mfa = len(one["authenticationDetails"]) > 1
    return {
        **{column: one[member] for column, member in PORTAL.items()},
        "Cross tenant access type": "Service provider",
        "Incoming token type": "None",
        "Authentication Protocol": _WORDS[one["authenticationProtocol"]],
        "Location": "Leeds, West Yorkshire, GB",
        "Status": "Failure" if code else "Success",
        "Sign-in error code": code or "",
        "Failure reason": one["status"]["failureReason"],
        "Multifactor authentication result": "MFA completed in Azure AD" if mfa else "",
        "Multifactor authentication auth method": "Mobile app notification" if mfa else "",
        "Multifactor authentication auth detail": "",
        "Authentication requirement": _WORDS[one["authenticationRequirement"]],
        "Session ID": "",
        "Token issuer type": "Azure AD",
    }


def portal_csv(log: list[Record], **options: Any) -> bytes:
    return b"\xef\xbb\xbf" + as_csv([portal_row(one) for one in log], **options)


def steps_csv(log: list[Record]) -> bytes:
    return as_csv(
        [
            {
                "Date (UTC)": step["authenticationStepDateTime"],
                "Request ID": one["id"],
                "Authentication method": step["authenticationMethod"],
                "Authentication method detail": step["authenticationMethodDetail"],
                "Succeeded": str(step["succeeded"]).lower(),
                "Result detail": step["authenticationStepResultDetail"],
                "Requirement": step["authenticationStepRequirement"],
            }
            for one in log
            for step in one["authenticationDetails"]
        ]
    )


INTERACTIVE: Final = [one for one in LOG if one["isInteractive"]]
REST: Final = [one for one in LOG if not one["isInteractive"]]

SHAPES: Final[dict[str, Callable[[list[Record]], bytes]]] = {
    "Graph page": lambda log: dump({"@odata.context": "https://graph.microsoft.com/beta/$metadata#x", "value": log}),
    "portal JSON": lambda log: b"\xef\xbb\xbf" + dump(log, indent=2),
    "lines of envelopes": lambda log: dump_lines([envelope(one) for one in log]),
    "messages of an event hub": lambda log: dump_lines([{"records": [envelope(one) for one in log]}]),
    "envelopes in capitals": lambda log: dump_lines(
        [{name.upper(): value for name, value in envelope(one).items()} for one in log]
    ),
    "all in lower case": lambda log: dump_lines([lowered(envelope(one)) for one in log]),
    "envelopes with text": lambda log: dump_lines(
        [{**envelope(one), "properties": dump(one).decode()} for one in log]
    ),
    "workspace rows": lambda log: dump([row_of_workspace(one) for one in log], indent=1),
    "workspace data export": lambda log: dump_lines([row_of_workspace(one) for one in log]),
    "az monitor log-analytics query": lambda log: dump(
        [{**row_of_workspace(one), "TableName": "PrimaryResult"} for one in log]
    ),
    "a union of two tables": lambda log: dump([united(one) for one in log]),
    "query API": lambda log: dump(query_api(log)),
    "pretty query API": lambda log: dump(query_api(log), indent=2),
    "workspace CSV": workspace_csv,
    "PowerShell 7": lambda log: dump(pascal(log), indent=2),
    "Windows PowerShell 5.1": old_powershell,
    "a module older than the member": lambda log: dump([older(one) for one in log]),
    "CIPP": lambda log: dump({"Results": log}),
    "signIns": lambda log: dump({"signIns": log}, indent=2),
    "a collector": lambda log: dump_lines([{"eventHubsAzureRecord": envelope(one)} for one in log]),
    "Splunk": lambda log: dump_lines(
        [{"preview": False, "offset": n, "result": {"_raw": dump(envelope(one)).decode()}} for n, one in enumerate(log)]
    ),
    "Splunk, raw batches": lambda log: dump_lines(
        [{"result": {"_raw": dump({"records": [envelope(one) for one in log]}).decode()}}]
    ),
    "Splunk CSV": lambda log: as_csv([{"_time": "x", "_raw": dump(envelope(one)).decode()} for one in log]),
    "capture as JSON": lambda log: dump_lines(
        [{"SequenceNumber": 5, "Body": dump({"records": [envelope(one) for one in log]}).decode()}]
    ),
    "Elastic with the original": lambda log: dump_lines(
        [
            {"_source": {"@timestamp": "x", "event": {"kind": "event", "original": dump(envelope(one)).decode()}}}
            for one in log
        ]
    ),
    "a batch of Graph": lambda log: dump({"responses": [{"id": "1", "status": 200, "body": {"value": log}}]}),
}  # fmt: skip


class Command:
    """`assess` on files in a folder."""

    def __init__(self, folder: Path, captured: pytest.CaptureFixture[bytes]) -> None:
        self.folder, self._captured = folder, captured
        (folder / "directory.json").write_text(json.dumps(DIRECTORY))

    def run(self, files: Files, *options: str) -> tuple[int, list[Record]]:
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        paths = [str(self.folder / name) for name in files]
        code = main([*paths, "--directory", str(self.folder / "directory.json"), *options])
        return code, [json.loads(line) for line in self._captured.readouterr().out.splitlines()]


def judged(lines: list[Record]) -> list[object]:
    return [line["error"] if "error" in line else (line["outcome"], line["evidence"], line["rules"]) for line in lines]
