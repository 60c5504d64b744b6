"""Code cites facts by page and section: both must be there, or the next reader looks in vain."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.infra.deployment import ROOT

PAGES = ("entra-facts", "platform-facts")
CITING = sorted(
    file
    for folder in ("shared", "functions", "local", "tests", "infra")
    for file in (ROOT / folder).rglob("*.*")
    if file.suffix in (".py", ".bicep", ".sh", ".ps1") and file != Path(__file__)
)


def sections(page: str) -> set[str]:
    return set(re.findall(r"^## (.+)$", (ROOT / f"docs/{page}.md").read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("page", PAGES)
def test_every_section_that_is_cited_is_there(page: str) -> None:
    cited: dict[str, str] = {}
    for file in CITING:
        text = re.sub(r"\n\s*#?\s*", " ", file.read_text(encoding="utf-8"))
        for section in re.findall(rf'docs/{page}\.md,? \(?"([^"]+)"', text):
            cited[section] = str(file.relative_to(ROOT))
    assert cited, "or this test could not fail"
    assert {section: file for section, file in cited.items() if section not in sections(page)} == {}


@pytest.mark.parametrize("page", PAGES)
def test_a_section_names_where_its_facts_come_from(page: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    without = [part.split("\n")[0] for part in text.split("\n## ")[1:] if "learn.microsoft.com/" not in part]
    # Measured by ourselves: an SDK and an emulator have no page that says so.
    assert set(without) == ({"msgraph-sdk", "Azurite"} if page == "platform-facts" else set())


def test_no_code_cites_a_page_that_is_not_here() -> None:
    cited = {
        (page, str(file.relative_to(ROOT)))
        for file in CITING
        for page in re.findall(r"docs/([\w-]+\.md)", file.read_text(encoding="utf-8"))
    }
    assert {(page, file) for page, file in cited if not (ROOT / "docs" / page).is_file()} == set()
