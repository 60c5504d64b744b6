"""The whole command, in every shape of a file, against a second and independent reading of the verdict's semantics."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import batched
from pathlib import Path

import pytest

from local.commands.assess import main
from tests.oracle import oracle
from tests.oracle import records as oracle_records
from tests.oracle.oracle import Assessment, JsonObject, Logged

COUNT = 2000

type Written = dict[str, bytes]
"""The files of a log, by name, in their order."""


def whole(records: Sequence[Logged]) -> list[JsonObject]:
    return [record if envelope is None else {**envelope, "properties": record} for record, envelope in records]


def lines(values: Sequence[object]) -> bytes:
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values).encode()


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def pretty(value: object) -> bytes:
    return json.dumps(value, indent=2).encode()


def pages(values: Sequence[JsonObject]) -> Iterator[JsonObject]:
    for some in batched(values, 170, strict=False):
        yield {"@odata.context": "https://graph/$metadata#signIns", "@odata.nextLink": "https://x", "value": [*some]}


SHAPES: dict[str, Callable[[list[JsonObject]], Written]] = {
    "lines": lambda log: {"log.jsonl": lines(log)},
    "lines on Windows, packed": lambda log: {
        "log.jsonl.gz": gzip.compress(b"\xef\xbb\xbf" + lines(log).replace(b"\n", b"\r\n\r\n"), 1)
    },
    "a page": lambda log: {"log.json": compact({"value": log, "@odata.nextLink": None})},
    "pretty pages, a file each": lambda log: {f"{n:03}.json": pretty(page) for n, page in enumerate(pages(log))},
    "pages after one another": lambda log: {"log.json": b"\n".join(map(pretty, pages(log)))},
    "pages a line each, packed in parts": lambda log: {
        "log": b"".join(gzip.compress(lines([page]), 1) for page in pages(log))
    },
    "an array": lambda log: {"log.json": compact(log)},
    "a pretty array": lambda log: {"log.json": pretty(log)},
    "messages": lambda log: {"log.jsonl": lines([{"records": page["value"]} for page in pages(log)])},
    "a pretty message": lambda log: {"log.json": pretty({"records": log})},
    "two files of two kinds": lambda log: {"b.jsonl": lines(log[: COUNT // 3]), "a.json": pretty(log[COUNT // 3 :])},
}


@pytest.fixture(scope="module", params=[11, 12, 13])
def log(request: pytest.FixtureRequest) -> tuple[JsonObject, list[Logged]]:
    return oracle_records.generate(request.param, COUNT)


def assess(folder: Path, captured: pytest.CaptureFixture[bytes], files: Written, *options: str) -> list[Assessment]:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    paths = [str(folder / name) for name in files]
    assert main([*paths, "--directory", str(folder / "directory.json"), *options]) == 0
    return [json.loads(line) for line in captured.readouterr().out.splitlines()]


def differences(got: list[Assessment], expected: list[Assessment]) -> list[tuple[dict[str, object], Assessment]]:
    """The lines whose assessment is another one; lines also say who, when and where, which nobody judges."""
    assert len(got) == len(expected)
    judged = [
        {name: value for name, value in one.items() if name in other} for one, other in zip(got, expected, strict=True)
    ]
    return [(one, other) for one, other in zip(judged, expected, strict=True) if one != other]


@pytest.mark.parametrize("policy", ["standard", "strict"])
@pytest.mark.parametrize("sessions", [True, False], ids=["sessions", "no sessions"])
def test_every_line_is_what_the_oracle_says(
    log: tuple[JsonObject, list[Logged]],
    tmp_path: Path,
    capsysbinary: pytest.CaptureFixture[bytes],
    policy: str,
    sessions: bool,
) -> None:
    directory, records = log
    (tmp_path / "directory.json").write_text(json.dumps(directory))
    options = ["--policy", policy, *([] if sessions else ["--no-sessions"])]
    got = assess(tmp_path, capsysbinary, SHAPES["lines"](whole(records)), *options)
    different = differences(got, oracle.assess_log(records, directory, policy, sessions))
    assert not different, f"{len(different)} lines differ, the first: {different[0]}"


def test_every_shape_of_the_log_gives_the_same_lines(
    log: tuple[JsonObject, list[Logged]], tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    directory, records = log
    (tmp_path / "directory.json").write_text(json.dumps(directory))
    expected = assess(tmp_path, capsysbinary, SHAPES["lines"](whole(records)))
    for shape, write in SHAPES.items():
        folder = tmp_path / shape
        folder.mkdir()
        (folder / "directory.json").write_text(json.dumps(directory))
        different = differences(assess(folder, capsysbinary, write(whole(records))), expected)
        assert not different, f"{shape}: {len(different)} lines differ, the first: {different[0]}"
