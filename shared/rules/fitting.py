"""Which rules fit a sign-in, and how severe that is in its scope."""

from __future__ import annotations

from functools import lru_cache

from shared.rules.rule import Severity, Signals
from shared.rules.table import RULES
from shared.signin.traits import Scope


@lru_cache(4096)
def fitting_rules(signals: Signals) -> tuple[tuple[str, Severity], ...]:
    """The rules that fit, by id, each with its severity. Few signals differ, so each kind is judged once."""
    found = ((rule.id, severity) for rule in RULES if (severity := rule.fits(signals)))
    if signals.scope is Scope.GUEST:  # another way in than delegated rights: graded, and never more than low
        return tuple((rule, Severity.LOW) for rule, _ in found)
    return tuple(found)
