"""One Entra sign-in record, as the Graph beta endpoint and diagnostic settings give it.

Only the members that the verdict, a finding or an alert needs are modelled; everything else in a record is skipped
unread. Enum members stay text, because Entra adds values without notice and an unknown one must not be lost
(signin-log-facts.md, "Enums evolve").
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass

# strict: a number where text is due is a broken record and not something to guess at.
_MODEL = ConfigDict(strict=True, extra="ignore", alias_generator=to_camel)


# Times that no time zone can push out of what a datetime holds.
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)


# The nested ones are dataclasses with slots: one object for the collector to follow where a model makes three.
@dataclass(slots=True, config=_MODEL)
class Step:
    """One entry of authenticationDetails."""

    authentication_method: str | None = None
    authentication_step_result_detail: str | None = None
    succeeded: bool | None = None


@dataclass(slots=True, config=_MODEL)
class Status:
    """The status object: errorCode 0 is a success."""

    error_code: int | None = None
    additional_details: str | None = None


@dataclass(slots=True, config=_MODEL)
class Agent:
    """The agent object: which kind of AI agent, if any, signed in."""

    agent_type: str | None = None


class SignIn(BaseModel):
    """A sign-in. `id` and `created_date_time` are needed, every other member may be absent or null."""

    model_config = _MODEL

    id: str = Field(min_length=1, max_length=1024)
    created_date_time: datetime = Field(ge=_EARLIEST, lt=_LATEST)

    user_id: str | None = None
    user_principal_name: str | None = None
    user_display_name: str | None = None
    home_tenant_id: str | None = None
    resource_tenant_id: str | None = None
    cross_tenant_access_type: str | None = None

    app_id: str | None = None
    app_display_name: str | None = None
    resource_id: str | None = None
    resource_display_name: str | None = None
    service_principal_id: str | None = None
    agent: Agent | None = None

    client_app_used: str | None = None
    user_agent: str | None = None
    ip_address: str | None = None
    is_interactive: bool | None = None
    sign_in_event_types: list[str | None] | None = None
    authentication_protocol: str | None = None
    original_transfer_method: str | None = None
    token_issuer_type: str | None = None

    authentication_requirement: str | None = None
    authentication_details: list[Step | None] | None = None
    status: Status | None = None

    session_id: str | None = None
    unique_token_identifier: str | None = None
    correlation_id: str | None = None

    # Of the diagnostic-settings envelope round the record; absent in what Graph gives.
    category: str | None = None
    result_type: str | int | None = None

    @property
    def at(self) -> datetime:
        """createdDateTime in UTC; a time without a zone is UTC, as all of Entra's are."""
        return self.instant.astimezone(UTC)

    @property
    def instant(self) -> datetime:
        """createdDateTime with the zone it came with: quicker than `at` where times are only compared."""
        at = self.created_date_time
        return at if at.tzinfo else at.replace(tzinfo=UTC)


class Envelope(BaseModel):
    """What diagnostic settings wrap round a record (Event Hubs, storage)."""

    model_config = _MODEL

    category: str | None = None
    result_type: str | int | None = None
    properties: SignIn
