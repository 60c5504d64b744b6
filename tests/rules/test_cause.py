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


BY_USER = {"conditionalAccessCondition": "users", "ruleSatisfied": "userId"}
BLOCK_LEGACY = policy("Block legacy", enforcedGrantControls=["Block"])
EITHER = policy("Either", "success", enforcedGrantControls=["Mfa", "RequireCompliantDevice"])
LEGACY, DEVICE_CODE, SPARED = {"legacy": True}, {"device_code": True}, {"trusted_location": True}


@pytest.mark.parametrize(
    ("policies", "seen", "kind"),
    [
        # excluded: a policy that demanded MFA and was met, so that no other policy's hole let the sign-in pass.
        ([EXCLUDED, ENFORCED], {}, "cannot-tell"),
        # Left out of a policy that demands something else, that is off, that only reports.
        (
            [policy(excludeRulesSatisfied=[GROUP], enforcedGrantControls=["RequireCompliantDevice"])],
            {},
            "no-policy-applied",
        ),
        ([policy(result="notEnabled", excludeRulesSatisfied=[GROUP])], {}, "no-policy-applied"),
        (
            [policy(result="reportOnlyNotApplied", conditionsNotSatisfied="users", excludeRulesSatisfied=[GROUP])],
            {},
            "no-policy-applied",
        ),
        # It is for another application anyway: to take the exclusion out would change nothing.
        (
            [policy(excludeRulesSatisfied=[GROUP], conditionsNotSatisfied="application,users")],
            {},
            "no-policy-applied",
        ),
        # What it excludes is the application, and that is the hole.
        (
            [policy(excludeRulesSatisfied=[{"ruleSatisfied": "appId"}], conditionsNotSatisfied="application")],
            {},
            "excluded",
        ),
        # It demands nothing of the person.
        (
            [
                policy(
                    enforcedGrantControls=[], enforcedSessionControls=["SignInFrequency"], excludeRulesSatisfied=[GROUP]
                )
            ],
            {},
            "no-policy-applied",
        ),
        # Excluded from one that blocks this way in: blocking can be all that a policy does against legacy clients.
        ([{**BLOCK_LEGACY, "excludeRulesSatisfied": [BY_USER], "conditionsNotSatisfied": "users"}], LEGACY, "excluded"),
        ([{**BLOCK_LEGACY, "excludeRulesSatisfied": [BY_USER]}], {}, "no-policy-applied"),
        (
            [
                policy(
                    "Block elsewhere",
                    enforcedGrantControls=["Block"],
                    conditionsNotSatisfied="location",
                    excludeRulesSatisfied=[{"conditionalAccessCondition": "location", "ruleSatisfied": "locationId"}],
                )
            ],
            LEGACY,
            "legacy-not-blocked",
        ),
        (
            [{**BLOCK_LEGACY, "excludeRulesSatisfied": [BY_USER], "conditionsNotSatisfied": "clientType,users"}],
            DEVICE_CODE,
            "device-code-not-blocked",
        ),
        # report-only: it would not have applied either, or MFA was demanded elsewhere.
        ([policy(result="reportOnlyNotApplied")], {}, "no-policy-applied"),
        ([REPORT_ONLY, ENFORCED], {}, "cannot-tell"),
        ([policy(result="reportOnlyFailure", enforcedGrantControls=["Block"])], {}, "no-policy-applied"),
        (
            [policy(result="reportOnlyFailure", enforcedGrantControls=["RequireCompliantDevice"])],
            {},
            "no-policy-applied",
        ),
        # Met by the other control: to switch it on would ask nobody for MFA.
        ([{**EITHER, "result": "reportOnlySuccess"}], {}, "no-policy-applied"),
        ([policy(result="reportOnlySuccess")], {}, "report-only"),
        ([{**BLOCK_LEGACY, "result": "reportOnlyFailure"}], LEGACY, "report-only"),
        ([{**BLOCK_LEGACY, "result": "reportOnlyNotApplied"}], LEGACY, "legacy-not-blocked"),
        # condition-missed: for others altogether, off, or of no concern.
        ([policy(conditionsNotSatisfied="application,location")], {}, "no-policy-applied"),
        ([policy(conditionsNotSatisfied="users")], {}, "no-policy-applied"),
        ([policy(conditionsNotSatisfied="none")], {}, "no-policy-applied"),
        ([policy(result="notEnabled", conditionsNotSatisfied="location")], {}, "no-policy-applied"),
        ([ELSEWHERE, ENFORCED], {}, "cannot-tell"),
        ([policy(conditionsNotSatisfied="unknownFutureValue")], {}, "condition-missed"),
        ([{**BLOCK_LEGACY, "conditionsNotSatisfied": "clientType"}], {}, "no-policy-applied"),
        # not-mfa-control: MFA, too; session controls alone; not applied.
        ([COMPLIANT_DEVICE, ENFORCED], {}, "cannot-tell"),
        ([EITHER], {}, "cannot-tell"),
        (
            [policy("Session", "success", enforcedGrantControls=[], enforcedSessionControls=["SignInFrequency"])],
            {},
            "no-policy-applied",
        ),
        ([{**COMPLIANT_DEVICE, "result": "failure"}], {}, "no-policy-applied"),
        ([{**COMPLIANT_DEVICE, "result": "notApplied"}], {}, "no-policy-applied"),
        # An authentication strength is MFA; an object of nulls, as exports write it, is none.
        (
            [
                policy("Strong", "success", enforcedGrantControls=[], authenticationStrength={"displayName": "x"}),
                EXCLUDED,
            ],
            {},
            "cannot-tell",
        ),
        ([{**COMPLIANT_DEVICE, "authenticationStrength": {"id": None, "displayName": None}}], {}, "not-mfa-control"),
        ([policy("Strong", "success", enforcedGrantControls=["RequireAuthenticationStrength"])], {}, "cannot-tell"),
        # remembered, legacy, device code, federated: behind the policies of the record, before what it does not say.
        ([EXCLUDED], {"remembered": True}, "excluded"),
        ([COMPLIANT_DEVICE], {"remembered": True}, "not-mfa-control"),
        ([], {"remembered": True, "in_customer": True}, "remembered"),
        ([ENFORCED], DEVICE_CODE, "device-code-not-blocked"),
        ([], {**LEGACY, **DEVICE_CODE}, "legacy-not-blocked"),
        ([], {**DEVICE_CODE, "federated": True, "in_customer": True}, "device-code-not-blocked"),
        ([EXCLUDED], {"federated": True}, "excluded"),
        ([], {**SPARED, **LEGACY}, "condition-missed"),
        # custom-control: not met, only reported, and beside a control that is none.
        ([{**DUO, "result": "notApplied"}], {}, "no-policy-applied"),
        ([{**DUO, "result": "reportOnlySuccess"}], {}, "no-policy-applied"),
        ([COMPLIANT_DEVICE, DUO], {}, "not-mfa-control"),
        ([DUO, ENFORCED], {}, "custom-control"),
        ([policy("Both", "success", enforcedGrantControls=["RequireDuoMfa", "Block"])], {}, "custom-control"),
        # customer-side: something is listed.
        ([policy(result="notEnabled")], {"in_customer": True}, "no-policy-applied"),
        ([{}], {"in_customer": True}, "cannot-tell"),
        # no-policy-applied: a word that nobody knows is no proof of it, and neither is a policy that failed.
        ([policy(result="resultOfTomorrow")], {}, "cannot-tell"),
        ([policy(result="unknownFutureValue")], {}, "cannot-tell"),
        ([policy(result="unknown")], {}, "cannot-tell"),
        ([policy(result="failure")], {}, "cannot-tell"),
        # cannot-tell: a word that nobody knows hides nothing that is known.
        ([policy(result="resultOfTomorrow"), {**EXCLUDED, "id": "2"}], {}, "excluded"),
        ([policy(result="unknown")], LEGACY, "legacy-not-blocked"),
    ],
)
def test_near_misses(policies: list[dict[str, Any]], seen: dict[str, Any], kind: str) -> None:
    assert cause(*policies, **seen).kind == kind


