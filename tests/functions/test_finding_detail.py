"""One record with everything: what a finding keeps goes through its row and comes back in the answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from shared.answers.findings import FindingDetail, finding_detail
from shared.incidents.findings import finding_of
from shared.rules.assess import assess
from shared.rules.rule import CUSTOMER, PLAIN, TECHNICIAN
from shared.signin.decoding import decode_page
from shared.signin.model import SignIn
from shared.store.findings import finding_of_row, finding_row
from tests.signin.records import DIRECTORY

_POLICY = {
    "id": "p1",
    "displayName": "MFA for \ud800all",
    "result": "notApplied",
    "enforcedGrantControls": ["Mfa"],
    "enforcedSessionControls": ["SignInFrequency"],
    "conditionsNotSatisfied": "location",
    "includeRulesSatisfied": [{"conditionalAccessCondition": "users", "ruleSatisfied": "allUsers"}],
    "excludeRulesSatisfied": [{"conditionalAccessCondition": "users", "ruleSatisfied": "groupId"}],
}
_RECORD = {
    **PLAIN,
    "id": "request-1",
    "userDisplayName": "Tech",
    "appDisplayName": "Portal",
    "resourceDisplayName": "Graph",
    "userAgent": "Mozilla/5.0",
    "ipAddress": "203.0.113.7",
    "authenticationRequirement": "multiFactorAuthentication",
    "status": {"errorCode": 0, "additionalDetails": "MFA requirement skipped due to remembered device"},
    "authenticationDetails": [
        {
            "authenticationMethod": "Password" + "x" * 500,
            "authenticationStepResultDetail": "Correct password",
            "succeeded": True,
        },
        {"authenticationMethod": "X.509 Certificate", "succeeded": None},
        *({"authenticationMethod": f"m{i}"} for i in range(50)),
    ],
    "authenticationProcessingDetails": [
        {"key": "Is CBA Sufficient MFA", "value": "False"},
        {"key": "User certificate authentication level", "value": "singleFactorAuthentication"},
    ],
    "originalTransferMethod": "deviceCodeFlow",
    "authenticationRequirementPolicies": [
        {"requirementProvider": "multiConditionalAccess", "detail": "Conditional Access"}
    ],
    "appliedConditionalAccessPolicies": [_POLICY, *({**_POLICY, "id": f"more{i}"} for i in range(40))],
    "location": {"countryOrRegion": "DE"},
    "deviceDetail": {"displayName": "LAPTOP-1", "trustType": "Hybrid Azure AD joined"},
    "sessionId": "session-1",
    "uniqueTokenIdentifier": "token-1",
    "correlationId": "correlation-1",
    "originalRequestId": "request-0",
}


def _shown(**members: object) -> FindingDetail:
    (record,) = decode_page(json.dumps({"value": [{**_RECORD, **members}]}).encode()).records
    assert isinstance(record, SignIn), record
    finding = finding_of(record, assess(record, DIRECTORY), DIRECTORY)
    assert finding is not None
    return finding_detail(finding_of_row(finding_row("p", finding)), {})


def test_one_record_with_everything_gives_everything_back() -> None:
    shown = _shown()
    said = shown.model_dump(by_alias=True, mode="json")
    assert {name for name, value in said.items() if value is None} == {
        *("why", "strength"),  # of an unknown evidence, of a satisfied one
        *("customerName", "cause", "causeId", "whyPossible"),  # of the directory and of the slice, not of the record
    }
    expected = {
        "id": "request-1",
        "signedInAt": datetime(2026, 11, 2, 9, tzinfo=UTC).isoformat().replace("+00:00", "Z"),
        "evidence": "skipped",
        "how": "remembered-device",
        "interactive": True,
        "resultCode": 0,
        "userId": TECHNICIAN,
        "userPrincipalName": "technician@partner.example",
        "customerId": CUSTOMER,
        "protocol": "oAuth2",
        "requirement": "multiFactorAuthentication",
        "requirements": ["multiConditionalAccess: Conditional Access"],
        "statement": "MFA requirement skipped due to remembered device",
        "transferMethod": "deviceCodeFlow",
        "accessType": "serviceProvider",
        "country": "DE",
        "deviceName": "LAPTOP-1",
        "deviceTrust": "Hybrid Azure AD joined",
        "sessionId": "session-1",
        "uniqueTokenIdentifier": "token-1",
        "correlationId": "correlation-1",
        "originalRequestId": "request-0",
        "viaAgent": False,
        "passwordRight": False,
        "explanation": "MFA was skipped because of a remembered device.",
    }
    assert {name: said[name] for name in expected} == expected
    assert said["certificateLevel"]
    assert len(said["steps"]) == 20
    assert said["steps"][0] == {
        "method": ("Password" + "x" * 500)[:100],
        "statement": "Correct password",
        "succeeded": True,
    }
    assert len(said["policies"]) == 30
    assert said["policies"][0] == {
        "policyId": "p1",
        "policyName": "MFA for \N{REPLACEMENT CHARACTER}all",
        "result": "notApplied",
        "grantControls": ["Mfa"],
        "sessionControls": ["SignInFrequency"],
        "conditionsNotSatisfied": ["location"],
        "includedBy": ["allUsers"],
        "excludedBy": ["groupId"],
    }


def test_what_only_another_record_has_comes_back_too() -> None:
    silent = {"status": {"errorCode": 0}, "authenticationDetails": [], "authenticationProcessingDetails": []}
    single = {**silent, "authenticationRequirement": "singleFactorAuthentication"}
    assert _shown(**single).why in ("session-unseen", "no-session")
    by_agent = {"agent": {"agentType": "agenticAppInstance", "agentSubjectType": "user"}}
    assert _shown(**by_agent).via_agent is True
    assert _shown(authenticationProtocol="deviceCode", status={"errorCode": 53003}).password_right is True
