"""Alerts that are paused until a time: findings and incidents go on, and what there is to tell waits."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from shared.app.app import App
from shared.basics.events import log_event
from shared.store.tables import SCHEMA, Tables, keys, upsert, utc

LONGEST: Final = timedelta(days=7)
_ROW: Final = ("alerts", "pause")


async def pause_alerts(app: App, until: datetime, by: str) -> datetime:
    """Send nothing until then (UTC); a time that has passed ends a pause. Gives the time. Raises ValueError for a pause
    of more than a week: a silence that nobody remembers is an outage."""
    now = app.clock()
    if until > now + LONGEST:
        raise ValueError("alerts can be paused for a week at most")
    tables = await app.tables()
    await tables.control.write(upsert({**keys(*_ROW), "v": SCHEMA, "until": until, "by": by, "at": now}))
    log_event("alerts_paused", until=until)
    return until


async def paused_until(app: App) -> datetime | None:
    """Until when nothing is sent (UTC); None while nothing was ever paused. It may have passed."""
    row = await (await app.tables()).control.get(*_ROW)
    return utc(row["until"]) if row is not None else None


async def is_paused(tables: Tables, now: datetime) -> bool:
    """Whether nothing may be sent now."""
    row = await tables.control.get(*_ROW)
    return row is not None and utc(row["until"]) > now
