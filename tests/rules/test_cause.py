"""One sign-in for each cause, and the near misses: what looks like it and is not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.rules.cause import READ_WITHIN, Cause, CauseKind, Configured, Seen, cause_of
from shared.signin.applied import MOST_POLICIES, AppliedPolicy, RuleHit, applied_policies

AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
GROUP = {"conditionalAccessCondition": "users", "ruleSatisfied": "groupId"}


def policy(name: str = "MFA for all", result: str = "notApplied", **members: Any) -> dict[str, Any]:
    return {"id": f"id of {name}", "displayName": name, "result": result, "enforcedGrantControls": ["Mfa"], **members}


def cause(*policies: dict[str, Any], configured: Configured | None = None, **seen: Any) -> Cause:
    return cause_of(Seen(AT, applied_policies([*policies]), **seen), configured)


EXCLUDED = policy(excludeRulesSatisfied=[GROUP], conditionsNotSatisfied="users")
REPORT_ONLY = policy(result="reportOnlyFailure")
ELSEWHERE = policy(conditionsNotSatisfied="location")
COMPLIANT_DEVICE = policy("Device", "success", enforcedGrantControls=["RequireCompliantDevice"])
DUO = policy("Duo", "success", enforcedGrantControls=["RequireDuoMfa"])
ENFORCED = policy("Another", "success")


@pytest.mark.parametrize(
    ("policies", "seen", "kind", "name", "rule"),
    [
        ([EXCLUDED], {}, "excluded", "MFA for all", "groupId"),
        ([COMPLIANT_DEVICE, EXCLUDED], {"legacy": True}, "excluded", "MFA for all", "groupId"),
        (
            [
                policy(
                    excludeRulesSatisfied=[{"conditionalAccessCondition": "users", "ruleSatisfied": "serviceProvider"}]
                )
            ],
            {"in_customer": True},
            "excluded",
            "MFA for all",
            "serviceProvider",
        ),
        (
            [policy(excludeRulesSatisfied=[{"ruleSatisfied": "rule of tomorrow"}])],
            {},
            "excluded",
            "MFA for all",
            "rule of tomorrow",
        ),
        ([REPORT_ONLY], {}, "report-only", "MFA for all", ""),
        ([policy(result="reportOnlyInterrupted")], {}, "report-only", "MFA for all", ""),
        ([ELSEWHERE], {}, "condition-missed", "MFA for all", "location"),
        (
            [policy(conditionsNotSatisfied="devicePlatform,clientType")],
            {},
            "condition-missed",
            "MFA for all",
            "devicePlatform, clientType",
        ),
        ([policy(conditionsNotSatisfied=8)], {}, "condition-missed", "MFA for all", "location"),
        ([], {"trusted_location": True}, "condition-missed", "", "trusted location"),
        ([ENFORCED], {"trusted_location": True}, "condition-missed", "", "trusted location"),
        ([COMPLIANT_DEVICE], {}, "not-mfa-control", "Device", "RequireCompliantDevice"),
        ([ENFORCED], {"remembered": True}, "remembered", "", ""),
        ([], {"remembered": True}, "remembered", "", ""),
        ([ENFORCED], {"legacy": True}, "legacy-not-blocked", "", ""),
        ([], {"app_password": True}, "legacy-not-blocked", "", ""),
        ([], {"device_code": True}, "device-code-not-blocked", "", ""),
        ([], {"federated": True}, "federation-untold", "", ""),
        ([DUO], {}, "custom-control", "Duo", "RequireDuoMfa"),
        ([], {"in_customer": True}, "customer-side", "", ""),
        ([policy(conditionsNotSatisfied="users")], {"in_customer": True}, "no-policy-applied", "", ""),
    ],
)
def test_each_cause(policies: list[dict[str, Any]], seen: dict[str, Any], kind: str, name: str, rule: str) -> None:
    found = cause(*policies, **seen)
    assert (found.kind, found.policy, found.rule) == (kind, name, rule)


@pytest.mark.parametrize(
    ("policies", "kind"),
    [
        # A policy that demanded MFA and was met: no other policy's hole let the sign-in pass.
        ([EXCLUDED, ENFORCED], "cannot-tell"),
        ([REPORT_ONLY, ENFORCED], "cannot-tell"),
        ([COMPLIANT_DEVICE, ENFORCED], "cannot-tell"),
        # Left out of a policy that demands something else.
        (
            [policy(excludeRulesSatisfied=[GROUP], enforcedGrantControls=["RequireCompliantDevice"])],
            "no-policy-applied",
        ),
        ([policy(result="reportOnlyFailure", enforcedGrantControls=["Block"])], "no-policy-applied"),
        # It would not have applied either.
        ([policy(result="reportOnlyNotApplied")], "no-policy-applied"),
        ([policy(result="notEnabled")], "no-policy-applied"),
        # For others altogether: no policy with a hole.
        ([policy(conditionsNotSatisfied="application,location")], "no-policy-applied"),
        # Session controls demand nothing of the person.
        (
            [policy("Session", "success", enforcedGrantControls=[], enforcedSessionControls=["SignInFrequency"])],
            "no-policy-applied",
        ),
        # A word that nobody knows is no enforcement, and no proof that there was none.
        ([policy(result="resultOfTomorrow")], "cannot-tell"),
        # An authentication strength is MFA.
        (
            [
                policy("Strong", "success", enforcedGrantControls=[], authenticationStrength={"displayName": "x"}),
                EXCLUDED,
            ],
            "cannot-tell",
        ),
    ],
)
def test_near_misses(policies: list[dict[str, Any]], kind: str) -> None:
    assert cause(*policies).kind == kind


def test_an_empty_list_says_nothing_unless_the_policies_were_read_within_a_day() -> None:
    assert cause() == Cause(CauseKind.CANNOT_TELL, rule="policies never read")
    assert cause(configured=Configured(AT + READ_WITHIN)).kind is CauseKind.NO_POLICY_APPLIED
    stale = cause(configured=Configured(AT + READ_WITHIN + timedelta(seconds=1)))
    assert stale == Cause(CauseKind.CANNOT_TELL, rule="policies not read within a day")
    assert cause(configured=Configured(AT), in_customer=True).kind is CauseKind.CUSTOMER_SIDE


def test_where_the_log_leaves_controls_out_the_policy_as_configured_tells() -> None:
    bare = policy(enforcedGrantControls=[], excludeRulesSatisfied=[GROUP])
    assert cause(bare).kind is CauseKind.EXCLUDED
    without = Configured(AT, without_mfa=frozenset({"idofmfaforall"}))
    assert cause(bare, configured=without).kind is CauseKind.NO_POLICY_APPLIED
    report = policy(result="reportOnlyFailure", enforcedGrantControls=[])
    assert cause(report).kind is CauseKind.NO_POLICY_APPLIED
    assert cause(report, configured=Configured(AT, frozenset({"idofmfaforall"}))).kind is CauseKind.REPORT_ONLY


def test_the_policy_that_surely_demands_mfa_is_named_before_one_that_may() -> None:
    unsure = policy("Unsure", enforcedGrantControls=[], excludeRulesSatisfied=[GROUP])
    assert cause(unsure, EXCLUDED).policy == "MFA for all"


def test_sign_ins_of_one_gap_share_a_key() -> None:
    assert cause(EXCLUDED).key == cause(EXCLUDED, policy("Other", "notEnabled")).key
    assert cause(EXCLUDED).key != cause({**EXCLUDED, "id": "another"}).key
    assert cause(EXCLUDED).key != cause(policy(excludeRulesSatisfied=[{"ruleSatisfied": "roleId"}])).key


@pytest.mark.parametrize("value", [None, "x", {}, [None, 1, "x"], [{}], [{"result": 7, "enforcedGrantControls": {}}]])
def test_whatever_stands_there_is_read(value: object) -> None:
    for found in applied_policies(value):
        assert found == AppliedPolicy("", "", "")


def test_the_list_is_bounded_and_what_applied_is_kept() -> None:
    many = [policy(f"n{n}", "notApplied") for n in range(100)] + [policy("last", "failure"), EXCLUDED]
    kept = applied_policies(many)
    assert len(kept) == MOST_POLICIES
    assert {"last", "MFA for all"} <= {p.name for p in kept}
    (long,) = applied_policies([policy("x" * 10_000, excludeRulesSatisfied=[GROUP] * 100)])
    assert len(long.name) == 256
    assert long.excluded[0] == RuleHit("users", "groupId")
    assert len(long.excluded) == 20
