"""What a test or the demo may change on the local Graph: its clock, throttling, faults, and the log itself.

`POST /_control` takes a `Control` as JSON (camelCase). A fault is used up by the next requests that fit it.
"""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic.alias_generators import to_camel

from .errors import GraphError

Shape = Literal[
    "missing-id",
    "null-id",
    "missing-time",
    "bad-time",
    "number-as-time",
    "status-is-text",
    "details-is-object",
    "text-as-flag",
    "not-an-object",
    "null",
]


class _Model(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="forbid", frozen=True)


class ClockChange(_Model):
    """One of: stop the clock at `now`; let a stopped clock jump; go back to real time."""

    now: AwareDatetime | None = None
    advance_seconds: float | None = None
    real: bool = False

    @model_validator(mode="after")
    def _one(self) -> ClockChange:
        if (self.now is not None) + (self.advance_seconds is not None) + self.real != 1:
            raise ValueError("a clock change is one of now, advanceSeconds and real")
        return self


class Throttling(_Model):
    """At most `requests` in `seconds` of the server's clock, per tenant; more get 429.

    `retry_after`: "auto" for the seconds until a place is free, a number to say that instead, None to leave it out.
    """

    requests: int = 5
    seconds: float = 10
    retry_after: Literal["auto"] | int | None = "auto"


class _Fault(_Model):
    """Fits requests whose path holds `path` (with `next_pages` only next pages), after letting `skip` of them by."""

    times: int = Field(default=1, ge=1)
    skip: int = Field(default=0, ge=0)
    path: str = "/auditLogs/signIns"
    next_pages: bool = False


class StatusFault(_Fault):
    """The answer is this status, with Graph's error. `retry_after`: seconds, or "date" for a date 3 seconds ahead."""

    kind: Literal["status"]
    status: Literal[401, 403, 429, 500, 502, 503, 504]
    retry_after: int | Literal["date"] | None = None


class LicenceFault(_Fault):
    """The tenant has no licence for its log (403)."""

    kind: Literal["licence"]


class HangFault(_Fault):
    """No answer at all until the caller, or this server, gives up."""

    kind: Literal["hang"]


class TruncatedFault(_Fault):
    """The connection ends in the middle of a body whose whole length was announced."""

    kind: Literal["truncated"]


class ResetFault(_Fault):
    """The connection is reset when `at` bytes of the body went out."""

    kind: Literal["reset"]
    at: int = Field(default=0, ge=0)


class BodyFault(_Fault):
    """The answer is 200 with that body, whatever it is."""

    kind: Literal["body"]
    body: str


class SkipTokenFault(_Fault):
    """A next page is refused: "Skip token is null"."""

    kind: Literal["skip-token"]
    next_pages: bool = True


class RepeatedPageFault(_Fault):
    """The page's next link leads to the same page once more, then on."""

    kind: Literal["repeated-page"]


class MalformedFault(_Fault):
    """A broken record stands at `index` of the page: one of `shape`, or `record` as it is given."""

    kind: Literal["malformed"]
    index: int = 0
    shape: Shape = "missing-id"
    record: JsonValue = None


class NextLinkFault(_Fault):
    """The page's next link is `url`, wherever that leads."""

    kind: Literal["next-link"]
    url: str


Fault = Annotated[
    StatusFault
    | LicenceFault
    | HangFault
    | TruncatedFault
    | ResetFault
    | BodyFault
    | SkipTokenFault
    | RepeatedPageFault
    | MalformedFault
    | NextLinkFault,
    Field(discriminator="kind"),
]


class Hide(_Model):
    """Records that no log serves any more, until `showAll`."""

    ids: list[str] = []
    older_than: AwareDatetime | None = None


class Change(_Model):
    """A record to add, or the new version of one; served from `at` on (the server's now if absent)."""

    record: dict[str, JsonValue]
    at: AwareDatetime | None = None
    tenant_id: str | None = None
    """Whose log; the identity's own tenant if absent."""
    beside: bool = False
    """Added although the log has a record of that id, at another time."""


class Control(_Model):
    """Changes, made in the order of these members. What is absent stays as it is."""

    clock: ClockChange | None = None
    throttling: Throttling | None = None
    """Null switches it off."""
    clear_faults: bool = False
    faults: list[Fault] = []
    show_all: bool = False
    hide: Hide | None = None
    add: list[Change] = []
    correct: list[Change] = []
    clear_requests: bool = False


class Clock:
    """The server's time: real until it is set. UTC."""

    def __init__(self, fixed: datetime | None = None) -> None:
        self.fixed = fixed

    def now(self) -> datetime:
        """The server's time now."""
        return self.fixed if self.fixed is not None else datetime.now(UTC)

    def change(self, change: ClockChange) -> None:
        """Apply a change. Raises ValueError when a clock that was not stopped is to jump."""
        if change.advance_seconds is not None:
            if self.fixed is None:
                raise ValueError("only a clock that was set can jump")
            self.fixed += timedelta(seconds=change.advance_seconds)
        else:
            self.fixed = None if change.now is None else change.now.astimezone(UTC)


class Faults:
    """The queue of faults; the first that fits a request is used."""

    def __init__(self) -> None:
        self._left: list[tuple[Fault, list[int]]] = []

    def add(self, fault: Fault) -> None:
        """Put a fault at the end."""
        self._left.append((fault, [fault.skip, fault.times]))

    def clear(self) -> None:
        """Forget all."""
        self._left.clear()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, path: str, *, next_page: bool) -> Fault | None:
        """The fault that this request meets, if any; counts it."""
        for index, (fault, counts) in enumerate(self._left):
            if fault.path not in path or (fault.next_pages and not next_page):
                continue
            if counts[0] > 0:
                counts[0] -= 1
                continue
            counts[1] -= 1
            if counts[1] == 0:
                del self._left[index]
            return fault
        return None


class Gate:
    """Graph's limit of requests per tenant. A refused request does not count."""

    def __init__(self) -> None:
        self.throttling: Throttling | None = None
        self.refused = 0
        self._passed: dict[str, deque[datetime]] = {}

    def enter(self, tenant_id: str, now: datetime) -> None:
        """Count a request in. Raises GraphError (429) when there is no place for it."""
        rule = self.throttling
        if rule is None:
            return
        passed = self._passed.setdefault(tenant_id, deque())
        window = timedelta(seconds=rule.seconds)
        while passed and passed[0] + window <= now:
            passed.popleft()
        if len(passed) < rule.requests:
            passed.append(now)
            return
        self.refused += 1
        headers = {}
        if rule.retry_after is not None:
            free = (passed[0] + window - now).total_seconds() if passed else rule.seconds
            headers["Retry-After"] = str(max(1, ceil(free)) if rule.retry_after == "auto" else rule.retry_after)
        raise GraphError(429, "TooManyRequests", "The request was throttled. Try again later.", headers)
