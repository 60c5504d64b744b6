"""The reference reading against cases worked out by hand, and the reach of the generated sign-ins."""

import copy
import json
from collections import Counter

import pytest

from tests.oracle import oracle
from tests.oracle import records as oracle_records
from tests.oracle.oracle import Json, JsonObject, Logged

PARTNER_CENTER = "fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd"
AUDIENCE = "https://api.partnercenter.microsoft.com"
WINDOWS_SIGN_IN = "38aa3b87-a06d-4817-b275-7a316988d93b"
PARTNER = "11111111-aaaa-4aaa-8aaa-111111111111"
CUSTOMER = "22222222-bbbb-4bbb-8bbb-222222222222"
ELSEWHERE = "33333333-cccc-4ccc-8ccc-333333333333"
JANE = "44444444-dddd-4ddd-8ddd-444444444444"
FORMER = "55555555-eeee-4eee-8eee-555555555555"
MASKED = f"user_{JANE.replace('-', '')}@customer.example"
DIRECTORY: JsonObject = {
    "partnerTenantId": PARTNER.upper(),
    "customers": [{"tenantId": CUSTOMER, "displayName": "Fabrikam", "from": "2026-10-10T00:00:00Z"}],
    "delegatedAdmins": [
        {"userId": JANE.upper(), "userPrincipalName": "jane@contoso.example", "roles": []},
        {"userId": FORMER, "userPrincipalName": "f@contoso.example", "roles": [], "to": "2026-10-15T00:00:00Z"},
    ],
    "federatedDomains": ["Wingtip.example"],
}


def sign_in(**changes: Json) -> JsonObject:
    """Jane at a customer, interactively and with a password only."""
    record: JsonObject = {
        "id": "1",
        "createdDateTime": "2026-10-20T08:00:00Z",
        "userId": JANE,
        "userPrincipalName": "jane@contoso.example",
        "homeTenantId": PARTNER,
        "resourceTenantId": CUSTOMER,
        "crossTenantAccessType": "serviceProvider",
        "signInEventTypes": ["interactiveUser"],
        "status": {"errorCode": 0},
        "authenticationRequirement": "singleFactorAuthentication",
        "authenticationDetails": [{"authenticationMethod": "Password", "succeeded": True}],
    }
    return record | changes


def step(method: str = "", detail: str = "", succeeded: bool | None = True) -> JsonObject:
    return {"authenticationMethod": method, "authenticationStepResultDetail": detail, "succeeded": succeeded}


def judge(record: JsonObject, envelope: JsonObject | None = None, policy: str = "standard") -> oracle.Assessment:
    return oracle.assess(record, envelope, DIRECTORY, policy, None)


def test_a_password_only_sign_in_at_a_customer() -> None:
    assert judge(sign_in()) == {
        "id": "1",
        "identity": "user",
        "scope": "customer",
        "outcome": "success",
        "evidence": "none",
        "verdict": "non-compliant",
        "rules": ["interactive-without-mfa"],
        "severity": "high",
        "why": None,
        "strength": None,
    }


