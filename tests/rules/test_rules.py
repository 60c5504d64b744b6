"""Each rule against its own cases, and the whole table against docs/semantics.md's."""

import re
from collections.abc import Mapping

import pytest

from shared.rules import RULE, RULES
from shared.rules.assess import Assessment
from shared.rules.rule import (
    AT_HOME,
    CUSTOMER,
    FEDERATED,
    NON_INTERACTIVE,
    PASSWORD_ONLY,
    SILENT,
    Policy,
    Record,
    Rule,
    Severity,
    refused,
)
from tests.signin.records import PARTNER_CENTER_APP, STRANGER, assessed

# docs/semantics.md, the table of rules: the ids in its order.
IDS = (
    "legacy-auth",
    "password-flow",
    "interactive-without-mfa",
    "non-interactive-without-mfa",
    "mfa-skipped",
    "third-party-mfa-unrecognised",
    "device-code",
    "mfa-evidence-unknown",
    "mfa-denied",
    "legacy-auth-attempt",
    "password-flow-attempt",
    "device-code-attempt",
    "non-interactive",
)
POSITIVE = [pytest.param(r, case, id=f"{r.id}: {name}") for r in RULES for name, case in r.positive.items()]
NEGATIVE = [pytest.param(r, case, id=f"{r.id}: {name}") for r in RULES for name, case in r.negative.items()]

IN_CUSTOMER: Record = {}
IN_PARTNER_CENTER: Record = {**AT_HOME, "appId": PARTNER_CENTER_APP}
IN_PARTNER_TENANT: Record = AT_HOME
EVERYWHERE = (IN_CUSTOMER, IN_PARTNER_CENTER, IN_PARTNER_TENANT)
LEGACY: Record = {**PASSWORD_ONLY, "clientAppUsed": "POP3"}
ROPC: Record = {**PASSWORD_ONLY, "authenticationProtocol": "ropc"}
SKIPPED: Record = {**SILENT, "status": {"errorCode": 0, "additionalDetails": "MFA skipped due to location"}}
DEVICE_CODE: Record = {"authenticationProtocol": "deviceCode"}


PASSWORD_STOOD = {"authenticationMethod": "Password", "succeeded": True}


def declined(code: int, *steps: Mapping[str, object]) -> Record:
    """A sign-in that ended with that code, at which the person declined the prompt."""
    prompt = {"authenticationMethod": "Mobile app notification", "authenticationStepResultDetail": "User declined"}
    return {**refused(code), "authenticationDetails": [*steps, prompt]}


def judged_by(rule: Rule, case: Record) -> Assessment:
    return assessed(case, policy=Policy.STRICT if rule.id == "non-interactive" else Policy.STANDARD)


def severity_of(rule_id: str, members: Record) -> str | None:
    severity = dict(assessed(members, policy=Policy.STRICT).fits).get(rule_id)
    return severity.label if severity else None


def test_the_rules_are_those_of_the_design_in_its_order() -> None:
    assert tuple(rule.id for rule in RULES) == IDS
    assert tuple(RULE) == IDS


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_a_rule_tells_people_what_they_need(rule: Rule) -> None:
    assert re.fullmatch(r"T\d{4}(\.\d{3})?", rule.attack)
    assert rule.positive
    assert rule.negative
    assert rule.title
    assert rule.meaning.endswith(".")
    remedy = rule.remedy
    for text in (remedy.first, remedy.now, remedy.prevent, remedy.check):
        assert re.fullmatch(r"[A-Z].{20,400}\.", text), text
    assert re.fullmatch(r"https://learn\.microsoft\.com/[a-z0-9/-]+(#[a-z-]+)?", remedy.link)
    assert rule.what_to_do == remedy.now
    assert rule.common_issue is None or 1 <= rule.common_issue <= 6


def test_no_two_rules_say_the_same() -> None:
    assert len({rule.meaning for rule in RULES}) == len({rule.remedy for rule in RULES}) == len(RULES)


def test_no_rule_speaks_of_a_person_where_another_says_that_it_was_a_program() -> None:
    """A password flow is found beside an interactive sign-in without MFA, as it is logged."""
    assert assessed({**ROPC}).rules == ("password-flow", "interactive-without-mfa")
    rule = RULE["interactive-without-mfa"]
    texts = (rule.meaning, rule.remedy.first, rule.remedy.now, rule.remedy.prevent, rule.remedy.check)
    assert not any("person" in text.lower() for text in texts)


