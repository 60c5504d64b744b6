"""A finding: one sign-in that breaks rules, with what an auditor needs of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from shared.rules.assess import Assessment
from shared.rules.cause import Cause
from shared.rules.rule import Severity
from shared.signin.applied import AppliedPolicy
from shared.signin.details import text_of
from shared.signin.directory import Directory
from shared.signin.how import how_of
from shared.signin.model import SignIn
from shared.signin.outcome import Outcome, password_was_right, result_code
from shared.signin.steps import certificate_level, read_steps
from shared.signin.traits import Scope, is_interactive, is_via_agent, person_key

UNKNOWN_RULE: Final = "mfa-evidence-unknown"
_ATTEMPT: Final = "-attempt"
_LONG_STATEMENT: Final = 300
_LONG_METHOD: Final = 100
_MOST_STEPS: Final = 20


# Of a finding's fields `user`, `user_name` and `user_display_name` name the person, and an erasure replaces them; these
# say where from, with what and in which session, and it empties them.
TRACE_FIELDS: Final = (
    *("ip", "user_agent", "session_id", "token_id", "correlation_id"),
    *("country", "device_name", "device_trust", "original_request_id"),
)


@dataclass(frozen=True, slots=True)
class StepSeen:
    """A step of the sign-in as the record has it; hostile text."""

    method: str = ""
    statement: str = ""
    succeeded: bool | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """`user`, `customer` and `app` are keys (hex ids); the names beside them are hostile text. `at` is UTC.

    `why`, `strength` and `how` are those of the enums in signin/, "" where there is none: why an evidence is unknown,
    how strong a satisfied one is, what a record without MFA shows. `statement` is status.additionalDetails. The fields
    with a default are those that rows of version 1 lack.
    """

    id: str
    at: datetime
    scope: str
    evidence: str
    verdict: str
    code: int
    interactive: bool
    fits: tuple[tuple[str, Severity], ...]
    user: str
    user_name: str
    user_display_name: str
    customer: str
    app: str
    app_name: str
    resource_name: str
    client: str
    user_agent: str
    ip: str
    session_id: str
    token_id: str
    correlation_id: str
    why: str = ""
    strength: str = ""
    how: str = ""
    password_right: bool = False
    via_agent: bool = False
    protocol: str = ""
    requirement: str = ""
    statement: str = ""
    transfer_method: str = ""
    access_type: str = ""
    certificate_level: str = ""
    country: str = ""
    device_name: str = ""
    device_trust: str = ""
    original_request_id: str = ""
    requirements: tuple[str, ...] = ()
    steps: tuple[StepSeen, ...] = ()
    policies: tuple[AppliedPolicy, ...] = ()
    # Why it was possible (shared/rules/cause.py), as it was known when the slice was read; "" of an attempt.
    cause_kind: str = ""
    cause_policy_id: str = ""
    cause_policy: str = ""
    cause_rule: str = ""
    incident_ids: tuple[str, ...] = ()  # of each rule, where they cannot be worked out: of people who were erased

    @property
    def rules(self) -> tuple[str, ...]:
        """The ids of the rules it breaks."""
        return tuple(rule for rule, _ in self.fits)

    @property
    def severity(self) -> Severity:
        """The highest of its rules."""
        return max(severity for _, severity in self.fits)

    @property
    def cause(self) -> Cause | None:
        """Why it was possible; None of an attempt, and where an older version of the app wrote it."""
        if not self.cause_kind:
            return None
        return Cause(self.cause_kind, self.cause_policy_id, self.cause_policy, self.cause_rule)

    @staticmethod
    def is_about_user(rule: str) -> bool:
        """Whether a rule's incident is about the user alone."""
        return rule == UNKNOWN_RULE or rule.endswith(_ATTEMPT)

    def incidents(self) -> dict[str, tuple[tuple[str, Severity], ...]]:
        """The keys of the incidents it belongs to, each with the rules that count there.

        One incident is the same user, customer and application. Unknown evidence has one of its own for each user, and
        so has each rule about attempts: whoever only tries names as many applications as he likes.
        """
        belongs: dict[str, tuple[tuple[str, Severity], ...]] = {}
        for place, fit in enumerate(self.fits):
            key = self.incident_ids[place] if self.incident_ids else self.incident_of(fit[0])
            belongs[key] = (*belongs.get(key, ()), fit)
        return belongs

    def incident_of(self, rule: str) -> str:
        """The key of the incident in which a rule counts."""
        if rule == UNKNOWN_RULE:
            return incident_key("unknown", self.user)
        if rule.endswith(_ATTEMPT):
            return incident_key("attempt", self.user, rule)
        return incident_key("access", self.user, self.customer, self.app)


