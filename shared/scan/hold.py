"""A slice in the hands of one worker: its claim in the ledger and the tenant's flight, kept alive while it works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from shared.app.app import App
from shared.ledger.flight import Flight
from shared.ledger.head import Head
from shared.ledger.slices import Slice
from shared.store.flights import change_flight
from shared.store.ledger import Claim, Lost
from shared.store.rollups import roll_up
from shared.store.tables import Operation, Tables


class Hold:
    """The right to write a slice. Everything here raises Lost once another worker has it."""

    def __init__(self, app: App, tables: Tables, claim: Claim, flight: Flight) -> None:
        self.app = app
        self.tables = tables
        self.slice = claim.head.slice
        self.flight = flight
        self._claim = claim
        self._renewed = app.clock()

    @classmethod
    async def take(cls, app: App, tables: Tables, slice_: Slice, flight: Flight) -> Hold | None:
        """Claim a slice; None when it is not to be read now.

        The flight is renewed behind the claim: a worker that stood still in between finds that the plan gave the flight
        to a slice that may cover the same time, and takes its claim back.
        """
        claim = await Claim.take(
            tables.slices, slice_, owner=uuid4().hex, send_id=flight.send_id, now=app.clock(), lease=app.lease
        )
        if claim is None:
            return None
        hold = cls(app, tables, claim, flight)
        try:
            await hold.change_flight(until=app.clock() + app.lease)
        except Lost:
            await claim.abandon()
            raise
        return hold

    @property
    def head(self) -> Head:
        """The slice's head as this worker last wrote it."""
        return self._claim.head

    @property
    def generation_before(self) -> str:
        """The generation of the claim before this one; "" where there was none."""
        return self._claim.generation_before

    @property
    def is_first_read(self) -> bool:
        """Whether nobody claimed the slice before, so that nothing of it was ever written."""
        return not self._claim.generation_before

    @property
    def follows_crash(self) -> bool:
        """Whether the same message was being worked on before, and not to its end."""
        return self._claim.follows_crash

    @property
    def ages(self) -> tuple[timedelta, ...]:
        """The ages at which slices are read."""
        return self.app.settings.read_ages

    @property
    def first_reread(self) -> timedelta:
        """The age from which on details count as complete."""
        return self.ages[min(1, len(self.ages) - 1)]

    def now(self) -> datetime:
        """The time, UTC."""
        return self.app.clock()

    async def write(self, operations: Iterable[Operation], head: Head | None = None) -> None:
        """Write rows of the slice's partition and its head, in one transaction."""
        self._renewed = self.now()
        await self._claim.write(operations, self._renewed, head)

    async def write_all(
        self, operations: Iterable[Operation], head: Head | None = None, *, last: Sequence[Operation] = ()
    ) -> None:
        """Write any number of rows, batch by batch; `head` and the few rows of `last` change with the last batch."""
        self._renewed = self.now()
        await self._claim.write_all(operations, self._renewed, head, last=last)

    async def change_flight(self, **changes: Any) -> None:
        """Change the tenant's flight."""
        changed = await change_flight(self.tables.control, self.flight, **changes)
        if changed is None:
            raise Lost(f"the flight of tenant {self.slice.tenant} was given to another slice")
        self.flight = changed

    async def keep(self) -> None:
        """Renew claim and flight where a third of the lease has passed: to be called between pieces of long work."""
        if self.now() - self._renewed >= self.app.lease / 3:
            await self.renew()

    async def renew(self) -> None:
        """Show that this worker lives."""
        await self.write([])
        await self.change_flight(until=self.now() + self.app.lease)

    async def while_waiting[T](self, coming: AsyncIterator[T]) -> AsyncIterator[T]:
        """What comes, with the hold renewed while it does not: one answer of Graph may take longer than a lease."""
        seconds = self.app.lease.total_seconds() / 3
        while True:
            task = asyncio.ensure_future(anext(coming))
            try:
                while not (await asyncio.wait({task}, timeout=seconds))[0]:
                    await self.renew()
            except BaseException:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                raise
            try:
                item = task.result()
            except StopAsyncIteration:
                return
            yield item

    async def roll_up(self) -> None:
        """Recompute the day of the slice."""
        await roll_up(self.tables.slices, self.tables.rollups, self.slice.tenant, self.slice.start, self.ages)
