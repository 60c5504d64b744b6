"""The messages that channels were told, beside how much of the log was read: silence rests on that."""

from __future__ import annotations

from shared.alerts.listing import AlertItem, AlertsQuery, read_alerts
from shared.answers.period import CoveredPage, read_standing, times_of
from shared.app.app import App


class AlertList(CoveredPage[AlertItem]):
    """Deliveries: those under way, the newest first, then those that ended, the newest first. The period is that since
    which the log is read."""


async def list_alerts(app: App, query: AlertsQuery) -> AlertList:
    """A page of deliveries. Raises BadParameter for a wrong cursor."""
    page = await read_alerts(app, query)
    standing = await read_standing(app, await times_of(app, None, None))
    return AlertList(items=page.items, cursor=page.cursor, period=standing.period, coverage=standing.coverage)
