"""One Entra sign-in record, as the Graph beta endpoint and diagnostic settings give it.

Only the members that the verdict needs are modelled, and names that people read; what only a finding needs is read from
the record's source for findings alone (`details.py`). Enum members stay text, because Entra adds values without notice
and an unknown one must not be lost (docs/entra-facts.md, "Enums evolve").
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Final

import msgspec

from shared.basics.spelling import id_key, masked_user_id
from shared.basics.times import instant_of
from shared.signin.applied import any_custom_control
from shared.signin.details import Details, read_details

_NOBODY: Final = "0" * 32
_ABSENT: Final = msgspec.Raw(b"null")


class PageSource:
    """The bytes of a page, split into its records when the first of them is asked for."""

    def __init__(self, raw: bytes) -> None:
        """`raw` is a whole page of Graph."""
        self._raw = raw

    @cached_property
    def records(self) -> list[msgspec.Raw]:
        """The records as JSON, in the order of the page."""
        return _SPLIT.decode(self._raw).value


class LinesSource:
    """The bytes of lines, split into records when the first of them is asked for."""

    def __init__(self, raw: bytes) -> None:
        """`raw` is whole lines, a record each."""
        self._raw = raw

    @cached_property
    def records(self) -> list[msgspec.Raw]:
        """The records as JSON, in order."""
        return [msgspec.Raw(line) for line in self._raw.split(b"\n")]


class _Split(msgspec.Struct):
    value: list[msgspec.Raw]


_SPLIT: Final = msgspec.json.Decoder(_Split)

# A record as JSON, as it was parsed, or as the page it stands in and its place there.
type Source = msgspec.Raw | Mapping[str, Any] | tuple[PageSource | LinesSource, int]


# gc=False: none of these can be part of a circle, and the collector would look through a page's again and again.
class Step(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One entry of authenticationDetails."""

    authentication_method: str | None = None
    authentication_step_result_detail: str | None = None
    succeeded: bool | None = None


class Status(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The status object: errorCode 0 is a success."""

    error_code: int | None = None
    additional_details: str | None = None


class Agent(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The agent object: what kind of AI agent the client is, and what kind the subject, who asked for the token."""

    agent_type: str | None = None
    agent_subject_type: str | None = None


class ProcessingDetail(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One entry of authenticationProcessingDetails."""

    key: str | None = None
    value: Any = None


class SignIn(msgspec.Struct, rename="camel", dict=True):
    """A sign-in. `id` and `created_date_time` are needed, every other member may be absent or null.

    In the order in which Graph writes the members: the decoder looks for the next one where the last one stood.
    """

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    created_date_time: str

    user_display_name: str | None = None
    user_principal_name: str | None = None
    user_id: str | None = None
    app_id: str | None = None
    app_display_name: str | None = None
    ip_address: str | None = None
    client_app_used: str | None = None
    user_agent: str | None = None
    is_interactive: bool | None = None
    token_issuer_type: str | None = None
    resource_id: str | None = None
    resource_tenant_id: str | None = None
    home_tenant_id: str | None = None
    authentication_requirement: str | None = None
    service_principal_id: str | None = None
    sign_in_event_types: tuple[str | None, ...] | None = None
    cross_tenant_access_type: str | None = None
    session_id: str | None = None
    authentication_protocol: str | None = None
    original_transfer_method: str | None = None
    status: Status | None = None
    applied_conditional_access_policies: msgspec.Raw = _ABSENT  # hundreds of members, of which one rule needs two
    authentication_processing_details: tuple[ProcessingDetail | None, ...] | None = None
    authentication_details: tuple[Step | None, ...] | None = None
    agent: Agent | None = None

    # Of the diagnostic-settings envelope round the record; absent in what Graph gives.
    category: str | None = None
    result_type: str | int | None = None

    def __post_init__(self) -> None:
        """What is asked for of each record, once: the time, in UTC, and the user's id as a key."""
        try:
            self.at: datetime = instant_of(self.created_date_time)
        except ValueError as error:
            raise ValueError(f"createdDateTime: {error}") from None
        self.source: Source = _ABSENT
        user = id_key(self.user_id)
        self.user_id_key: str = "" if user == _NOBODY else user  # the nobody of failed sign-ins is all zeros

    def forget_source(self) -> None:
        """Let go of the page that the record came in; what was read of it stays."""
        _ = self.details, self.has_custom_control
        self.source = self.applied_conditional_access_policies = _ABSENT

    @property
    def record(self) -> msgspec.Raw | Mapping[str, Any]:
        """The record as it came: JSON, or what it was parsed to."""
        if isinstance(self.source, tuple):
            page, place = self.source
            return page.records[place]
        return self.source

    @property
    def instant(self) -> datetime:
        """createdDateTime in UTC, as `at`."""
        return self.at

    @property
    def home_key(self) -> str:
        """homeTenantId as an id key."""
        return id_key(self.home_tenant_id)

    @property
    def tenant_key(self) -> str:
        """resourceTenantId as an id key."""
        return id_key(self.resource_tenant_id)

    @property
    def app_key(self) -> str:
        """appId as an id key."""
        return id_key(self.app_id)

    @property
    def masked_key(self) -> str:
        """The object id that a masked user name holds; "" where the name is not masked."""
        return masked_user_id(self.user_principal_name)

    @property
    def user_key(self) -> str:
        """The object id of the user in their home tenant: userId, else the digits of a masked name, else ""."""
        return self.user_id_key or self.masked_key

    @property
    def session_key(self) -> str:
        """sessionId as an id key."""
        return id_key(self.session_id)

    @cached_property
    def has_custom_control(self) -> bool:
        """Whether a policy was satisfied by a third party's control (Duo's "RequireDuoMfa"), which never counts as
        MFA."""
        return any_custom_control(bytes(self.applied_conditional_access_policies))

    @cached_property
    def details(self) -> Details:
        """What only a finding needs of the record."""
        return read_details(self.record, self.applied_conditional_access_policies)
