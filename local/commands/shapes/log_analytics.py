"""Rows of Log Analytics and Sentinel: SigninLogs and its sisters, from the API, a data export or the portal's CSV.

Columns are PascalCase, objects JSON text (which `shared.signin` unwraps), flags sometimes text. `TenantId` is the
workspace, `ResourceId` the tenant's own log; the resource that was signed in to is `ResourceIdentity`. A `union` of
tables in which a column has two types makes two columns of it, `Status_dynamic` and `Status_string`.
"""

from __future__ import annotations

from typing import Any, Final

from local.commands.shapes.members import name_of
from local.commands.shapes.times import iso_time

_OWN: Final = {"timeGenerated", "aadTenantId", "resourceIdentity", "sourceSystem"}
# The table tells the log where a query left out the category.
_CATEGORY_OF_TABLE: Final = {
    "signinlogs": "SignInLogs",
    "aadnoninteractiveusersigninlogs": "NonInteractiveUserSignInLogs",
    "aadserviceprincipalsigninlogs": "ServicePrincipalSignInLogs",
    "aadmanagedidentitysigninlogs": "ManagedIdentitySignInLogs",
    "microsoftserviceprincipalsigninlogs": "MicrosoftServicePrincipalSignInLogs",
    "adfssigninlogs": "ADFSSignInLogs",
}
_TYPES: Final = ("_dynamic", "_string", "_datetime", "_bool", "_int", "_long", "_real", "_guid")
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}


def is_row(record: dict[str, Any]) -> bool:
    """Whether a record (its members named as Graph's) is a row of a table."""
    return not _OWN.isdisjoint(record) and "properties" not in record


def as_graph(row: dict[str, Any]) -> dict[str, Any]:
    """What Graph would have given of a row."""
    record = {name: value for name, value in row.items() if name not in ("tenantId", "resourceId") and value != ""}
    for name in [name for name in record if name.endswith(_TYPES)]:
        base = name_of(name.rpartition("_")[0])
        if record.get(base) is None:
            record[base] = record[name]
    if identity := row.get("resourceIdentity"):
        record["resourceId"] = identity
    if table := row.get("type"):
        record.setdefault("category", _CATEGORY_OF_TABLE.get(str(table).lower()))
    return typed(record)


def typed(record: dict[str, Any]) -> dict[str, Any]:
    """The record with what is text in a table, and none in Graph's, as Graph has it."""
    if isinstance(flag := record.get("isInteractive"), str):
        record["isInteractive"] = _FLAGS.get(flag.strip().lower())
    if isinstance(at := record.get("createdDateTime"), str):
        record["createdDateTime"] = iso_time(at)
    return record
