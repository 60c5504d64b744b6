"""Reads host.json and the settings that bindings name."""

import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

DEFAULT_CONNECTION = "AzureWebJobsStorage"

_TIME_SPAN = re.compile(r"(?:(\d{1,3})\.)?([01]?\d|2[0-3]):([0-5]?\d):([0-5]?\d)(?:\.(\d{1,6}))?")


class StartError(Exception):
    """The host cannot start; the text says what is wrong and where."""


def parse_time_span(text: object) -> timedelta:
    """Read .NET's `[d.]hh:mm:ss[.ffffff]`. Raises ValueError for anything else."""
    match = _TIME_SPAN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("a time span is written [d.]hh:mm:ss, with hours below 24")
    days, hours, minutes, seconds, fraction = match.groups(default="0")
    return timedelta(
        days=int(days),
        hours=int(hours),
        minutes=int(minutes),
        seconds=int(seconds),
        microseconds=int(fraction.ljust(6, "0")),
    )


type TimeSpan = Annotated[timedelta, BeforeValidator(parse_time_span)]


class _Section(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)


class HttpOptions(_Section):
    """host.json: extensions.http."""

    route_prefix: str = "api"


class QueueOptions(_Section):
    """host.json: extensions.queues, with the host's own defaults."""

    batch_size: int = Field(16, ge=1, le=32)
    new_batch_threshold: int | None = Field(None, ge=0)
    max_dequeue_count: int = Field(5, ge=1)
    visibility_timeout: TimeSpan = timedelta(0)
    max_polling_interval: TimeSpan = timedelta(minutes=1)
    message_encoding: Literal["base64", "none"] = "base64"

    @property
    def threshold(self) -> int:
        """As many messages or fewer in work let the next batch be fetched."""
        return self.batch_size // 2 if self.new_batch_threshold is None else self.new_batch_threshold


class _Extensions(_Section):
    http: HttpOptions = HttpOptions()
    queues: QueueOptions = QueueOptions()


class HostJson(_Section):
    """The parts of host.json that this host knows."""

    version: Literal["2.0"]
    extensions: _Extensions = _Extensions()


def read_host_json(app: Path) -> HostJson:
    """Read DIR/host.json. Raises StartError if it is missing or wrong."""
    path = app / "host.json"
    try:
        return HostJson.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise StartError(f"{path} is missing: an app's folder holds host.json and function_app.py.") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise StartError(f"{path}: {'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}.") from None


def resolve(text: str, settings: Mapping[str, str], what: str) -> str:
    """Put settings in the place of every %NAME% in a binding's text. Raises StartError that names a missing one."""

    def setting(match: re.Match[str]) -> str:
        name = match[1]
        if not settings.get(name):
            raise StartError(f"{what} is %{name}%, but the setting {name} is missing.")
        return settings[name]

    return re.sub(r"%([^%]+)%", setting, text)


def connection_string(connection: str, settings: Mapping[str, str], what: str) -> str:
    """Find the connection string of a binding's `connection`: setting AzureWebJobsNAME, else NAME. Raises StartError.

    An error never holds the connection string.
    """
    name = resolve(connection, settings, what) or DEFAULT_CONNECTION
    value = settings.get(f"AzureWebJobs{name}") or settings.get(name)
    if not value:
        raise StartError(f"{what}: the setting {name} is missing; the local host needs a connection string in it.")
    if "QueueEndpoint=" not in value and "AccountName=" not in value:
        raise StartError(f"{what}: the setting {name} is not a storage connection string.")
    return value
