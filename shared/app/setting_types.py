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


def _guid_of(what: str) -> BeforeValidator:
    """Takes a GUID, in small letters; the refusal names what is wanted."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not is_key(id_key(value)):
            raise ValueError(f"must be {what} (a GUID)")
        return value.strip().lower()

    return BeforeValidator(check)


TenantId = Annotated[str, _guid_of("a tenant id")]
UserId = Annotated[str, _guid_of("the object id of a user")]
GroupId = Annotated[str, _guid_of("the object id of a group")]
GroupIds = Annotated[tuple[GroupId, ...], NoDecode, BeforeValidator(comma_separated)]
TenantIds = Annotated[tuple[TenantId, ...], NoDecode, BeforeValidator(comma_separated)]
Minutes = Annotated[tuple[int, ...], NoDecode, BeforeValidator(comma_separated)]
Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_separated)]