@pytest.mark.parametrize(
    ("policies", "name"),
    [
        # Without its own exclusion the first would not have applied either: the second is what let them in.
        (
            [policy("Here", excludeRulesSatisfied=[GROUP], conditionsNotSatisfied="location,users"), EXCLUDED],
            "MFA for all",
        ),
        # A policy for risky moments has no hole; one for all places has.
        ([policy("Risky", conditionsNotSatisfied="signInRisk"), ELSEWHERE], "MFA for all"),
        ([policy("Risky", conditionsNotSatisfied="signInRisk")], "Risky"),
        # It would have asked, before one that would have been met.
        ([policy("Met", "reportOnlySuccess"), REPORT_ONLY], "MFA for all"),
        ([policy("Blocks", "reportOnlyFailure", enforcedGrantControls=["Block"]), REPORT_ONLY], "MFA for all"),
    ],
)
def test_which_of_several_policies_is_named(policies: list[dict[str, Any]], name: str) -> None:
    assert cause(*policies).policy == name
    assert cause(*reversed(policies)).policy == name


def test_mfa_or_something_else_is_told_by_the_policy_as_configured() -> None:
    other_is_enough = Configured(AT, without_mfa=frozenset({"idofeither"}))
    assert cause(EITHER, configured=other_is_enough) == Cause(
        CauseKind.NOT_MFA_CONTROL, "id of Either", "Either", "RequireCompliantDevice"
    )
    assert cause(EITHER, configured=Configured(AT, with_mfa=frozenset({"idofeither"}))).kind is CauseKind.CANNOT_TELL
    bare = policy("Either", "success", enforcedGrantControls=[])
    assert cause(bare, EXCLUDED, configured=Configured(AT, with_mfa=frozenset({"idofeither"}))).rule == (
        "a policy demanded MFA and was met"
    )


