"""Who calls, and whether they may (design.md, "Who may").

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

_PRINCIPAL: Final = "X-MS-CLIENT-PRINCIPAL"
# Claims that name a caller, the best first: a person's user name, else the object id, else the program's own id.
_NAMES: Final = ("preferred_username", "http://schemas.microsoft.com/identity/claims/objectidentifier", "oid", "azp")
_LONGEST_NAME: Final = 256


class Role(IntEnum):
    """What a caller may do; an operator may all that a reader may."""

    READER = 1
    OPERATOR = 2


_ROLES: Final = {"Reader": Role.READER, "Operator": Role.OPERATOR}  # the app roles of infra/


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `name` is what is recorded with what they do."""

    name: str
    role: Role


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
    names = {claim.typ: claim.val for claim in reversed(principal.claims)}
    name = next((names[name] for name in _NAMES if names.get(name)), "unnamed")
    return Caller(name[:_LONGEST_NAME], max(roles))


def _unauthorized(detail: str) -> Problem:
    return Problem(HTTPStatus.UNAUTHORIZED, detail, headers={"WWW-Authenticate": "Bearer"})


def _name_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
