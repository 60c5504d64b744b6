"""From a record of the log to its cause, through the decoder and the verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.incidents.causes import cause_of_finding
from shared.incidents.findings import Finding, finding_of
from shared.rules.assess import assess
from shared.rules.rule import AT_HOME, PARTNER, PASSWORD_ONLY, PLAIN, SILENT
from shared.signin.decoding import decode_page
from shared.signin.directory import Customer, DelegatedAdmin, Directory, DirectoryFile
from shared.signin.model import SignIn

DIRECTORY = Directory.of(
    DirectoryFile(
        partner_tenant_id=PARTNER,
        customers=[Customer(tenant_id=str(PLAIN["resourceTenantId"]))],
        delegated_admins=[DelegatedAdmin(user_id=str(PLAIN["userId"]), user_principal_name="t@x.example", roles=[])],
        federated_domains=["wingtip.example"],
    )
)
EXCLUDED = {
    "id": "p1",
    "displayName": "MFA for all <b>",
    "result": "notApplied",
    "enforcedGrantControls": ["Mfa"],
    "excludeRulesSatisfied": [{"conditionalAccessCondition": "users", "ruleSatisfied": "serviceProvider"}],
}
DUO = {"displayName": "Duo", "result": "success", "enforcedGrantControls": ["RequireDuoMfa"]}


def finding(**members: Any) -> Finding:
    record = {**PLAIN, "id": "1", "createdDateTime": "2026-11-02T09:00:00Z", **members}
    (decoded,) = decode_page(json.dumps({"value": [record]}).encode()).records
    assert isinstance(decoded, SignIn)
    found = finding_of(decoded, assess(decoded, DIRECTORY), DIRECTORY)
    assert found is not None
    return found


def skipped(why: str) -> dict[str, Any]:
    return {**PASSWORD_ONLY, "status": {"errorCode": 0, "additionalDetails": f"MFA requirement skipped due to {why}"}}


@pytest.mark.parametrize(
    ("members", "kind"),
    [
        ({**PASSWORD_ONLY, "appliedConditionalAccessPolicies": [EXCLUDED]}, "excluded"),
        ({**PASSWORD_ONLY, "appliedConditionalAccessPolicies": json.dumps([EXCLUDED])}, "excluded"),
        (skipped("remembered device"), "remembered"),
        (skipped("location"), "condition-missed"),
        (skipped("app password"), "legacy-not-blocked"),
        ({**PASSWORD_ONLY, "clientAppUsed": "IMAP4"}, "legacy-not-blocked"),
        ({**PASSWORD_ONLY, "userAgent": "BAV2ROPC"}, "legacy-not-blocked"),
        ({**PASSWORD_ONLY, "authenticationProtocol": "ropc"}, "customer-side"),
        ({**PASSWORD_ONLY, "authenticationProtocol": "deviceCode"}, "device-code-not-blocked"),
        ({**SILENT, "userPrincipalName": "t@wingtip.example"}, "federation-untold"),
        ({**PASSWORD_ONLY, "appliedConditionalAccessPolicies": [DUO]}, "custom-control"),
        (PASSWORD_ONLY, "customer-side"),
        ({**PASSWORD_ONLY, **AT_HOME}, "cannot-tell"),
    ],
)
def test_the_cause_of_a_finding(members: dict[str, Any], kind: str) -> None:
    found = cause_of_finding(finding(**members))
    assert found is not None
    assert found.kind == kind


def test_what_was_stopped_or_had_mfa_has_no_cause() -> None:
    stopped = {"clientAppUsed": "IMAP4", "status": {"errorCode": 50126}}
    assert cause_of_finding(finding(**stopped)) is None
    proven = {"authenticationRequirement": "multiFactorAuthentication"}
    assert cause_of_finding(replace(finding(**PASSWORD_ONLY), verdict="compliant")) is None
    code = cause_of_finding(finding(**proven, authenticationProtocol="deviceCode"))
    assert code is not None
    assert code.kind == "device-code-not-blocked"  # MFA does not help against a code that somebody else asked for
