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
    parts = ("shared", "functions", "local", "tests")
    for path in [p for part in parts for kind in ("*.py", "*.md") for p in (ROOT / part).rglob(kind)]:
        for name in re.findall(r"(?<![\w./{}*\\-])([A-Za-z][\w/-]*\.md)\b", path.read_text(encoding="utf-8")):
            cited.setdefault(name, []).append(str(path.relative_to(ROOT)))
    missing = {name: where for name, where in cited.items() if not {name, f"docs/{name}"} & HERE}
    assert missing == {}


def test_a_heading_that_is_cited_is_there() -> None:
    """Such as docs/semantics.md, "Evidence"; docstrings break lines where they like."""
    headings = {
        name: set(re.findall(r"^#+ +(.+?) *$", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))
        for name in HERE
    }
    missing = []
    for path in [p for part in ("shared", "functions", "local", "tests") for p in (ROOT / part).rglob("*.py")]:
        text = " ".join(re.sub(r"^\s*#", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE).split())
        for name, heading in re.findall(r'\b((?:docs/)?[\w-]+\.md),? "([^"]+)"', text):
            if name in headings and heading not in headings[name]:
                missing.append(f"{path.relative_to(ROOT)}: {name}, {heading}")
    assert missing == []


def test_keys_of_rows_are_made_in_the_store_alone() -> None:
    """Outside it nobody hands a key of his own, or a constant of his own module, to what names a row."""
    made = []
    for path in [p for part in ("shared", "functions") for p in (ROOT / part).rglob("*.py")]:
        if (ROOT / "shared" / "store") in path.parents:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = {name for n in tree.body if isinstance(n, ast.AnnAssign | ast.Assign) for name in _constants(n)}
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        made += [f"{path.relative_to(ROOT)}:{call.lineno}" for call in calls if _makes_a_key(call, own)]
    assert made == []


def _constants(node: ast.AnnAssign | ast.Assign) -> list[str]:
    """The names given to a text, or to a pair of texts."""
    value = node.value
    texts = [value] if not isinstance(value, ast.Tuple) else value.elts
    if not texts or not all(isinstance(text, ast.Constant) and isinstance(text.value, str) for text in texts):
        return []
    targets = [node.target] if isinstance(node, ast.AnnAssign) else node.targets
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _makes_a_key(node: ast.Call, own: set[str]) -> bool:
    name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if name not in ("keys", "prefixed", "between") or (isinstance(node.func, ast.Attribute) and name == "keys"):
        return False
    asked = [part for argument in node.args[: 4 if name == "between" else 2] for part in ast.walk(argument)]
    return any(
        (isinstance(part, ast.Name) and part.id in own)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value not in ("", "~"))
        for part in asked
    )  # fmt: skip
