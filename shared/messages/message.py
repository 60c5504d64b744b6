"""What an alert says: one versioned JSON, the same for every channel; cards and blocks are other clothes of it.

Its JSON Schema is `schema()`, kept as docs/alert.schema.json and served by the app. Names are stable: within version 1
members are only added.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, RootModel, WithJsonSchema
from pydantic.alias_generators import to_camel
from pydantic.json_schema import GenerateJsonSchema

from shared.basics.times import Instant
from shared.rules.rule import SeverityName

VERSION: Final = "1.0"
SCHEMA_ID: Final = "urn:partner-mfa-monitor:alert:1"
# How many incidents a message lists, and in how many bytes of JSON; `total` says how many there are. Receivers often
# take no more than 64 KiB.
MOST_LISTED: Final = 100
MOST_LISTED_BYTES: Final = 52 * 1024
MOST_EXCEPTIONS: Final = 20
MOST_IN_SECTION: Final = 10

type IncidentType = Literal[
    "incident.opened", "incident.raised", "incident.lowered", "incident.ongoing", "incident.withdrawn"
]


def _zulu(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


# A time, sent to the whole second.
SentTime = Annotated[
    Instant,
    PlainSerializer(_zulu, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": "Z$"}, mode="serialization"),
]


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        json_schema_serialization_defaults_required=True,
    )


class RuleFacts(_Part):
    """A rule that the sign-ins broke."""

    id: str = Field(description="Stable name of the rule.")
    title: str
    attack: str | None = Field(description="MITRE ATT&CK technique, such as T1078.004.")
    common_issue: int | None = Field(ge=1, le=6, description="Which of Microsoft's six common issues it belongs to.")
    meaning: str
    what_to_do: str


class Person(_Part):
    """The user of the partner. The name is text of the log: treat it as hostile."""

    id: str = Field(description="Object id where the log gave one, else the user name.")
    name: str | None


class Customer(_Part):
    """The tenant that was reached."""

    tenant_id: str = Field(description="A GUID, or `unknown`.")
    display_name: str | None


class Application(_Part):
    """The application that was used. The name is text of the log: treat it as hostile."""

    id: str
    name: str | None


class _Incident(_Part):
    id: str
    url: str | None = Field(description="Where to read it; null when the app does not know its own address.")
    state: str
    opening: int = Field(description="How often it opened: 1, and one more each time it came back.")
    severity: SeverityName
    user: Person
    customer: Customer | None = Field(description="null for an incident about the user alone.")
    application: Application | None
    first_seen: SentTime
    last_seen: SentTime
    count: int = Field(ge=0, description="Sign-ins that broke rules.")
    unread_slices: int = Field(
        default=0,
        ge=0,
        description="Pieces of the log that it rests on and that are not read yet: it may still change. 0: none.",
    )
    reason: str | None = Field(description="Why it is in that state, where there is more to say than the state.")


class IncidentFacts(_Incident):
    """The same user, customer and application while it goes on."""

    rules: list[RuleFacts]
    evidence: str = Field(description="What was seen, in one sentence.")
    what_to_do: list[str]


class ListedIncident(_Incident):
    """An incident among many. The facts of its rules stand once, beside the list."""

    rules: list[str] = Field(description="Ids of the rules, the worst first.")


class OneIncident(_Part):
    """The data of a message about one incident."""

    incident: IncidentFacts


class ManyIncidents(_Part):
    """The data of a message that stands for many: a storm, or what the first scan of old days found."""

    total: int
    listed: int = Field(description="How many of them `incidents` lists.")
    told_before: int = Field(default=0, ge=0, description="How many of them `incidents.ahead` told before.")
    to_follow: int = Field(
        default=0, ge=0, description="How many more there are, less severe: the next message tells them."
    )
    by_severity: dict[SeverityName, int]
    url: str | None = Field(description="Where to read them all; null when the app does not know its own address.")
    rules: list[RuleFacts] = Field(description="The rules that the listed incidents broke, the worst first.")
    incidents: list[ListedIncident] = Field(description="The worst first; at most 100, and at most 52 KiB of them.")


class _Envelope(_Part):
    version: Literal["1.0"] = VERSION
    idempotency_key: str = Field(description="The same as the header webhook-id; the same on every try.")
    timestamp: SentTime = Field(description="When it happened; the header webhook-timestamp is that of the try.")
    severity: SeverityName
    test: bool = Field(default=False, description="True for a message that an operator sent to try the channel.")


class IncidentMessage(_Envelope):
    """Opened; raised (its severity rose); lowered (records were corrected, and what is left is less severe); ongoing
    (new findings after REALERT_HOURS, or something new in one that somebody had acknowledged); withdrawn (records were
    corrected, and nothing is left)."""

    type: IncidentType
    data: OneIncident


class GroupMessage(_Envelope):
    """Many incidents in one message."""

    type: Literal["incidents.storm", "incidents.ahead", "incidents.first-scan", "incidents.withdrawn"]
    data: ManyIncidents


class Compliance(_Part):
    """Sign-ins by delegated rights (scope customer and partner-center) of a period."""

    compliant: int
    non_compliant: int
    unknown: int
    percent: float | None = Field(description="compliant / (compliant + non-compliant) × 100; null for 0 / 0.")
    change: float | None = Field(description="Percentage points against the period before; null when unknown.")


class Coverage(_Part):
    """How much of the period's log was read."""

    expected_slices: int
    complete_slices: int
    percent: float | None


