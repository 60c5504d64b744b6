"""Findings by windows of time, newest first, within a number of storage requests.

Table Storage gives rows in the order of their keys, oldest first, so the list looks through windows of time, newest
first, and turns each one round. A window that one request cannot give whole is narrowed, a sparse one makes the next
wider; a single instant with more findings than one request gives is read on from its last row. Where it stopped, and
how wide the windows were, goes on in the cursor. Where every finding fits, a request asks for little more than the page
shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import batched
from typing import Final, NamedTuple

from pydantic import Field

from shared.basics.times import MICROSECOND
from shared.incidents.findings import Finding
from shared.ledger.slices import DAY, midnight
from shared.store.findings import OUTLINE, findings_within
from shared.store.tables import Table
from shared.store.wants import Want
from shared.wire.cursor import Place, PlaceTime

# Tenants whose logs are read side by side; with more of them the list goes through one group after the other.
_GROUP: Final = 4
_WIDEST: Final = 4096 * DAY
_STEP: Final = 4
_NARROWEST_STEP: Final = 256  # a crowd at a window's beginning says little of its end
_MOST: Final = 1_000  # rows of one request
_FEW: Final = 150
# The first request of a long window asks for a third: where it holds a crowd, that was read in vain.
_PROBE: Final = 3
_LONG: Final = timedelta(hours=6)
_AFTER_A_CROWD: Final = timedelta(seconds=1)


def micros(width: timedelta) -> int:
    """A span as a cursor holds it."""
    return width // MICROSECOND


class FindingPlace(Place):
    """Where the list goes on: with what is before `end`, of a group of tenants. `passed` is the tenant and the key of
    the last one given, where more of the same instant (the one before `end`) may follow. The whole list is of
    `start` to `until`."""

    start: PlaceTime
    until: PlaceTime
    end: PlaceTime
    group: int = Field(default=0, ge=0, lt=10_000)
    width: int = Field(default=micros(DAY), ge=1, le=micros(_WIDEST))  # microseconds
    passed: tuple[int, str] | None = None

    @property
    def window(self) -> datetime:
        """Where the next window begins: in the same day as its end, or a midnight some whole days before."""
        width = self.width * MICROSECOND
        if self.end == midnight(self.end) and width >= DAY:
            return midnight(max(self.end - width, self.start))
        return max(midnight(self.end - MICROSECOND), self.end - width, self.start)

    @property
    def is_instant(self) -> bool:
        """Whether the next window cannot be cut further."""
        return self.end - self.window <= MICROSECOND

    def narrowed(self, seen: datetime | None, middle: datetime | None, *, times: int) -> FindingPlace:
        """With a narrower window. `seen` is how far one request got from the window's beginning, `middle` how far half
        of it did; the next request asks for so many times as much. Where findings lie evenly the next one is to be
        filled nearly, if they do so at its end."""
        whole = min(self.end - self.window, self.width * MICROSECOND)
        width = whole // _STEP
        if seen and middle:
            width = min(width, self.end - seen - MICROSECOND)
            reached = seen - self.window
            if reached / 4 <= middle - self.window <= reached * 3 / 4:
                width = min(width, max(times * reached * 4 // 5, whole // _NARROWEST_STEP))
        return self._with(width=max(width, MICROSECOND))

    def beyond(self, groups: int, width: timedelta) -> FindingPlace | None:
        """Behind this window, which was given whole; None at the end of the list."""
        if self.window > self.start:
            return self._with(end=self.window, width=min(width, _WIDEST), passed=None)
        if self.group + 1 < groups:
            return self._with(end=self.until, width=DAY, passed=None, group=self.group + 1)
        return None

    def behind(self, row: _Row) -> FindingPlace:
        """Behind one finding."""
        return self._with(end=row.finding.at + MICROSECOND, passed=(row.tenant, row.key))

    def behind_key(self, tenant: int, key: str) -> FindingPlace:
        """Further in the same instant."""
        return self._with(passed=(tenant, key))

    def is_left(self, row: _Row) -> bool:
        """Whether a finding of the window is still to be given."""
        if row.finding.at < self.start:
            return False
        return self.passed is None or row.finding.at + MICROSECOND < self.end or (row.tenant, row.key) > self.passed

    def _with(self, *, width: timedelta | None = None, **changes: object) -> FindingPlace:
        wide = {} if width is None else {"width": micros(width)}
        return self.model_copy(update={**changes, **wide})


class _Row(NamedTuple):
    finding: Finding
    key: str
    tenant: int  # its place in the group


def in_order(rows: Sequence[_Row]) -> list[_Row]:
    """Newest first; those of one instant by tenant and key."""
    by_key = sorted(rows, key=lambda row: (row.tenant, row.key))
    return sorted(by_key, key=lambda row: row.finding.at, reverse=True)


@dataclass(slots=True)
class Walk:
    """One call's way through the windows. `place` is None at the end of the list. `fits` is None where every finding
    fits; `of` is what the service looks for itself: all that `fits` takes must have it. `outlines`: of each finding no
    more than where it lies and whose it is. `of_tenant` has for each of `found` the tenant whose log it is of."""

    table: Table
    tenants: Sequence[str]
    fits: Callable[[Finding], bool] | None
    place: FindingPlace | None
    of: Mapping[str, str] = field(default_factory=dict)
    outlines: bool = False
    found: list[Finding] = field(default_factory=list)
    of_tenant: list[str] = field(default_factory=list)
    _limit: int = 0
    _most: int = _MOST
    _requests: int = 0
    _was_narrowed: bool = False
    _is_first: bool = True

    @property
    def groups(self) -> Sequence[Sequence[str]]:
        """The tenants, as they are read side by side."""
        return [*batched(self.tenants, _GROUP, strict=False)]

    async def go(self, limit: int, requests: int) -> None:
        """Find so many findings, by at most so many requests."""
        self._limit, self._requests = limit, requests
        self._most = _MOST if self.fits else min(_MOST, max(_FEW, limit * 3 // 2))
        while (place := self.place) is not None and len(self.found) < limit:
            if place.group >= len(self.groups):
                self.place = None
            elif self._requests < (1 if place.is_instant else len(self.groups[place.group])):
                return
            elif place.is_instant:
                await self._instant(place)
            else:
                await self._window(place)

    def _fits(self, finding: Finding) -> bool:
        return self.fits is None or self.fits(finding)

    async def _window(self, place: FindingPlace) -> None:
        tenants = self.groups[place.group]
        self._requests -= len(tenants)
        times = _PROBE if self._is_first and place.end - place.window >= _LONG else 1
        self._is_first = False
        want = Want(self._most // times, self.of, OUTLINE if self.outlines else ())
        parts = await asyncio.gather(
            *(findings_within(self.table, t, place.window, place.end, want=want) for t in tenants)
        )
        if any(more for _, more in parts):
            got = [(found[-1][1].at, found[len(found) // 2][1].at) for found, more in parts if more and found]
            self.place, self._was_narrowed = place.narrowed(*max(got, default=(None, None)), times=times), True
            return
        rows = [_Row(finding, key, number) for number, (found, _) in enumerate(parts) for key, finding in found]
        wanted = [row for row in in_order(rows) if place.is_left(row) and self._fits(row.finding)]
        taken = wanted[: self._limit - len(self.found)]
        self.found += [row.finding for row in taken]
        self.of_tenant += [tenants[row.tenant] for row in taken]
        if len(taken) < len(wanted):
            self.place = place.behind(taken[-1])
            return
        width = place.width * MICROSECOND
        if not rows:
            width *= _STEP * _STEP
        elif len(rows) < self._most // _STEP and not self._was_narrowed:
            width *= _STEP
        self.place = place.beyond(len(self.groups), width)

    async def _instant(self, place: FindingPlace) -> None:
        """The next findings of an instant: those of one tenant, in the order of their keys."""
        tenants = self.groups[place.group]
        tenant, after = place.passed or (0, "")
        if tenant >= len(tenants):  # a forged cursor
            self.place = None
            return
        self._requests -= 1
        want = Want(self._most, self.of, OUTLINE if self.outlines else ())
        rows, more = await findings_within(self.table, tenants[tenant], place.window, place.end, after=after, want=want)
        for key, finding in rows:
            if len(self.found) == self._limit:
                self.place = place.behind_key(tenant, after)
                return
            after = key
            if self._fits(finding):
                self.found.append(finding)
                self.of_tenant.append(tenants[tenant])
        if more:
            self.place = place.behind_key(tenant, after)
        elif tenant + 1 < len(tenants):
            self.place = place.behind_key(tenant + 1, "")
        else:
            self.place = place.beyond(len(self.groups), _AFTER_A_CROWD)
