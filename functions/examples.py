"""An example of each member of a question or an answer that has a form of its own."""

from __future__ import annotations

from typing import Any, Final

_GUID: Final = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
_TIME: Final = "2026-11-02T09:00:00Z"
EXAMPLES: Final[dict[str, Any]] = {
    "appId": _GUID,
    "appName": "Azure PowerShell",
    "compliancePercent": 96.27,
    "createdAt": _TIME,
    "customerId": _GUID,
    "customerName": "Contoso",
    "expiresOn": "2026-12-31",
    "firstSeenAt": _TIME,
    "from": _TIME,
    "generatedAt": _TIME,
    "lastSeenAt": _TIME,
    "measuredUntil": _TIME,
    "percent": 99.65,
    "signedInAt": _TIME,
    "snoozedUntil": "2026-12-01T08:00:00Z",
    "startsOn": "2026-12-01",
    "tenantId": _GUID,
    "to": _TIME,
    "until": _TIME,
    "userId": _GUID,
    "userPrincipalName": "jane@partner.example",
}