def test_the_secure_application_model_comes_before_mfa_is_enforced() -> None:
    remedy = RULE["password-flow"].remedy
    assert remedy.now.index("register its account for MFA") < remedy.now.index("consent once with MFA")
    assert remedy.prevent.startswith("Only when the program runs without its password")


def test_the_rules_of_a_common_issue_name_it() -> None:
    named = {rule.id: rule.common_issue for rule in RULES}
    assert named["third-party-mfa-unrecognised"] == 6
    assert named["legacy-auth"] == named["legacy-auth-attempt"] == 5


def test_protocol_rules_are_announced_at_once_and_the_others_after_a_second_look() -> None:
    at_once = {rule.id for rule in RULES if not rule.on_evidence}
    assert at_once == {
        "legacy-auth",
        "password-flow",
        "device-code",
        "legacy-auth-attempt",
        "password-flow-attempt",
        "device-code-attempt",
        "non-interactive",
    }


@pytest.mark.parametrize(("rule", "case"), POSITIVE)
def test_a_positive_case_is_found(rule: Rule, case: Record) -> None:
    assert rule.id in judged_by(rule, case).rules


@pytest.mark.parametrize(("rule", "case"), NEGATIVE)
def test_a_negative_case_is_not_found(rule: Rule, case: Record) -> None:
    assert rule.id not in judged_by(rule, case).rules


@pytest.mark.parametrize(
    "case", [case for rule in RULES for case in (*rule.positive.values(), *rule.negative.values())]
)
def test_no_case_is_found_where_the_scope_is_none(case: Record) -> None:
    elsewhere: Record = {"userId": STRANGER, "homeTenantId": CUSTOMER}
    assert assessed({**case, **elsewhere}, policy=Policy.STRICT).rules == ()


@pytest.mark.parametrize(
    ("rule_id", "members", "customer", "partner_center", "partner_tenant"),
    [
        ("legacy-auth", LEGACY, "critical", "critical", "high"),
        ("password-flow", ROPC, "critical", "critical", "high"),
        ("interactive-without-mfa", PASSWORD_ONLY, "high", "high", "high"),
        ("non-interactive-without-mfa", {**PASSWORD_ONLY, **NON_INTERACTIVE}, "high", "high", "high"),
        ("mfa-skipped", SKIPPED, "medium", "medium", "medium"),
        ("third-party-mfa-unrecognised", {**PASSWORD_ONLY, **FEDERATED}, "medium", "medium", "medium"),
        ("device-code", DEVICE_CODE, "medium", "medium", "medium"),
        ("mfa-evidence-unknown", SILENT, "low", "low", "low"),
        ("legacy-auth-attempt", {**LEGACY, **refused(50126)}, "low", "low", "low"),
        ("legacy-auth-attempt", {**LEGACY, **refused(50079)}, "medium", "medium", "medium"),
        ("password-flow-attempt", {**ROPC, **refused(50126)}, "low", "low", "low"),
        ("password-flow-attempt", {**ROPC, **refused(50076)}, "medium", "medium", "medium"),
        ("device-code-attempt", {**DEVICE_CODE, **refused(50126)}, "low", "low", "low"),
        ("device-code-attempt", {**DEVICE_CODE, **refused(53003)}, "medium", "medium", "medium"),
        ("mfa-denied", declined(500121), "medium", "medium", "medium"),
        ("mfa-denied", declined(500121, PASSWORD_STOOD), "high", "high", "high"),
        ("mfa-denied", declined(50074), "high", "high", "high"),
        ("non-interactive", NON_INTERACTIVE, "medium", "medium", "medium"),
    ],
)
def test_severity_by_scope(
    rule_id: str, members: Record, customer: str, partner_center: str, partner_tenant: str
) -> None:
    found = [severity_of(rule_id, {**members, **where}) for where in EVERYWHERE]
    assert found == [customer, partner_center, partner_tenant]


@pytest.mark.parametrize(
    "code",
    [50055, 50072, 50074, 50076, 50079, 50105, 50131, 50144, 50158, 53000, 53001, 53002, 53003, 53004, 53011, 530034,
     65001],
)  # fmt: skip
def test_an_attempt_with_the_right_password_is_medium(code: int) -> None:
    assert severity_of("legacy-auth-attempt", {**LEGACY, **refused(code)}) == "medium"
    assert severity_of("password-flow-attempt", {**ROPC, **refused(code)}) == "medium"