@pytest.mark.parametrize(
    ("changes", "scope"),
    [
        ({}, "customer"),
        ({"resourceTenantId": ELSEWHERE}, "customer"),
        ({"resourceTenantId": None}, "customer"),
        ({"resourceTenantId": PARTNER}, "partner-tenant"),
        ({"resourceTenantId": None, "crossTenantAccessType": "none"}, "partner-tenant"),
        ({"crossTenantAccessType": None}, "customer"),
        ({"crossTenantAccessType": "partnerLink"}, "customer"),
        ({"crossTenantAccessType": "b2bCollaboration"}, "guest"),
        ({"crossTenantAccessType": "microsoftSupport"}, "none"),
        ({"crossTenantAccessType": "b2bCollaboration", "resourceTenantId": ELSEWHERE}, "none"),
        ({"crossTenantAccessType": "none", "resourceTenantId": ELSEWHERE}, "none"),
        ({"crossTenantAccessType": "none", "createdDateTime": "2026-10-10T00:00:00Z"}, "customer"),
        ({"crossTenantAccessType": "none", "createdDateTime": "2026-10-10T01:59:59+02:00"}, "none"),
        ({"resourceTenantId": PARTNER, "appId": WINDOWS_SIGN_IN}, "device"),
        ({"resourceTenantId": PARTNER, "appId": WINDOWS_SIGN_IN, "userAgent": "BAV2ROPC"}, "partner-tenant"),
        ({"resourceTenantId": PARTNER, "appId": WINDOWS_SIGN_IN, "authenticationProtocol": "ropc"}, "partner-tenant"),
        ({"resourceTenantId": PARTNER, "appId": WINDOWS_SIGN_IN, "clientAppUsed": "IMAP4"}, "partner-tenant"),
        ({"crossTenantAccessType": "b2bCollaboration", "resourceId": PARTNER_CENTER}, "partner-center"),
        ({"crossTenantAccessType": "passthrough", "resourceId": f"{AUDIENCE}/"}, "partner-center"),
        ({"crossTenantAccessType": "passthrough", "resourceId": f"{AUDIENCE}.evil"}, "guest"),
        ({"resourceTenantId": PARTNER, "resourceId": "adfs"}, "on-premises"),
        ({"resourceTenantId": PARTNER, "category": "ADFSSignInLogs"}, "on-premises"),
        ({"resourceTenantId": PARTNER, "tokenIssuerType": "NPSExtension"}, "on-premises"),
        ({"resourceTenantId": PARTNER, "tokenIssuerType": "ADFederationServices"}, "partner-tenant"),
        ({"resourceId": "radius"}, "customer"),
        ({"userId": ELSEWHERE, "homeTenantId": ELSEWHERE}, "none"),
        ({"userId": ELSEWHERE, "homeTenantId": PARTNER}, "customer"),
        ({"userId": ELSEWHERE, "resourceTenantId": PARTNER}, "none"),
        ({"userId": None, "homeTenantId": None, "userPrincipalName": MASKED}, "customer"),
        ({"userId": ELSEWHERE, "homeTenantId": None, "userPrincipalName": MASKED}, "customer"),
        ({"userId": FORMER, "homeTenantId": None, "createdDateTime": "2026-10-14T23:59:59Z"}, "customer"),
        ({"userId": FORMER, "homeTenantId": None, "createdDateTime": "2026-10-15T00:00:00Z"}, "none"),
    ],
)
def test_scope(changes: JsonObject, scope: str) -> None:
    assert judge(sign_in(**changes))["scope"] == scope


@pytest.mark.parametrize(
    ("changes", "category", "identity"),
    [
        ({}, None, "user"),
        ({"agent": {"agentType": "notAgentic"}}, None, "user"),
        ({"agent": '{"agentType": "agentIDuser"}'}, None, "agent"),
        ({"agent": {"agentType": "agenticAppInstance"}}, None, "user"),
        ({"agent": {"agentType": "agenticAppInstance"}, "userId": ""}, None, "agent"),
        ({"agent": {"agentType": "agenticAppInstance", "agentSubjectType": "notAgentic"}, "userId": ""}, None, "user"),
        ({"agent": {"agentType": "agentIDuser", "agentSubjectType": "notAgentic"}}, None, "user"),
        ({"agent": {"agentType": "agentIDuser", "agentSubjectType": "agentOfTomorrow"}}, None, "agent"),
        ({"agent": {"agentSubjectType": "agent ID-user"}}, None, "agent"),
        ({"agent": {"agentType": "agentOfTomorrow"}, "userId": ""}, None, "user"),
        ({"signInEventTypes": ["servicePrincipal", "interactiveUser"]}, None, "user"),
        ({"signInEventTypes": ["eventOfTomorrow"]}, "MicrosoftServicePrincipalSignInLogs", "app"),
        ({"signInEventTypes": ["managedIdentity"]}, None, "app"),
        ({"signInEventTypes": None}, "ServicePrincipalSignInLogs", "app"),
        ({"signInEventTypes": [], "servicePrincipalId": ELSEWHERE}, None, "user"),
        (
            {"signInEventTypes": [], "servicePrincipalId": ELSEWHERE, "userId": "", "userPrincipalName": None},
            None,
            "app",
        ),
    ],
)
def test_identity(changes: JsonObject, category: str | None, identity: str) -> None:
    assessment = judge(sign_in(**changes), {"category": category})
    assert assessment["identity"] == identity
    assert (assessment["verdict"] == "not-applicable") == (identity != "user")
    assert bool(assessment["rules"]) == (identity == "user")


