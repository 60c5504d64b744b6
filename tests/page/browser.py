"""A real headless browser, as people have one: the system's chromium through Playwright's library."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT: Final = Path(__file__).parents[2]
AXE: Final = ROOT / "node_modules/axe-core/axe.min.js"
_HTML_VALIDATE: Final = ROOT / "node_modules/.bin/html-validate"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
# What a page is held to: the standard, without rules on how markup is written.
_RULES: Final = {
    "extends": ["html-validate:standard"],
    "rules": {"long-title": "off", "no-trailing-whitespace": "off", "void-style": "off", "no-inline-style": "error"},
}


def browser_path() -> str:
    """Where the browser is. Skips the test where there is none; fails it where REQUIRE_BROWSER says that there must
    be one."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("REQUIRE_BROWSER is set and there is no chromium")
        pytest.skip("no browser: install chromium to have the page looked at")
    return found


@contextmanager
def running_browser() -> Iterator[Browser]:
    """One browser for many pages."""
    path = browser_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Look:
    """A page that was opened, and what the browser complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What can be read."""
        return " ".join(self.page.inner_text("body").split())

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def narrow_cells(self) -> list[str]:
        """The text of cells that stand under each other, as on a phone, and yet leave room of their row unused."""
        found: list[str] = self.page.evaluate(
            """() => [...document.querySelectorAll("table.stack td")].filter(
                cell => getComputedStyle(cell).display == "block"
                    && cell.getBoundingClientRect().width < cell.parentElement.getBoundingClientRect().width - 2
            ).map(cell => cell.textContent)"""
        )
        return found

    def violations(self, *only: str) -> list[str]:
        """What axe finds, each with the first element; `only` these rules, all where none is named."""
        how: dict[str, Any] = {"resultTypes": ["violations"]} | ({"runOnly": [*only]} if only else {})
        found: dict[str, Any] = self.page.evaluate("how => axe.run(document, how)", how)
        return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found["violations"]]


@contextmanager
def looking(
    browser: Browser, *, width: int = 1440, scheme: str = "light", axe: bool = True
) -> Iterator[BrowserContext]:
    """A window of that width. axe is put in by the browser itself, so that the page's own policy stays in force."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        java_script_enabled=True,
    )
    if axe:
        context.add_init_script(path=AXE)
    try:
        yield context
    finally:
        context.close()


def opened(context: BrowserContext, address: str) -> Look:
    """Open an address."""
    page = context.new_page()
    page.set_default_timeout(10_000)
    look = Look(page)
    page.on("console", lambda message: look.complaints.append(message.text))
    page.on("pageerror", lambda error: look.complaints.append(str(error)))
    page.goto(address)
    return look


def invalid(pages: Iterable[tuple[str, str]], folder: Path) -> list[str]:
    """What html-validate says of these pages (name, HTML), all in one run."""
    (folder / ".htmlvalidate.json").write_text(json.dumps({"root": True, **_RULES}))
    for name, html in pages:
        (folder / f"{name}.html").write_text(html, encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - our own tool
        [str(_HTML_VALIDATE), "--formatter", "json", f"{folder}/*.html"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout.strip():
        return [] if done.returncode == 0 else [done.stderr]
    return [
        f"{Path(file['filePath']).name}:{m['line']}: {m['ruleId']}: {m['message']}"
        for file in json.loads(done.stdout)
        for m in file["messages"]
    ]
