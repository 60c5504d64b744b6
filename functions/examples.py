"""An example of each member of a question or an answer that has a form of its own, and of each body whole."""

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
_A_DAY: Final = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
# A body that does something, by the name of its model.
BODIES: Final[dict[str, dict[str, Any]]] = {
    "Approval": {"ticket": "2611020040001234", "comment": "Confirmed by the vendor."},
    "ChannelToTry": {"channel": "soc"},
    "ExceptionRequest": {
        "commonIssue": 6,
        "title": "AD FS with a second factor that is not told",
        "reason": "The provider does MFA and cannot say so; it is replaced in spring.",
        "owner": "Jane Doe, identity",
        "userId": _GUID,
        "customerId": _GUID,
        "rules": ["third-party-mfa-unrecognised", "mfa-evidence-unknown"],
        "startsOn": "2026-11-01",
        "expiresOn": "2027-03-01",
        "ticket": "2611020040001234",
        "mfa": {"vendor": "Example", "product": "Example MFA 5", "integration": "federation"},
        "documents": {
            "configuration": "sharepoint: mfa/configuration.pdf",
            "testResult": "sharepoint: mfa/test-result.json",
            "purchaseOrder": "sharepoint: mfa/order-4711.pdf",
        },
        "vendorConfirmation": {
            "by": "support@vendor.example",
            "on": "2026-10-20",
            "reference": "case 815",
            "cannotSendMultipleauthn": True,
            "cannotUseExternalMfa": True,
        },
    },
    "IncidentChange": {"state": "acknowledged", "comment": "Moving it to the secure application model this week."},
    "PackRequest": {"month": "2026-09", "customer": "Contoso"},
    "PauseUntil": {"until": "2026-12-01T08:00:00Z"},
    "PeriodOf": _A_DAY,
    "PeriodToRelease": _A_DAY,
    "PeriodToRescan": {**_A_DAY, "dryRun": True},
    "PersonToErase": {"user": _GUID},
    "QuarantineToAccept": {**_A_DAY, "reason": "Seen in the portal: one sign-in, with MFA."},
    "SelfTestRequest": {"channel": "soc"},
    "TokenToCheck": {"claims": {"aud": "https://api.partnercenter.microsoft.com", "amr": ["pwd", "mfa"]}},
}
