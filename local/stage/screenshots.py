"""`make screenshots`: the demo's page as a browser shows it, for the README. Needs chromium."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
from playwright.async_api import Browser, async_playwright
from rich.console import Console

from local.sample import make_sample, write_sample
from local.stage.demo import DAYS, SETTINGS, last_closed, scanned
from local.stage.receivers import Receivers
from local.stage.stack import CHECKOUT, running_stack

FOLDER: Final = CHECKOUT / "docs" / "img"
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")
# Name, address, width, height, colours.
_SHOTS: Final = (
    ("overview-light", "/", 1280, 1120, "light"),
    ("overview-dark", "/", 1280, 1120, "dark"),
    ("overview-phone", "/", 390, 1120, "light"),
    ("applications", "/applications", 1280, 760, "light"),
)


def main(argv: list[str]) -> int:
    """Take them; 1 where there is no browser."""
    argparse.ArgumentParser(prog="python -m local.stage.screenshots", description=__doc__).parse_args(argv)
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        print("There is no chromium on this machine: install it to have screenshots taken.", file=sys.stderr)
        return 1
    asyncio.run(_take(path))
    return 0


async def _take(path: str) -> None:
    sample = make_sample(7, DAYS, last_closed(datetime.now(UTC)))
    console = Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="partner-mfa-") as folder:
        work = Path(folder)
        write_sample(sample, work / "sample")
        async with Receivers() as receivers:
            settings = {**SETTINGS, **receivers.settings()}
            async with (
                running_stack(work / "sample", work, settings) as stack,
                aiohttp.ClientSession(stack.url) as http,
                async_playwright() as playwright,
            ):
                await scanned(console, http, stack.graph_url)
                browser = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
                try:
                    await _shoot(browser, stack.url)
                finally:
                    await browser.close()


async def _shoot(browser: Browser, address: str) -> None:
    await asyncio.to_thread(FOLDER.mkdir, parents=True, exist_ok=True)
    for name, path, width, height, colours in _SHOTS:
        context = await browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if colours == "dark" else "light"
        )
        page = await context.new_page()
        await page.goto(address + path)
        await page.screenshot(path=FOLDER / f"{name}.png")
        await context.close()
        await asyncio.to_thread(_shrink, FOLDER / f"{name}.png")


def _shrink(picture: Path) -> None:
    """A palette is enough for a page: a third of the size, where an ImageMagick is there that can make it. The picture
    stays as it is where none can."""
    convert = shutil.which("convert")
    if convert is not None:
        subprocess.run([convert, picture, "-strip", "-colors", "96", f"PNG8:{picture}"], check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
