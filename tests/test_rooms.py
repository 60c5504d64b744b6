"""Every room of the product says what it is, and shows no more than its few public names."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = sorted(path.parent for path in (ROOT / "shared").rglob("__init__.py") if path.parent != ROOT / "shared")
LONGEST_FILE = 360
HERE = {str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]}


def _name(room: Path) -> str:
    return ".".join(room.relative_to(ROOT).parts)


@pytest.mark.parametrize("room", ROOMS, ids=_name)
def test_a_room_says_what_it_is_and_names_what_it_shows(room: Path) -> None:
    module = importlib.import_module(_name(room))
    assert module.__doc__, "it opens with what lives there and what it may import"
    assert len(module.__doc__) > 80
    tree = ast.parse((room / "__init__.py").read_text(encoding="utf-8"))
    brought = {a.asname or a.name for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names}
    made = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    shown = set(module.__all__)
    assert len(shown) == len(module.__all__) <= 30, "few names: the rest is found in its modules"
    assert all(hasattr(module, name) for name in shown)
    if not made:  # a room that only shows what its modules hold brings in nothing else
        assert shown == brought - {"annotations", "Final"}


def test_no_module_stands_outside_a_room() -> None:
    assert [path.name for path in (ROOT / "shared").glob("*.py")] == ["__init__.py"]


def test_every_file_can_be_read_in_one_sitting() -> None:
    files = [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: n for name, n in lines.items() if n > LONGEST_FILE} == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = []
    for path in [*(ROOT / "shared").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if path.name != "__init__.py" and (not text or text.startswith("TODO")):
            silent.append(str(path.relative_to(ROOT)))
    assert silent == []


def test_comments_cite_only_documents_that_are_here() -> None:
    cited: dict[str, list[str]] = {}
    for path in [p for part in ("shared", "functions", "local", "tests") for p in (ROOT / part).rglob("*.py")]:
        for name in re.findall(r"(?<![\w./{}*\\-])([A-Za-z][\w/-]*\.md)\b", path.read_text(encoding="utf-8")):
            cited.setdefault(name, []).append(str(path.relative_to(ROOT)))
    missing = {name: where for name, where in cited.items() if not {name, f"docs/{name}"} & HERE}
    assert missing == {}
