"""What is due: worked out from the ledger each time, so that after an outage nothing has to be remembered.

Days of which nothing is due rest (shared/store/agenda.py): a plan reads a tenant's agenda, the marks of the roll-ups,
and the heads of the other days. So its requests grow with what is due and not with what is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.app.app import App
from shared.basics.events import log_event
from shared.ledger.flight import Flight
from shared.ledger.head import Head, SliceState
from shared.ledger.rest import named_terms, rest_until
from shared.ledger.slices import Slice, closed_slices, days_between, midnight, near_retention_end
from shared.scan.due import Ledger, Terms, due_slices, standing_for, unread
from shared.scan.launch import launch
from shared.scan.mending import Mending
from shared.store.agenda import Agenda, clear_due, forget_rests, lay_to_rest, make_due, read_agenda
from shared.store.at_once import all_of
from shared.store.flights import change_flight
from shared.store.ledger import heads_of_day, old_marks, remove_old_mark
from shared.store.tables import Tables

# Graph allows an app 122 requests in 10 seconds over all tenants and 5 for each (docs/entra-facts.md).
MOST_TENANTS_IN_FLIGHT: Final = 122 // 5
# How many slices one flight goes on with by itself, and for how long: a newly closed slice waits no longer than that.
LONGEST_CHAIN: Final = 100
LONGEST_CHAIN_TIME: Final = timedelta(minutes=30)
_ONE_DAYS_TURN: Final = timedelta(minutes=5)  # as often as a plan comes


async def plan_scans(app: App) -> list[str]:
    """The messages to send now: for each tenant with nothing in flight, its next slice. Also mends roll-ups that a
    crash left behind."""
    tables = await app.tables()
    mending = await Mending.begin(app, tables)
    messages: list[str] = []
    flying = 0
    oldest = app.clock()
    for tenant in app.settings.tenants:
        plan = await TenantPlan.begin(app, tables, tenant, mending)
        oldest = min(oldest, plan.days[0])
        await mending.mend(tenant, plan.heads)
        await plan.lay_days_to_rest()
        message = await plan.send() if flying < MOST_TENANTS_IN_FLIGHT else None
        messages += [message] if message else []
        flying += plan.is_flying or message is not None
    await mending.end(since=oldest)
    return messages


class TenantPlan:
    """What there is to do for one tenant, from its agenda and the heads of the days that do not rest."""

    def __init__(self, app: App, tables: Tables, agenda: Agenda, flight: Flight | None) -> None:
        self._app = app
        self._tables = tables
        self._agenda = agenda
        self._flight = flight  # None: another plan notes the tenant for the first time now
        self._now = app.clock()
        self._since = since(app, flight, self._now)
        self.days = [*days_between(self._since, self._now)]
        self._marked: dict[Slice, str] = {}
        self.heads: dict[datetime, list[Head]] = {}

    @classmethod
    async def begin(cls, app: App, tables: Tables, tenant: str, mending: Mending) -> TenantPlan:
        """Read what has to be looked at."""
        agenda = await read_agenda(tables.control, tenant)
        flight: Flight | None = agenda.flight
        if agenda.flight.first_seen is None and not agenda.flight.send_id:
            flight = await change_flight(tables.control, agenda.flight, first_seen=app.clock())
        plan = cls(app, tables, agenda, flight)
        await plan._read(mending)
        return plan

    @property
    def is_flying(self) -> bool:
        """Whether a slice of the tenant is being read."""
        return self._flight is None or not self._flight.is_free(self._now)

    async def _read(self, mending: Mending) -> None:
        agenda, tenant, slices = self._agenda, self._agenda.flight.tenant, self._tables.slices
        found = await all_of(old_marks(slices, tenant, day) for day in self._days_of_old_marks())
        old = [mark for of_day in found for mark in of_day]
        marked = {midnight(slice_.start) for slice_ in (*agenda.marked, *old)}
        awake = [
            day
            for day in self.days
            if day in marked or mending.needs_roll_up(day) or not agenda.is_at_rest(day, self._now, self._terms(day))
        ]

        async def of_day(day: datetime) -> list[Head]:
            return [head async for head in heads_of_day(slices, tenant, day)]

        self.heads = dict(zip(awake, await all_of(map(of_day, awake)), strict=True))
        await self._pass_marks_on(old)

    def _days_of_old_marks(self) -> list[datetime]:
        """The days to look for marks in that an older version of the app left: those that never rested, and of the
        others one in each plan, since that version may go on beside this one for a while."""
        new = [day for day in self.days if day not in self._agenda.rests]
        turn = (self._now - midnight(self._now)) // _ONE_DAYS_TURN
        return sorted({*new, self.days[turn % len(self.days)]})

    async def _pass_marks_on(self, old: Sequence[Slice]) -> None:
        """Give the marks of slices that were split to their halves: nobody reads a split slice again. Those of slices
        that can be read no more go; those that an older version of the app left are taken over."""
        heads = {head.slice: head for of_day in self.heads.values() for head in of_day}
        control = self._tables.control
        split = [s for s in self._agenda.marked if s in heads and heads[s].state is SliceState.SPLIT]
        gone = [s for s in self._agenda.marked if near_retention_end(s, self._now, self._app.retention)]
        passed_on = standing_for([*split, *old], heads)
        await make_due(control, passed_on, "passed on")
        for slice_ in {*split, *gone}:
            await clear_due(control, slice_, self._agenda.marked[slice_])
        for slice_ in old:
            await remove_old_mark(self._tables.slices, slice_)
        left = {s: etag for s, etag in self._agenda.marked.items() if s not in split and s not in gone}
        self._marked = {**left, **dict.fromkeys(passed_on, "")}

    async def send(self) -> str | None:
        """Send the next slice, if nothing flies and something is due. Returns the message."""
        flight = self._flight
        if flight is None or self.is_flying or flight.must_wait(self._now):
            return None
        due = self._due(flight)
        if not due:
            return None
        log_event("slices_due", tenant=flight.tenant, due=len(due), first=due[0].id)
        until = self._now + LONGEST_CHAIN_TIME
        return await launch(self._app, self._tables, flight, due[:LONGEST_CHAIN], chain_until=until)

    def _due(self, flight: Flight) -> list[Slice]:
        heads = {head.slice: head for of_day in self.heads.values() for head in of_day}
        terms = Terms(self._now, self._app.retention, flight.first_seen)
        return due_slices(Ledger(heads, self._marked), self._grid(), terms)

    def _grid(self) -> list[Slice]:
        width = self._app.settings.slice_width
        closed = closed_slices(self._agenda.flight.tenant, self._since, self._now, width)
        return [slice_ for slice_ in closed if midnight(slice_.start) in self.heads]

    async def lay_days_to_rest(self) -> None:
        """Note which of the days that were read need not be looked at for a while."""
        heads = {head.slice: head for of_day in self.heads.values() for head in of_day}
        marked = {midnight(slice_.start) for slice_ in self._marked}
        open_days = marked | {midnight(slice_.start) for slice_ in unread(self._grid(), heads)}
        rests: dict[str, dict[datetime, datetime]] = {}
        for day, of_day in self.heads.items():
            until = rest_until(day, of_day, now=self._now, width=self._app.settings.slice_width)
            if until is not None and day not in open_days:
                rests.setdefault(self._terms(day), {})[day] = until
        for terms, days in rests.items():
            await lay_to_rest(self._tables.control, self._agenda, days, terms)
        await forget_rests(self._tables.control, self._agenda, before=midnight(self._since))

    def _terms(self, day: datetime) -> str:
        settings = self._app.settings
        return named_terms(settings.slice_width, settings.read_ages, max(day, self._since))


def since(app: App, flight: Flight | None, now: datetime) -> datetime:
    """From when on a tenant's log is read: as long before the installation as the first run goes, and all since then
    that the log may still hold, however short that first look back was."""
    look_back = timedelta(days=app.settings.lookback_days)
    installed = (flight.first_seen if flight is not None else None) or now
    return min(now - look_back, max(now - app.retention, installed - look_back))
