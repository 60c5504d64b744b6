"""What is due with the time and not with a finding (the timer `tend_incidents`).

Apart from the dispatch, so that nothing here can hold up an alert.
"""

from __future__ import annotations

from shared.alerts.digest import make_digests
from shared.app.app import App
from shared.tending.incidents import sweep


async def tend_incidents(app: App) -> None:
    """Close what was quiet, end snoozes, make the digests that are due."""
    tables = await app.tables()
    await sweep(app, tables)
    await make_digests(app, tables)
