"""Records that people really have, each with its right value (tests/cases/records)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from shared.rules.assess import Assessment, assess
from shared.signin.decoding import Quarantined, decode_value
from shared.signin.directory import Directory, DirectoryFile
from shared.signin.model import SignIn
from shared.signin.sessions import Proof, Session, SessionKey, root_of, session_of

RECORDS: Final = Path(__file__).parents[1] / "cases" / "records"
DIRECTORY: Final = Directory.of(DirectoryFile.model_validate_json((RECORDS / "directory.json").read_bytes()))


def cases() -> Iterator[Any]:
    """The cases whose files are JSON lines of records; the shapes of other files are tests/local's."""
    for case in json.loads((RECORDS / "expected.json").read_bytes()):
        if "records" in case and all(f.endswith(".jsonl") and "/s" not in f for f in case["files"]):
            yield pytest.param(case, id=case["name"])


def read(files: list[str]) -> list[SignIn | Quarantined]:
    lines = [line for file in files for line in (RECORDS / file).read_text().splitlines()]
    return [decode_value(json.loads(line), index) for index, line in enumerate(lines)]


def judge(records: list[SignIn | Quarantined]) -> list[Assessment | None]:
    """What is said of each record, its session asked; None for one in quarantine."""
    sign_ins = [record for record in records if isinstance(record, SignIn)]
    proofs: dict[SessionKey, Proof] = {}
    for root in filter(None, {record.id: root_of(record, DIRECTORY) for record in sign_ins}.values()):
        proofs.setdefault(root.session, Proof()).add(root.at, root.own)

    def judged(record: SignIn | Quarantined) -> Assessment | None:
        if isinstance(record, Quarantined):
            return None
        key = session_of(record, DIRECTORY)
        session = proofs[key].at(record.at) if key in proofs else Session.UNSEEN
        return assess(record, DIRECTORY, session=session)

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


@pytest.mark.parametrize("case", [*cases()])
def test_each_record_has_its_right_value(case: dict[str, Any]) -> None:
    assert [shown(found) for found in judge(read(case["files"]))] == case["records"]


def test_there_are_cases() -> None:
    assert len([*cases()]) >= 25
