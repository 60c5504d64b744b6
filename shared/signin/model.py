"""One Entra sign-in record, as the Graph beta endpoint and diagnostic settings give it.

Only the members that the verdict, a finding or an alert needs are modelled; everything else in a record is skipped
unread. Enum members stay text, because Entra adds values without notice and an unknown one must not be lost
(docs/entra-facts.md, "Enums evolve").
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetPydanticSchema
from pydantic.alias_generators import to_camel
from pydantic.dataclasses import dataclass
from pydantic_core import CoreSchema, core_schema

from shared.basics.spelling import id_key, masked_user_id

# strict: a number where text is due is a broken record and not something to guess at.
_MODEL = ConfigDict(strict=True, extra="ignore", alias_generator=to_camel)


_NOBODY: Final = "0" * 32
# Times that no time zone can push out of what a datetime holds.
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)


def _instant_schema(source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
    """A date with a time, as ISO 8601 writes it. Pydantic alone reads text of digits ("1700000000") as Unix seconds.

    All in pydantic's core, since a validator in Python would cost more than the rest of the record.
    """
    looks_right = core_schema.custom_error_schema(
        core_schema.str_schema(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"),
        custom_error_type="instant",
        custom_error_message="must be a date and time such as 2026-11-02T09:00:00Z",
    )
    of_text = core_schema.datetime_schema(strict=False, ge=_EARLIEST, lt=_LATEST)
    return core_schema.json_or_python_schema(core_schema.chain_schema([looks_right, of_text]), handler(source))


# The nested ones are dataclasses with slots: one object for the collector to follow where a model makes three.
@dataclass(slots=True, frozen=True, config=_MODEL)
class Step:
    """One entry of authenticationDetails."""

    authentication_method: str | None = None
    authentication_step_result_detail: str | None = None
    succeeded: bool | None = None


@dataclass(slots=True, frozen=True, config=_MODEL)
class Status:
    """The status object: errorCode 0 is a success."""

    error_code: int | None = None
    additional_details: str | None = None


@dataclass(slots=True, frozen=True, config=_MODEL)
class Agent:
    """The agent object: what kind of AI agent the client is, and what kind the subject, who asked for the token."""

    agent_type: str | None = None
    agent_subject_type: str | None = None


@dataclass(slots=True, frozen=True, config=_MODEL)
class ProcessingDetail:
    """One entry of authenticationProcessingDetails."""

    key: str | None = None
    value: str | None = None


@dataclass(slots=True, frozen=True, config=_MODEL)
class AppliedPolicy:
    """One entry of appliedConditionalAccessPolicies."""

    result: str | None = None
    enforced_grant_controls: list[str | None] | None = None


class SignIn(BaseModel):
    """A sign-in. `id` and `created_date_time` are needed, every other member may be absent or null."""

    model_config = _MODEL

    id: str = Field(min_length=1, max_length=1024)
    created_date_time: Annotated[datetime, GetPydanticSchema(_instant_schema)]

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
    authentication_processing_details: list[ProcessingDetail | None] | None = None
    applied_conditional_access_policies: list[AppliedPolicy | None] | None = None
    status: Status | None = None

    session_id: str | None = None
    unique_token_identifier: str | None = None
    correlation_id: str | None = None

    # Of the diagnostic-settings envelope round the record; absent in what Graph gives.
    category: str | None = None
    result_type: str | int | None = None

    @cached_property
    def user_id_key(self) -> str:
        """userId as an id key; "" without one, and for the nobody of failed sign-ins (all zeros)."""
        key = id_key(self.user_id)
        return "" if key == _NOBODY else key

    @cached_property
    def masked_key(self) -> str:
        """The object id that a masked user name holds; "" where the name is not masked."""
        return masked_user_id(self.user_principal_name)

    @cached_property
    def user_key(self) -> str:
        """The object id of the user in their home tenant: userId, else the digits of a masked name, else ""."""
        return self.user_id_key or self.masked_key

    @cached_property
    def home_key(self) -> str:
        """homeTenantId as an id key."""
        return id_key(self.home_tenant_id)

    @cached_property
    def tenant_key(self) -> str:
        """resourceTenantId as an id key."""
        return id_key(self.resource_tenant_id)

    @cached_property
    def app_key(self) -> str:
        """appId as an id key."""
        return id_key(self.app_id)

    @cached_property
    def session_key(self) -> str:
        """sessionId as an id key."""
        return id_key(self.session_id)

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
