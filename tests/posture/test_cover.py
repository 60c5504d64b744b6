"""What several policies cover together, against a plain reading of Graph's own JSON, sign-in by sign-in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, combinations, product
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.posture.cover import LeftOpen, TooMany, left_open, mfa_coverage
from shared.posture.holes import why_uncovered
from shared.posture.policies import AdminInPolicies, Policies, PolicyVerdict
from shared.posture.reading import policies_of, policy_of

AT = datetime(2026, 11, 20, tzinfo=UTC)
APPS: Final = ("a" * 8 + "-0000-4000-8000-" + "1" * 12, "b" * 8 + "-0000-4000-8000-" + "2" * 12)
PLACES: Final = ("AllTrusted", "c" * 8 + "-0000-4000-8000-" + "3" * 12)
USERS: Final = ("d" * 32, "e" * 32)
CLIENTS: Final = ("browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other")
PLATFORMS: Final = ("windows", "iOS", "platformOfTomorrow")


@dataclass(frozen=True)
class OneSignIn:
    """A sign-in as plainly as it can be: which application, in which bundles, …"""

    user: str
    app: str
    bundles: frozenset[str]
    clients: frozenset[str]
    platform: str
    places: frozenset[str]


def every_sign_in(user: str) -> list[OneSignIn]:
    subsets = chain.from_iterable(combinations(PLACES, n) for n in range(3))
    platforms = ("windows", "iOS", "android", "macOS", "linux", "windowsPhone", "platformOfTomorrow", "another")
    clients = [{"browser"}, {"mobileAppsAndDesktopClients"}, {"exchangeActiveSync"}, {"other"}]
    clients.append({"exchangeActiveSync", "easSupported"})
    return [
        OneSignIn(user, app, frozenset(bundles), frozenset(client), platform, frozenset(places))
        for app, bundles, client, platform, places in product(
            (*APPS, "another"), ((), ("Office365",)), clients, platforms, [*subsets]
        )
    ]


def hits(parts: Sequence[str], words: frozenset[str]) -> bool:
    return "All" in parts or "all" in parts or not words.isdisjoint(parts)


def is_asked(policy: Mapping[str, Any], one: OneSignIn) -> bool:
    """Whether a policy makes this sign-in do MFA or blocks it: read from the JSON, and by nothing of the product."""
    conditions, grants = policy["conditions"], policy["grantControls"]
    controls = grants["builtInControls"]
    stops = "block" in controls or controls == ["mfa"] or ("mfa" in controls and grants["operator"] == "AND")
    if policy["state"] != "enabled" or not stops or conditions["signInRiskLevels"]:
        return False
    users, apps, places = conditions["users"], conditions["applications"], conditions["locations"]
    app_words = frozenset({one.app, *one.bundles})
    checks = [
        hits(users["includeUsers"], frozenset({one.user})) and one.user not in users["excludeUsers"],
        hits(apps["includeApplications"], app_words) and not hits(apps["excludeApplications"], app_words),
        hits(conditions["clientAppTypes"], one.clients),
    ]
    if conditions["platforms"]:
        has = conditions["platforms"]
        platform = frozenset({one.platform})
        checks.append(hits(has["includePlatforms"], platform) and not hits(has["excludePlatforms"], platform))
    if places:
        checks.append(hits(places["includeLocations"], one.places) and not hits(places["excludeLocations"], one.places))
    return all(checks)


def side(kind: str, includes: Sequence[list[str]], excludes: Sequence[list[str]]) -> list[dict[str, list[str]]]:
    """What a policy may say of one side."""
    return [{f"include{kind}": i, f"exclude{kind}": e} for i, e in product(includes, excludes)]


def some(words: Sequence[str]) -> list[list[str]]:
    return [[word] for word in words] + [list(words[:2])]


SIDES: Final[dict[str, list[Any]]] = {
    "users": side("Users", [["All"], ["All"], *some(USERS)], [[], [], *some(USERS)]),
    "applications": side("Applications", [["All"], *some((*APPS, "Office365"))], [[], [], *some(("Office365", *APPS))]),
    "clientAppTypes": [["all"], ["all"], [*CLIENTS], *([c] for c in CLIENTS), [*CLIENTS[:2]], [*CLIENTS[2:]]],
    "platforms": [None, None, *side("Platforms", [["all"], *some(PLATFORMS)], [[], ["iOS"]])],
    "locations": [None, None, *side("Locations", [["All"], *some(PLACES)], [[], [], *some(PLACES)])],
    "signInRiskLevels": [[], [], [], [], ["high"]],
}


@st.composite
def json_policies(draw: st.DrawFn) -> dict[str, Any]:
    """A policy that is for everything but for one or two sides."""
    conditions: dict[str, Any] = {name: options[0] for name, options in SIDES.items()}
    for name in draw(st.lists(st.sampled_from([*SIDES]), max_size=2, unique=True)):
        conditions[name] = draw(st.sampled_from(SIDES[name]))
    return {
        "id": "p",
        "displayName": "p",
        "state": draw(st.sampled_from(["enabled", "enabled", "enabled", "enabledForReportingButNotEnforced"])),
        "conditions": conditions,
        "grantControls": {
            "operator": draw(st.sampled_from(["OR", "AND"])),
            "builtInControls": draw(st.sampled_from([["mfa"], ["mfa"], ["block"], ["mfa", "compliantDevice"]])),
        },
    }


def read(policies: Sequence[Mapping[str, Any]]) -> Policies:
    return policies_of({"conditionalAccess": [*policies], "securityDefaults": {"isEnabled": False}}, AT)


@st.composite
def parted_policies(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A policy for everything, parted again and again into two that are for as much together; often one gets lost."""
    whole: dict[str, Any] = {name: options[0] for name, options in SIDES.items()}
    parts = [whole]
    for name, one, other in draw(st.lists(st.sampled_from(PARTED), min_size=1, max_size=4)):
        at = draw(st.integers(0, len(parts) - 1))
        if parts[at][name] == whole[name]:
            parts[at : at + 1] = [{**parts[at], name: one}, {**parts[at], name: other}]
    if draw(st.booleans()):
        del parts[draw(st.integers(0, len(parts) - 1))]
    control = st.sampled_from(["mfa", "block"])
    return [
        {
            "id": f"{n}",
            "displayName": f"{n}",
            "state": "enabled",
            "conditions": conditions,
            "grantControls": {"operator": "OR", "builtInControls": [draw(control)]},
        }
        for n, conditions in enumerate(parts)
    ]


