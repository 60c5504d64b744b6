"""A tenant's sign-in log, page by page, as raw bytes decoded once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from urllib.parse import quote

from shared.graph.client import GraphClient
from shared.graph.problems import BadAnswer
from shared.ledger.slices import Slice
from shared.signin.careful import NotJson
from shared.signin.decoding import SignInPage, decode_page

_STREAMS = "signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')"


def first_page_url(base_url: str, slice_: Slice) -> str:
    """The query for a slice: both user streams at once. Only `ge` and `le` are documented, so the end is included here
    and its records are dropped by the reader (docs/entra-facts.md, "Asking Graph for them")."""
    start, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (slice_.start, slice_.end))
    wanted = f"createdDateTime ge {start} and createdDateTime le {end} and {_STREAMS}"
    return f"{base_url}/beta/auditLogs/signIns?$filter={quote(wanted)}"


async def pages(client: GraphClient, slice_: Slice) -> AsyncGenerator[SignInPage]:
    """The pages of a slice, newest records first. The next page is on its way while the caller works on this one.

    Raises GraphProblem; an answer that is cut off or comes round in a circle is a BadAnswer.
    """
    seen = {url := first_page_url(client.base_url, slice_)}
    coming = asyncio.ensure_future(client.get(url))
    try:
        while True:
            try:
                page = decode_page(await coming)
            except NotJson as error:
                raise BadAnswer(f"Graph's answer cannot be read: {error}") from error
            if page.next_link is None:
                yield page
                return
            if page.next_link in seen:
                raise BadAnswer("Graph's pages go round in a circle; the slice starts again.")
            seen.add(page.next_link)
            coming = asyncio.ensure_future(client.get(page.next_link))
            await asyncio.sleep(0)  # let the request go out before the caller computes
            yield page
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
