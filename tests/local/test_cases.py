"""The files that people really have, and those at the borders of each kind, with the right value of each record
(tests/cases)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from local.commands.assess import main

CASES: Final = Path(__file__).parents[1] / "cases" / "records"
NEAR_MISSES: Final = CASES.parent / "near-misses"


def _expected(folder: Path) -> list[dict[str, Any]]:
    cases: list[dict[str, Any]] = json.loads((folder / "expected.json").read_text("utf-8"))
    return cases


EXPECTED: Final = _expected(CASES)


def run(
    case: dict[str, Any], captured: pytest.CaptureFixture[bytes], *options: str, folder: Path = CASES
) -> tuple[int, str]:
    files = [str(folder / name) for name in case["files"]]
    code = main([*files, "--directory", str(folder / "directory.json"), *options])
    return code, captured.readouterr().out.decode()


@pytest.mark.parametrize(
    ("folder", "case"),
    [
        pytest.param(folder, case, id=case["name"])
        for folder in (CASES, NEAR_MISSES)
        for case in _expected(folder)
        if "records" in case
    ],
)
def test_each_record_has_its_right_value(
    folder: Path, case: dict[str, Any], capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out = run(case, capsysbinary, folder=folder)
    lines = [json.loads(line) for line in out.splitlines()]
    expected = case["records"]
    assert len(lines) == len(expected)
    got = [
        {"error": True} if "error" in line else {name: line[name] for name in right}
        for line, right in zip(lines, expected, strict=True)
    ]
    assert got == expected
    assert code == (3 if {"error": True} in expected else 0)


_SAYS: Final = {
    "k8-graph-v1-page": ("v1.0", "beta"),
    "s15-defender-advanced-hunting": ("Defender advanced hunting", "/beta/auditLogs/signIns"),
    "s16-eventhub-capture": ("Avro", "Event Hubs Capture", "JSON"),
}


@pytest.mark.parametrize("name", _SAYS)
def test_what_cannot_be_graded_is_refused_whole_and_named(
    name: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (case,) = (case for case in EXPECTED if case["name"] == name)
    code, out = run(case, capsysbinary)
    (line,) = map(json.loads, out.splitlines())
    assert (code, list(line)) == (3, ["error", "file"])
    assert [word for word in _SAYS[name] if word not in line["error"]] == []


def test_records_that_depth_cut_off_say_so(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (case,) = (case for case in EXPECTED if case["name"] == "s09-mgbeta-depth-truncated-told")
    code, out = run(case, capsysbinary)
    assert code == 3
    assert [json.loads(line)["error"].count("ConvertTo-Json -Depth 10") for line in out.splitlines()] == [1] * 4


@pytest.mark.parametrize(
    ("name", "customer", "findings"),
    [("k5-same-id-versions-table", ["1", "0", "0", "1"], 0), ("k5-overlap-table", ["1", "2", "1", "4"], 3)],
)
def test_of_one_id_the_last_version_counts(
    name: str, customer: list[str], findings: int, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (case,) = (case for case in EXPECTED if case["name"] == name)
    _, out = run(case, capsysbinary, "--format", "table")
    (row,) = (line.split() for line in out.splitlines() if line.startswith("customer "))
    assert row[1:5] == customer
    counted = [
        line.split()[-1] for line in out.splitlines() if line.startswith(("critical ", "high ", "medium ", "low "))
    ]
    assert sum(map(int, counted)) == findings