def parted(name: str, kind: str, all_: str, word: str) -> tuple[str, dict[str, list[str]], dict[str, list[str]]]:
    """A side in two: all but a word, and the word."""
    (but,), (only,) = side(kind, [[all_]], [[word]]), side(kind, [[word]], [[]])
    return name, but, only


PARTED: Final[list[tuple[str, Any, Any]]] = [
    parted("users", "Users", "All", USERS[0]),
    parted("applications", "Applications", "All", APPS[0]),
    parted("applications", "Applications", "All", "Office365"),
    ("clientAppTypes", ["browser"], ["mobileAppsAndDesktopClients", "exchangeActiveSync", "other"]),
    ("clientAppTypes", [*CLIENTS[:2]], [*CLIENTS[3:]]),  # leaves half of ActiveSync open
    parted("platforms", "Platforms", "all", "iOS"),
    parted("locations", "Locations", "All", "AllTrusted"),
    parted("locations", "Locations", "All", PLACES[1]),
]


@given(st.one_of(parted_policies(), st.lists(json_policies(), max_size=6)))
def test_what_is_covered_is_what_a_plain_reading_says(policies: list[dict[str, Any]]) -> None:
    told = mfa_coverage(read(policies), [AdminInPolicies(user, guest=False) for user in USERS])
    asked = {
        user for user in USERS if all(any(is_asked(policy, one) for policy in policies) for one in every_sign_in(user))
    }
    assert told.covered == asked
    assert told.unsure == frozenset()


def policy(name: str = "MFA", *, control: str = "mfa", **conditions: Any) -> dict[str, Any]:
    every = {"users": {"includeUsers": ["All"]}, "applications": {"includeApplications": ["All"]}}
    return {
        "id": name,
        "displayName": name,
        "state": "enabled",
        "conditions": {**every, "clientAppTypes": ["all"], **conditions},
        "grantControls": {"operator": "OR", "builtInControls": [control]},
    }


NOT_FROM_TRUSTED = policy("A", locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]})
FROM_TRUSTED = policy("B", locations={"includeLocations": ["AllTrusted"]})
MODERN = policy("Modern", clientAppTypes=["browser", "mobileAppsAndDesktopClients"])
NO_LEGACY = policy("No legacy", control="block", clientAppTypes=["exchangeActiveSync", "other"])
JANE = AdminInPolicies(USERS[0], groups=frozenset({"f" * 32}), known=frozenset({"f" * 32}), guest=False)


