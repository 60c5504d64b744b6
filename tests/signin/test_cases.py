"""Records that people really have, and those at the borders of each kind, each with its right value (tests/cases)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from shared.rules.assess import Assessment, assess
from shared.signin.careful import Quarantined, decode_value
from shared.signin.decoding import decode_page
from shared.signin.directory import Directory, DirectoryFile
from shared.signin.model import SignIn
from shared.signin.sessions import Proof, Session, SessionKey, root_of, session_of

CASES: Final = Path(__file__).parents[1] / "cases"
NEAR_MISSES: Final = CASES / "near-misses"


def cases(folder: Path) -> Iterator[Any]:
    """The cases whose files are JSON lines of records; the shapes of other files are tests/local's."""
    for case in json.loads((folder / "expected.json").read_bytes()):
        if "records" in case and all(f.endswith(".jsonl") and "/s" not in f for f in case["files"]):
            yield pytest.param(folder, case, id=case["name"])


def lines_of(folder: Path, files: list[str]) -> list[str]:
    return [line for file in files for line in (folder / file).read_text().splitlines()]


def read(folder: Path, files: list[str]) -> list[SignIn | Quarantined]:
    return [decode_value(json.loads(line), index) for index, line in enumerate(lines_of(folder, files))]


def judge(folder: Path, records: list[SignIn | Quarantined]) -> list[Assessment | None]:
    """What is said of each record, its session asked; None for one in quarantine."""
    directory = Directory.of(DirectoryFile.model_validate_json((folder / "directory.json").read_bytes()))
    sign_ins = [record for record in records if isinstance(record, SignIn)]
    proofs: dict[SessionKey, Proof] = {}
    for root in filter(None, {record.id: root_of(record, directory) for record in sign_ins}.values()):
        proofs.setdefault(root.session, Proof()).add(root.at, root.own)

    def judged(record: SignIn | Quarantined) -> Assessment | None:
        if isinstance(record, Quarantined):
            return None
        key = session_of(record, directory)
        session = proofs[key].at(record.at) if key in proofs else Session.UNSEEN
        return assess(record, directory, session=session)

    return [judged(record) for record in records]


def shown(found: Assessment | None) -> dict[str, object]:
    if found is None:
        return {"error": True}
    return {
        "identity": found.identity,
        "scope": found.scope,
        "outcome": found.outcome,
        "evidence": found.evidence,
        "verdict": found.verdict,
        "rules": [*found.rules],
        "severity": found.severity.label if found.severity else None,
        "why": found.why,
        "strength": found.strength,
    }


@pytest.mark.parametrize(("folder", "case"), [*cases(CASES / "records"), *cases(NEAR_MISSES)])
def test_each_record_has_its_right_value(folder: Path, case: dict[str, Any]) -> None:
    assert [shown(found) for found in judge(folder, read(folder, case["files"]))] == case["records"]


@pytest.mark.parametrize(("folder", "case"), [*cases(NEAR_MISSES)])
def test_a_page_of_them_says_the_same(folder: Path, case: dict[str, Any]) -> None:
    """Envelopes come in no page; of them the record counts, which may say less."""
    right = [
        (line, value)
        for line, value in zip(lines_of(folder, case["files"]), case["records"], strict=True)
        if '"properties"' not in line
    ]
    page = '{"value": [' + ", ".join(line for line, _ in right) + "]}"
    records = decode_page(page.encode()).records
    assert [shown(found) for found in judge(folder, records)] == [value for _, value in right]


def test_there_are_cases() -> None:
    assert len([*cases(CASES / "records")]) >= 25
    assert len([*cases(NEAR_MISSES)]) >= 40