@pytest.mark.parametrize("hours", [-23, -1, 0, 23, 24])
def test_policies_read_within_a_day_tell_of_an_empty_list(hours: int) -> None:
    assert cause(configured=Configured(AT + timedelta(hours=hours))).kind is CauseKind.NO_POLICY_APPLIED


@pytest.mark.parametrize("hours", [-25, 25, 240])
def test_policies_read_longer_ago_do_not(hours: int) -> None:
    assert cause(configured=Configured(AT + timedelta(hours=hours))).kind is CauseKind.CANNOT_TELL


def test_with_mfa_only_what_blocks_is_a_gap() -> None:
    holes = [EXCLUDED, REPORT_ONLY, ELSEWHERE, COMPLIANT_DEVICE]
    assert cause(*holes, had_mfa=True, device_code=True).kind is CauseKind.DEVICE_CODE_NOT_BLOCKED
    only_reports = policy("Block codes", "reportOnlyFailure", enforcedGrantControls=["Block"])
    assert cause(*holes, only_reports, had_mfa=True, device_code=True).policy == "Block codes"


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
    elsewhere = {**EXCLUDED, "conditionsNotSatisfied": "location,users"}  # and nothing else kept the unsure one away
    assert cause(unsure, elsewhere).policy == "MFA for all"


def test_sign_ins_of_one_gap_share_a_key() -> None:
    assert cause(EXCLUDED).key == cause(EXCLUDED, policy("Other", "notEnabled")).key
    assert cause(EXCLUDED).key != cause({**EXCLUDED, "id": "another"}).key
    assert cause(EXCLUDED).key != cause(policy(excludeRulesSatisfied=[{"ruleSatisfied": "roleId"}])).key


def test_rules_are_read_as_the_documentation_has_them_too() -> None:
    assert cause(policy(excludeRulesSatisfied=[{"users": "groupId"}])).rule == "groupId"


@pytest.mark.parametrize("value", [None, "x", {}, [None, 1, "x"], [{}], [{"result": 7, "enforcedGrantControls": {}}]])
def test_whatever_stands_there_is_read(value: object) -> None:
    for found in applied_policies(value):
        assert found == AppliedPolicy("", "", "")


def test_the_list_is_bounded_and_what_applied_is_kept() -> None:
    many = [policy(f"n{n}", "notApplied") for n in range(100)] + [policy("last", "failure"), EXCLUDED]
    kept = applied_policies([*many, policy("nearly", conditionsNotSatisfied="location")])
    assert len(kept) == MOST_POLICIES
    assert {"last", "MFA for all", "nearly"} <= {p.name for p in kept}
    (long,) = applied_policies([policy("x" * 10_000, excludeRulesSatisfied=[GROUP] * 100)])
    assert len(long.name) == 256
    assert long.excluded[0] == RuleHit("users", "groupId")
    assert len(long.excluded) == 20
