"""Whose sign-in a record is, and into what: identity, person and scope. Pure.

Names, codes and lists are explained in docs/semantics.md and docs/entra-facts.md.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from shared.basics.spelling import id_key, name_key
from shared.basics.well_known import PARTNER_CENTER_APP, PARTNER_CENTER_URL
from shared.signin.directory import Directory
from shared.signin.model import SignIn
from shared.signin.protocol import way_of


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


# --- identity ---------------------------------------------------------------------------------------------------------

_INTERACTIVE: Final = "interactiveuser"
_NAMED_IN_CATEGORY: Final = ("noninteractiveuser", "serviceprincipal", "managedidentity")
_USER_STREAMS: Final = frozenset({_INTERACTIVE, "noninteractiveuser"})
_STREAMS: Final = _USER_STREAMS | {*_NAMED_IN_CATEGORY}
_NO_STREAMS: Final = frozenset[str]()

_NOT_AGENTIC: Final = "notagentic"
_AGENTS_USER: Final = "agentiduser"
_AGENTIC: Final = {
    "agenticapp",
    "agenticappinstance",
    "agenticappbuilder",
    "agentidentityblueprintprincipal",
    _AGENTS_USER,
}


@lru_cache(1024)
def _stream_of(category: str | None) -> frozenset[str]:
    """The log that a category names, whatever words stand before it ("MicrosoftServicePrincipalSignInLogs")."""
    name = name_key(category)
    if name == "signinlogs":
        return frozenset({_INTERACTIVE})
    return next((frozenset({s}) for s in _NAMED_IN_CATEGORY if s in name), _NO_STREAMS)


class _Log(NamedTuple):
    """What the log that a record stands in tells; None where it tells nothing."""

    identity: Identity | None
    interactive: bool | None


@lru_cache(1024)
def _log_of(event_types: tuple[str | None, ...] | None, category: str | None) -> _Log:
    """By the known members of signInEventTypes, else the category."""
    streams = frozenset(map(name_key, event_types or ())) & _STREAMS or _stream_of(category)
    if not streams:
        return _Log(None, None)
    return _Log(Identity.APP if streams.isdisjoint(_USER_STREAMS) else Identity.USER, _INTERACTIVE in streams)


def told_by_log(sign_in: SignIn) -> tuple[Identity, bool]:
    """Who signed in, and whether interactively: both are told by the log that the record stands in, if by anything."""
    identity, interactive = _log_of(sign_in.sign_in_event_types, sign_in.category)
    if interactive is None:  # then isInteractive tells, and where that does not either, it was not
        interactive = bool(sign_in.is_interactive)
    agent = sign_in.agent
    if agent is not None and _is_agent(agent.agent_subject_type, agent.agent_type, bool(sign_in.user_id_key)):
        return Identity.AGENT, interactive
    return identity or _identity_without_log(sign_in), interactive


def identity_of(sign_in: SignIn) -> Identity:
    """Agent, app or user."""
    return told_by_log(sign_in)[0]


def _identity_without_log(sign_in: SignIn) -> Identity:
    """A record that names no log and no user but a service principal is an app's."""
    nameless = not (name_key(sign_in.category) or sign_in.user_id_key or name_key(sign_in.user_principal_name))
    return Identity.APP if nameless and id_key(sign_in.service_principal_id) else Identity.USER


@lru_cache(1024)
def _is_agent(subject_type: str | None, agent_type: str | None, names_user: bool) -> bool:
    """Whether the *subject* is agentic. agentType alone says only what the client is, so it counts where the subject
    is not told, and then only for an agent's own user or where no person is named."""
    subject, client = name_key(subject_type), name_key(agent_type)
    if subject in _AGENTIC or subject == _NOT_AGENTIC:
        return subject in _AGENTIC
    return client == _AGENTS_USER or (client in _AGENTIC and not names_user)


def is_via_agent(sign_in: SignIn) -> bool:
    """Whether the client is an agent: of a user's sign-in, that it acted for the person."""
    return sign_in.agent is not None and name_key(sign_in.agent.agent_type) not in ("", _NOT_AGENTIC)


def is_interactive(sign_in: SignIn) -> bool:
    """By signInEventTypes, else the category, else isInteractive; where nothing tells, not."""
    return told_by_log(sign_in)[1]


# --- person -----------------------------------------------------------------------------------------------------------


