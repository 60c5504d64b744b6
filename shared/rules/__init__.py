"""The sign-in rules, in the order of design.md's table."""

from functools import lru_cache
from typing import Final

from shared.rules import mfa, protocols
from shared.rules.rule import Rule, Severity, Signals
from shared.signin.traits import Scope

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