@pytest.mark.parametrize("code", [50126, 50053, 50057, 50034, 530035, 53009, 50140, 1])
def test_any_other_attempt_is_low(code: int) -> None:
    assert severity_of("legacy-auth-attempt", {**LEGACY, **refused(code)}) == "low"
    assert severity_of("password-flow-attempt", {**ROPC, **refused(code)}) == "low"


@pytest.mark.parametrize(
    ("method", "succeeded", "severity"),
    [("Password", True, "medium"), ("Password", False, "low"), ("Passwordless phone sign-in", True, "low")],
)
def test_a_failed_second_factor_after_a_password_that_stood_is_medium(
    method: str, succeeded: bool, severity: str
) -> None:
    steps = [{"authenticationMethod": method, "succeeded": succeeded}]
    attempt: Record = {**LEGACY, **refused(500121), "authenticationDetails": steps}
    assert severity_of("legacy-auth-attempt", attempt) == severity


@pytest.mark.parametrize("code", [0, 50199, 50126, 53003])
def test_a_device_code_attempt_is_one_that_was_blocked_or_failed(code: int) -> None:
    rules = {0: ("device-code",), 50199: ()}.get(code, ("device-code-attempt",))
    assert assessed({**DEVICE_CODE, **refused(code)}).rules[:1] == rules


@pytest.mark.parametrize(
    "members",
    [LEGACY, ROPC, PASSWORD_ONLY, SKIPPED, DEVICE_CODE, {**LEGACY, **refused(50079)}, declined(50074)],
    ids=str,
)
def test_in_scope_guest_every_severity_is_low(members: Record) -> None:
    found = assessed({**members, "crossTenantAccessType": "b2bCollaboration"}, policy=Policy.STRICT)
    assert found.scope == "guest"
    assert {severity for _, severity in found.fits} == {Severity.LOW}


@pytest.mark.parametrize(
    ("members", "rules", "severity"),
    [
        ({}, (), None),
        (PASSWORD_ONLY, ("interactive-without-mfa",), "high"),
        (LEGACY, ("legacy-auth", "interactive-without-mfa"), "critical"),
        ({**LEGACY, **NON_INTERACTIVE}, ("legacy-auth", "non-interactive-without-mfa"), "critical"),
        ({**LEGACY, **ROPC, "clientAppUsed": "POP3"}, ("legacy-auth", "password-flow", "interactive-without-mfa"),
         "critical"),
        ({**LEGACY, **AT_HOME}, ("legacy-auth", "interactive-without-mfa"), "high"),
        ({**SILENT, **FEDERATED}, ("third-party-mfa-unrecognised", "mfa-evidence-unknown"), "medium"),
        ({**SILENT, **DEVICE_CODE}, ("device-code", "mfa-evidence-unknown"), "medium"),
        ({**SKIPPED, **FEDERATED}, ("mfa-skipped",), "medium"),
        ({**LEGACY, **ROPC, "clientAppUsed": "POP3", **refused(50126)},
         ("legacy-auth-attempt", "password-flow-attempt"), "low"),
        ({**DEVICE_CODE, **refused(50199)}, (), None),
    ],
)  # fmt: skip
def test_every_rule_that_fits_is_named_and_the_highest_severity_counts(
    members: Record, rules: tuple[str, ...], severity: str | None
) -> None:
    found = assessed(members)
    assert found.rules == rules
    assert (found.severity.label if found.severity else None) == severity


def test_non_interactive_use_is_found_only_under_the_strict_policy() -> None:
    assert assessed(NON_INTERACTIVE, policy=Policy.STANDARD).rules == ()
    assert assessed(NON_INTERACTIVE, policy=Policy.STRICT).rules == ("non-interactive",)


def test_a_federated_password_is_not_called_single_factor() -> None:
    """The provider may have done MFA and not said so: the finding says that, and not more."""
    found = assessed({**PASSWORD_ONLY, **FEDERATED})
    assert found.rules == ("third-party-mfa-unrecognised", "mfa-evidence-unknown")


def test_severities_compare_and_have_names() -> None:
    assert [s.label for s in sorted(Severity, reverse=True)] == ["critical", "high", "medium", "low"]
    assert [Severity.of(s.label) for s in Severity] == list(Severity)
    with pytest.raises(ValueError, match="'severe' is not a severity"):
        Severity.of("severe")
