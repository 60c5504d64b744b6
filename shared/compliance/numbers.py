"""Counts of sign-ins as answers say them: totals, percentages, grades. Pure.

Unknown is never counted as compliant. What was not recorded is null, and never 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.compliance.coverage import percent
from shared.ledger.tallies import ScopeCounts, Tally, with_remainder
from shared.rules import RULE
from shared.signin.evidence import Evidence, Strength, Why
from shared.signin.outcome import Outcome
from shared.wire.models import Answer


class SignIns(Answer):
    """total = compliant + nonCompliant + unknown. The percentage is compliant / (compliant + nonCompliant); null where
    nothing can be divided."""

    total: int
    compliant: int
    non_compliant: int
    unknown: int
    compliance_percent: float | None


class DelegatedSignIns(SignIns):
    """Two percentages more: the worst case counts every unknown sign-in as non-compliant; the other leaves out the
    non-compliant sign-ins that an approved exception accepts."""

    worst_case_percent: float | None
    compliance_percent_after_exceptions: float | None


class Attempts(Answer):
    """Sign-ins that did not succeed."""

    blocked: int
    failed: int
    interrupted: int


class Judged(SignIns):
    """Sign-ins of one scope, of one customer or of several scopes together, with all that is known of them: byEvidence
    adds up to the total, byWhy to unknown, byStrength to compliant. What was not recorded is null."""

    worst_case_percent: float | None
    by_evidence: dict[str, int] | None
    by_why: dict[str, int] | None
    by_strength: dict[str, int] | None
    by_rule: dict[str, int] | None
    attempts: Attempts | None


def sign_ins(counts: ScopeCounts) -> SignIns:
    """The total, the three verdicts and the percentage."""
    verdicts = counts.by_verdict
    return SignIns(
        total=verdicts.total,
        compliant=verdicts.compliant,
        non_compliant=verdicts.non_compliant,
        unknown=verdicts.unknown,
        compliance_percent=percent(verdicts.compliant, verdicts.non_compliant),
    )


def delegated(counts: ScopeCounts, accepted: int) -> DelegatedSignIns:
    """The same with both further percentages; `accepted` is how many non-compliant ones an exception accepts."""
    verdicts = counts.by_verdict
    return DelegatedSignIns(
        **dict(sign_ins(counts)),
        worst_case_percent=percent(verdicts.compliant, verdicts.non_compliant + verdicts.unknown),
        compliance_percent_after_exceptions=percent(verdicts.compliant, verdicts.non_compliant - accepted),
    )


def by_evidence(counts: ScopeCounts) -> Tally | None:
    """By grade of evidence; None where nothing of it was recorded."""
    tally = {key: n for key, n in counts.evidence.items() if key != Evidence.NOT_APPLICABLE}
    return all_keys([e for e in Evidence if e is not Evidence.NOT_APPLICABLE], tally, counts.by_verdict.total)


def all_keys(keys: Sequence[str] | type[Why] | type[Strength], tally: Tally, whole: int) -> Tally | None:
    """The tally with all its keys, and with what was not recorded; None where nothing of it was."""
    if whole and not sum(tally.values()):
        return None
    return with_remainder({**{str(key): 0 for key in keys}, **tally}, whole)


def all_rules(tally: Tally) -> Tally:
    """Sign-ins by rule, with every rule about sign-ins; one of a newer version too."""
    return dict(sorted({**dict.fromkeys(RULE, 0), **tally}.items()))


def attempts_of(counts: ScopeCounts) -> Attempts | None:
    """Those that did not succeed; None where an older version of the app counted some of it."""
    if counts.partial:
        return None
    of = counts.attempts.get
    return Attempts(
        blocked=of(Outcome.BLOCKED, 0), failed=of(Outcome.FAILED, 0), interrupted=of(Outcome.INTERRUPTED, 0)
    )


def judged(counts: ScopeCounts, *, of_customer: bool = False) -> Judged:
    """All that counts say. What an older version of the app counted in part is null: attempts, and the rules of one
    customer."""
    verdicts = counts.by_verdict
    return Judged(
        **dict(sign_ins(counts)),
        worst_case_percent=percent(verdicts.compliant, verdicts.non_compliant + verdicts.unknown),
        by_evidence=by_evidence(counts),
        by_why=all_keys(Why, counts.why, verdicts.unknown),
        by_strength=all_keys(Strength, counts.strength, verdicts.compliant),
        by_rule=None if of_customer and counts.partial else dict(sorted(counts.rules.items())),
        attempts=attempts_of(counts),
    )