class IncidentNumbers(_Part):
    """Incidents: what came and went in the period, and what there is at its end."""

    new: int = Field(description="Opened in the period, or opened again.")
    open: int = Field(description="In the state open: they wait for somebody.")
    acknowledged: int = Field(description="In the states acknowledged and snoozed: somebody knows of them.")
    resolved: int = Field(description="Resolved in the period, by people, by quiet or by corrected records.")


class ExpiringException(_Part):
    """A technical exception that is about to expire."""

    id: str
    title: str
    expires: SentTime


class DigestSection(_Part):
    """A part of a digest beside its numbers."""

    id: str = Field(description="Stable name, such as `acts`, `closed` or `quarantine`; there may be others.")
    title: str
    total: int = Field(description="How many lines there are.")
    lines: list[str] = Field(description="The first 10. Names in them are text of the log: treat them as hostile.")


class Digest(_Part):
    """The data of a digest."""

    period_from: SentTime
    period_to: SentTime
    compliance: Compliance
    coverage: Coverage
    incidents: IncidentNumbers
    exceptions: list[ExpiringException] = Field(description="The first 20 that expire.")
    exceptions_total: int = Field(description="How many expire soon.")
    to_do: list[str] = Field(max_length=3, description="The three things that help most.")
    sections: list[DigestSection] = Field(default=[], description="Those that have something to say.")


class DigestMessage(_Envelope):
    """The daily or weekly digest."""

    type: Literal["digest.daily", "digest.weekly"]
    data: Digest


class ExceptionFacts(_Part):
    """A technical exception whose end is near. Title, owner and ticket are text that people wrote."""

    id: str
    url: str | None = Field(description="Where to read it; null when the app does not know its own address.")
    title: str
    owner: str
    ticket: str | None
    expires: SentTime
    what_to_do: str


class ExceptionMessage(_Envelope):
    """A technical exception ends in 14 or in 3 days; its incidents open again then."""

    type: Literal["exception.expiring"]
    data: ExceptionFacts


type Message = IncidentMessage | GroupMessage | DigestMessage | ExceptionMessage


class AnyMessage(RootModel[Annotated[Message, Field(discriminator="type")]]):
    """An alert of the Partner MFA Monitor."""


def to_json(message: Message) -> dict[str, Any]:
    """The message as the JSON that is stored and sent."""
    return message.model_dump(mode="json", by_alias=True)


def of_json(value: object) -> Message:
    """The message that to_json gave. Raises pydantic's ValidationError."""
    return AnyMessage.model_validate(value).root


class _Schema(GenerateJsonSchema):
    """Without the titles that only repeat the names."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def schema() -> dict[str, Any]:
    """The JSON Schema of what is sent."""
    generated = AnyMessage.model_json_schema(by_alias=True, mode="serialization", schema_generator=_Schema)
    return {**generated, "$schema": _Schema.schema_dialect, "$id": SCHEMA_ID, "title": "Alert, version 1"}
