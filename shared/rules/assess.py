"""One sign-in in, one assessment out: identity, scope, outcome, evidence, verdict and the rules that fit. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from shared.rules import fitting
from shared.rules.rule import Policy, Severity, Signals
from shared.signin.directory import Directory
from shared.signin.evidence import MISSING, SATISFIED, Evidence, Grade, Strength, Why, own_grade
from shared.signin.model import SignIn
from shared.signin.outcome import Outcome, outcome_of, password_was_right, result_code
from shared.signin.protocol import (
    is_device_code,
    is_federated,
    is_legacy_client,
    is_password_flow,
)
from shared.signin.sessions import Session
from shared.signin.steps import read_steps
from shared.signin.traits import WATCHED, Identity, Scope, identity_of, is_interactive, scope_of

# Only of these does a rule ask whether a provider other than Entra stands behind them.
_PROVIDER_MATTERS: Final = (Evidence.NONE, Evidence.UNKNOWN)


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
    identity = identity_of(sign_in)
    scope = scope_of(sign_in, directory)
    code = result_code(sign_in)
    outcome = outcome_of(code)
    if identity is not Identity.USER:
        return Assessment(identity, scope, outcome, Evidence.NOT_APPLICABLE, Verdict.NOT_APPLICABLE)
    evidence, why, strength = Evidence.NOT_APPLICABLE, None, None
    if outcome is Outcome.SUCCESS:
        grade = own_grade(sign_in, directory)
        evidence, why = _with_session(grade, session) if grade.asks_session else (grade.evidence, grade.why)
        strength = grade.strength if evidence in SATISFIED else None
    if scope not in WATCHED:
        return Assessment(identity, scope, outcome, evidence, Verdict.OUT_OF_SCOPE, (), why, strength)
    fits = fitting(
        Signals(
            scope=scope,
            outcome=outcome,
            evidence=evidence,
            why=why,
            interactive=is_interactive(sign_in),
            legacy=is_legacy_client(sign_in.client_app_used),
            password_flow=is_password_flow(sign_in.authentication_protocol, sign_in.user_agent),
            device_code=is_device_code(sign_in.authentication_protocol, sign_in.original_transfer_method),
            provider=evidence in _PROVIDER_MATTERS and _has_provider(sign_in, directory),
            refused=outcome is not Outcome.SUCCESS and read_steps(sign_in).refused,
            password_right=outcome is not Outcome.SUCCESS and password_was_right(code, read_steps(sign_in)),
            policy=policy,
        )
    )
    return Assessment(identity, scope, outcome, evidence, _verdict(evidence), fits, why, strength)


def _with_session(grade: Grade, session: Session) -> tuple[Evidence, Why | None]:
    """The evidence of a record that says nothing of MFA, and why it is unknown."""
    if session is Session.SATISFIED:
        return Evidence.SESSION, None
    if session is Session.MISSING:
        return Evidence.NONE, None
    return Evidence.UNKNOWN, Why.SESSION_MIXED if session is Session.MIXED else grade.why


def _has_provider(sign_in: SignIn, directory: Directory) -> bool:
    """Whether somebody else than Entra may have done MFA: a federated provider, or a third party's control."""
    return is_federated(sign_in, read_steps(sign_in), directory) or sign_in.has_custom_control


def _verdict(evidence: Evidence) -> Verdict:
    if evidence in SATISFIED:
        return Verdict.COMPLIANT
    if evidence in MISSING:
        return Verdict.NON_COMPLIANT
    return Verdict.NOT_APPLICABLE if evidence is Evidence.NOT_APPLICABLE else Verdict.UNKNOWN
