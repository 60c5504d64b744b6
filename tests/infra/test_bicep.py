"""The offline checker of Bicep, over every file of infra/: no error, no warning, nothing unchecked."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TypedDict

import pytest

from tests.infra.deployment import INFRA, ROOT

TOOL = Path(os.environ.get("BICEP_CHECK", ROOT.parent / "shared/tools/bicep-check/bicep-check"))

pytestmark = pytest.mark.skipif(
    not TOOL.is_file(),
    reason=f"bicep-check is not at {TOOL} (BICEP_CHECK names another place): infra/ is not checked here",
)


NOT_CHECKED = [("not-checked", "mail.bicep")]
"""The one resource whose properties the checker has no types for: Microsoft.Logic/workflows."""


class Summary(TypedDict):
    files: int
    errors: int
    warnings: int
    info: int
    notChecked: int


class Answer(TypedDict):
    diagnostics: list[dict[str, str | int]]
    summary: Summary


def check(folder: Path) -> tuple[int, Answer]:
    run = subprocess.run([TOOL, "--json", folder], capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
    assert run.returncode in (0, 1), run.stderr
    answer: Answer = json.loads(run.stdout)
    return run.returncode, answer


def test_every_file_passes_and_nothing_is_left_unchecked() -> None:
    status, answer = check(INFRA)
    assert [(d["code"], Path(str(d["path"])).name) for d in answer["diagnostics"]] == NOT_CHECKED
    assert answer["summary"] == {
        "files": len([*INFRA.rglob("*.bicep"), *INFRA.rglob("*.bicepparam")]),
        "errors": 0,
        "warnings": 0,
        "info": 0,
        "notChecked": len(NOT_CHECKED),
    }
    assert status == 0


def test_a_misspelled_property_would_be_found(tmp_path: Path) -> None:
    shutil.copytree(INFRA, tmp_path / "infra")
    storage = tmp_path / "infra/modules/storage.bicep"
    storage.write_text(storage.read_text(encoding="utf-8").replace("minimumTlsVersion", "minimumTslVersion"), "utf-8")
    status, answer = check(tmp_path / "infra")
    assert [d["code"] for d in answer["diagnostics"] if d["code"] != "not-checked"] == ["BCP089"]
    assert status == 1
