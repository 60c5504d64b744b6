"""All settings of the app: environment variables, checked once at start.

A wrong setting stops the app with a sentence that names it, but for those of a channel: a channel that cannot be used
is dead, and the scan goes on. README.md lists them for the people who deploy.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ModelWrapValidatorHandler, PrivateAttr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as Unreadable

from shared.app.channels import Channel, channels_of
from shared.app.setting_types import (
    LOOPBACK_HOSTS,
    GroupIds,
    Minutes,
    TenantId,
    TenantIds,
    Words,
    resolved,
    sentences_of,
)
from shared.incidents.life import Life
from shared.ledger.slices import RETENTION_MARGIN, ages_kept
from shared.rules.rule import Policy


class SettingsError(Exception):
    """A setting is missing or wrong; the text says which and why."""


class AuthMode(StrEnum):
    """Who lets callers in: Easy Auth with app roles, the host's function keys, or nobody (this machine only)."""

    EASY_AUTH = "easyauth"
    KEY = "key"
    LOCAL = "local"


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
    partner_tenant_id: TenantId
    monitored_tenant_ids: TenantIds = ()
    azure_client_id: str | None = None
    graph_base_url: str = "https://graph.microsoft.com"

    # Storage: an identity in Azure (the URI), a connection string on this machine only.
    table_service_uri: str | None = Field(default=None, validation_alias="AzureWebJobsStorage__tableServiceUri")
    blob_service_uri: str | None = Field(default=None, validation_alias="AzureWebJobsStorage__blobServiceUri")
    queue_service_uri: str | None = Field(default=None, validation_alias="AzureWebJobsStorage__queueServiceUri")
    storage_connection_string: Annotated[str | None, BeforeValidator(resolved)] = Field(
        default=None, validation_alias="AzureWebJobsStorage", repr=False
    )

    # Timers (six-field NCRONTAB, UTC): the triggers name them, the host reads them.
    scan_schedule: str = "0 */5 * * * *"
    alert_schedule: str = "0 * * * * *"
    directory_schedule: str = "0 20 */6 * * *"
    maintenance_schedule: str = "0 40 2 * * *"

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

    # What is kept, and what operators expect
    finding_retention_days: int = Field(default=400, ge=30, le=3650)
    quarantine_retention_days: int = Field(default=30, ge=1, le=400)
    coverage_target_percent: int = Field(default=95, ge=1, le=100)

    # Evidence packs: the key that signs them, in a vault or (on this machine only) in a file
    pack_key_uri: str | None = Field(default=None, pattern=r"^https://[^/?#]+/keys/[0-9A-Za-z-]+/?$")
    pack_key_file: str | None = None

    # People and customers
    further_group_ids: GroupIds = ()
    federated_domains: Words = ()
    read_federation: bool = True
    directory_requests_per_10_seconds: int = Field(default=100, ge=1, le=100_000)
    report_requests_per_10_seconds: int = Field(default=1, ge=1, le=100_000)

    # Alerts
    channels: dict[str, Channel] = {}
    alert_allowed_hosts: Words = ()
    incident_quiet_days: int = Field(default=7, ge=1, le=90)
    realert_hours: int = Field(default=24, ge=1, le=720)
    acknowledged_days: int = Field(default=14, ge=1, le=90)
    storm_threshold: int = Field(default=20, ge=1, le=1000)
    public_url: str | None = None
    website_hostname: str | None = None

    _wrong_channels: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _wrong_channels_are_dead(cls, data: dict[str, Any], rest: ModelWrapValidatorHandler[Settings]) -> Settings:
        """A channel that cannot be used is left out and remembered: its address is one thing, the scan another."""
        given = data.get("channels")
        if not isinstance(given, dict):
            return rest(data)
        right, wrong = channels_of(given)
        settings = rest({**data, "channels": right})
        local = settings.auth_mode is AuthMode.LOCAL
        for name, channel in right.items():
            if why := channel.wrong(local=local, allowed_hosts=settings.allowed_hosts):
                wrong[name] = why
                del settings.channels[name]
        settings._wrong_channels = wrong  # noqa: SLF001 - its own class
        return settings

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.table_service_uri is None and self.storage_connection_string is None:
            raise ValueError("AzureWebJobsStorage__tableServiceUri is missing: the app has nowhere to keep its tables")
        if 1440 % self.slice_minutes:
            raise ValueError("SLICE_MINUTES must divide a day (1440) evenly")
        ages = self.read_ages_minutes
        if not ages or ages[0] != 0 or any(a >= b for a, b in pairwise(ages)):
            raise ValueError("READ_AGES_MINUTES must rise, beginning with 0")
        if self.finding_retention_days <= max(self.lookback_days, self.retention_days):
            # What is deleted by night would be read again by day, and told again.
            raise ValueError("FINDING_RETENTION_DAYS must be more than LOOKBACK_DAYS and more than RETENTION_DAYS")
        if timedelta(minutes=self.slice_minutes) + RETENTION_MARGIN >= timedelta(days=self.retention_days):
            raise ValueError("SLICE_MINUTES must be an hour less than RETENTION_DAYS: no slice could be read in time")
        host = urlsplit(self.graph_base_url)
        local = self.auth_mode is AuthMode.LOCAL and host.scheme == "http" and host.hostname in LOOPBACK_HOSTS
        if not host.hostname or not (host.scheme == "https" or local):
            raise ValueError("GRAPH_BASE_URL must be an https address")
        if self.public_url and not re.match(r"https?://[^/]+", self.public_url):
            raise ValueError("PUBLIC_URL must be the address at which people reach the app, such as https://host")
        return self

    @model_validator(mode="after")
    def _one_key_signs(self) -> Settings:
        if self.pack_key_uri and self.pack_key_file:
            raise ValueError("PACK_KEY_URI and PACK_KEY_FILE: only one key signs evidence packs")
        return self

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants whose logs are read: those named, else the partner's own."""
        return self.monitored_tenant_ids or (self.partner_tenant_id,)

    @property
    def wrong_channels(self) -> Mapping[str, str]:
        """The channels that cannot be used, each with a sentence that says why and shows neither URL nor key."""
        return self._wrong_channels

    @property
    def slice_width(self) -> timedelta:
        """How long a slice is."""
        return timedelta(minutes=self.slice_minutes)

    @property
    def read_ages(self) -> tuple[timedelta, ...]:
        """At which ages after its end a slice is read, rising, the first being zero; those that the log outlives."""
        ages = [timedelta(minutes=m) for m in self.read_ages_minutes]
        return ages_kept(ages, self.slice_width, timedelta(days=self.retention_days))

    @property
    def life(self) -> Life:
        """How long an incident lives and how often it is told again."""
        return Life(
            quiet=timedelta(days=self.incident_quiet_days),
            realert=timedelta(hours=self.realert_hours),
            acknowledged=timedelta(days=self.acknowledged_days),
        )

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The hosts that webhooks may have inside the app's own network, in lower case."""
        return frozenset(host.lower() for host in self.alert_allowed_hosts)

    @property
    def address(self) -> str | None:
        """Where people reach the app, without a slash at the end: PUBLIC_URL, else the name that its host gave it."""
        if self.public_url:
            return self.public_url.rstrip("/")
        if self.website_hostname is None:
            return None
        local = urlsplit(f"//{self.website_hostname}").hostname in LOOPBACK_HOSTS
        return f"{'http' if local else 'https'}://{self.website_hostname}"


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process. Raises SettingsError with one sentence for each thing that is wrong."""
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("The settings are wrong. " + "; ".join(sentences_of(error))) from None
    except Unreadable:  # its text shows the value
        raise SettingsError("The settings are wrong. CHANNELS: is no JSON; name each member by itself") from None
