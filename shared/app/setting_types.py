"""Kinds of values that settings hold, each with the sentence that refuses a wrong one."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, ValidationError
from pydantic_settings import NoDecode

from shared.basics.spelling import id_key, is_key

LOOPBACK_HOSTS: Final = frozenset({"127.0.0.1", "localhost", "::1"})


def sentences_of(error: ValidationError) -> list[str]:
    """What is wrong, a sentence a setting, by the name of its environment variable; no value is shown."""
    return [
        f"{'__'.join(str(part) for part in found['loc']).upper()}: {found['msg']}" if found["loc"] else found["msg"]
        for found in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def comma_separated(value: object) -> object:
    """Split text at its commas; everything else as it is."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def resolved(value: object) -> object:
    """The value, unless it is a Key Vault reference that the platform could not resolve."""
    if isinstance(value, str) and value.startswith("@Microsoft.KeyVault("):
        raise ValueError("the Key Vault reference did not resolve; check the secret and the identity's access")
    return value


def _is_guid(value: object) -> bool:
    return isinstance(value, str) and is_key(id_key(value))


def _guid(value: object) -> object:
    if not isinstance(value, str) or not _is_guid(value):
        raise ValueError("must be a tenant id (a GUID)")
    return value.strip().lower()


def _group_id(value: object) -> object:
    if not isinstance(value, str) or not _is_guid(value):
        raise ValueError("must be the object id of a group (a GUID)")
    return value.strip().lower()


def _user_id(value: object) -> object:
    if not isinstance(value, str) or not _is_guid(value):
        raise ValueError("must be the object id of a user (a GUID)")
    return value.strip().lower()


Guid = Annotated[str, BeforeValidator(_guid)]
UserId = Annotated[str, BeforeValidator(_user_id)]
GroupIds = Annotated[tuple[Annotated[str, BeforeValidator(_group_id)], ...], NoDecode, BeforeValidator(comma_separated)]
CommaSeparated = Annotated[tuple[Guid, ...], NoDecode, BeforeValidator(comma_separated)]
Minutes = Annotated[tuple[int, ...], NoDecode, BeforeValidator(comma_separated)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)]
