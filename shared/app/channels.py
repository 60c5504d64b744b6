"""Where alerts go: any number of channels, each a few settings `CHANNELS__<NAME>__<MEMBER>`."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Mapping
from datetime import time
from ipaddress import ip_address
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from shared.app.addresses import refusal
from shared.app.setting_types import LOOPBACK_HOSTS, TenantIds, Words, resolved, sentences_of
from shared.basics.spelling import id_key
from shared.messages.kind import ChannelKind
from shared.rules import RULE
from shared.rules.rule import Severity

CHANNEL_NAME: Final = re.compile(r"[a-z0-9_]{1,40}")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
# Standard Webhooks, "Signature scheme": between 24 and 64 random bytes.
_SECRET_BYTES: Final = range(24, 65)


def _severity(value: object) -> object:
    return Severity.of(value) if isinstance(value, str) else value


def _clock(value: object) -> object:
    if not isinstance(value, str) or not (match := _HOURS.fullmatch(value.strip())):
        raise ValueError("must be a time of day such as 08:00")
    return time(int(match[1]), int(match[2]))


def _hours(value: object) -> object:
    if value is None:
        return None
    parts = value.split("-") if isinstance(value, str) else []
    if len(parts) != 2 or not all(_HOURS.fullmatch(part.strip()) for part in parts):
        raise ValueError("must be a period of the day such as 22:00-07:00")
    begin, end = (_clock(part) for part in parts)
    if begin == end:
        raise ValueError("must not begin and end at the same time")
    return begin, end


def _zone(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be the name of a time zone")  # noqa: TRY004 - pydantic wants a ValueError
    try:
        return ZoneInfo(value)
    except (OSError, ValueError, KeyError):  # a folder, a path, not found: ZoneInfo has one for each
        raise ValueError("is not the name of a time zone such as Europe/Vienna") from None


def _secret(value: object) -> object:
    resolved(value)
    if isinstance(value, str):
        try:
            key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
        except binascii.Error:
            key = b""
        if len(key) not in _SECRET_BYTES:
            raise ValueError("must be 24 to 64 random bytes in base64, with or without whsec_ before them")
    return value


Level = Annotated[Severity, BeforeValidator(_severity)]
Clock = Annotated[time, BeforeValidator(_clock)]
Hours = Annotated[tuple[time, time] | None, BeforeValidator(_hours)]
Zone = Annotated[ZoneInfo, BeforeValidator(_zone)]
Secret = Annotated[SecretStr, BeforeValidator(_secret)]


class Channel(BaseModel):
    """One channel. The URL is a secret too: who knows a chat's webhook can write there.

    `secret` signs (Standard Webhooks); while a key is changed, `previous_secret` signs beside it. `minimum_severity`,
    `rules` and `customers` choose incidents (none named: all). In the quiet hours alerts wait, but for those of
    `quiet_except` and above. `digest` adds a summary at `digest_at` (weekly: on Mondays), about `customers` where they
    are named; `alerts` false leaves only that. Times of day are of `time_zone`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)

    kind: ChannelKind
    url: Annotated[SecretStr, BeforeValidator(resolved)]
    secret: Secret | None = None
    previous_secret: Secret | None = None
    minimum_severity: Level = Severity.LOW
    rules: Words = ()
    customers: TenantIds = ()
    quiet_hours: Hours = None
    quiet_except: Level | None = None
    time_zone: Zone = ZoneInfo("UTC")
    alerts: bool = True
    digest: Literal["daily", "weekly"] | None = None
    digest_at: Clock = time(8)

    @field_validator("rules")
    @classmethod
    def _rules_are_known(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [rule for rule in rules if rule not in RULE]
        if unknown:
            raise ValueError(f"no such rule: {', '.join(unknown)}")
        return rules

    @model_validator(mode="after")
    def _sends_something(self) -> Self:
        if self.previous_secret and not self.secret:
            raise ValueError("PREVIOUS_SECRET without SECRET signs nothing")
        if not self.alerts and self.digest is None:
            raise ValueError("ALERTS is false and there is no DIGEST: the channel would never say anything")
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """The keys to sign with, the current one first."""
        return tuple(key.get_secret_value() for key in (self.secret, self.previous_secret) if key)

    @property
    def customer_keys(self) -> frozenset[str]:
        """The customers it is for, by `id_key`; none named: all."""
        return frozenset(map(id_key, self.customers))

    @property
    def host(self) -> str:
        """The host of its URL, in lower case."""
        return (urlsplit(self.url.get_secret_value()).hostname or "").lower()

    def wrong(self, *, local: bool, allowed_hosts: Collection[str] = ()) -> str | None:
        """What keeps the app from sending there, as a sentence that shows neither URL nor secret; None when nothing.

        `local`: the app runs for a person on this machine, where http to loopback and unsigned alerts are allowed.
        `allowed_hosts`: names, in lower case, that may be private addresses.
        """
        try:
            url = urlsplit(self.url.get_secret_value())
            host, port = url.hostname, url.port
        except ValueError:
            return "URL cannot be read"
        loopback = host in LOOPBACK_HOSTS
        if not host or url.scheme not in ("https", "http") or url.username or url.password or port == 0:
            return "URL must be an https address without a user name"
        if url.scheme == "http" and not (local and loopback):
            return "URL must be https (http only to loopback with AUTH_MODE local)"
        if host == "localhost" and not local:
            return "URL points to this machine"
        internal = host in allowed_hosts
        if _is_address(host) and (why := refusal(ip_address(host), internal=internal, loopback=local)):
            return f"URL points to {why}"
        if self.kind is ChannelKind.GENERIC and not self.secret and not local:
            return "SECRET is missing: alerts of kind generic are signed"
        return None


def channels_of(given: Mapping[str, object]) -> tuple[dict[str, Channel], dict[str, str]]:
    """The channels by name, and those that cannot be read, each with why."""
    right: dict[str, Channel] = {}
    wrong: dict[str, str] = {}
    for name, members in given.items():
        if not CHANNEL_NAME.fullmatch(name):
            wrong[name] = "the name of a channel is 1 to 40 of a-z, 0-9 and _"
            continue
        try:
            right[name] = Channel.model_validate(members)
        except ValidationError as error:
            wrong[name] = "; ".join(sentences_of(error))
    return right, wrong


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
