"""What the local Graph's directory answers, as JSON, and the query options that it takes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from local.sample import JsonObject, iso
from local.sample.model import Customer, GdapRelationship, Registration

from .errors import bad_request
from .server import Call

_LIMITED = ("displayName", "userPrincipalName", "mail", "userType", "accountEnabled", "description")
ONE_OF: Final = re.compile(r"(\w+) eq '([0-9A-Fa-f-]{36})'")


def options_of(call: Call, *taken: str) -> dict[str, str]:
    """The query options of a request. Raises GraphError (400) on one that this address does not take."""
    options = {name: value for name, value in call.request.query.items() if name.startswith("$")}
    for name in options:
        if name not in (*taken, "$skiptoken"):
            raise bad_request(f"Query option '{name[1:].capitalize()}' is not allowed.")
    return options


def top_of(options: Mapping[str, str], default: int, most: int) -> int:
    """How many a page may hold. Raises GraphError (400)."""
    text = options.get("$top")
    if text is None:
        return default
    if re.fullmatch(r"[1-9]\d{0,8}", text) is None or int(text) > most:
        raise bad_request(f"The limit of '{most}' for Top query has been exceeded or the value '{text[:20]}' is wrong.")
    return int(text)


def is_of(options: Mapping[str, str], role: str, principal: str) -> bool:
    """Whether a filter on one role or one principal fits; without a filter everything does."""
    if "$filter" not in options:
        return True
    match = ONE_OF.fullmatch(options["$filter"])
    matches: dict[str, Callable[[str], bool]] = {
        "roleDefinitionId": lambda wanted: wanted == role,
        "principalId": lambda wanted: wanted == principal,
    }
    if match is None or match.group(1) not in matches:
        raise bad_request("Invalid filter clause")
    return matches[match.group(1)](match.group(2).lower())


def selected(options: Mapping[str, str], body: JsonObject) -> JsonObject:
    """The members that `$select` names; all where it is not there."""
    wanted = options.get("$select")
    return body if wanted is None else {name: body[name] for name in wanted.split(",") if name in body}


def object_json(options: Mapping[str, str], kind: str, object_id: str) -> JsonObject:
    """A member that the app may not read: its type and its id, all else null."""
    wanted = options["$select"].split(",") if "$select" in options else _LIMITED
    return {"@odata.type": kind, "id": object_id} | {name: None for name in wanted if name in _LIMITED}


def customer_json(customer: Customer) -> JsonObject:
    """A delegatedAdminCustomer."""
    return {
        "@odata.type": "#microsoft.graph.delegatedAdminCustomer",
        "id": customer.tenant_id,
        "tenantId": customer.tenant_id,
        "displayName": customer.display_name,
    }


def relationship_json(relationship: GdapRelationship) -> JsonObject:
    """A delegatedAdminRelationship."""
    length = relationship.ends - relationship.activated
    return {
        "@odata.type": "#microsoft.graph.delegatedAdminRelationship",
        "id": relationship.relationship_id,
        "displayName": relationship.display_name,
        "duration": f"P{max(1, length.days)}D",
        "autoExtendDuration": "PT0S",
        "customer": {
            "tenantId": relationship.customer_tenant_id,
            "displayName": relationship.customer_display_name,
        },
        "accessDetails": {"unifiedRoles": [{"roleDefinitionId": r} for r in relationship.role_definition_ids]},
        "status": relationship.status,
        "createdDateTime": iso(relationship.activated),
        "lastModifiedDateTime": iso(relationship.activated),
        "activatedDateTime": iso(relationship.activated),
        "endDateTime": iso(relationship.ends),
    }


def registration_json(registration: Registration, display_name: str | None) -> JsonObject:
    """A line of the registration report."""
    return {
        "id": registration.user_id,
        "userPrincipalName": registration.user_principal_name,
        "userDisplayName": display_name or registration.user_principal_name.partition("@")[0],
        "userType": registration.user_type,
        "isAdmin": registration.is_admin,
        "isSsprRegistered": False,
        "isSsprEnabled": False,
        "isSsprCapable": False,
        "isMfaRegistered": registration.is_mfa_registered,
        "isMfaCapable": registration.is_mfa_capable,
        "isPasswordlessCapable": False,
        "methodsRegistered": [*registration.methods_registered],
        "lastUpdatedDateTime": iso(registration.last_updated),
    }
