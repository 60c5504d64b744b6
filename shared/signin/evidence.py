"""How well a successful user sign-in proves that MFA was done: the grade, and what it rests on.

The order of the grades is the order of design.md ("evidence"): the first that fits. A record that says nothing of MFA
asks its session, so the grade comes in two steps: what the record says itself, and what the session's root proved.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final

from shared.basics.spelling import plain, squeezed
from shared.signin.directory import Directory
from shared.signin.model import SignIn, Step
from shared.signin.traits import is_federated, is_legacy_client, is_password_flow


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


class Strength(StrEnum):
    """How strong the best step of a satisfied sign-in is, strongest first."""

    PHISHING_RESISTANT = "phishing-resistant"
    PASSWORDLESS = "passwordless"
    APP = "app"
    PHONE = "phone"
    UNTOLD = "untold"


SATISFIED: Final = frozenset({Evidence.PROVEN, Evidence.CLAIM, Evidence.EXTERNAL, Evidence.SESSION})
MISSING: Final = frozenset({Evidence.NONE, Evidence.SKIPPED})


# What a statement or a step says of MFA: bits of an int, because this runs for each step of each record and enum.Flag
# would cost more than all the rest of the verdict.
_NOTHING: Final = 0
_SKIPPED: Final = 1
_EXTERNAL: Final = 2
_DONE_NOW: Final = 4
_CLAIM: Final = 8
_FIRST_FACTOR: Final = 16

_DONE: Final = (
    "mfa completed in azure ad",
    "mfa successfully completed",
    "mfa completed in the cloud",
    "satisfied by strong authentication",
)
# "not satisfied" stands beside design.md's four because a negation must never read as proof; the words written in one
# are those whose hyphen is gone by then.
_NOT_DONE: Final = (
    *("denied", "not completed", "in progress", "failed", "not satisfied"),
    *("notcompleted", "inprogress", "notsatisfied"),
)
_IN_ONE_STEP: Final[tuple[str, ...]] = (
    *("fido2", "passkey", "windows hello for business", "temporary access pass"),
    *("passwordless phone signin", "passwordless phone sign in"),
)
_FIRST_FACTORS: Final[tuple[str, ...]] = (
    "password",
    "text message",
    "sms",
    "email",
    "certificate",
    "x.509",
    "qr code",
    "phone call",
)
# The same as the API's own names write them ("windowsHelloForBusiness").
_IN_ONE_STEP_NAMES: Final = tuple(squeezed(name) for name in _IN_ONE_STEP)
_FIRST_FACTOR_NAMES: Final = tuple(squeezed(name) for name in _FIRST_FACTORS)


@lru_cache(4096)
def _statement_says(text: str | None) -> int:
    """What a step's result detail or status.additionalDetails says of MFA (texts: docs/entra-facts.md)."""
    said = plain(text or "")
    says = _NOTHING
    of_mfa = "mfa" in said or "multifactor" in said or said.startswith("has expired")
    expired = of_mfa and "expired" in said and "not expired" not in said
    prompted = "registration" in said and "prompted" in said and "not prompted" not in said
    if "skipped" in said or expired or prompted:
        says |= _SKIPPED
    if "mfa requirement satisfied by " in said and "claim" in said:
        if "external provider" in said:
            says |= _EXTERNAL
        elif "claim in the token" in said:
            says |= _CLAIM
    if any(done in said for done in _DONE) and not any(negation in said for negation in _NOT_DONE):
        says |= _DONE_NOW
    return says


@lru_cache(1024)
def _method_says(method: str | None) -> int:
    """What using a method, without failing, proves: MFA in one step, or no more than a first factor."""
    name = plain(method or "")
    in_one_step, first_factors = _IN_ONE_STEP, _FIRST_FACTORS
    if " " not in name:
        name, in_one_step, first_factors = squeezed(name), _IN_ONE_STEP_NAMES, _FIRST_FACTOR_NAMES
    if any(known in name for known in in_one_step) or ("certificate" in name and "multifactor" in name):
        return _DONE_NOW
    if name.startswith(first_factors) and not name.startswith("passwordless"):
        return _FIRST_FACTOR
    return _NOTHING


def _step_says(step: Step) -> int:
    says = _statement_says(step.authentication_step_result_detail)
    return says if step.succeeded is False else says | _method_says(step.authentication_method)


def own_evidence(sign_in: SignIn, directory: Directory) -> Evidence:
    """Steps 1 to 7 for a successful user sign-in: UNKNOWN means that only its session can tell."""
    says = _statement_says(sign_in.status.additional_details) if sign_in.status else _NOTHING
    for step in sign_in.authentication_details or ():
        if step:
            says |= _step_says(step)
    if says & _SKIPPED and not says & (_EXTERNAL | _DONE_NOW):
        return Evidence.SKIPPED
    if is_password_flow(sign_in.authentication_protocol, sign_in.user_agent) or is_legacy_client(
        sign_in.client_app_used
    ):
        return Evidence.NONE
    if says & _EXTERNAL:
        return Evidence.EXTERNAL
    if says & _DONE_NOW:
        return Evidence.PROVEN
    if says & _CLAIM or squeezed(sign_in.authentication_requirement or "") == "multifactorauthentication":
        return Evidence.CLAIM
    if says & _FIRST_FACTOR and not is_federated(sign_in, directory):
        return Evidence.NONE
    return Evidence.UNKNOWN
