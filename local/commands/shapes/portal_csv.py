"""The CSV that the Entra admin center downloads: a row a sign-in, columns in words.

It has no steps and does not say whether a sign-in was interactive. The portal tells that by the name that it gives the
file (InteractiveSignIns_…, NonInteractiveSignIns_…), and the steps in a file of their own (`auth_details`). Without
them a row says of its factors only the result of MFA, so that no row can be found to have had a single factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from local.commands.shapes.times import iso_time
from shared.basics.spelling import squeezed

# Column, as `column_name` has it: member.
_MEMBERS: Final = {
    "date (utc)": "createdDateTime",
    "date": "createdDateTime",
    "request id": "id",
    "user agent": "userAgent",
    "correlation id": "correlationId",
    "user id": "userId",
    "user": "userDisplayName",
    "username": "userPrincipalName",
    "user type": "userType",
    "cross tenant access type": "crossTenantAccessType",
    "authentication protocol": "authenticationProtocol",
    "unique token identifier": "uniqueTokenIdentifier",
    "original transfer method": "originalTransferMethod",
    "client credential type": "clientCredentialType",
    "application": "appDisplayName",
    "application id": "appId",
    "resource": "resourceDisplayName",
    "resource id": "resourceId",
    "resource tenant id": "resourceTenantId",
    "home tenant id": "homeTenantId",
    "home tenant name": "homeTenantName",
    "ip address": "ipAddress",
    "client app": "clientAppUsed",
    "authentication requirement": "authenticationRequirement",
    "session id": "sessionId",
    "token issuer type": "tokenIssuerType",
    "token issuer name": "tokenIssuerName",
    "service principal id": "servicePrincipalId",
    "service principal name": "servicePrincipalName",
    "conditional access": "conditionalAccessStatus",
}
_DEVICE: Final = {
    "device id": "deviceId",
    "browser": "browser",
    "operating system": "operatingSystem",
    "join type": "trustType",
}
_ISSUERS: Final = {"adfs": "ADFederationServices", "activedirectoryfederationservices": "ADFederationServices"}
# A second factor's method as a step of its own: not to be taken for the first factor, which such a row does not tell.
_SECOND: Final = "Second factor: "
_INTERACTIVE: Final = "interactive"


def column_name(text: str) -> str:
    """A column's name as it is compared: no case, no spaces at its ends, one between words."""
    return " ".join(text.lower().split())


def fits(columns: Sequence[str]) -> bool:
    """Whether these columns are the portal's, of users or of applications."""
    return "request id" in columns and not {"username", "user id", "service principal id"}.isdisjoint(columns)


def event_types(file_name: str) -> list[str] | None:
    """Which log the portal's name of a file tells; None where it tells none."""
    name = squeezed(file_name)
    if _INTERACTIVE not in name:
        return None
    return ["nonInteractiveUser"] if f"non{_INTERACTIVE}" in name else ["interactiveUser"]


def as_graph(row: dict[str, str], types: list[str] | None, steps: list[dict[str, Any]] | None) -> dict[str, Any]:
    """What Graph would have given of a row. `steps` are those that the AuthDetails CSV has of it; None without it."""
    record: dict[str, Any] = {member: row[name] for name, member in _MEMBERS.items() if row.get(name)}
    result = row.get("multifactor authentication result") or None
    record["createdDateTime"] = iso_time(record.get("createdDateTime", ""))
    record["status"] = {"errorCode": _code(row), "additionalDetails": result}
    record["tokenIssuerType"] = _ISSUERS.get(squeezed(record.get("tokenIssuerType", "")), record.get("tokenIssuerType"))
    record["deviceDetail"] = {member: row[name] for name, member in _DEVICE.items() if row.get(name)}
    record["location"] = _location(row.get("location", ""))
    record["authenticationDetails"] = _steps(row, result) if steps is None else steps
    if "username" not in row and "user id" not in row:
        record["category"] = "ServicePrincipalSignInLogs"
    elif types:
        record["signInEventTypes"] = types
    return record


def _code(row: dict[str, str]) -> int | None:
    """The error code; a success has none. A failure without one is -1, which no sign-in that succeeded has."""
    code = row.get("sign-in error code", "").strip()
    if code.isascii() and code.isdigit():
        return int(code[:9])
    status = squeezed(row.get("status", ""))
    return 0 if status == "success" else -1 if status else None


def _steps(row: dict[str, str], result: str | None) -> list[dict[str, Any]]:
    method = row.get("multifactor authentication auth method")
    if not (result and method):
        return []
    return [{"authenticationMethod": _SECOND + method, "authenticationStepResultDetail": result}]


def _location(text: str) -> dict[str, str]:
    """ "Leeds, West Yorkshire, GB"."""
    country = text.rpartition(",")[2].strip()
    return {"countryOrRegion": country} if country else {}
