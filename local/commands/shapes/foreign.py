"""What people take for a sign-in log and is none, or not one that can be graded: what it is, and what to export.

Each sentence is for somebody who holds the wrong file and wants the right one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

_INSTEAD: Final = (
    "Export the sign-in log itself: in the Entra admin center Monitoring & health > Sign-in logs > Download > JSON, or "
    "Graph's GET /beta/auditLogs/signIns."
)

NOTHING: Final = f"no record of this file looks like a sign-in. {_INSTEAD}"
GRAPH_V1: Final = (
    "these records come from Microsoft Graph v1.0, which lacks the tenants, the protocol and the authentication "
    "requirement: none can be graded. Export from beta: GET https://graph.microsoft.com/beta/auditLogs/signIns, or "
    "Get-MgBetaAuditLogSignIn -All | ConvertTo-Json -Depth 10 (not Get-MgAuditLogSignIn)."
)
AVRO: Final = (
    "this is Avro, as Event Hubs Capture writes it, and not JSON. Export the sign-in logs with a diagnostic setting to "
    "a storage account (JSON lines), or download them as JSON in the Entra admin center."
)
PARQUET: Final = f"this is a Parquet file and not JSON or CSV. {_INSTEAD}"
ARCHIVE: Final = (
    "this is a ZIP archive or an Excel workbook. Unpack it, or save the sheet as CSV, and name the file inside; "
    "better, download the sign-in logs as JSON in the Entra admin center."
)
HUNTING: Final = (
    "this is Defender advanced hunting (EntraIdSignInEvents, AADSignInEventsBeta, IdentityLogonEvents): it has no "
    f"authentication steps, methods or results, so nothing can be graded. {_INSTEAD}"
)
AUDIT: Final = f"this is an audit log (what was changed or done), not the log of sign-ins. {_INSTEAD}"
SUMMARY: Final = (
    "this counts sign-ins together in groups: no single one can be graded. Download the sign-in logs themselves, each "
    "sign-in a record, as JSON; or ask Graph's /beta/auditLogs/signIns and not its summaries."
)
REGISTRATION: Final = f"this is a report of registered methods, which says nothing of sign-ins. {_INSTEAD}"
RISK: Final = f"this is a report of risky users or risk detections, not the log of sign-ins. {_INSTEAD}"
SIEM: Final = (
    "these are documents of a SIEM, with members renamed (snake_case, ECS or OCSF), in which what the verdict needs "
    f"has been changed or left out. Take the original event (event.original), or: {_INSTEAD[0].lower()}{_INSTEAD[1:]}"
)
STEPS_ALONE: Final = (
    "this is the portal's AuthDetails CSV, the steps alone. Name the sign-ins' CSV beside it "
    "(InteractiveSignIns_….csv, from the same download), both as files."
)
OTHER_LANGUAGE: Final = (
    "this CSV's columns are named in another language than English. Set the portal's language to English (Settings > "
    f"Language + region) and download again, or take JSON. {_INSTEAD}"
)
NO_ID: Final = (
    "this CSV has no id or no time of each sign-in (columns Id and CreatedDateTime, or Request ID and Date (UTC)): "
    f"it is a table for people. {_INSTEAD}"
)
LOCAL_TIME: Final = (
    "this CSV's times are local and don't say of which place. Set Log Analytics' results to UTC (Display time > UTC) "
    "and export again."
)


def _has(names: set[str], *alternatives: str) -> bool:
    return not names.isdisjoint(alternatives)


def _is_siem(names: set[str]) -> bool:
    return _has(names, "created_date_time", "user_principal_name", "@timestamp", "class_uid", "azure") or any(
        name.startswith(("azure.signinlogs.", "azure_")) for name in names
    )


# By the names of a record's members, in lower case.
_KINDS: Final[tuple[tuple[str, Callable[[set[str]], bool]], ...]] = (
    (SIEM, _is_siem),
    (HUNTING, lambda names: "timestamp" in names and _has(names, "accountupn", "accountobjectid", "reportid")),
    (SUMMARY, lambda names: _has(names, "signincount", "aggregationdatetime", "firstsignindatetime")),
    (AUDIT, lambda names: _has(names, "activitydatetime", "activitydisplayname", "auditdata", "targetresources")),
    (AUDIT, lambda names: _has(names, "creationtime", "creationdate") and _has(names, "operation", "operations")),
    (REGISTRATION, lambda names: _has(names, "ismfaregistered", "ismfacapable", "methodsregistered")),
    (RISK, lambda names: _has(names, "riskeventtype", "detecteddatetime", "risklastupdateddatetime")),
)
_AUDIT_LOGS: Final = {"auditlogs", "provisioninglogs", "riskyusers", "userriskevents", "microsoftgraphactivitylogs"}


def foreign_kind(record: dict[str, Any]) -> str | None:
    """The sentence on what a record is that is no sign-in; None where that is not known."""
    category = record.get("category") or record.get("Category")
    if isinstance(category, str) and category.lower() in _AUDIT_LOGS:
        return AUDIT
    names = {name.lower() for name in record}
    if "createddatetime" in names:
        return SUMMARY if "signincount" in names else None
    return next((sentence for sentence, fits in _KINDS if fits(names)), None)