def incident_key(*identity: str) -> str:
    """32 hex digits that name an incident."""
    return sha256("\n".join(identity).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def customer_of(sign_in: SignIn, scope: Scope, directory: Directory) -> str:
    """The tenant that was reached: the resource tenant, else the partner's own; "unknown" for a customer not named."""
    return sign_in.tenant_key or ("unknown" if scope is Scope.CUSTOMER else directory.partner_tenant)


def person_of(sign_in: SignIn, directory: Directory) -> str:
    """The key of a user: the object id, else the user name."""
    return person_key(sign_in, directory) or (sign_in.user_principal_name or "unknown").strip().lower()


def name_of(sign_in: SignIn, directory: Directory) -> str:
    """The user's name. A customer's log masks a partner's people: theirs is the one that the roster knows."""
    name = sign_in.user_principal_name or ""
    return (sign_in.masked_key and directory.admin_name(person_key(sign_in, directory))) or name


def finding_of(sign_in: SignIn, assessment: Assessment, directory: Directory) -> Finding | None:
    """The finding that an assessment makes of a sign-in; None where no rule fits."""
    if not assessment.fits:
        return None
    code, details = result_code(sign_in), sign_in.details
    return Finding(
        id=sign_in.id,
        at=sign_in.at,
        scope=assessment.scope,
        evidence=assessment.evidence,
        verdict=assessment.verdict,
        code=max(-(2**31), min(code, 2**31 - 1)),  # a table column has 32 bits
        interactive=is_interactive(sign_in),
        fits=assessment.fits,
        user=text_of(person_of(sign_in, directory)),
        user_name=text_of(name_of(sign_in, directory)),
        user_display_name=text_of(sign_in.user_display_name),
        customer=text_of(customer_of(sign_in, assessment.scope, directory)),
        app=text_of(sign_in.app_key),
        app_name=text_of(sign_in.app_display_name),
        resource_name=details.resource_name,
        client=text_of(sign_in.client_app_used),
        user_agent=text_of(sign_in.user_agent),
        ip=text_of(sign_in.ip_address),
        session_id=text_of(sign_in.session_id),
        token_id=details.token_id,
        correlation_id=details.correlation_id,
        why=assessment.why or "",
        strength=assessment.strength or "",
        how=how_of(sign_in, assessment.evidence) or "",
        password_right=assessment.outcome is not Outcome.SUCCESS and password_was_right(code, read_steps(sign_in)),
        via_agent=is_via_agent(sign_in),
        protocol=text_of(sign_in.authentication_protocol),
        requirement=text_of(sign_in.authentication_requirement),
        statement=_statement_of(sign_in),
        transfer_method=text_of(sign_in.original_transfer_method),
        access_type=text_of(sign_in.cross_tenant_access_type),
        certificate_level=certificate_level(sign_in.authentication_processing_details or ()) or "",
        country=details.country,
        device_name=details.device_name,
        device_trust=details.device_trust,
        original_request_id=details.original_request_id,
        requirements=details.requirements,
        steps=_steps_of(sign_in),
        policies=details.policies,
    )


def _statement_of(sign_in: SignIn) -> str:
    return text_of(sign_in.status.additional_details, _LONG_STATEMENT) if sign_in.status else ""


def _steps_of(sign_in: SignIn) -> tuple[StepSeen, ...]:
    steps = [step for step in sign_in.authentication_details or () if step]
    return tuple(
        StepSeen(
            text_of(step.authentication_method, _LONG_METHOD),
            text_of(step.authentication_step_result_detail, _LONG_STATEMENT),
            step.succeeded,
        )
        for step in steps[:_MOST_STEPS]
    )