@pytest.mark.parametrize(
    ("status", "result", "outcome"),
    [
        ({"errorCode": 0}, "50126", "success"),
        ({"errorCode": None}, "50126", "failed"),
        ('{"errorCode": 50076}', "0", "interrupted"),
        (None, "53003", "blocked"),
        (None, "", "success"),
        (None, None, "success"),
        ({"errorCode": 7}, None, "failed"),
        (None, "Success", "success"),
        (None, "Interrupted", "failed"),
        (None, "00000", "success"),
        (None, "53011", "blocked"),
        ({"errorCode": 90095}, None, "interrupted"),
    ],
)
def test_outcome(status: Json, result: str | None, outcome: str) -> None:
    assessment = judge(sign_in(status=status), {"resultType": result})
    assert assessment["outcome"] == outcome
    assert (assessment["evidence"] == "not-applicable") == (outcome != "success")


PASSWORD = step("Password", "Correct password")
DECLINED = "MFA denied; user declined the authentication"
MULTI: JsonObject = {"authenticationRequirement": "multiFactorAuthentication"}


def level(value: str) -> list[Json]:
    return [{"key": "User certificate authentication level", "value": value}]


@pytest.mark.parametrize(
    ("steps", "changes", "evidence"),
    [
        ([PASSWORD, step("Voice", "MFA requirement  SKIPPED due to location")], {}, "skipped"),
        ([PASSWORD], {"authenticationProtocol": "ropc"}, "none"),
        ([step(detail="MFA requirement skipped due to app password")], {"clientAppUsed": "POP"}, "skipped"),
        (
            [step(detail="MFA requirement skipped due to app password"), step(detail="MFA completed in Azure AD")],
            {"clientAppUsed": "Other clients; IMAP"},
            "none",
        ),
        ([step("FIDO2 security key")], {"userAgent": "BAV2ROPC"}, "none"),
        ([step("FIDO2 security key")], {"clientAppUsed": "Universal Outlook; IMAP"}, "none"),
        ([step("FIDO2 security key")], {"clientAppUsed": "Universal Outlook"}, "proven"),
        ([step("FIDO2 security key", succeeded=None), step(detail="MFA registration prompted")], {}, "proven"),
        ([step("Pass-key (device-bound)", succeeded=False)], {}, "unknown"),
        ([step(detail="MFA completed in Azure AD", succeeded=False)], {}, "proven"),
        ([PASSWORD, step(detail="MFA completed in Azure AD; denied")], {}, "none"),
        ([PASSWORD, step(detail="MFA completed in the cloud; authentication in-progress")], {}, "none"),
        ([step("X.509 Certificate (multifactor)")], {}, "proven"),
        ([step("X.509 Certificate (single-factor)")], {}, "none"),
        ([step("Passwordless phone sign-in")], {}, "proven"),
        ([step("Passwordless")], {}, "unknown"),
        ([step("microsoftAuthenticatorPasswordless")], {}, "proven"),
        ([step("macOsSecureEnclaveKey")], {}, "proven"),
        ([step("Other", "MFA requirement satisfied by multi-factor device")], {}, "proven"),
        ([step(detail="MFA completed in Entra ID")], {}, "proven"),
        ([step(detail="It says MFA completed in Entra ID")], {}, "unknown"),
        ([step("Phone sign-in", "MFA denied")], {}, "unknown"),
        ([PASSWORD, step(detail="MFA requirement satisfied by what nobody knows")], {}, "claim"),
        ([step("Password", "First factor requirement satisfied by claim in the token")], {}, "unknown"),
        ([step("FIDO2", "First factor requirement satisfied by claim in the token")], {}, "unknown"),
        ([PASSWORD, step("Text message", "", None)], {}, "unknown"),
        ([step("Text message"), step("text-message")], {}, "none"),
        ([PASSWORD, step("Voice", "MFA denied", False)], {}, "none"),
        ([PASSWORD, step("Voice", "Authentication in-progress", False)], {}, "unknown"),
        ([step("Passkey", "First factor satisfied"), PASSWORD], {}, "none"),
        ([step("Federated")], {}, "unknown"),
        ([PASSWORD, step("Voice", "MFA denied", False)], MULTI, "unknown"),
        ([PASSWORD, step("Voice", "MFA denied", False), step("SMS")], MULTI, "claim"),
        ([step("X.509 Certificate")], {}, "unknown"),
        (
            [step("X.509 Certificate")],
            {"authenticationProcessingDetails": level("multiFactorAuthentication")},
            "proven",
        ),
        ([step("X.509 Certificate")], {"authenticationProcessingDetails": level("singleFactorAuthentication")}, "none"),
        ([PASSWORD, step("X.509 Certificate")], {}, "unknown"),
        ([step("FIDO2")], {"clientAppUsed": "MAPI"}, "none"),
        ([step("FIDO2")], {"clientAppUsed": "Exchange ActiveSync (supported)"}, "none"),
        ([step("FIDO2")], {"userAgent": "xBAV2ROPC"}, "proven"),
        ([step("E-mail code")], {}, "none"),
        ([step("Password", succeeded=False)], {}, "unknown"),
        ([step("Mobile app notification")], {}, "unknown"),
        ([step(detail="MFA requirement satisfied by claim provided by external provider")], {}, "external"),
        (
            [PASSWORD, step(detail="First factor requirement satisfied by claim provided by external provider")],
            {},
            "none",
        ),
        ([PASSWORD, step(detail="MFA requirement satisfied by claim in the token")], {}, "claim"),
        ([step(detail="First factor requirement satisfied by claim in the token")], {}, "unknown"),
        ([PASSWORD], {"authenticationRequirement": "multiFactorAuthentication"}, "claim"),
        ([PASSWORD], {"userPrincipalName": "trent@WINGTIP.example"}, "unknown"),
        ([PASSWORD], {"userPrincipalName": "trent@sub.wingtip.example"}, "none"),
        ([PASSWORD], {"tokenIssuerType": "ADFederationServicesMFAAdapter"}, "unknown"),
        ([PASSWORD, step("federated", succeeded=False)], {}, "unknown"),
        ([], {}, "unknown"),
    ],
)
def test_evidence(steps: list[Json], changes: JsonObject, evidence: str) -> None:
    assert judge(sign_in(authenticationDetails=steps, **changes))["evidence"] == evidence
    assert judge(sign_in(authenticationDetails=json.dumps(steps), **changes))["evidence"] == evidence


