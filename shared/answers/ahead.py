"""What a page asks several answers for, read ahead in few requests (shared/store/once.py)."""

from __future__ import annotations

import asyncio

from shared.answers.period import Span
from shared.app.app import App
from shared.store.days import read_ahead
from shared.store.incidents import KEY_SPAN, incidents_within
from shared.store.people import ACCOUNTS, TECHNICIANS, load_lists
from shared.store.rollup_rows import KINDS


async def read_period_ahead(app: App, span: Span, *, lists: bool = False, incidents: bool = False) -> None:
    """The totals and lines of a period by one request; the lists about people by one, all incidents by one a shard."""
    tables = await app.tables()
    asked = [read_ahead(tables.rollups, span.start, span.last, *KINDS)] if span.start <= span.last else []
    await asyncio.gather(
        *asked,
        *([load_lists(tables.directory, ACCOUNTS, TECHNICIANS)] if lists else []),
        *([incidents_within(tables.incidents, 0, KEY_SPAN)] if incidents else []),
    )