def person_key(sign_in: SignIn, directory: Directory) -> str:
    """The person: of userId and the digits of a masked name whichever is on the roster at that time, else the first
    that there is; "" where there is neither."""
    user = sign_in.user_id_key
    if user and (directory.is_admin(user, sign_in.at) or not directory.is_admin(sign_in.masked_key, sign_in.at)):
        return user
    return sign_in.masked_key


def is_on_roster(sign_in: SignIn, directory: Directory) -> bool:
    """Whether the person was on the roster at that time."""
    at = sign_in.at
    return directory.is_admin(sign_in.user_id_key, at) or directory.is_admin(sign_in.masked_key, at)


def is_partner_user(sign_in: SignIn, directory: Directory) -> bool:
    """Whether the user's home is the partner's tenant, or the user was on the roster at that time."""
    return sign_in.home_key == directory.partner_tenant or is_on_roster(sign_in, directory)


# --- scope ------------------------------------------------------------------------------------------------------------

_SERVICE_PROVIDER: Final = "serviceprovider"
# Ways into a customer's tenant that are not delegated administration.
_AS_GUEST: Final = {"b2bcollaboration", "b2bdirectconnect", "passthrough"}
_NOT_DELEGATED: Final = _AS_GUEST | {"microsoftsupport"}
_PARTNER_CENTER: Final = {id_key(PARTNER_CENTER_APP), id_key(PARTNER_CENTER_URL)}
_WINDOWS_SIGN_IN: Final = "38aa3b87a06d4817b2757a316988d93b"
# What stands in the partner's log and gives no token for the cloud.
_ON_PREMISES_CATEGORY: Final = "adfssigninlogs"
_ON_PREMISES_RESOURCES: Final = {"radius", "adfs"}
_ON_PREMISES_ISSUERS: Final = {"npsextension", "adfederationservicesmfaadapter"}


def scope_of(sign_in: SignIn, directory: Directory) -> Scope:
    """Which part of the requirement the sign-in belongs to, by the roster and customers of its own time."""
    on_roster = is_on_roster(sign_in, directory)
    partner_user = on_roster or sign_in.home_key == directory.partner_tenant
    tenant, access = sign_in.tenant_key, name_key(sign_in.cross_tenant_access_type)
    if not tenant and access != _SERVICE_PROVIDER:
        tenant = directory.partner_tenant
    if tenant == directory.partner_tenant:
        return _scope_at_home(sign_in, on_roster=on_roster, partner_user=partner_user)
    if not partner_user:
        return Scope.NONE
    known = directory.is_customer(tenant, sign_in.at)
    if access == _SERVICE_PROVIDER or (known and access not in _NOT_DELEGATED):
        return Scope.CUSTOMER
    if _is_partner_center(sign_in):
        return Scope.PARTNER_CENTER
    return Scope.GUEST if on_roster and known and access in _AS_GUEST else Scope.NONE


def _scope_at_home(sign_in: SignIn, *, on_roster: bool, partner_user: bool) -> Scope:
    """The scope of a sign-in into the partner's own tenant."""
    if partner_user and _is_partner_center(sign_in):
        return Scope.PARTNER_CENTER
    if _is_on_premises(sign_in):
        return Scope.ON_PREMISES
    if partner_user and _is_to_device(sign_in):
        return Scope.DEVICE
    return Scope.PARTNER_TENANT if on_roster else Scope.NONE


def _is_partner_center(sign_in: SignIn) -> bool:
    return (
        sign_in.app_key.removesuffix("/") in _PARTNER_CENTER
        or id_key(sign_in.resource_id).removesuffix("/") in _PARTNER_CENTER
    )


def _is_on_premises(sign_in: SignIn) -> bool:
    return (
        name_key(sign_in.category) == _ON_PREMISES_CATEGORY
        or name_key(sign_in.resource_id) in _ON_PREMISES_RESOURCES
        or name_key(sign_in.token_issuer_type) in _ON_PREMISES_ISSUERS
    )


def _is_to_device(sign_in: SignIn) -> bool:
    """Whether somebody signed in to Windows. A client names its app itself, so one that uses a protocol which Windows
    does not is not believed."""
    if sign_in.app_key != _WINDOWS_SIGN_IN:
        return False
    way = way_of(sign_in)
    return not (way.no_mfa or way.device_code)
