"""How much a page asks of the storage and sends to the browser, in a partner of hundreds."""

from __future__ import annotations

import pytest

from local.benches.filled_partner import Size
from shared.page import PAGES, Visit
from shared.rules.rule import CUSTOMER, TECHNICIAN
from tests.functions.asking import counted_requests
from tests.functions.test_request_limits import partner

_IDS = {
    "page_customer": CUSTOMER,
    "page_technician": TECHNICIAN,
    "page_application": "c44b40833bb049c1b47d974e53cbdf3c",
    "page_rule": "legacy-auth",
    "page_day": "",
}


@pytest.mark.soak
async def test_no_page_takes_more_than_a_few_requests(azurite: str) -> None:
    """Of each page that needs no finding or incident to be shown."""
    too_much: dict[str, tuple[int, int]] = {}
    async with partner(azurite, Size(people=300, customers=500, each=10, days=31)) as app:
        for page in PAGES:
            if "{" in page.route and page.name not in _IDS:
                continue
            path = {"id": _IDS.get(page.name, ""), "day": "2026-10-20"}
            look = Visit(app, page.query.model_validate({}), path, f"/{page.route}", may_act=True)
            await page.show(look)  # what a process asks once
            with counted_requests() as sent:
                html = await page.show(look)
            if len(sent) > 12 or len(html.encode()) > 100_000:
                too_much[page.name] = (len(sent), len(html.encode()))
    assert not too_much
