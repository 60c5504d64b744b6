"""What kind of sign-in a record is: whose, over what, into what, and with what end. Pure.

Names, codes and lists are those of design.md ("Verdict semantics") and docs/entra-facts.md.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import Final

from shared.basics.spelling import domain_of, id_key, masked_user_id, plain, squeezed
from shared.signin.directory import Directory
from shared.signin.model import SignIn


class Identity(StrEnum):
    """Who signed in. Apps and agents cannot do MFA and are counted apart."""

    USER = "user"
    APP = "app"
    AGENT = "agent"


class Scope(StrEnum):
    """Which part of the requirement a sign-in belongs to."""

    CUSTOMER = "customer"
    PARTNER_CENTER = "partner-center"
    PARTNER_TENANT = "partner-tenant"
    GUEST = "guest"
    ON_PREMISES = "on-premises"
    DEVICE = "device"
    NONE = "none"


HEADLINE: Final = (Scope.CUSTOMER, Scope.PARTNER_CENTER)
WATCHED: Final = (*HEADLINE, Scope.PARTNER_TENANT, Scope.GUEST)


class Outcome(StrEnum):
    """How a sign-in ended."""

    SUCCESS = "success"
    INTERRUPTED = "interrupted"
    BLOCKED = "blocked"
    FAILED = "failed"


# --- identity ---------------------------------------------------------------------------------------------------------

_APP_STREAMS: Final = {"serviceprincipal", "managedidentity"}
_STREAM_OF_CATEGORY: Final = {
    "signinlogs": "interactiveuser",
    "noninteractiveusersigninlogs": "noninteractiveuser",
    "serviceprincipalsigninlogs": "serviceprincipal",
    "managedidentitysigninlogs": "managedidentity",
}
_USER_STREAMS: Final = {"interactiveuser", "noninteractiveuser"}
_NO_USER: Final = "0" * 32


def user_key(sign_in: SignIn) -> str:
    """The object id of the user in their home tenant: userId, else the digits of a masked name, else ""."""
    key = id_key(sign_in.user_id)
    return key if key and key != _NO_USER else masked_user_id(sign_in.user_principal_name)


@lru_cache(1024)
def _stream(event_type: str | None, category: str | None) -> str:
    """The log that one signInEventTypes member, else the category, names; "" when neither says."""
    named = squeezed(event_type or "")
    return named if named in _APP_STREAMS | _USER_STREAMS else _STREAM_OF_CATEGORY.get(squeezed(category or ""), "")


def _streams(sign_in: SignIn) -> tuple[str, ...]:
    types = sign_in.sign_in_event_types
    if types and len(types) == 1:  # nearly always; no generator for these
        return (_stream(types[0], sign_in.category),)
    named = tuple(squeezed(t) for t in types or () if t and squeezed(t) in _APP_STREAMS | _USER_STREAMS)
    return named or (_stream(None, sign_in.category),)


def identity_of(sign_in: SignIn) -> Identity:
    """Agent, app or user. A record that names no log and no user but a service principal is app-only."""
    agent = sign_in.agent
    if agent is not None and agent.agent_type and squeezed(agent.agent_type) not in ("notagentic", ""):
        return Identity.AGENT
    streams = _streams(sign_in)
    if _APP_STREAMS.isdisjoint(streams):
        if streams[0] or user_key(sign_in) or sign_in.user_principal_name:
            return Identity.USER
        return Identity.APP if sign_in.service_principal_id else Identity.USER
    return Identity.APP


def is_interactive(sign_in: SignIn) -> bool:
    """By signInEventTypes, else the category, else isInteractive."""
    streams = _streams(sign_in)
    return "interactiveuser" in streams if streams[0] else bool(sign_in.is_interactive)


# --- scope ------------------------------------------------------------------------------------------------------------

_SERVICE_PROVIDER: Final = "serviceprovider"
# Ways into a customer's tenant that are not delegated administration.
_NOT_DELEGATED: Final = {"b2bcollaboration", "b2bdirectconnect", "passthrough", "microsoftsupport"}
_PARTNER_CENTER: Final = {"fa3d9a0c3fb042cc919347c7ecd2edbd", id_key("https://api.partnercenter.microsoft.com")}
_WINDOWS_SIGN_IN: Final = "38aa3b87a06d4817b2757a316988d93b"


def is_partner_user(sign_in: SignIn, directory: Directory) -> bool:
    """Whether the user's home is the partner's tenant, or the user was on the roster at that time."""
    at_partner = id_key(sign_in.home_tenant_id) == directory.partner_tenant
    return at_partner or directory.is_admin(user_key(sign_in), sign_in.instant)


def scope_of(sign_in: SignIn, directory: Directory) -> Scope:
    """Which part of the requirement the sign-in belongs to, by the roster and customers of its own time."""
    at = sign_in.instant
    on_roster = directory.is_admin(user_key(sign_in), at)
    if not on_roster and id_key(sign_in.home_tenant_id) != directory.partner_tenant:
        return Scope.NONE
    access = squeezed(sign_in.cross_tenant_access_type or "")
    resource_tenant = id_key(sign_in.resource_tenant_id)
    at_home = resource_tenant == directory.partner_tenant or not (resource_tenant or access == _SERVICE_PROVIDER)
    if not at_home and (
        access == _SERVICE_PROVIDER or (access not in _NOT_DELEGATED and directory.is_customer(resource_tenant, at))
    ):
        return Scope.CUSTOMER
    if id_key(sign_in.app_id) in _PARTNER_CENTER or id_key(sign_in.resource_id) in _PARTNER_CENTER:
        return Scope.PARTNER_CENTER
    if at_home and id_key(sign_in.app_id) == _WINDOWS_SIGN_IN:
        return Scope.DEVICE
    return Scope.PARTNER_TENANT if at_home and on_roster else Scope.NONE


# --- outcome ----------------------------------------------------------------------------------------------------------

_INTERRUPTED: Final = {
    50058, 50072, 50074, 50076, 50078, 50079, 50097, 50125, 50140, 50158, 50161, 50199, 16000,
}  # fmt: skip
_BLOCKED: Final = {50053, 50057, 50131, 53003, 53004, 500212, 500213, 530034, 530035}
# Only something after the password stopped these: whoever tried knows the password.
PASSWORD_WAS_RIGHT: Final = {50055, 50072, 50074, 50076, 50079, 50158, 53003}


def result_code(sign_in: SignIn) -> int:
    """status.errorCode, else the envelope's resultType, else 0: a record that says nothing is graded as a success."""
    status = sign_in.status
    if status is not None and status.error_code is not None:
        return status.error_code
    result = sign_in.result_type
    if isinstance(result, str):
        return int(result) if re.fullmatch(r"\s*-?\d{1,1000}\s*", result, re.ASCII) else 0
    return result or 0


