"""Roll-ups that are not of the heads that stand: what a crash left behind, or a loss, heals here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from shared.app.app import App
from shared.ledger.head import Head
from shared.store.customer_quarters import write_customer_quarters
from shared.store.rollups import NO_DAY, DayMarks, block_marks, day_marks, roll_up
from shared.store.sums import renew_sums
from shared.store.tables import Tables

# How many days of an older format one plan recomputes beside those that it reads.
OLD_DAYS_A_PLAN: Final = 10


class Mending:
    """What one plan finds of roll-ups that are missing or stale."""

    def __init__(self, app: App, tables: Tables, known: Mapping[datetime, DayMarks]) -> None:
        self._app = app
        self._tables = tables
        self._known = known

    @classmethod
    async def begin(cls, app: App, tables: Tables) -> Mending:
        """Read what the partner's days were made of."""
        return cls(app, tables, await day_marks(tables.rollups))

    def needs_roll_up(self, day: datetime) -> bool:
        """Whether a day has no roll-up, or one of an older version of the app."""
        marks = self._known.get(day)
        return marks is None or (marks.is_old and not marks.is_foreign)

    async def mend(self, tenant: str, heads: Mapping[datetime, Sequence[Head]]) -> None:
        """Recompute those of a tenant's days whose roll-up is missing or stale."""
        now = self._app.clock()
        for day, of_day in heads.items():
            busy = any(head.is_held(now) for head in of_day)
            if not busy and not self._known.get(day, NO_DAY).is_of(block_marks(of_day), tenant):
                await self._roll_up(tenant, day)

    async def end(self, since: datetime) -> None:
        """Recompute some of the days before `since` that an older version of the app added up, newest first; write the
        rows of customers and quarters whose day changed, once a plan and not after each read; and make the sums of the
        days at rest that are not of these days any more."""
        old = sorted((day for day, marks in self._known.items() if marks.is_old and day < since), reverse=True)
        for day in old[:OLD_DAYS_A_PLAN]:
            for tenant in self._app.settings.tenants:
                await self._roll_up(tenant, day)
        stand = await day_marks(self._tables.rollups)
        for day, marks in stand.items():
            if marks.quarters_due and not marks.is_foreign and not marks.is_old:
                await write_customer_quarters(self._tables.rollups, day)
        of_lines = {day: marks.of_lines for day, marks in stand.items()}
        await renew_sums(self._tables.rollups, of_lines, self._app.clock())

    async def _roll_up(self, tenant: str, day: datetime) -> None:
        await roll_up(self._tables.slices, self._tables.rollups, tenant, day, self._app.settings.read_ages)
