"""All settings of the app: environment variables, checked once at start.

A wrong setting stops the app with a sentence that names it. README.md lists them for the people who deploy.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.rules.rule import Policy
from shared.signin.text import id_key


class SettingsError(Exception):
    """A setting is missing or wrong; the text says which and why."""


class AuthMode(StrEnum):
    """Who lets callers in: Easy Auth with app roles, the host's function keys, or nobody (this machine only)."""

    EASY_AUTH = "easyauth"
    KEY = "key"
    LOCAL = "local"


def _comma_separated(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _is_resolved(value: object) -> object:
    if isinstance(value, str) and value.startswith("@Microsoft.KeyVault("):
        raise ValueError("the Key Vault reference did not resolve; check the secret and the identity's access")
    return value


def _guid(value: object) -> object:
    if not isinstance(value, str) or len(id_key(value)) != 32 or not set(id_key(value)) <= set("0123456789abcdef"):
        raise ValueError("must be a tenant id (a GUID)")
    return value.strip().lower()


Guid = Annotated[str, BeforeValidator(_guid)]
CommaSeparated = Annotated[tuple[Guid, ...], NoDecode, BeforeValidator(_comma_separated)]
Minutes = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_comma_separated)]
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class Settings(BaseSettings):
    """The settings. Durations say their unit in their name."""

    model_config = SettingsConfigDict(
        env_nested_delimiter="__",
        case_sensitive=False,
        extra="ignore",
        env_ignore_empty=True,
        hide_input_in_errors=True,
    )

    # Who and where
    auth_mode: AuthMode = AuthMode.KEY
    partner_tenant_id: Guid
    monitored_tenant_ids: CommaSeparated = ()
    azure_client_id: str | None = None
    graph_base_url: str = "https://graph.microsoft.com"

    # Storage: an identity in Azure (the URI), a connection string on this machine only.
    table_service_uri: str | None = Field(default=None, validation_alias="AzureWebJobsStorage__tableServiceUri")
    storage_connection_string: Annotated[str | None, BeforeValidator(_is_resolved)] = Field(
        default=None, validation_alias="AzureWebJobsStorage", repr=False
    )

    # Timers (six-field NCRONTAB, UTC): the triggers name them, the host reads them.
    scan_schedule: str = "0 */5 * * * *"
    alert_schedule: str = "0 * * * * *"

    # The scan
    policy: Policy = Policy.STANDARD
    lookback_days: int = Field(default=30, ge=1, le=90)
    retention_days: int = Field(default=30, ge=1, le=90)
    slice_minutes: int = Field(default=15, ge=5, le=1440)
    read_ages_minutes: Minutes = (0, 15, 60, 360, 1440, 4320, 10080)
    slice_lease_seconds: int = Field(default=600, ge=1, le=3600)
    pages_per_slice: int = Field(default=50, ge=1, le=1000)
    graph_requests_per_10_seconds: int = Field(default=4, ge=1, le=1000)
    graph_timeout_seconds: float = Field(default=120, gt=0, le=300)

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.table_service_uri is None and self.storage_connection_string is None:
            raise ValueError("AzureWebJobsStorage__tableServiceUri is missing: the app has nowhere to keep its tables")
        if 1440 % self.slice_minutes:
            raise ValueError("SLICE_MINUTES must divide a day (1440) evenly")
        ages = self.read_ages_minutes
        if not ages or ages[0] != 0 or any(a >= b for a, b in pairwise(ages)):
            raise ValueError("READ_AGES_MINUTES must rise, beginning with 0")
        host = urlsplit(self.graph_base_url)
        local = self.auth_mode is AuthMode.LOCAL and host.scheme == "http" and host.hostname in _LOOPBACK
        if not host.hostname or not (host.scheme == "https" or local):
            raise ValueError("GRAPH_BASE_URL must be an https address")
        return self

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants whose logs are read: those named, else the partner's own."""
        return self.monitored_tenant_ids or (self.partner_tenant_id,)

    @property
    def slice_width(self) -> timedelta:
        """How long a slice is."""
        return timedelta(minutes=self.slice_minutes)

    @property
    def read_ages(self) -> tuple[timedelta, ...]:
        """At which ages after its end a slice is read, rising, the first being zero."""
        return tuple(timedelta(minutes=m) for m in self.read_ages_minutes)


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises SettingsError with one sentence for each thing that is wrong."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        wrong = [
            f"{'__'.join(str(p) for p in e['loc']).upper()}: {e['msg']}" if e["loc"] else e["msg"]
            for e in error.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise SettingsError("The settings are wrong. " + "; ".join(wrong)) from None
