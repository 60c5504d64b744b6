"""How well a successful user sign-in proves that MFA was done: the grade, and what it rests on.

The grades are tried in the order of docs/semantics.md ("Evidence"); the first that fits counts. A record that says
nothing of MFA asks its session, so the grade comes in two steps: what the record says itself, and what the session's
roots proved.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from shared.basics.spelling import name_key
from shared.signin.directory import Directory
from shared.signin.methods import Strength
from shared.signin.model import SignIn
from shared.signin.protocol import Way, is_federated, way_of
from shared.signin.steps import Steps, read_steps

__all__ = ["MISSING", "SATISFIED", "Evidence", "Grade", "Strength", "Why", "grade_of", "own_grade", "stated_evidence"]


class Evidence(StrEnum):
    """The grade of MFA evidence."""

    PROVEN = "proven"
    CLAIM = "claim"
    EXTERNAL = "external"
    SESSION = "session"
    SKIPPED = "skipped"
    NONE = "none"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"


class Why(StrEnum):
    """Why an evidence is unknown (docs/semantics.md, "Why unknown")."""

    CONTRADICTION = "contradiction"
    SESSION_MIXED = "session-mixed"
    SECOND_FACTOR_UNCONFIRMED = "second-factor-unconfirmed"
    CERTIFICATE_LEVEL_UNTOLD = "certificate-level-untold"
    FEDERATED_SILENT = "federated-silent"
    SESSION_UNSEEN = "session-unseen"
    NO_SESSION = "no-session"


SATISFIED: Final = frozenset({Evidence.PROVEN, Evidence.CLAIM, Evidence.EXTERNAL, Evidence.SESSION})
MISSING: Final = frozenset({Evidence.NONE, Evidence.SKIPPED})

MFA_DEMANDED: Final = "multifactorauthentication"


class Grade(NamedTuple):
    """What a record says itself. `why` tells why an unknown one is so, if its session does not tell more; `strength` is
    that of its best step, whatever the grade."""

    evidence: Evidence
    strength: Strength
    why: Why | None = None

    @property
    def asks_session(self) -> bool:
        """Whether the record says nothing of MFA, so that only its session can tell."""
        return self.evidence is Evidence.UNKNOWN and self.why is not Why.CONTRADICTION


def own_grade(sign_in: SignIn, directory: Directory) -> Grade:
    """The grade of a successful user sign-in by the record alone."""
    steps = read_steps(sign_in)
    return grade_of(
        steps,
        way_of(sign_in),
        sign_in.authentication_requirement,
        federated=is_federated(sign_in, steps, directory),
        in_session=bool(sign_in.session_key),
    )


def grade_of(steps: Steps, way: Way, requirement: str | None, *, federated: bool, in_session: bool) -> Grade:
    """The grade of a successful user sign-in by what its record says. `in_session`: it names a session."""
    evidence = _stated(steps, way)
    if evidence is not None:
        return Grade(evidence, steps.strength)
    if name_key(requirement) == MFA_DEMANDED:
        if steps.contradicts:
            return Grade(Evidence.UNKNOWN, steps.strength, Why.CONTRADICTION)
        return Grade(Evidence.CLAIM, steps.strength)
    if steps.first_factor and not (federated or steps.unconfirmed or steps.level_untold):
        return Grade(Evidence.NONE, steps.strength)
    return Grade(Evidence.UNKNOWN, steps.strength, _why(steps, federated=federated, in_session=in_session))


def stated_evidence(sign_in: SignIn) -> Evidence | None:
    """What the record's statements and one-step methods settle, read as for a success; None where they do not."""
    return _stated(read_steps(sign_in), way_of(sign_in))


def _stated(steps: Steps, way: Way) -> Evidence | None:
    """The first five grades."""
    if steps.skipped and not (steps.external or steps.done_now):
        return Evidence.SKIPPED
    if way.no_mfa:
        return Evidence.NONE
    if steps.external:
        return Evidence.EXTERNAL
    if steps.done_now:
        return Evidence.PROVEN
    return Evidence.CLAIM if steps.claim else None


def _why(steps: Steps, *, federated: bool, in_session: bool) -> Why:
    if steps.unconfirmed:
        return Why.SECOND_FACTOR_UNCONFIRMED
    if steps.level_untold:
        return Why.CERTIFICATE_LEVEL_UNTOLD
    if federated:
        return Why.FEDERATED_SILENT
    return Why.SESSION_UNSEEN if in_session else Why.NO_SESSION
