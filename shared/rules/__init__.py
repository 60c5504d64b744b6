"""The rules: what is a finding, how severe, and what to do.

`assess` judges one sign-in and `fitting` names the rules that fit it; `posture` has those about accounts. Each rule
stands with its facts, its remedy and named cases that show it (`rule.RuleOf`). Pure; imports signin and basics only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from shared.rules import mfa, protocols
from shared.rules.rule import Rule, Severity, Signals
from shared.signin.traits import Scope

__all__ = ["RULE", "RULES", "RULES_VERSION", "fitting"]

# In the order of the table in docs/semantics.md.
RULES: Final[tuple[Rule, ...]] = (
    protocols.LEGACY_AUTH,
    protocols.PASSWORD_FLOW,
    mfa.INTERACTIVE_WITHOUT_MFA,
    mfa.NON_INTERACTIVE_WITHOUT_MFA,
    mfa.MFA_SKIPPED,
    mfa.THIRD_PARTY_MFA_UNRECOGNISED,
    protocols.DEVICE_CODE,
    mfa.MFA_EVIDENCE_UNKNOWN,
    mfa.MFA_DENIED,
    protocols.LEGACY_AUTH_ATTEMPT,
    protocols.PASSWORD_FLOW_ATTEMPT,
    protocols.DEVICE_CODE_ATTEMPT,
    protocols.NON_INTERACTIVE_USE,
)
RULE: Final = {rule.id: rule for rule in RULES}

# Part of each slice's head: a change here means that old slices were judged by other rules.
RULES_VERSION: Final = 2


@lru_cache(4096)
def fitting(signals: Signals) -> tuple[tuple[str, Severity], ...]:
    """The rules that fit, by id, each with its severity. Few signals differ, so each kind is judged once."""
    found = ((rule.id, severity) for rule in RULES if (severity := rule.fits(signals)))
    if signals.scope is Scope.GUEST:  # another way in than delegated rights: graded, and never more than low
        return tuple((rule, Severity.LOW) for rule, _ in found)
    return tuple(found)
