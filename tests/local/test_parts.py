"""A log that is cut into parts and judged by several processes says what it says as a whole."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from local.commands import parts, sources
from local.commands.assess import main
from tests.local.exports import DIRECTORY, LOG, Command, Record, dump, dump_lines, envelope, record

_MANY: Final[list[Record]] = [
    {**one, "id": f"r{number}-{n}", "sessionId": f"s{number % 7}"} for number in range(40) for n, one in enumerate(LOG)
]
_CHILDREN: Final = [record(number % 10, [], id=f"c{number}", sessionId=f"s{number % 9}") for number in range(40)]
_TEXT: Final = dump_lines([*_CHILDREN[:20], *_MANY, *_CHILDREN[20:], *_MANY[:20]])
_BROKEN: Final = _TEXT.replace(b'"r30-2"', b"r30-2").replace(b'"r31-1"', b'""')
_V1_NAMES: Final = [
    *("id", "createdDateTime", "userId", "userPrincipalName", "appId", "appDisplayName", "isInteractive", "status"),
]
_V1: Final = dump_lines([{name: one[name] for name in _V1_NAMES} for one in _MANY])

FORMS: Final[dict[str, bytes]] = {
    "lines": _TEXT,
    "lines on Windows": b"\xef\xbb\xbf" + _TEXT.replace(b"\n", b"\r\n\r\n"),
    "envelopes": dump_lines([envelope(one) for one in _MANY]),
    "packed": gzip.compress(_TEXT),
    "packed and cut off": gzip.compress(_TEXT)[:-300],
    "UTF-16": b"\xff\xfe" + _TEXT.decode().encode("utf-16-le"),
    "broken lines": _BROKEN,
    "a long line": dump_lines(_MANY[:50]) + dump({"value": _MANY, "note": "x" * 300_000}) + b"\n" + _TEXT,
    "a long line, packed": gzip.compress(
        dump_lines(_MANY[:50]) + dump({"value": _MANY, "note": "x" * 300_000}) + b"\n" + _TEXT
    ),
    "one text": dump(_MANY, indent=1),
    "from v1.0": _V1,
    "prose": b"a line of prose\n" * 5000,
}


@pytest.fixture
def command(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Command:
    return Command(tmp_path, capsysbinary)


@pytest.fixture
def cut_small(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes everything worth several processes, and parts small."""

    def cut() -> None:
        monkeypatch.setattr(parts, "_WORTH_IT", 0)
        monkeypatch.setattr(parts, "_SIZE", 1500)
        monkeypatch.setattr(sources, "_CHUNK", 700)
        monkeypatch.setattr(parts, "LARGEST", 50_000)
        monkeypatch.setattr("os.process_cpu_count", lambda: 3)

    return cut


@pytest.mark.parametrize("form", FORMS)
def test_parts_say_what_the_whole_says(command: Command, cut_small: Callable[[], None], form: str) -> None:
    files = {"first": dump(LOG), "log": FORMS[form], "last": dump(LOG)}
    whole = command.run(files)
    cut_small()
    cut = list(parts.parts_of(str(command.folder / "log")))
    assert len(cut) > 3 or form == "one text"
    assert command.run(files) == whole
    assert command.run(files, "--no-sessions")[0] == whole[0]


def test_a_table_of_parts_is_that_of_the_whole(
    command: Command, cut_small: Callable[[], None], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (command.folder / "log").write_bytes(FORMS["lines"])
    arguments = [str(command.folder / "log"), "--directory", str(command.folder / "directory.json"), "--format=table"]
    assert main(arguments) == 0
    whole = capsysbinary.readouterr().out
    cut_small()
    assert main(arguments) == 0
    assert capsysbinary.readouterr().out == whole


_MEASURE: Final = """
import os, resource, sys
from local.commands import parts, sources
from local.commands.assess import main
from local.commands.assess import main
if sys.argv[1] == "cut": parts._WORTH_IT = 0
else: os.process_cpu_count = lambda: 1
sys.stdout = open(os.devnull, "w")
small, big, *rest = sys.argv[2:]
main([small, *rest])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
main([big, *rest])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, file=sys.stderr)
"""


def _log_of(count: int) -> bytes:
    """Roots and those that ask them, all of different sessions."""
    made: list[dict[str, Any]] = []
    for number in range(count):
        made.append({**LOG[0], "id": f"root{number}", "sessionId": f"session{number}"})
        made.append(record(5, [], id=f"child{number}", sessionId=f"session{number}"))
    return dump_lines(made)


@pytest.mark.parametrize("form", ["jsonl", "table"])
@pytest.mark.parametrize("how", ["cut", "whole"])
def test_memory_does_not_grow_with_the_log(tmp_path: Path, how: str, form: str) -> None:
    (tmp_path / "directory.json").write_text(json.dumps(DIRECTORY))
    for name, count in (("small", 6_000), ("big", 30_000)):
        (tmp_path / name).write_bytes(_log_of(count))
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", _MEASURE, how, str(tmp_path / "small"), str(tmp_path / "big"), "--directory",
         str(tmp_path / "directory.json"), "--format", form],
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert int(done.stderr) < 8 << 10
