"""Why the planted sign-ins without MFA were possible: the policies as these sign-ins met them, and as they are
configured.

Each cause is planted once (docs/semantics.md, "Causes"), beside near misses that look like it and are another. The
stories themselves stand where they are; what is told here is laid over their records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .model import JsonObject, LogRecord, People, Violation
from .people import MFA_EXCLUSIONS
from .records import policy_id

EXCLUDING = "Baseline: MFA for service provider access"
REPORTING = 'Trial: "MFA" <for> everybody & all apps'
DEVICES = "Compliant devices for portals"
DUO = "Duo for automation"
BLOCKING = "Block legacy authentication"
_GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


@dataclass(frozen=True, slots=True)
class Gap:
    """A cause, and the policies that a story's records list in place of the usual ones (None: those).

    `policy` and `rule` are what the finding says beside the cause; None where the story says nothing of it."""

    cause: str
    policies: tuple[JsonObject, ...] | None = None
    policy: str | None = None
    rule: str | None = None


def _met(name: str, result: str, *controls: str, unmet: str = "none", excluded: str = "") -> JsonObject:
    hit: list[JsonObject] = [{"conditionalAccessCondition": "users", "ruleSatisfied": excluded}] if excluded else []
    return {
        "id": policy_id(name),
        "displayName": name,
        "enforcedGrantControls": list(controls),
        "enforcedSessionControls": [],
        "result": result,
        "conditionsSatisfied": "application,users" if result == "success" else "none",
        "conditionsNotSatisfied": unmet,
        "includeRulesSatisfied": [{"conditionalAccessCondition": "users", "ruleSatisfied": "allUsers"}],
        "excludeRulesSatisfied": hit,
    }


# By the beginning of the story.
GAPS: dict[str, Gap] = {
    "Aisha opens": Gap(
        "excluded",
        (
            _met(EXCLUDING, "notApplied", unmet="users", excluded="groupId"),
            _met(BLOCKING, "notApplied", unmet="clientType"),
        ),
        EXCLUDING,
        "groupId",
    ),
    "Fiona opens": Gap("report-only", (_met(REPORTING, "reportOnlyFailure", "Mfa"),), REPORTING),
    "Quentin signs in": Gap("condition-missed", rule="trusted location"),
    "Carla reaches": Gap("not-mfa-control", (_met(DEVICES, "success", "RequireCompliantDevice"),), DEVICES),
    "Petra signs in without": Gap("remembered"),
    "Hugo runs": Gap("legacy-not-blocked"),
    "Vera signs in": Gap("device-code-not-blocked"),
    "Farid's federated": Gap("federation-untold"),
    "Zoe's refresh": Gap("custom-control", (_met(DUO, "success", "RequireDuoMfa"),), DUO, "RequireDuoMfa"),
    "Bianca reaches": Gap("customer-side", ()),
    "Bruno's Azure CLI": Gap("no-policy-applied"),
    "Igor signs in": Gap("cannot-tell", ()),
    # Near misses: a report-only policy that demands something else; left out of a policy that blocks; a policy that is
    # for others.
    "John signs in": Gap("no-policy-applied", (_met(DEVICES, "reportOnlyFailure", "RequireCompliantDevice"),)),
    "Xenia begins": Gap(
        "no-policy-applied", (_met(BLOCKING, "notApplied", "Block", unmet="users", excluded="userId"),)
    ),
    "Mira's sign-in": Gap("no-policy-applied", (_met(EXCLUDING, "notApplied", "Mfa", unmet="application,location"),)),
}


def with_gaps(violations: Sequence[Violation], log: Sequence[LogRecord]) -> list[Violation]:
    """The violations with their causes; the records of those stories list their policies from now on.

    Raises ValueError for a story that is not there, or of which there are two.
    """
    by_id = {entry.id: entry for entry in log}
    told = {violation.story: violation for violation in violations}
    for begins, gap in GAPS.items():
        stories = [story for story in told if story.startswith(begins)]
        if len(stories) != 1:
            raise ValueError(f"{len(stories)} stories begin with {begins!r}")
        violation = told[stories[0]]
        told[stories[0]] = replace(violation, cause=gap.cause, cause_policy=gap.policy, cause_rule=gap.rule)
        if gap.policies is not None:
            for record_id in violation.record_ids:
                by_id[record_id].final["appliedConditionalAccessPolicies"] = [dict(policy) for policy in gap.policies]
    return [*told.values()]


def configured_policies(people: People) -> list[JsonObject]:
    """The partner's Conditional Access policies, as Graph v1.0 gives them."""
    out: JsonObject = {"excludeGroups": [g.group_id for g in people.groups if g.display_name == MFA_EXCLUSIONS]}
    legacy: JsonObject = {"clientAppTypes": ["exchangeActiveSync", "other"]}
    return [
        _configured(EXCLUDING, ["mfa"], users=out),
        _configured(REPORTING, ["mfa"], state="enabledForReportingButNotEnforced"),
        _configured(DEVICES, ["compliantDevice"], applications={"includeApplications": ["Office365"]}),
        _configured(
            BLOCKING, ["block"], conditions=legacy, users={"excludeUsers": [people.technician("xenia").user_id]}
        ),
        _configured(
            "Phishing-resistant methods for Global Administrators",
            ["mfa"],
            users={"includeUsers": [], "includeRoles": [_GLOBAL_ADMINISTRATOR]},
        ),
    ]


def _configured(
    name: str,
    controls: Sequence[str],
    *,
    state: str = "enabled",
    users: JsonObject | None = None,
    applications: JsonObject | None = None,
    conditions: JsonObject | None = None,
) -> JsonObject:
    return {
        "id": policy_id(name),
        "displayName": name,
        "state": state,
        "conditions": {
            "users": {"includeUsers": ["All"], **(users or {})},
            "applications": {"includeApplications": ["All"], **(applications or {})},
            "clientAppTypes": ["all"],
            **(conditions or {}),
        },
        "grantControls": {"operator": "OR", "builtInControls": list(controls), "customAuthenticationFactors": []},
    }
