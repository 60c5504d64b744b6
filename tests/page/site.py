"""A browser's way to every page: the pages behind an address, in whichever state is shown."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import azure.functions as func
import pytest
from playwright.sync_api import BrowserContext

from functions.page import form_handler, page_handler, style
from functions.statement import statement
from shared.app.app import App
from shared.page import FORMS, PAGES
from tests.page.browser import Look, opened
from tests.page.stage import Stage, staged
from tests.serving import Route, serving

READER = base64.b64encode(
    json.dumps({"claims": [{"typ": "roles", "val": "Reader"}, {"typ": "preferred_username", "val": "r@x"}]}).encode()
).decode()


class Site:
    """The pages behind an address, in whichever state is shown."""

    def __init__(self, address: str, stage: Stage) -> None:
        self.address = address
        self.stage = stage

    def show(self, state: str) -> None:
        """Show the app in this state from now on."""
        self.stage.shown = state

    def links(self, context: BrowserContext) -> list[str]:
        """Every page once, with the first of each kind of thing."""
        self.show("full")
        found = [f"/{page.route}" for page in PAGES if "{" not in page.route]
        for start, kind in (
            *(("/incidents", "incidents"), ("/causes", "causes"), ("/customers", "customers")),
            *(("/technicians", "technicians"), ("/applications", "applications"), ("/findings", "findings")),
            *(("/rules", "rules"), ("/audit", "days")),
        ):
            look = opened(context, self.address + start)
            hrefs = look.page.eval_on_selector_all("main a", "links => links.map(a => a.getAttribute('href'))")
            found += [h for h in hrefs if re.match(rf"/{kind}/[^/?]+", h)][-1:]
            look.page.close()
        return found


@contextmanager
def sited(azurite: str) -> Iterator[Site]:
    """Every state, served over the emulator."""
    made: list[Stage] = []

    @asynccontextmanager
    async def prepared() -> AsyncIterator[list[Route]]:
        with pytest.MonkeyPatch.context() as patch:
            async with staged(azurite, patch) as stage:
                made.append(stage)
                yield _routes(stage.current)

    def unknown(url: str) -> func.HttpResponse:
        return func.HttpResponse("no such address", status_code=404)

    with serving(prepared(), unknown) as address:
        yield Site(address, made[0])


def _routes(current: Callable[[], App]) -> list[Route]:
    """Every page and form, and the stylesheet, as the host would route to them."""
    routes = [Route("GET", "style.css", style)]
    routes += [Route("GET", page.route, page_handler(page, current)) for page in PAGES]
    routes += [Route("GET", "api/statement", lambda asked: statement.serve(current(), asked))]
    return routes + [Route("POST", form.route, form_handler(form, current)) for form in FORMS]


def look_at(context: BrowserContext, site: Site, path: str) -> Look:
    return opened(context, site.address + path)
