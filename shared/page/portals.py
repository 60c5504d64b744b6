"""The portals that ask for no customer tenant: how much each is used, by whom, and how to see which ask for more."""

from __future__ import annotations

from typing import Final

from shared.answers.ahead import read_period_ahead
from shared.answers.portals import PortalItem, PortalsQuery, read_portals
from shared.page.asked import PageQuery, Visit
from shared.page.charts import spark
from shared.page.frame import show
from shared.store.rollup_rows import APPS, GROUPS, PORTALS
from shared.wire.models import Named

_MOST_ROWS: Final = 50
_MOST_PEOPLE: Final = 5


class PortalsPageQuery(PageQuery):
    """Of which portals."""

    cursor: Named | None = None


async def portals_page(visit: Visit[PortalsPageQuery]) -> str:
    """The list, the most used first, with its use day by day."""
    await read_period_ahead(visit.app, visit.span, APPS, GROUPS, PORTALS)
    asked = {**visit.query.period, "limit": _MOST_ROWS, "cursor": visit.query.cursor}
    page = await read_portals(visit.app, PortalsQuery.model_validate(asked))
    first, last = visit.span.start.date(), visit.span.last.date()

    def used(portal: PortalItem) -> str:
        return spark({day.date: day.total for day in portal.trend}, first, last, what="sign-ins", kind="unsure")

    return await show("portals.html", visit, page=page, most_people=_MOST_PEOPLE, spark=used)
