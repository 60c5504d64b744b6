"""How far coverage lags behind the log of a large partner, by a simulation with its own clock.

Graph answers a tenant's log at most five times in ten seconds (docs/entra-facts.md), so a large log takes hours
whatever the program does. What is read when is decided by the product's own functions (shared/scan/due.py,
`done_head`); the simulation stands for the log, for Graph's pace and for the clock: each request takes its share of the
pace, and the app is never what one waits for.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.app.settings import Settings
from shared.ledger.head import Head, SliceState
from shared.ledger.slices import Slice, closed_slices
from shared.scan.due import Ledger, Terms, due_slices
from shared.scan.plan import LONGEST_CHAIN, LONGEST_CHAIN_TIME
from shared.scan.writing import done_head

_START: Final = datetime(2026, 9, 7, tzinfo=UTC)  # a Monday
_PAGE: Final = 1000
_TENANT: Final = "0" * 32
_PLAN_EVERY: Final = timedelta(minutes=5)
# A day's sign-ins by hour, in hundredths of the day: an office's, with programs all night.
_BY_HOUR: Final = (1, 1, 1, 1, 1, 2, 4, 7, 10, 10, 9, 8, 7, 9, 8, 7, 5, 3, 2, 1, 1, 1, 1, 0)


@dataclass(frozen=True, slots=True)
class Load:
    """A partner's log, and how it is read. `pace` is in requests in ten seconds; `days` of operation are simulated
    behind `lookback_days` that are there at the start."""

    users: int
    sign_ins_a_day: int  # of each
    ages: tuple[timedelta, ...]
    width: timedelta
    pages_per_slice: int
    pace: int
    lookback_days: int
    days: int

    @classmethod
    def of(cls, users: int, sign_ins_a_day: int, *, lookback_days: int = 2, days: int = 5, **settings: object) -> Load:
        """By the product's own defaults, but for what `settings` says otherwise (names of the settings)."""
        values = {name: made.default for name, made in Settings.model_fields.items()} | settings
        return cls(
            users,
            sign_ins_a_day,
            tuple(timedelta(minutes=minutes) for minutes in values["read_ages_minutes"]),
            timedelta(minutes=values["slice_minutes"]),
            values["pages_per_slice"],
            values["graph_requests_per_10_seconds"],
            lookback_days,
            days,
        )

    def pages(self, slice_: Slice) -> int:
        """How many requests a read of the slice takes: one at least."""
        share = _BY_HOUR[slice_.start.hour] / 100 * (slice_.width / timedelta(hours=1))
        return max(1, -int(-self.users * self.sign_ins_a_day * share // _PAGE))

    @property
    def use_of_graph(self) -> float:
        """Which share of Graph's answers the day's reads take, without those in vain: beyond 1 they never catch up."""
        in_a_day = 8640 * self.pace
        return self.users * self.sign_ins_a_day * len(self.ages) / _PAGE / in_a_day


@dataclass(frozen=True, slots=True)
class Lag:
    """What a simulation found. Lags are minutes from the close of a slice until its first read is written, of the
    slices that closed in operation; `unread` are those that were not read at all when it ended."""

    median: float
    p95: float
    longest: float
    unread: int
    overdue_reads: int  # reads that were due for more than an hour at the end
    lookback_hours: float | None  # until all that was there at the start had been read; None: never
    requests_in_vain: int  # for slices that were too large and were halved


@dataclass(slots=True)
class _World:
    load: Load
    now: datetime = _START
    heads: dict[Slice, Head] = field(default_factory=dict)
    first_reads: dict[Slice, datetime] = field(default_factory=dict)
    in_vain: int = 0

    def grid(self) -> list[Slice]:
        since = _START - timedelta(days=self.load.lookback_days)
        return closed_slices(_TENANT, since, self.now, self.load.width)

    def read(self, slice_: Slice) -> Iterator[Slice]:
        """One read, or the halves of a slice that is too large. The clock goes on by what Graph takes."""
        load, pages = self.load, self.load.pages(slice_)
        head = self.heads.get(slice_) or Head(slice_)
        age = self.now - slice_.end
        halves = slice_.halves() if pages > load.pages_per_slice else None
        self.now += timedelta(seconds=10 / load.pace) * (load.pages_per_slice if halves else pages)
        if halves:
            self.in_vain += load.pages_per_slice
            self.heads[slice_] = replace(head, state=SliceState.SPLIT, next_due=None)
            yield from halves
            return
        self.first_reads.setdefault(slice_, self.now)
        read = replace(head, records=pages * _PAGE)
        self.heads[slice_] = done_head(read, age, load.ages, again=self.now, shrank=False)


def simulate(load: Load) -> Lag:
    """Read the partner's log until the days are over."""
    world = _World(load)
    end = _START + timedelta(days=load.days)
    while world.now < end:
        terms = Terms(world.now, timedelta(days=30), _START)
        chain = due_slices(Ledger(world.heads), world.grid(), terms)[:LONGEST_CHAIN]
        until = world.now + LONGEST_CHAIN_TIME
        if not chain:
            world.now += _PLAN_EVERY - (world.now - _START) % _PLAN_EVERY
        while chain and world.now < until:
            chain = [*world.read(chain[0]), *chain[1:]]
    return _lag(world, end)


def _lag(world: _World, end: datetime) -> Lag:
    closed = [s for s in closed_slices(_TENANT, _START, end, world.load.width) if s.end < end]
    read = [at for at in (_read_at(world, slice_) for slice_ in closed) if at is not None]
    minutes = sorted((at - slice_.end) / timedelta(minutes=1) for slice_, at in read)
    old = [
        _read_at(world, s)
        for s in closed_slices(_TENANT, _START - timedelta(days=world.load.lookback_days), _START, world.load.width)
    ]
    done = max((at for _, at in filter(None, old)), default=_START) if all(old) else None
    late = [h for h in world.heads.values() if h.next_due is not None and h.next_due < end - timedelta(hours=1)]
    return Lag(
        median=round(statistics.median(minutes), 1),
        p95=round(minutes[int(len(minutes) * 0.95)], 1),
        longest=round(minutes[-1], 1),
        unread=len(closed) - len(read),
        overdue_reads=len(late),
        lookback_hours=None if done is None else round((done - _START) / timedelta(hours=1), 1),
        requests_in_vain=world.in_vain,
    )


def _read_at(world: _World, slice_: Slice) -> tuple[Slice, datetime] | None:
    """When the whole of a slice, or the last of its parts, was first read."""
    if slice_ in world.first_reads:
        return slice_, world.first_reads[slice_]
    head = world.heads.get(slice_)
    if head is None or head.state is not SliceState.SPLIT:
        return None
    halves = [_read_at(world, half) for half in slice_.halves() or ()]
    whole = [found for found in halves if found is not None]
    return (slice_, max(at for _, at in whole)) if whole and len(whole) == len(halves) else None