def test_additional_details_are_a_statement() -> None:
    status: JsonObject = {"errorCode": 0, "additionalDetails": "MFA requirement satisfied by claim in the token"}
    assert judge(sign_in(status=status))["evidence"] == "claim"


@pytest.mark.parametrize(
    ("changes", "policy", "rules", "severity"),
    [
        ({"clientAppUsed": "IMAP4"}, "standard", ["legacy-auth", "interactive-without-mfa"], "critical"),
        (
            {"clientAppUsed": "IMAP4", "resourceTenantId": PARTNER},
            "standard",
            ["legacy-auth", "interactive-without-mfa"],
            "high",
        ),
        (
            {"authenticationProtocol": "ropc", "signInEventTypes": None, "isInteractive": False},
            "strict",
            ["password-flow", "non-interactive-without-mfa", "non-interactive"],
            "critical",
        ),
        (
            {"authenticationDetails": [], "tokenIssuerType": "ADFederationServices"},
            "standard",
            ["third-party-mfa-unrecognised", "mfa-evidence-unknown"],
            "medium",
        ),
        ({"authenticationDetails": []}, "standard", ["mfa-evidence-unknown"], "low"),
        (
            {"originalTransferMethod": "deviceCodeFlow", "authenticationRequirement": "multiFactorAuthentication"},
            "standard",
            ["device-code"],
            "medium",
        ),
        ({"clientAppUsed": "SMTP", "status": {"errorCode": 50126}}, "strict", ["legacy-auth-attempt"], "low"),
        (
            {"clientAppUsed": "SMTP", "userAgent": "CBAInPROD", "status": {"errorCode": 50076}},
            "standard",
            ["legacy-auth-attempt", "password-flow-attempt"],
            "medium",
        ),
        ({"clientAppUsed": "SMTP", "resourceTenantId": PARTNER, "userId": ELSEWHERE}, "standard", [], None),
        (
            {"authenticationProtocol": "deviceCode", "status": {"errorCode": 53003}},
            "standard",
            ["device-code-attempt"],
            "medium",
        ),
        ({"authenticationProtocol": "deviceCode", "status": {"errorCode": 50199}}, "standard", [], None),
        ({"status": {"errorCode": 500121, "additionalDetails": DECLINED}}, "standard", ["mfa-denied"], "high"),
        (
            {"status": {"errorCode": 500121, "additionalDetails": DECLINED}, "authenticationDetails": []},
            "standard",
            ["mfa-denied"],
            "medium",
        ),
        (
            {"appliedConditionalAccessPolicies": [{"result": "success", "enforcedGrantControls": ["RequireDuoMfa"]}]},
            "standard",
            ["interactive-without-mfa", "third-party-mfa-unrecognised"],
            "high",
        ),
        (
            {"appliedConditionalAccessPolicies": [{"result": "reportOnlySuccess", "enforcedGrantControls": ["Duo"]}]},
            "standard",
            ["interactive-without-mfa"],
            "high",
        ),
        (
            {"appliedConditionalAccessPolicies": [{"result": "success", "enforcedGrantControls": ["Require-MFA"]}]},
            "standard",
            ["interactive-without-mfa"],
            "high",
        ),
        ({"crossTenantAccessType": "b2bDirectConnect"}, "standard", ["interactive-without-mfa"], "low"),
        (
            {"authenticationDetails": [step("SMS", "failed", False)], **MULTI},
            "standard",
            ["mfa-evidence-unknown"],
            "medium",
        ),
        ({"authenticationRequirement": "multiFactorAuthentication"}, "strict", [], None),
    ],
)
def test_rules(changes: JsonObject, policy: str, rules: list[str], severity: str | None) -> None:
    assessment = judge(sign_in(**changes), policy=policy)
    assert (assessment["rules"], assessment["severity"]) == (rules, severity)


