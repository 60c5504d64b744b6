"""One tenant's sign-in log in memory: which versions of which records it serves at a time, page by page."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from local.sample import JsonObject, LogRecord

from .odata import Query, ticks

type Place = tuple[int, str]
"""Where a record stands in a log: its time in ticks, then its id."""

# Members of the v1.0 signIn; beta's others are not served there (docs/entra-facts.md).
_V1_MEMBERS = frozenset(
    {
        *("appDisplayName", "appId", "appliedConditionalAccessPolicies", "clientAppUsed", "conditionalAccessStatus"),
        *("correlationId", "createdDateTime", "deviceDetail", "homeTenantId", "id", "ipAddress", "isInteractive"),
        *("location", "resourceDisplayName", "resourceId", "resourceTenantId", "riskDetail", "riskEventTypes"),
        *("riskEventTypes_v2", "riskLevelAggregated", "riskLevelDuringSignIn", "riskState", "servicePrincipalId"),
        *("servicePrincipalName", "status", "userAgent", "userDisplayName", "userId", "userPrincipalName"),
    }
)

# Values that come only with `Prefer: include-unknown-enum-members`; without it they read unknownFutureValue.
_NEWER_VALUES = {
    "crossTenantAccessType": frozenset({"passthrough"}),
    "incomingTokenType": frozenset({"remoteDesktopToken", "refreshToken"}),
    "authenticationProtocol": frozenset(
        {
            *("authenticationTransfer", "nativeAuth", "authorizationCodeWithPkce", "authorizationCodeWithoutPkce"),
            *("clientCredentials", "refreshTokenGrant", "prtGrant", "onBehalfOf", "kerberos"),
        }
    ),
    "tokenIssuerType": frozenset({"AzureADBackupAuth", "ADFederationServicesMFAAdapter", "NPSExtension"}),
}
_NEWER_AGENTS = frozenset({"agentIdentityBlueprintPrincipal", "agentIDuser"})


@dataclass(frozen=True, slots=True)
class Version:
    """What a record says from `since` on. `newer` says whether it has values that callers must ask for."""

    since: datetime
    body: bytes
    newer: bool

    @classmethod
    def of(cls, record: JsonObject, since: datetime) -> Version:
        """The bytes are kept, not the dict: a page is put together without writing JSON again."""
        newer = bool(_newer_members(record)) or _has_newer_agent(record)
        return cls(since, json.dumps(record, separators=(",", ":")).encode(), newer)

    def beta(self, *, newer_values: bool) -> bytes:
        """The record as beta serves it, with newer enum values only where they were asked for."""
        if newer_values or not self.newer:
            return self.body
        record = json.loads(self.body)
        for name in _newer_members(record):
            record[name] = "unknownFutureValue"
        if _has_newer_agent(record):
            record["agent"]["agentType"] = "unknownFutureValue"
        return json.dumps(record, separators=(",", ":")).encode()

    def v1(self) -> bytes:
        """The record as v1.0 serves it."""
        record = json.loads(self.body)
        kept = {name: value for name, value in record.items() if name in _V1_MEMBERS}
        return json.dumps(kept, separators=(",", ":")).encode()


@dataclass(slots=True)
class _Entry:
    kind: str
    versions: list[Version]

    def at(self, now: datetime) -> Version | None:
        serving = None
        for version in self.versions:
            if version.since <= now:
                serving = version
        return serving


@dataclass(slots=True)
class TenantLog:
    """All records of a tenant. Times are UTC. Adding keeps the order lazily: sorted once, at the next reading."""

    _entries: dict[str, _Entry] = field(default_factory=dict)
    _places: dict[str, Place] = field(default_factory=dict)
    _order: list[Place] = field(default_factory=list)
    _sorted: bool = True
    hidden: set[str] = field(default_factory=set)
    hidden_before: int = 0

    def add(self, entry: LogRecord) -> None:
        """Take in a record with its history. Raises ValueError on a second one of the same id, or without a time."""
        self.add_version(entry.record, entry.available_at)
        if entry.late_record is not None and entry.late_at is not None:
            self.correct(entry.late_record, entry.late_at)

    def add_version(self, record: JsonObject, since: datetime, *, beside: bool = False) -> None:
        """Take in a record that is served from `since` on, `beside` one of the same id from another time. Raises
        ValueError as `add` does."""
        at, name = _place(record)
        place = (at, f"{name} {at}" if beside else name)
        if place[1] in self._entries:
            raise ValueError(f"The log has a record {place[1]} already; correct it instead.")
        self._entries[place[1]] = _Entry(_kind(record), [Version.of(record, since)])
        self._places[place[1]] = place
        self._sorted = self._sorted and (not self._order or self._order[-1] <= place)
        self._order.append(place)

    def correct(self, record: JsonObject, since: datetime) -> None:
        """Replace what a record says from `since` on. Raises ValueError when it is not there or its time differs."""
        place = _place(record)
        if self._places.get(place[1]) != place:
            raise ValueError(f"The log has no record {place[1]} of that time to correct.")
        versions = self._entries[place[1]].versions
        versions.append(Version.of(record, since))
        versions.sort(key=lambda version: version.since)

    def page(self, query: Query, after: Place | None, size: int, now: datetime) -> tuple[list[Version], Place | None]:
        """Up to `size` versions in the query's order, from behind `after` on; and the last place if more follow."""
        found: list[Version] = []
        last: Place | None = None
        for place in self._walk(query, after):
            entry = self._entries[place[1]]
            if entry.kind not in query.types or place[1] in self.hidden or place[0] < self.hidden_before:
                continue
            version = entry.at(now)
            if version is None:
                continue
            if len(found) == size:
                return found, last
            found.append(version)
            last = place
        return found, None

    def _walk(self, query: Query, after: Place | None) -> Iterator[Place]:
        if not self._sorted:
            self._order.sort()
            self._sorted = True
        low = bisect_left(self._order, (query.first, ""))
        high = bisect_left(self._order, (query.last + 1, ""))
        if query.ascending:
            low = low if after is None else max(low, bisect_right(self._order, after))
            return (self._order[i] for i in range(low, high))
        high = high if after is None else min(high, bisect_left(self._order, after))
        return (self._order[i] for i in range(high - 1, low - 1, -1))


def load(entries: Iterable[LogRecord]) -> dict[str, TenantLog]:
    """The logs of `entries` by tenant id."""
    logs: dict[str, TenantLog] = {}
    for entry in entries:
        logs.setdefault(entry.tenant_id, TenantLog()).add(entry)
    return logs


def _place(record: JsonObject) -> Place:
    record_id, created = record.get("id"), record.get("createdDateTime")
    if not isinstance(record_id, str) or not isinstance(created, str):
        raise ValueError("A record in the log needs id and createdDateTime.")  # noqa: TRY004 - its content is wrong
    return ticks(created), record_id


def _kind(record: JsonObject) -> str:
    kinds = record.get("signInEventTypes")
    if isinstance(kinds, list) and kinds and isinstance(kinds[0], str):
        return kinds[0]
    return "nonInteractiveUser" if record.get("isInteractive") is False else "interactiveUser"


def _newer_members(record: JsonObject) -> list[str]:
    return [
        name for name, values in _NEWER_VALUES.items() if isinstance(value := record.get(name), str) and value in values
    ]


def _has_newer_agent(record: JsonObject) -> bool:
    agent = record.get("agent")
    kind = agent.get("agentType") if isinstance(agent, dict) else None
    return isinstance(kind, str) and kind in _NEWER_AGENTS
