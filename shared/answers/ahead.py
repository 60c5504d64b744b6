"""What a page asks several answers for, or an answer several times, read ahead in few requests
(shared/store/once.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final

from shared.answers.period import Span
from shared.app.app import App
from shared.ledger.slices import DAY
from shared.store.incidents import KEY_SPAN, incidents_within
from shared.store.once import is_sharing, reading_once
from shared.store.people import ACCOUNTS, TECHNICIANS, load_lists
from shared.store.periods import read_ahead
from shared.store.rollup_rows import LineKind
from shared.store.sums import SumKind

_NEAR: Final = timedelta(days=31)


async def read_period_ahead(
    app: App, span: Span, *kinds: LineKind[Any] | SumKind[Any], lists: bool = False, incidents: bool = False
) -> None:
    """The totals of a period and lines of these kinds by one request, two where a sum of lines does not stand; the
    lists about people by one, all incidents by one a shard."""
    tables = await app.tables()
    # What changed looks at the days that the log is about to let go too: where they lie near, they come with the rest.
    letting_go = span.now - app.retention - DAY
    near = letting_go if letting_go > span.start - _NEAR else span.start
    asked = read_ahead(tables.rollups, span.marked({}), *kinds, totals_from=near)
    await asyncio.gather(
        asked,
        *([load_lists(tables.directory, ACCOUNTS, TECHNICIANS)] if lists else []),
        *([incidents_within(tables.incidents, 0, KEY_SPAN)] if incidents else []),
    )


async def having_read[T](app: App, span: Span, kinds: Sequence[SumKind[Any]], answer: Callable[[], Awaitable[T]]) -> T:
    """An answer that asks several times for totals and lines of these kinds; on a page that has read what it needs."""
    if is_sharing() or not kinds:
        return await answer()
    with reading_once():
        await read_period_ahead(app, span, *kinds)
        return await answer()
