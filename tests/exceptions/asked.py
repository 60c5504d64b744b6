"""A request for an exception as it should be, for tests to bend."""

from __future__ import annotations

from typing import Any

from shared.rules.rule import TECHNICIAN

APP = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"


def asked(**members: Any) -> dict[str, Any]:
    """The body of a request about the sample technician, in November 2026, with those members laid over it."""
    return {
        "commonIssue": 6,
        "title": "Smart cards of Contoso",
        "reason": "The provider cannot send the claim.",
        "owner": "ciso@partner.example",
        "userId": TECHNICIAN,
        "rules": ["interactive-without-mfa"],
        "startsOn": "2026-11-02",
        "expiresOn": "2026-11-30",
        "mfa": {"vendor": "Contoso", "product": "Cards 3", "integration": "federation"},
        "documents": {"configuration": "cfg.pdf", "testResult": "test.json", "purchaseOrder": "PO-77"},
        "vendorConfirmation": {
            "by": "Contoso support",
            "on": "2026-10-30",
            "reference": "case-4711.eml",
            "cannotSendMultipleauthn": True,
            "cannotUseExternalMfa": True,
        },
        **members,
    }
