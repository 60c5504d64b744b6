"""host.json against a model of what this app uses of it.

The host ignores what it does not know, so a misspelled or misplaced setting has to be found here.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from tests.infra.deployment import ROOT

HOST = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))

LogLevel = Literal["Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"]
Duration = Annotated[str, Field(pattern=r"^\d\d:\d\d:\d\d$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, alias_generator=to_camel)


class Sampling(Strict):
    is_enabled: bool
    excluded_types: Annotated[str, Field(pattern=r"^(Dependency|Event|Exception|PageView|Request|Trace)(;\w+)*$")]
    max_telemetry_items_per_second: Annotated[int, Field(ge=1)] = 20


class ApplicationInsights(Strict):
    sampling_settings: Sampling


class Logging(Strict):
    log_level: dict[str, LogLevel]
    application_insights: ApplicationInsights
    file_logging_mode: Literal["never", "always", "debugOnly"] = "debugOnly"


class Bundle(Strict):
    id: Literal["Microsoft.Azure.Functions.ExtensionBundle"]
    version: Annotated[str, Field(pattern=r"^\[4\.\*, 5\.0\.0\)$")]


class Http(Strict):
    route_prefix: str


class Queues(Strict):
    batch_size: Annotated[int, Field(ge=1, le=32)]
    new_batch_threshold: Annotated[int, Field(ge=0)]
    max_dequeue_count: Annotated[int, Field(ge=1)]
    visibility_timeout: Duration
    max_polling_interval: Duration
    message_encoding: Literal["base64", "none"]


class Extensions(Strict):
    http: Http
    queues: Queues


class Host(Strict):
    version: Literal["2.0"]
    logging: Logging
    extension_bundle: Bundle
    extensions: Extensions
    function_timeout: Duration | None = None


def test_host_json_has_the_structure_that_the_host_reads() -> None:
    host = Host.model_validate(HOST)
    assert host.extensions.http.route_prefix == ""  # the page stands at the root
    assert host.extensions.queues.message_encoding == "base64"
    # A failed message comes back after a while, not at once: otherwise its five attempts are over in a second.
    hours, minutes, seconds = (int(n) for n in host.extensions.queues.visibility_timeout.split(":"))
    assert timedelta(hours=hours, minutes=minutes, seconds=seconds) >= timedelta(seconds=10)


@pytest.mark.parametrize(
    ("part", "wrong"),
    [
        ("extensions", {**HOST["extensions"], "queue": {}}),
        ("extensions", {**HOST["extensions"], "queues": {**HOST["extensions"]["queues"], "batchSize": 64}}),
        ("logging", {**HOST["logging"], "logLevel": {"default": "Info"}}),
        ("version", "1.0"),
    ],
)
def test_a_wrong_host_json_would_be_found(part: str, wrong: object) -> None:
    with pytest.raises(ValidationError):
        Host.model_validate({**HOST, part: wrong})


def test_requests_are_never_sampled() -> None:
    """The heartbeat alert counts the runs of a timer."""
    assert "Request" in Host.model_validate(HOST).logging.application_insights.sampling_settings.excluded_types.split(
        ";"
    )


def test_events_are_never_sampled() -> None:
    excluded = Host.model_validate(HOST).logging.application_insights.sampling_settings.excluded_types
    assert re.search(r"\bTrace\b", excluded)