@pytest.mark.parametrize(
    ("policies", "answer"),
    [
        ([NOT_FROM_TRUSTED, FROM_TRUSTED], PolicyVerdict.YES),
        ([MODERN, NO_LEGACY], PolicyVerdict.YES),
        ([MODERN, {**NO_LEGACY, "state": "enabledForReportingButNotEnforced"}], PolicyVerdict.NO),
        ([policy(platforms={"includePlatforms": ["windows", "iOS", "android", "macOS", "linux"]})], PolicyVerdict.NO),
        # Somebody is in one of two groups, of which one is not known.
        (
            [
                policy("Some", users={"includeGroups": ["f" * 32]}, applications={"includeApplications": [APPS[0]]}),
                policy("Rest", users={"includeGroups": ["9" * 32]}, applications={"includeApplications": ["All"]}),
            ],
            PolicyVerdict.CANNOT_TELL,
        ),
        # An application that may be in the bundle or not.
        (
            [
                policy("All but", applications={"includeApplications": ["All"], "excludeApplications": ["Office365"]}),
                policy("One of it", applications={"includeApplications": [APPS[0]]}),
            ],
            PolicyVerdict.NO,
        ),
        (
            [
                policy("All but", applications={"includeApplications": ["All"], "excludeApplications": ["Office365"]}),
                policy("It", applications={"includeApplications": ["Office365"]}),
            ],
            PolicyVerdict.YES,
        ),
        # A condition that nobody knows yet keeps a policy from some sign-ins.
        ([policy(conditionOfTomorrow={"include": ["x"]})], PolicyVerdict.NO),
        (
            [policy(conditionOfTomorrow={"include": [], "other": None}, devices=None, signInRiskLevels=[])],
            PolicyVerdict.YES,
        ),
        ([policy(devices={"deviceFilter": {"mode": "exclude", "rule": "x"}})], PolicyVerdict.NO),
        ([policy(authenticationFlows={"transferMethods": "deviceCodeFlow"})], PolicyVerdict.NO),
    ],
)
def test_what_policies_cover_together(policies: list[dict[str, Any]], answer: PolicyVerdict) -> None:
    assert mfa_coverage(read(policies), [JANE]).answer is answer


@pytest.mark.parametrize(
    ("policies", "opened"),
    [
        ([], LeftOpen()),
        ([NOT_FROM_TRUSTED], LeftOpen(location=("alltrusted",))),
        ([FROM_TRUSTED], LeftOpen(location=())),
        ([MODERN], LeftOpen(client=("exchangeactivesync",))),
        ([policy(applications={"includeApplications": [APPS[0]]})], LeftOpen(application=())),
        ([policy(platforms={"includePlatforms": ["all"], "excludePlatforms": ["iOS"]})], LeftOpen(platform=("ios",))),
        (
            [NOT_FROM_TRUSTED, policy("c", clientAppTypes=["browser"])],
            LeftOpen(None, ("mobileappsanddesktopclients",), None, ("alltrusted",)),
        ),
    ],
)
def test_what_remains_open(policies: list[dict[str, Any]], opened: LeftOpen) -> None:
    assert left_open([policy_of(part) for part in policies]) == opened


def test_the_hole_that_remains_is_said_in_words() -> None:
    places = {"namedLocations": [{"id": PLACES[1], "displayName": "Office <b>"}]}
    here = policy("Here", locations={"includeLocations": ["All"], "excludeLocations": [PLACES[1]]})
    told = policies_of({"conditionalAccess": [here, MODERN], **places}, AT)
    assert why_uncovered(told, JANE) == "“Here”, “Modern” leave open: over Exchange ActiveSync, from Office <b>."
    assert why_uncovered(read([MODERN]), JANE) == "“Modern” leaves open: over Exchange ActiveSync."


def test_too_many_places_are_never_called_covered() -> None:
    ids = [f"{n:032x}" for n in range(11)]
    many = [policy(f"{n}", locations={"includeLocations": [id_]}) for n, id_ in enumerate(ids)]
    with pytest.raises(TooMany):
        left_open([policy_of(part) for part in many])
    assert mfa_coverage(read(many), [JANE]).answer is PolicyVerdict.CANNOT_TELL
    assert mfa_coverage(read([*many, policy()]), [JANE]).answer is PolicyVerdict.YES