def outcome_of(code: int) -> Outcome:
    """What a result code means for the sign-in."""
    if code == 0:
        return Outcome.SUCCESS
    if code in _INTERRUPTED:
        return Outcome.INTERRUPTED
    return Outcome.BLOCKED if code in _BLOCKED else Outcome.FAILED


# --- protocol ---------------------------------------------------------------------------------------------------------

_LEGACY_CLIENTS: Final = {
    squeezed(name)
    for name in (
        "Authenticated SMTP", "Autodiscover", "Exchange ActiveSync", "Exchange Online PowerShell",
        "Exchange Web Services", "IMAP4", "MAPI over HTTP", "Offline Address Book", "Outlook Anywhere (RPC over HTTP)",
        "Outlook Service", "POP3", "Reporting Web Services", "Other clients",
        "IMAP", "POP", "SMTP", "Other client",  # other spellings seen
    )
}  # fmt: skip
# Exchange's own password flow announces itself so.
_PASSWORD_FLOW_AGENTS: Final = re.compile(r"\b(bav2ropc|cbainprod|cbaintar)\b", re.IGNORECASE)


@lru_cache(4096)
def is_legacy_client(client_app_used: str | None) -> bool:
    """Whether the client cannot do MFA at all ("Other clients; IMAP" is; "Universal Outlook" is not)."""
    return squeezed((client_app_used or "").partition(";")[0]) in _LEGACY_CLIENTS


@lru_cache(4096)
def is_password_flow(protocol: str | None, user_agent: str | None) -> bool:
    """Resource owner password credentials, by protocol or by Exchange's own user agents."""
    return squeezed(protocol or "") == "ropc" or bool(user_agent and _PASSWORD_FLOW_AGENTS.search(user_agent))


@lru_cache(1024)
def is_device_code(protocol: str | None, original_transfer_method: str | None) -> bool:
    """Device code flow, or a token that began as one and was refreshed since."""
    return squeezed(protocol or "") == "devicecode" or squeezed(original_transfer_method or "") == "devicecodeflow"


def is_federated(sign_in: SignIn, directory: Directory) -> bool:
    """Whether an identity provider other than Entra did the first factor."""
    issuer = sign_in.token_issuer_type
    return bool(
        (issuer and squeezed(issuer).startswith("adfederationservices"))
        or (directory.federated_domains and domain_of(sign_in.user_principal_name) in directory.federated_domains)
        or any(
            step and step.authentication_method and plain(step.authentication_method) == "federated"
            for step in sign_in.authentication_details or ()
        )
    )
