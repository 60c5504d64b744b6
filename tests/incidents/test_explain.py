"""One plain sentence of a sign-in's own record, and what the finding keeps for it."""

from __future__ import annotations

import pytest

from shared.incidents.erased import without_traces
from shared.incidents.explain import explain
from shared.incidents.findings import TRACE_FIELDS, Finding, finding_of
from shared.rules.assess import assess
from shared.rules.rule import FEDERATED, NON_INTERACTIVE, PASSWORD_ONLY, SILENT, Policy, Record, refused
from shared.signin.evidence import Why
from shared.signin.how import How
from shared.signin.sessions import Session
from tests.signin.records import DIRECTORY, sign_in

DECLINED: Record = {"authenticationStepResultDetail": "MFA denied; user declined the authentication"}
PASSWORD: Record = {"authenticationMethod": "Password", "succeeded": True}
ROPC: Record = {"authenticationProtocol": "ropc"}


def noted(text: str) -> Record:
    return {**SILENT, "status": {"errorCode": 0, "additionalDetails": text}}


def found(members: Record, session: Session = Session.UNSEEN, policy: Policy = Policy.STANDARD) -> Finding:
    record = sign_in(members)
    finding = finding_of(record, assess(record, DIRECTORY, policy, session), DIRECTORY)
    assert finding is not None
    return finding


@pytest.mark.parametrize(
    ("members", "how", "words"),
    [
        (noted("MFA requirement skipped due to remembered device"), "remembered-device", "a remembered device"),
        (noted("MFA requirement skipped due to registered device"), "registered-device", "a registered device"),
        (noted("MFA requirement skipped due to location"), "trusted-location", "a trusted location"),
        (noted("MFA requirement skipped due to IP address"), "trusted-location", "a trusted location"),
        (noted("MFA skipped due to app password"), "app-password", "an app password"),
        (noted("MFA skipped by an ADFS InsideCorpNet claim"), "corporate-network", "the company's own"),
        (noted("Skipped as flow exercised was Windows broker logon flow"), "windows-broker", "broker"),
        (noted("MFA requirement has expired due to the policies configured on tenant"), "expired", "had expired"),
        (noted("MFA registration prompted"), "registration-prompt", "asked to register"),
        (noted("Skipped"), "skipped", "does not say why"),
        (PASSWORD_ONLY, "single-factor", "a password"),
        ({**SILENT, "authenticationDetails": [{"authenticationMethod": "SMS"}]}, "single-factor", "a text message"),
        ({**SILENT, "authenticationDetails": [{"authenticationMethod": "x509CertificateSingleFactor"}]},
         "single-factor-certificate", "A certificate"),
        ({**PASSWORD_ONLY, **ROPC}, "password-flow", "A program sent the password"),
        ({**PASSWORD_ONLY, "clientAppUsed": "IMAP4"}, "legacy-client", "A legacy client"),
    ],
)  # fmt: skip
def test_how_a_sign_in_without_mfa_came_about(members: Record, how: str, words: str) -> None:
    finding = found(members)
    assert (finding.how, finding.why) == (how, "")
    assert words in explain(finding)


def test_a_silent_sign_in_rests_on_a_session_without_mfa() -> None:
    finding = found({**SILENT, **NON_INTERACTIVE, "sessionId": "a"}, Session.MISSING)
    assert (finding.evidence, finding.how) == ("none", How.SESSION)
    assert "rests on it" in explain(finding)


@pytest.mark.parametrize(
    ("members", "session", "why"),
    [
        (SILENT, Session.UNSEEN, Why.NO_SESSION),
        ({**SILENT, "sessionId": "a"}, Session.UNSEEN, Why.SESSION_UNSEEN),
        ({**SILENT, "sessionId": "a"}, Session.MIXED, Why.SESSION_MIXED),
        ({**SILENT, **FEDERATED}, Session.UNSEEN, Why.FEDERATED_SILENT),
        ({"authenticationDetails": [{"authenticationMethod": "SMS", "succeeded": False}]}, Session.UNSEEN,
         Why.CONTRADICTION),
        ({**SILENT, "authenticationDetails": [PASSWORD, {"authenticationMethod": "SMS"}]}, Session.UNSEEN,
         Why.SECOND_FACTOR_UNCONFIRMED),
        ({**SILENT, "authenticationDetails": [{"authenticationMethod": "X.509 Certificate"}]}, Session.UNSEEN,
         Why.CERTIFICATE_LEVEL_UNTOLD),
    ],
)  # fmt: skip
def test_an_unknown_one_says_why(members: Record, session: Session, why: Why) -> None:
    finding = found(members, session)
    assert (finding.evidence, finding.why, finding.how) == ("unknown", why, "")
    assert explain(finding).endswith(".")


@pytest.mark.parametrize(
    "members",
    [{**SILENT}, {**SILENT, "sessionId": "a"}, {**SILENT, **FEDERATED}],
    ids=["no session", "unseen", "by AD FS"],
)
def test_an_unknown_one_in_the_background_is_told_apart(members: Record) -> None:
    said = explain(found({**members, **NON_INTERACTIVE}))
    assert said.startswith("A token was renewed that")
    assert explain(found(members)) != said


def test_an_unknown_one_whose_custom_control_was_met_says_so() -> None:
    policy: Record = {"result": "success", "enforcedGrantControls": ["RequireDuoMfa"]}
    met = {**SILENT, "appliedConditionalAccessPolicies": [policy]}
    assert "third party's control was met" in explain(found(met))
    missed = {**SILENT, "appliedConditionalAccessPolicies": [{**policy, "result": "notApplied"}]}
    assert "third party" not in explain(found(missed))


