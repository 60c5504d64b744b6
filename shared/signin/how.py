"""How a sign-in came to be without MFA: what its record shows of it. Pure (docs/semantics.md, "How")."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from shared.basics.spelling import plain
from shared.signin.evidence import Evidence
from shared.signin.model import SignIn
from shared.signin.protocol import way_of
from shared.signin.statements import read_statement
from shared.signin.steps import read_steps


class How(StrEnum):
    """What a record without MFA shows: why MFA was passed over, or what was used in its place."""

    REMEMBERED_DEVICE = "remembered-device"
    REGISTERED_DEVICE = "registered-device"
    TRUSTED_LOCATION = "trusted-location"
    CORPORATE_NETWORK = "corporate-network"
    APP_PASSWORD = "app-password"  # noqa: S105 - a reason, no password
    WINDOWS_BROKER = "windows-broker"
    EXPIRED = "expired"
    REGISTRATION_PROMPT = "registration-prompt"
    SKIPPED = "skipped"
    PASSWORD_FLOW = "password-flow"  # noqa: S105
    LEGACY_CLIENT = "legacy-client"
    SINGLE_FACTOR = "single-factor"
    SINGLE_FACTOR_CERTIFICATE = "single-factor-certificate"
    SESSION = "session-without-mfa"


# What a statement of a skipped MFA holds, by `plain`; the first that fits.
_REASONS: Final = (
    ("remembered device", How.REMEMBERED_DEVICE),
    ("registered device", How.REGISTERED_DEVICE),
    ("app password", How.APP_PASSWORD),
    ("insidecorpnet", How.CORPORATE_NETWORK),
    ("location", How.TRUSTED_LOCATION),
    ("ip address", How.TRUSTED_LOCATION),
    ("broker", How.WINDOWS_BROKER),
    ("registration", How.REGISTRATION_PROMPT),
    ("expired", How.EXPIRED),
)


def how_of(sign_in: SignIn, evidence: Evidence) -> How | None:
    """What the record shows; None where the evidence is neither skipped nor none."""
    if evidence is Evidence.SKIPPED:
        return _of_skipped(sign_in)
    if evidence is not Evidence.NONE:
        return None
    way = way_of(sign_in)
    if way.password_flow:
        return How.PASSWORD_FLOW
    if way.legacy:
        return How.LEGACY_CLIENT
    steps = read_steps(sign_in)
    if not steps.first_factor:
        return How.SESSION
    return How.SINGLE_FACTOR_CERTIFICATE if steps.certificate else How.SINGLE_FACTOR


def _of_skipped(sign_in: SignIn) -> How:
    said = [sign_in.status.additional_details] if sign_in.status else []
    said += [step.authentication_step_result_detail for step in sign_in.authentication_details or () if step]
    for text in said:
        if text and read_statement(text).skipped:
            return next((how for words, how in _REASONS if words in plain(text)), How.SKIPPED)
    return How.SKIPPED
