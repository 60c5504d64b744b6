"""Who calls, and whether they may.

Three modes: Easy Auth stands before the app and tells the caller's app roles in a header, which is believed only where
Easy Auth is really on; the host checks function keys; or nobody checks, on this machine alone.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import azure.functions as func
from pydantic import BaseModel, ConfigDict

from functions.problems import Problem
from shared.app.setting_types import LOOPBACK_HOSTS
from shared.app.settings import AuthMode, Settings, SettingsError
from shared.basics.spelling import id_key, is_key

_PRINCIPAL: Final = "X-MS-CLIENT-PRINCIPAL"
# The platform passes some claims on under the names that SAML gave them.
_OBJECT_ID: Final = ("oid", "http://schemas.microsoft.com/identity/claims/objectidentifier")
_TENANT_ID: Final = ("tid", "http://schemas.microsoft.com/identity/claims/tenantid")
# Claims that name a caller, the best first: a person's user name, else the object id, else the program's own id.
_NAMES: Final = ("preferred_username", *reversed(_OBJECT_ID), "azp")
# Only a token that a person signed in for has one of these (docs/entra-facts.md, "Access tokens").
_PERSONAL: Final = (
    "scp",
    "http://schemas.microsoft.com/identity/claims/scope",
    "preferred_username",
    "name",
    "upn",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
)
_KIND: Final = "idtyp"
_APP_ONLY: Final = "app"
_LONGEST_NAME: Final = 256


class Role(IntEnum):
    """What a caller may do; an operator may all that a reader may."""

    READER = 1
    OPERATOR = 2


_ROLES: Final = {"Reader": Role.READER, "Operator": Role.OPERATOR}  # the app roles of infra/


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `name` is what is recorded with what they do, for people to read; it can be chosen and changed.

    `id` tells one caller from another: tenant and object id, "" where the app cannot know. `is_person` is false for
    programs, and where nobody can say.
    """

    name: str
    role: Role
    id: str = ""
    is_person: bool = False


class _Claim(BaseModel):
    model_config = ConfigDict(extra="ignore")

    typ: str
    val: str


class _Principal(BaseModel):
    """What Easy Auth says of a caller."""

    model_config = ConfigDict(extra="ignore")

    role_typ: str | None = None
    claims: list[_Claim] = []


def auth_level(settings: Settings, environment: Mapping[str, str] = os.environ) -> func.AuthLevel:
    """What the host asks of callers. Raises SettingsError for local mode where others could reach the app."""
    if settings.auth_mode is AuthMode.KEY:
        return func.AuthLevel.FUNCTION
    host = environment.get("WEBSITE_HOSTNAME")
    if settings.auth_mode is AuthMode.LOCAL and host and _name_of(f"//{host}") not in LOOPBACK_HOSTS:
        raise SettingsError("AUTH_MODE: local asks nobody for a key, so it is only for an app on a loopback address.")
    return func.AuthLevel.ANONYMOUS


def caller_of(request: func.HttpRequest, settings: Settings, environment: Mapping[str, str] = os.environ) -> Caller:
    """Who sent a request. Raises Problem (401, 403) where that is not known or they have no role."""
    if settings.auth_mode is AuthMode.KEY:
        return Caller("function-key", Role.OPERATOR)  # the host checked the key before it called
    if settings.auth_mode is AuthMode.LOCAL:
        if _name_of(request.url) not in LOOPBACK_HOSTS:  # a page elsewhere may name this machine
            raise Problem(HTTPStatus.FORBIDDEN, "In local mode the app answers to loopback addresses only.")
        return Caller("local", Role.OPERATOR)
    if environment.get("WEBSITE_AUTH_ENABLED", "").lower() not in ("true", "1"):
        raise _unauthorized("Easy Auth is not on for this app, so nobody can be let in.")
    return _caller(_principal(request.headers.get(_PRINCIPAL)))


def _principal(header: str | None) -> _Principal:
    if not header:
        raise _unauthorized("Sign in first.")
    try:
        return _Principal.model_validate_json(base64.b64decode(header, validate=True))
    except ValueError:  # of base64 and of the model alike
        raise _unauthorized("The principal of the request cannot be read.") from None


def _caller(principal: _Principal) -> Caller:
    types = {"roles", principal.role_typ}
    roles = [_ROLES[claim.val] for claim in principal.claims if claim.typ in types and claim.val in _ROLES]
    if not roles:
        raise Problem(HTTPStatus.FORBIDDEN, "You have neither of the app roles Reader and Operator.")
    claims = {claim.typ: claim.val for claim in reversed(principal.claims) if claim.val.strip()}
    name = next((claims[name] for name in _NAMES if name in claims), "unnamed")
    is_person = claims.get(_KIND) != _APP_ONLY and any(personal in claims for personal in _PERSONAL)
    return Caller(name[:_LONGEST_NAME], max(roles), _identity(claims), is_person)


def _identity(claims: Mapping[str, str]) -> str:
    """Tenant and object id, of which both must be GUIDs: nothing else is one person for good."""
    tenant, person = (
        next((id_key(claims[name]) for name in names if name in claims), "") for names in (_TENANT_ID, _OBJECT_ID)
    )
    return f"{tenant}/{person}" if is_key(tenant) and is_key(person) else ""


def refuse_foreign_pages(request: func.HttpRequest) -> None:
    """Refuse what a page of another site has a browser send: a cookie, or this machine, would let it in. Browsers say
    so (`Sec-Fetch-Site`, older ones `Origin`); programs say nothing of the kind. Raises Problem (403)."""
    site = request.headers.get("Sec-Fetch-Site", "").strip().lower()
    origin = request.headers.get("Origin", "").strip().lower()
    if site in ("cross-site", "same-site") or (origin and not site and not _is_own(origin, request)):
        raise Problem(HTTPStatus.FORBIDDEN, "A page of another site may not have this done.")


def _is_own(origin: str, request: func.HttpRequest) -> bool:
    """Whether an origin is the app's own address, by the host that the request names."""
    hosts = {request.headers.get("Host", "").strip().lower(), _host_of(request.url)}
    return _host_of(origin) in hosts - {""}


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _unauthorized(detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})


def _name_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
