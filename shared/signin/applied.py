"""What a record says of Conditional Access: which policies were looked at, and what came of each. Pure.

`appliedConditionalAccessPolicies` is parsed for findings alone, since it is most of a record and no verdict needs more
than its grant controls. Everything in it is hostile text, and values come that nobody knows: they are kept as text.
Facts: docs/entra-facts.md, "Was there MFA?".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import msgspec

from shared.basics.spelling import name_key, squeezed

MOST_POLICIES: Final = 30
_MOST_PARTS: Final = 20
_LONGEST: Final = 256
# The flags of Graph's conditionalAccessConditions: diagnostic settings export their sum.
_CONDITIONS: Final = (
    *("application", "users", "devicePlatform", "location", "clientType", "signInRisk", "userRisk", "time"),
    *("deviceState", "client", "ipAddressSeenByAzureAD", "ipAddressSeenByResourceProvider", "unknownFutureValue"),
    *("servicePrincipals", "servicePrincipalRisk", "authenticationFlows", "insiderRisk"),
)
# Grant controls that are Microsoft's own MFA, without case, spaces and hyphens.
_MFA_CONTROLS: Final = frozenset(
    {
        *("mfa", "requiremfa", "requiremultifactorauthentication", "multifactorauthentication"),
        "federatedmultifactorauth",
    }
)
_STRENGTH: Final = "authenticationstrength"
# Results that say that a policy had no part.
_SAY_LITTLE: Final = frozenset({"notenabled", "notapplied", "reportonlynotapplied"})
# What the names of third-party controls hold (Duo's is "RequireDuoMfa").
_CUSTOM_WORDS: Final = ("mfa", "duo", "multifactor", "2fa", "twofactor", "authenticator")


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule of a policy that fitted: the condition ("users", "location") and the rule in it ("groupId")."""

    condition: str
    rule: str


@dataclass(frozen=True, slots=True)
class AppliedPolicy:
    """One Conditional Access policy as one sign-in met it.

    `result` is as Graph writes it (success, failure, notApplied, reportOnlyFailure, …). Example, somebody left out by a
    group: `AppliedPolicy("1", "MFA for all", "notApplied", ("Mfa",), excluded=(RuleHit("users", "groupId"),))`.
    """

    id: str
    name: str
    result: str
    controls: tuple[str, ...] = ()
    session_controls: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()  # conditionsNotSatisfied
    included: tuple[RuleHit, ...] = ()
    excluded: tuple[RuleHit, ...] = ()

    @property
    def demands_mfa(self) -> bool:
        """Whether one of its grant controls is Microsoft's MFA or an authentication strength."""
        return any(is_mfa_control(control) for control in self.controls)

    @property
    def is_enforced(self) -> bool:
        """Whether it applied and was met; a report-only policy never is."""
        return squeezed(self.result) == "success"


def is_mfa_control(control: str) -> bool:
    """Whether a grant control is Microsoft's own MFA, an authentication strength included."""
    name = name_key(control)
    return name in _MFA_CONTROLS or _STRENGTH in name


def is_custom_control(control: str) -> bool:
    """Whether a grant control is a third party's MFA, which Entra ID never counts as MFA."""
    name = name_key(control)
    return any(word in name for word in _CUSTOM_WORDS) and not is_mfa_control(control)


@lru_cache(256)  # one tenant's sign-ins meet the same few policies with the same few results
def any_custom_control(policies: bytes) -> bool:
    """Whether the policies of a record, as JSON, hold one that a third party's control satisfied. What cannot be read
    says nothing."""
    try:
        value = msgspec.json.decode(policies.decode("utf-8", "replace"))
        value = msgspec.json.decode(value) if isinstance(value, str) and value else value
    except (ValueError, RecursionError):
        return False
    return any(
        isinstance(policy, dict)
        and squeezed(_text(policy.get("result"))) == "success"
        and any(is_custom_control(control) for control in _texts(policy.get("enforcedGrantControls")))
        for policy in (value if isinstance(value, list) else ())
    )


def applied_policies(value: object) -> tuple[AppliedPolicy, ...]:
    """The policies of a record, from what JSON made of `appliedConditionalAccessPolicies`: at most 30, those that were
    enforced or failed first, then those that nearly were. What is no list of objects gives none."""
    parts = [part for part in value if isinstance(part, Mapping)] if isinstance(value, list | tuple) else []
    return tuple(sorted(map(_policy, parts), key=_rank)[:MOST_POLICIES])


def _rank(policy: AppliedPolicy) -> int:
    """How little a policy says of why a sign-in was possible."""
    if policy.excluded or squeezed(policy.result) not in _SAY_LITTLE:
        return 0
    targets = any(squeezed(condition) in ("application", "users") for condition in policy.unmet)
    return 1 if policy.unmet and not targets else 2


def _policy(part: Mapping[str, object]) -> AppliedPolicy:
    strength = part.get("authenticationStrength")
    controls = _texts(part.get("enforcedGrantControls"))
    named = isinstance(strength, Mapping) and any(strength.values())  # exports write an object of nulls for none
    if named and not any(_STRENGTH in squeezed(control) for control in controls):
        controls = (*controls, "authenticationStrength")
    return AppliedPolicy(
        id=_text(part.get("id")),
        name=_text(part.get("displayName")),
        result=_text(part.get("result")),
        controls=controls,
        session_controls=_texts(part.get("enforcedSessionControls")),
        unmet=_conditions(part.get("conditionsNotSatisfied")),
        included=_hits(part.get("includeRulesSatisfied")),
        excluded=_hits(part.get("excludeRulesSatisfied")),
    )


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    parts: Iterable[object] = value if isinstance(value, list | tuple) else ()
    return tuple(part[:_LONGEST] for part in parts if isinstance(part, str) and part)[:_MOST_PARTS]


def _conditions(value: object) -> tuple[str, ...]:
    """Names, from "users,location", from the sum of their flags, or from a list."""
    if isinstance(value, int) and not isinstance(value, bool):
        return tuple(name for bit, name in enumerate(_CONDITIONS) if value >> bit & 1)
    if isinstance(value, str):
        return tuple(part for part in _texts([name.strip() for name in value.split(",")]) if part != "none")
    return _texts(value)


def _hits(value: object) -> tuple[RuleHit, ...]:
    parts = [part for part in value if isinstance(part, Mapping)] if isinstance(value, list | tuple) else []
    hits = [hit for part in parts for hit in _hits_of(part)]
    return tuple(hit for hit in hits if hit.rule or hit.condition)[:_MOST_PARTS]


def _hits_of(part: Mapping[str, object]) -> list[RuleHit]:
    """A rule as Graph names its two parts, or as its documentation has them: {"users": "groupId"}."""
    if "ruleSatisfied" in part or "conditionalAccessCondition" in part:
        return [RuleHit(_text(part.get("conditionalAccessCondition")), _text(part.get("ruleSatisfied")))]
    return [RuleHit(_text(condition), _text(rule)) for condition, rule in part.items()]
