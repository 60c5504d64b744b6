"""What a page asks several answers for, read ahead in few requests (shared/store/once.py)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Final

from shared.answers.period import Span
from shared.app.app import App
from shared.ledger.slices import DAY
from shared.store.days import read_ahead
from shared.store.incidents import KEY_SPAN, incidents_within
from shared.store.people import ACCOUNTS, TECHNICIANS, load_lists
from shared.store.rollup_rows import KINDS, LineKind

_NEAR: Final = timedelta(days=31)


async def read_period_ahead(
    app: App, span: Span, *kinds: LineKind[Any], lists: bool = False, incidents: bool = False
) -> None:
    """The totals of a period and lines of these kinds (all where none is named) by one request; the lists about people
    by one, all incidents by one a shard."""
    tables = await app.tables()
    # What changed looks at the days that the log is about to let go too: where they lie near, they come with the rest.
    letting_go = span.now - app.retention - DAY
    near = letting_go if letting_go > span.start - _NEAR else span.start
    asked = read_ahead(tables.rollups, span.start, span.last, *(kinds or KINDS), totals_from=near)
    await asyncio.gather(
        asked,
        *([load_lists(tables.directory, ACCOUNTS, TECHNICIANS)] if lists else []),
        *([incidents_within(tables.incidents, 0, KEY_SPAN)] if incidents else []),
    )
