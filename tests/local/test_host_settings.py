"""host.json, settings in bindings, and how queue messages are written."""

from datetime import timedelta
from pathlib import Path

import pytest

from local.host.protos import TypedData
from local.host.queues import decode, encode, messages_of
from local.host.settings import StartError, connection_string, read_host_json, resolve

_ACCOUNT = "AccountName=a;AccountKey=secret;"


def _host_json(folder: Path, text: str) -> Path:
    (folder / "host.json").write_text(text)
    return folder


def test_host_json_is_read(tmp_path: Path) -> None:
    text = """{"version": "2.0", "logging": {}, "extensions": {"http": {"routePrefix": ""}, "queues": {"batchSize": 4,
        "newBatchThreshold": 1, "maxDequeueCount": 2, "visibilityTimeout": "00:00:30",
        "maxPollingInterval": "00:00:00.25", "messageEncoding": "none"}}}"""
    options = read_host_json(_host_json(tmp_path, text)).extensions
    assert options.http.route_prefix == ""
    queues = options.queues
    assert (queues.batch_size, queues.threshold, queues.max_dequeue_count) == (4, 1, 2)
    assert (queues.visibility_timeout, queues.max_polling_interval) == (timedelta(seconds=30), timedelta(seconds=0.25))
    assert queues.message_encoding == "none"


def test_what_host_json_leaves_out_is_as_in_azure(tmp_path: Path) -> None:
    options = read_host_json(_host_json(tmp_path, '{"version": "2.0"}')).extensions
    assert options.http.route_prefix == "api"
    queues = options.queues
    assert (queues.batch_size, queues.threshold, queues.max_dequeue_count) == (16, 8, 5)
    assert (queues.visibility_timeout, queues.max_polling_interval) == (timedelta(0), timedelta(minutes=1))
    assert queues.message_encoding == "base64"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "the file"),
        ("{}", "version"),
        ('{"version": "1.0"}', "version"),
        ('{"version": "2.0", "extensions": {"queues": {"visibilityTimeout": 30}}}', "visibilityTimeout"),
        ('{"version": "2.0", "extensions": {"queues": {"visibilityTimeout": "24:00:00"}}}', "visibilityTimeout"),
        ('{"version": "2.0", "extensions": {"queues": {"messageEncoding": "utf8"}}}', "messageEncoding"),
    ],
)
def test_a_wrong_host_json_is_refused(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(StartError, match=f"host.json: .*{says}"):
        read_host_json(_host_json(tmp_path, text))


def test_settings_replace_their_names() -> None:
    assert resolve("%A%-x-%B%", {"A": "1", "B": "2"}, "a name") == "1-x-2"
    with pytest.raises(StartError, match="a name is %B%, but the setting B is missing"):
        resolve("%A%-x-%B%", {"A": "1", "B": ""}, "a name")


def test_a_connection_is_found_by_its_name() -> None:
    settings = {"AzureWebJobsStorage": _ACCOUNT, "Mine": _ACCOUNT + "1", "AzureWebJobsOther": _ACCOUNT + "2"}
    assert connection_string("", settings, "x") == _ACCOUNT
    assert connection_string("AzureWebJobsStorage", settings, "x") == _ACCOUNT
    assert connection_string("Mine", settings, "x") == _ACCOUNT + "1"
    assert connection_string("Other", settings, "x") == _ACCOUNT + "2"
    assert connection_string("%N%", settings | {"N": "Mine"}, "x") == _ACCOUNT + "1"


def test_an_identity_connection_is_refused_without_telling_its_value() -> None:
    with pytest.raises(StartError, match="needs a connection string"):
        connection_string("", {"AzureWebJobsStorage__queueServiceUri": "https://x"}, "x")
    with pytest.raises(StartError) as caught:
        connection_string("", {"AzureWebJobsStorage": "nonsense-secret"}, "x")
    assert "nonsense-secret" not in str(caught.value)


def test_messages_are_base64_unless_host_json_says_none() -> None:
    assert encode("grüße", "base64") == "Z3LDvMOfZQ=="
    assert decode("Z3LD\nvMOf ZQ==", "base64") == "grüße"  # .NET skips white space too
    assert encode("grüße", "none") == decode("grüße", "none") == "grüße"


@pytest.mark.parametrize("raw", ['{"a": 1}', "abc", "/w=="])
def test_what_is_not_base64_of_text_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(raw, "base64")


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        (TypedData(string="plain"), ["plain"]),
        (TypedData(bytes=b"plain"), ["plain"]),
        (TypedData(string=""), [""]),
        (TypedData(string='{"a": [1]}'), ['{"a": [1]}']),
        (TypedData(string=' ["a", "b"] '), ["a", "b"]),
        (TypedData(json='["a", "{\\"b\\": 1}"]'), ["a", '{"b": 1}']),
        (TypedData(json="[]"), []),
        (TypedData(json='{"a": 1}'), ['{"a": 1}']),
    ],
)
def test_an_output_becomes_messages(value: TypedData, messages: list[str]) -> None:
    assert messages_of(value) == messages


@pytest.mark.parametrize("value", [TypedData(int=1), TypedData(string="[not json]"), TypedData(bytes=b"\xff")])
def test_an_output_that_is_no_text_is_refused(value: TypedData) -> None:
    with pytest.raises(ValueError, match=r"."):
        messages_of(value)
