"""The policies as configured: who is made to do MFA, who is left out, what is blocked, which way is used."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.posture.cover import mfa_coverage
from shared.posture.policies import (
    AdminInPolicies,
    Federation,
    MfaWay,
    Policies,
    PolicyVerdict,
    blocks_device_code,
    blocks_legacy,
    exclusions,
    way_of,
)
from shared.posture.reading import federation_of, policies_of, policy_of

AT = datetime(2026, 11, 20, tzinfo=UTC)
GROUP = "99999999-9999-4999-8999-999999999999"
ELSEWHERE = "c" * 32
JANE = AdminInPolicies("a" * 32, frozenset({"b" * 32}), known=frozenset({"b" * 32, ELSEWHERE}), guest=False)
BREAK_GLASS = AdminInPolicies("d" * 32, guest=False)


def policy(**changes: Any) -> dict[str, Any]:
    conditions = {
        "users": {"includeUsers": ["All"], **changes.pop("users", {})},
        "applications": {"includeApplications": ["All"], **changes.pop("applications", {})},
        "clientAppTypes": ["all"],
        **changes.pop("conditions", {}),
    }
    grants = {"operator": "OR", "builtInControls": ["mfa"], **changes.pop("grants", {})}
    return {
        "id": "p",
        "displayName": "MFA",
        "state": "enabled",
        "conditions": conditions,
        "grantControls": grants,
        **changes,
    }


def read(*policies: dict[str, Any], defaults: bool | None = False, domains: tuple[Federation, ...] = ()) -> Policies:
    return Policies(AT, tuple(map(policy_of, policies)), defaults, domains)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, PolicyVerdict.YES),
        ({"state": "enabledForReportingButNotEnforced"}, PolicyVerdict.NO),
        ({"state": "disabled"}, PolicyVerdict.NO),
        ({"state": "stateOfTomorrow"}, PolicyVerdict.NO),
        ({"grants": {"builtInControls": ["compliantDevice"]}}, PolicyVerdict.NO),
        ({"grants": {"builtInControls": ["mfa", "compliantDevice"]}}, PolicyVerdict.NO),
        ({"grants": {"builtInControls": ["mfa", "compliantDevice"], "operator": "AND"}}, PolicyVerdict.YES),
        ({"grants": {"builtInControls": [], "authenticationStrength": {"id": "1"}}}, PolicyVerdict.YES),
        ({"grants": {"builtInControls": [], "customAuthenticationFactors": ["RequireDuoMfa"]}}, PolicyVerdict.NO),
        (
            {"grants": {"builtInControls": [], "authenticationStrength": {"id": "1", "requirementsSatisfied": "mfa"}}},
            PolicyVerdict.YES,
        ),
        (
            {"grants": {"builtInControls": [], "authenticationStrength": {"id": "1", "requirementsSatisfied": "none"}}},
            PolicyVerdict.NO,
        ),
        ({"applications": {"includeApplications": ["Office365"]}}, PolicyVerdict.NO),
        ({"applications": {"excludeApplications": ["x"]}}, PolicyVerdict.NO),
        ({"conditions": {"clientAppTypes": ["browser"]}}, PolicyVerdict.NO),
        (
            {"conditions": {"locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}}},
            PolicyVerdict.NO,
        ),
        ({"conditions": {"signInRiskLevels": ["high"]}}, PolicyVerdict.NO),
        ({"users": {"includeUsers": ["None"], "includeGroups": ["b" * 32]}}, PolicyVerdict.YES),
        ({"users": {"includeUsers": [], "includeGroups": [GROUP]}}, PolicyVerdict.CANNOT_TELL),
        ({"users": {"excludeGroups": [GROUP]}}, PolicyVerdict.CANNOT_TELL),
        ({"users": {"excludeGroups": ["b" * 32]}}, PolicyVerdict.NO),
        ({"users": {"excludeGroups": [ELSEWHERE]}}, PolicyVerdict.YES),
        ({"users": {"excludeRoles": [ELSEWHERE]}}, PolicyVerdict.YES),
        ({"users": {"excludeGroups": [ELSEWHERE, GROUP]}}, PolicyVerdict.CANNOT_TELL),
        ({"users": {"includeUsers": [], "includeGroups": [ELSEWHERE]}}, PolicyVerdict.NO),
        ({"users": {"excludeUsers": ["a" * 32]}}, PolicyVerdict.NO),
    ],
)
def test_who_is_made_to_do_mfa(changes: dict[str, Any], answer: PolicyVerdict) -> None:
    assert mfa_coverage(read(policy(**changes)), [JANE]).answer is answer


def test_what_an_authentication_strength_satisfies_is_looked_up_where_the_policy_only_names_it() -> None:
    grants = {"builtInControls": [], "authenticationStrength": {"id": GROUP}}
    for satisfies, answer in (("mfa", PolicyVerdict.YES), ("none", PolicyVerdict.NO)):
        strengths = [{"id": GROUP.upper(), "requirementsSatisfied": satisfies}]
        told = policies_of({"conditionalAccess": [policy(grants=grants)], "authenticationStrengths": strengths}, AT)
        assert mfa_coverage(told, [JANE]).answer is answer


def test_one_who_is_left_out_makes_it_partly() -> None:
    told = mfa_coverage(read(policy(users={"excludeUsers": [BREAK_GLASS.key]})), [JANE, BREAK_GLASS])
    assert (told.answer, told.uncovered) == (PolicyVerdict.PARTLY, frozenset({BREAK_GLASS.key}))


def test_what_could_not_be_read_is_never_told_as_covered() -> None:
    unread = Policies(AT)
    assert mfa_coverage(unread, [JANE]).answer is PolicyVerdict.CANNOT_TELL
    assert mfa_coverage(Policies(AT, None, security_defaults=True), [JANE]).answer is PolicyVerdict.YES
    assert {blocks_legacy(unread), blocks_device_code(unread)} == {PolicyVerdict.CANNOT_TELL}
    assert way_of(unread) is MfaWay.CANNOT_TELL
    assert unread.configured() is None


BLOCK_LEGACY = policy(
    conditions={"clientAppTypes": ["exchangeActiveSync", "other"]}, grants={"builtInControls": ["block"]}
)
BLOCK_CODE = policy(
    conditions={"authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"}},
    grants={"builtInControls": ["block"]},
)


def test_what_is_blocked() -> None:
    assert (blocks_legacy(read()), blocks_device_code(read())) == (PolicyVerdict.NO, PolicyVerdict.NO)
    assert (blocks_legacy(read(defaults=True)), blocks_device_code(read(defaults=True))) == (
        PolicyVerdict.YES,
        PolicyVerdict.NO,
    )
    both = read(BLOCK_LEGACY, BLOCK_CODE)
    assert (blocks_legacy(both), blocks_device_code(both)) == (PolicyVerdict.YES, PolicyVerdict.YES)
    for holes in ({"excludeUsers": ["x"]}, {"includeUsers": [], "includeGroups": ["g"]}):
        conditions = {**BLOCK_LEGACY["conditions"], "users": {**BLOCK_LEGACY["conditions"]["users"], **holes}}
        assert blocks_legacy(read({**BLOCK_LEGACY, "conditions": conditions})) is PolicyVerdict.PARTLY
    assert blocks_legacy(read({**BLOCK_LEGACY, "state": "enabledForReportingButNotEnforced"})) is PolicyVerdict.NO


def test_the_holes_of_policies_that_are_enforced() -> None:
    users = {"excludeGroups": ["g"], "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "serviceProvider"}}
    holes = exclusions(read(policy(users=users), policy(users=users, state="disabled"), BLOCK_LEGACY))
    assert [(hole.policy.name, hole.rule, hole.what) for hole in holes] == [
        ("MFA", "group", "g"),
        ("MFA", "guest", "serviceProvider"),
    ]


def test_which_way_is_used() -> None:
    federated = (Federation("wingtip.example", federated=True),)
    assert way_of(read(policy(), defaults=True)) is MfaWay.SECURITY_DEFAULTS
    assert way_of(read(policy(), domains=federated)) is MfaWay.CONDITIONAL_ACCESS
    assert way_of(read(policy(state="disabled"), domains=federated)) is MfaWay.FEDERATED_OR_PER_USER
    assert way_of(read()) is MfaWay.NONE_SEEN


@pytest.mark.parametrize(
    ("kind", "configurations", "told"),
    [
        ("Managed", None, Federation("x.example", federated=False)),
        ("Federated", None, Federation("x.example", federated=True)),
        ("Federated", [], Federation("x.example", federated=True, mfa="")),
        (
            "Federated",
            [{"federatedIdpMfaBehavior": "rejectMfaByFederatedIdp"}],
            Federation("x.example", True, "rejected"),
        ),
        (
            "Federated",
            [{"federatedIdpMfaBehavior": "acceptIfMfaDoneByFederatedIdp"}],
            Federation("x.example", True, "accepted"),
        ),
        ("Federated", [{"federatedIdpMfaBehavior": "newWord"}], Federation("x.example", True, "")),
    ],
)
def test_federation(kind: str, configurations: list[dict[str, Any]] | None, told: Federation) -> None:
    assert federation_of({"id": "X.example", "authenticationType": kind}, configurations) == told


@pytest.mark.parametrize("part", [{}, {"conditions": [], "grantControls": "x"}, {"state": 7, "displayName": {}}])
def test_whatever_graph_answers_is_read(part: dict[str, Any]) -> None:
    assert not policy_of(part).demands_mfa


def test_what_causes_need_of_them() -> None:
    configured = read(policy(id="A-1"), policy(id="B", grants={"builtInControls": ["block"]})).configured()
    assert configured is not None
    assert (configured.with_mfa, configured.without_mfa) == (frozenset({"a1"}), frozenset({"b"}))