def test_every_reason_has_a_sentence_of_its_own() -> None:
    assert {How(found(noted(text)).how) for text in ("Skipped",)} == {How.SKIPPED}
    from shared.incidents import explain as module

    sentences = [*module._HOW.values(), *module._WHY.values(), *module._WHY_SILENT.values(), module._BY_CONTROL]
    assert set(module._HOW) | {How.SINGLE_FACTOR} == set(How)
    assert set(module._WHY) == set(Why)
    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") and len(sentence) < 120 for sentence in sentences)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        (
            {**refused(50126), "clientAppUsed": "IMAP4"},
            "sent the password, and the sign-in was refused.",
        ),
        ({**refused(53003), **ROPC}, "A program sent the password itself; the password was right"),
        ({**refused(53003), "authenticationProtocol": "deviceCode"}, "Somebody tried a device code; the password was"),
        ({**refused(500121), "authenticationDetails": [PASSWORD, DECLINED]}, "declined the MFA prompt after the right"),
        ({**refused(500121), "authenticationDetails": [DECLINED]}, "declined the MFA prompt, or"),
        ({"authenticationProtocol": "deviceCode"}, "MFA was done, and the token went to"),
    ],
)
def test_any_other_finding_says_what_happened(members: Record, words: str) -> None:
    assert words in explain(found(members))


def test_nothing_that_the_log_wrote_stands_in_the_sentence() -> None:
    hostile = "zqmark <b>"
    steps = [{"authenticationMethod": f"Password {hostile}", "authenticationStepResultDetail": hostile}]
    members: Record = {**SILENT, "authenticationDetails": steps, "userAgent": hostile, "appDisplayName": hostile}
    assert "zqmark" not in explain(found(members))


def test_a_finding_keeps_what_an_auditor_asks() -> None:
    finding = found(
        {
            **PASSWORD_ONLY,
            "originalTransferMethod": "none",
            "originalRequestId": "request",
            "correlationId": "correlation",
            "sessionId": "session",
            "uniqueTokenIdentifier": "token",
            "agent": {"agentType": "agenticAppInstance", "agentSubjectType": "notAgentic"},
            "location": {"city": "Leeds", "countryOrRegion": "GB"},
            "deviceDetail": {"displayName": "WS-1", "trustType": "Azure AD joined"},
            "authenticationRequirementPolicies": [
                {"requirementProvider": "user", "detail": "Per-user MFA"}, 5, {"requirementProvider": None},
            ],
            "authenticationProcessingDetails": [
                {"key": "User certificate authentication level", "value": "singleFactorAuthentication"},
            ],
            "appliedConditionalAccessPolicies": [
                {
                    "id": "1", "displayName": "MFA for all", "result": "notApplied", "enforcedGrantControls": ["Mfa"],
                    "conditionsNotSatisfied": "users",
                    "excludeRulesSatisfied": [{"conditionalAccessCondition": "users", "ruleSatisfied": "groupId"}],
                }
            ],
        }
    )  # fmt: skip
    assert (finding.requirement, finding.access_type) == ("singleFactorAuthentication", "serviceProvider")
    assert (finding.protocol, finding.transfer_method, finding.via_agent) == ("oAuth2", "none", True)
    assert (finding.original_request_id, finding.correlation_id) == ("request", "correlation")
    assert (finding.session_id, finding.token_id) == ("session", "token")
    assert (finding.country, finding.device_name, finding.device_trust) == ("GB", "WS-1", "Azure AD joined")
    assert finding.requirements == ("user: Per-user MFA",)
    assert finding.certificate_level == "singlefactorauthentication"
    assert [(step.method, step.statement, step.succeeded) for step in finding.steps] == [("Password", "", True)]
    (policy,) = finding.policies
    assert (policy.name, policy.unmet, policy.excluded[0].rule) == ("MFA for all", ("users",), "groupId")


@pytest.mark.parametrize(
    "members",
    [
        {"location": 5, "deviceDetail": "text", "authenticationRequirementPolicies": {}},
        {"location": [], "deviceDetail": {"displayName": 5}, "appliedConditionalAccessPolicies": "text"},
        {"appliedConditionalAccessPolicies": 5, "originalRequestId": []},
        {"status": '{"errorCode": 0}', "location": '{"countryOrRegion": "GB"}'},
    ],
    ids=str,
)
def test_what_only_a_finding_needs_spoils_no_record(members: Record) -> None:
    finding = found({**PASSWORD_ONLY, **members})
    assert (finding.device_name, finding.requirements, finding.policies) == ("", (), ())


def test_the_fields_that_an_erasure_empties_are_fields() -> None:
    assert {*TRACE_FIELDS} <= set(Finding.__dataclass_fields__)


def test_an_erasure_leaves_no_place_and_no_device() -> None:
    place = {"location": {"countryOrRegion": "AT"}, "deviceDetail": {"displayName": "PC-7", "trustType": "Workplace"}}
    finding = found({**PASSWORD_ONLY, **place})
    assert (finding.country, finding.device_name, finding.device_trust) == ("AT", "PC-7", "Workplace")
    erased = without_traces(finding, finding.user, "e2a5ed00")
    assert (erased.country, erased.device_name, erased.device_trust) == ("", "", "")
