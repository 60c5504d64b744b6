"""All rules that judge sign-ins, in one table."""

from __future__ import annotations

from typing import Final

from shared.rules import mfa, protocols
from shared.rules.rule import Rule

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