def in_session(number: str, at: str, *, silent: bool, **changes: Json) -> Logged:
    record = sign_in(id=number, createdDateTime=f"2026-10-20T{at}Z", sessionId="s", **changes)
    if silent:
        record |= {"authenticationDetails": [], "signInEventTypes": ["nonInteractiveUser"]}
    return record, None


CHILD = in_session("child", "08:00:00", silent=True)
DONE: JsonObject = {"additionalDetails": "MFA completed in Azure AD"}
FAILED = step("SMS", "denied", False)
PROVED: JsonObject = {"authenticationRequirement": "multiFactorAuthentication"}


@pytest.mark.parametrize(
    ("roots", "evidence"),
    [
        ([], "unknown"),
        ([in_session("r", "08:00:00", silent=False, **PROVED)], "session"),
        ([in_session("r", "08:00:01", silent=False, **PROVED)], "unknown"),
        ([in_session("r", "07:00:00", silent=False)], "none"),
        ([in_session("r", "07:00:00", silent=False), in_session("q", "07:30:00", silent=False, **PROVED)], "unknown"),
        ([in_session("r", "07:00:00", silent=False, **PROVED), in_session("q", "09:00:00", silent=False)], "session"),
        ([in_session("r", "07:00:00", silent=False, signInEventTypes=["nonInteractiveUser"])], "unknown"),
        ([in_session("r", "07:00:00", silent=False, status={"errorCode": 50126})], "unknown"),
        ([in_session("r", "07:00:00", silent=False, userId=ELSEWHERE)], "unknown"),
        ([in_session("r", "07:00:00", silent=False, status={"errorCode": 50140, **DONE})], "session"),
        ([in_session("r", "07:00:00", silent=False, status={"errorCode": 50140})], "unknown"),
        ([in_session("r", "07:00:00", silent=False, status={"errorCode": 50074, **DONE})], "unknown"),
        ([in_session("r", "07:00:00", silent=False, authenticationDetails=[FAILED], **PROVED)], "unknown"),
        ([in_session("r", "07:00:00", silent=False, userId="", userPrincipalName=MASKED)], "none"),
        ([in_session("r", "07:00:00", silent=False), in_session("r", "07:00:00", silent=False, **PROVED)], "session"),
    ],
)
def test_sessions(roots: list[Logged], evidence: str) -> None:
    judged = oracle.assess_log([CHILD, *roots], DIRECTORY, "standard")
    assert [assessment["id"] for assessment in judged] == ["child", *[root["id"] for root, _ in roots]]
    assert judged[0]["evidence"] == evidence
    assert oracle.assess_log([CHILD, *roots], DIRECTORY, "standard", sessions=False)[0]["evidence"] == "unknown"


