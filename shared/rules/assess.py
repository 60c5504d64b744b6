"""One sign-in in, one assessment out: identity, scope, outcome, evidence, verdict and the rules that fit. Pure."""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from shared.rules import fitting_rules
from shared.rules.rule import Policy, Severity, Signals
from shared.signin.directory import Directory
from shared.signin.evidence import MISSING, SATISFIED, Evidence, Grade, Strength, Why, grade_of
from shared.signin.model import SignIn
from shared.signin.outcome import Outcome, outcome_of, password_was_right, result_code
from shared.signin.protocol import Way, is_federated, way_of
from shared.signin.sessions import Session
from shared.signin.steps import Steps, read_steps
from shared.signin.traits import WATCHED, Identity, Scope, scope_of, told_by_log

# A provider's or a third party's word, and a session, change nothing of any other evidence.
_NEEDS_A_CLOSER_LOOK: Final = (Evidence.NONE, Evidence.UNKNOWN)


class Verdict(StrEnum):
    """Whether a sign-in met the requirement."""

    COMPLIANT = "compliant"
    NON_COMPLIANT = "non-compliant"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    OUT_OF_SCOPE = "out-of-scope"


class Assessment(NamedTuple):
    """What is said of one sign-in. `fits` holds the rules that fit, in the order of their table, with severities.

    `why` tells why the evidence is unknown, `strength` how strong a satisfied one is; both are None elsewhere.
    """

    identity: Identity
    scope: Scope
    outcome: Outcome
    evidence: Evidence
    verdict: Verdict
    fits: tuple[tuple[str, Severity], ...] = ()
    why: Why | None = None
    strength: Strength | None = None

    @property
    def asks_session(self) -> bool:
        """Whether it was, or might be, the session that decides: nothing is known, and the record does not contradict
        itself."""
        return self.evidence is Evidence.UNKNOWN and self.why is not Why.CONTRADICTION

    @property
    def is_of_its_kind(self) -> bool:
        """Whether nothing was looked at but the record's way and steps, so that every record alike is judged so."""
        return self.evidence not in _NEEDS_A_CLOSER_LOOK

    @property
    def is_watched(self) -> bool:
        """Whether it is a person's sign-in that the requirement is about."""
        return self.identity is Identity.USER and self.scope in WATCHED

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the rules that fit."""
        return tuple(rule for rule, _ in self.fits)

    @property
    def severity(self) -> Severity | None:
        """The highest severity; None where no rule fits."""
        return max((severity for _, severity in self.fits), default=None)


def assess(
    sign_in: SignIn,
    directory: Directory,
    policy: Policy = Policy.STANDARD,
    session: Session = Session.UNSEEN,
) -> Assessment:
    """Judge one record. `session` is what the roots of its session proved at its time; it is used only where the record
    itself says nothing of MFA. Never raises on a decoded record."""
    identity, interactive = told_by_log(sign_in)
    scope = scope_of(sign_in, directory)
    code = result_code(sign_in)
    if identity is not Identity.USER:
        return Assessment(identity, scope, outcome_of(code), Evidence.NOT_APPLICABLE, Verdict.NOT_APPLICABLE)
    steps = read_steps(sign_in)
    kind = scope, code, steps, way_of(sign_in), interactive, sign_in.authentication_requirement, session, policy
    judged = _judge(kind, _OTHERWISE)
    if judged.evidence not in _NEEDS_A_CLOSER_LOOK:
        return judged
    federated = is_federated(sign_in, steps, directory)
    # A third party's control is read of the policies, which is costly; beside a provider it would say nothing new.
    custom_control = scope in WATCHED and not federated and sign_in.has_custom_control
    return _judge(kind, _Closer(federated, custom_control, bool(sign_in.session_key)))


# All that the verdict of every user's sign-in looks at.
type _Kind = tuple[Scope, int, Steps, Way, bool, str | None, Session, Policy]


class _Closer(NamedTuple):
    """What only a record without evidence is asked: whether a provider federates it, whether a third party's control
    was met, and whether it names a session."""

    federated: bool
    custom_control: bool
    in_session: bool


_OTHERWISE: Final = _Closer(federated=False, custom_control=False, in_session=False)


@lru_cache(8192)  # a log has few kinds of sign-ins, so each is judged once
def _judge(kind: _Kind, closer: _Closer) -> Assessment:
    """Judge all users' sign-ins of a kind."""
    scope, code, steps, way, interactive, requirement, session, policy = kind
    federated, custom_control, in_session = closer
    outcome = outcome_of(code)
    evidence, why, strength = Evidence.NOT_APPLICABLE, None, None
    if outcome is Outcome.SUCCESS:
        grade = grade_of(steps, way, requirement, federated=federated, in_session=in_session)
        evidence, why = _with_session(grade, session) if grade.asks_session else (grade.evidence, grade.why)
        strength = grade.strength if evidence in SATISFIED else None
    if scope not in WATCHED:
        return Assessment(Identity.USER, scope, outcome, evidence, Verdict.OUT_OF_SCOPE, (), why, strength)
    stopped = outcome is not Outcome.SUCCESS
    signals = Signals(
        scope=scope,
        outcome=outcome,
        evidence=evidence,
        why=why,
        interactive=interactive,
        legacy=way.legacy,
        password_flow=way.password_flow,
        device_code=way.device_code,
        provider=federated or custom_control,
        refused=stopped and steps.refused,
        password_right=stopped and password_was_right(code, steps),
        policy=policy,
    )
    return Assessment(
        Identity.USER, scope, outcome, evidence, _verdict(evidence), fitting_rules(signals), why, strength
    )


def _with_session(grade: Grade, session: Session) -> tuple[Evidence, Why | None]:
    """The evidence of a record that says nothing of MFA, and why it is unknown."""
    if session is Session.SATISFIED:
        return Evidence.SESSION, None
    if session is Session.MISSING:
        return Evidence.NONE, None
    return Evidence.UNKNOWN, Why.SESSION_MIXED if session is Session.MIXED else grade.why


def _verdict(evidence: Evidence) -> Verdict:
    if evidence in SATISFIED:
        return Verdict.COMPLIANT
    if evidence in MISSING:
        return Verdict.NON_COMPLIANT
    return Verdict.NOT_APPLICABLE if evidence is Evidence.NOT_APPLICABLE else Verdict.UNKNOWN
