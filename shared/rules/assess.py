"""One sign-in in, one assessment out: identity, scope, outcome, evidence, verdict and the rules that fit. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from shared.rules import fitting
from shared.rules.rule import Policy, Severity, Signals
from shared.signin.directory import Directory
from shared.signin.evidence import MISSING, SATISFIED, Evidence, Strength, Why, own_evidence
from shared.signin.model import SignIn
from shared.signin.traits import (
    WATCHED,
    Identity,
    Outcome,
    Scope,
    identity_of,
    is_device_code,
    is_federated,
    is_interactive,
    is_legacy_client,
    is_password_flow,
    outcome_of,
    result_code,
    scope_of,
)

# Only of these does a rule ask whether a federated provider stands behind them.
_FEDERATION_MATTERS = (Evidence.NONE, Evidence.UNKNOWN)


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
    session: Evidence = Evidence.UNKNOWN,
) -> Assessment:
    """Judge one record. `session` is what its session proved (SESSION, NONE or UNKNOWN); it is used only where the
    record itself says nothing of MFA. Never raises on a decoded record."""
    identity = identity_of(sign_in)
    scope = scope_of(sign_in, directory)
    code = result_code(sign_in)
    outcome = outcome_of(code)
    if identity is not Identity.USER:
        return Assessment(identity, scope, outcome, Evidence.NOT_APPLICABLE, Verdict.NOT_APPLICABLE)
    evidence = Evidence.NOT_APPLICABLE
    if code == 0:
        evidence = own_evidence(sign_in, directory)
        if evidence is Evidence.UNKNOWN:
            evidence = session
    if scope not in WATCHED:
        return Assessment(identity, scope, outcome, evidence, Verdict.OUT_OF_SCOPE)
    protocol, agent = sign_in.authentication_protocol, sign_in.user_agent
    fits = fitting(
        Signals(
            scope=scope,
            code=code,
            evidence=evidence,
            interactive=is_interactive(sign_in),
            legacy=is_legacy_client(sign_in.client_app_used),
            password_flow=is_password_flow(protocol, agent),
            device_code=is_device_code(protocol, sign_in.original_transfer_method),
            federated=evidence in _FEDERATION_MATTERS and is_federated(sign_in, directory),
            policy=policy,
        )
    )
    return Assessment(identity, scope, outcome, evidence, _verdict(evidence), fits)


def _verdict(evidence: Evidence) -> Verdict:
    if evidence in SATISFIED:
        return Verdict.COMPLIANT
    if evidence in MISSING:
        return Verdict.NON_COMPLIANT
    return Verdict.NOT_APPLICABLE if evidence is Evidence.NOT_APPLICABLE else Verdict.UNKNOWN