def test_the_generated_sign_ins_reach_everything() -> None:
    directory, records = oracle_records.generate(1, 5000)
    judged = oracle.assess_log(records, directory, "strict")
    expected = {
        "identity": {"user", "app", "agent"},
        "scope": {"customer", "partner-center", "on-premises", "device", "partner-tenant", "guest", "none"},
        "outcome": {"success", "interrupted", "blocked", "failed"},
        "evidence": {"proven", "external", "claim", "session", "none", "skipped", "unknown", "not-applicable"},
        "verdict": {"compliant", "non-compliant", "unknown", "not-applicable", "out-of-scope"},
        "severity": {"critical", "high", "medium", "low", None},
        "strength": {"phishing-resistant", "passwordless", "app", "phone", "untold", None},
    }
    enough = len(records) / 150
    for member, values in expected.items():
        counts = Counter(dict(assessment)[member] for assessment in judged)
        assert counts.keys() == values
        assert min(counts.values()) >= enough, (member, counts)
    fitting = Counter(rule for assessment in judged for rule in assessment["rules"])
    assert len(fitting) == 13
    assert min(fitting.values()) >= enough, fitting
    reasons = Counter(assessment["why"] for assessment in judged)
    assert reasons.keys() == {
        *("contradiction", "session-mixed", "second-factor-unconfirmed", "certificate-level-untold"),
        *("federated-silent", "session-unseen", "no-session", None),
    }
    assert min(reasons.values()) >= 10, reasons


def test_the_generated_sign_ins_use_every_listed_value() -> None:
    directory, records = oracle_records.generate(1, 5000)
    written = json.dumps([directory, records]).replace('\\"', '"')
    listed = [
        *(oracle_records.LEGACY_CLIENTS + oracle_records.PASSWORD_FLOW_AGENTS + oracle_records.NOT_DELEGATED),
        *(oracle_records.DONE + oracle_records.SKIPPED + oracle_records.ONE_STEP + oracle_records.FIRST_FACTORS),
        *(oracle_records.FEDERATED_ISSUERS + oracle_records.AGENTS),
        *(value for value in oracle_records.MODERN_CLIENTS + oracle_records.OTHER_METHODS if value),
        *(value for value in oracle_records.PROTOCOLS + oracle_records.TOKENS + oracle_records.ISSUERS if value),
        *(oracle_records.NOT_DONE + oracle_records.NOT_EXTERNAL),
        *(oracle_records.NOT_CLAIM + oracle_records.NOT_SKIPPED),
    ]
    assert [value for value in listed if value != oracle_records.ABSENT and f'"{value}"' not in written] == []
    codes = oracle_records.INTERRUPTS + oracle_records.BLOCKS + oracle_records.FAILURES
    assert [code for code in codes if f'"errorCode": {code}' not in written] == []


def test_the_generated_sign_ins_follow_from_the_seed() -> None:
    first, again, other = (oracle_records.generate(seed, 200) for seed in (7, 7, 8))
    assert first == again
    assert first != other
    assert [len(records) for _, records in (first, other)] == [200, 200]


def test_ids_repeat_with_the_same_and_with_other_content() -> None:
    _, records = oracle_records.generate(1, 2000)
    versions: dict[str, list[str]] = {}
    for record, _ in records:
        versions.setdefault(str(record["id"]), []).append(json.dumps(record, sort_keys=True))
    repeated = [texts for texts in versions.values() if len(texts) > 1]
    assert {len(set(texts)) == 1 for texts in repeated} == {True, False}


def test_judging_changes_nothing_and_survives_being_written() -> None:
    directory, records = oracle_records.generate(3, 500)
    before = copy.deepcopy((directory, records))
    judged = oracle.assess_log(records, directory, "strict")
    assert (directory, records) == before
    read_back: list[Logged] = [(record, envelope) for record, envelope in json.loads(json.dumps(records))]
    assert oracle.assess_log(read_back, directory, "strict") == judged
