"""Working on one message: a slice is claimed, read, written (shared/scan/writing.py) and given back.

What Graph does wrong ends in the ledger, as a slice that is tried again later or parked. Every write into the slice's
own partition carries the head with If-Match, so that a worker that lost its claim writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.app.app import App
from shared.basics.events import log_event
from shared.basics.queue_messages import QueueBody
from shared.graph.problems import GraphProblem, Refused
from shared.graph.signins import pages
from shared.ledger.days import block_starts
from shared.ledger.flight import Flight
from shared.ledger.head import MAX_ATTEMPTS, SliceState, backoff
from shared.ledger.slices import Slice, near_retention_end
from shared.scan.hold import Hold
from shared.scan.launch import launch
from shared.scan.messages import SliceMessage, read_message
from shared.scan.reading import Reading
from shared.scan.splitting import split
from shared.scan.writing import ReadOf, write_reading
from shared.signin.directory import Directory
from shared.store.agenda import clear_due, due_mark
from shared.store.directory import DirectoryMissing
from shared.store.flights import change_flight, read_flight
from shared.store.ledger import Lost
from shared.store.tables import Tables

_TENANT_WAITS: Final = timedelta(seconds=30)
_ROSTER_WAITS: Final = timedelta(minutes=5)
# A slice whose message came back so often without an end kills its workers: it waits, and the others go on.
_CRASHES_IN_A_ROW: Final = 2
_CRASHED: Final = "Its workers crashed too often."


async def scan_slice(app: App, body: QueueBody) -> list[str]:
    """Work on one message. Returns the message of the tenant's next slice, or nothing.

    Raises only what makes the queue try again: storage that does not answer.
    """
    found = await _expected(app, body)
    if found is None:
        return []
    tables, message, flight = found
    try:
        follow = await _read_slice(app, tables, message, flight)
    except Lost:
        log_event("claim_lost", slice=message.slice.id)
        return []
    return await _go_on(app, tables, message, [*follow, *message.rest()])


async def park_poisoned(app: App, body: QueueBody) -> None:
    """Give up on a slice whose message crashed its workers too often; only its own flight is ended."""
    found = await _expected(app, body)
    if found is None:
        return
    tables, message, flight = found
    try:
        hold = await Hold.take(app, tables, message.slice, flight)
        if hold is not None:
            await _park(hold, _CRASHED)
    except Lost:
        return  # another slice has the flight: nothing here is this message's to end
    await _go_on(app, tables, message, [])


async def _expected(app: App, body: QueueBody) -> tuple[Tables, SliceMessage, Flight] | None:
    """The message with the tenant's flight; None for one that is malformed, or that the plan replaced by another."""
    message = read_message(body)
    if message is None:
        return None
    tables = await app.tables()
    flight = await read_flight(tables.control, message.tenant)
    return (tables, message, flight) if flight.send_id == message.send_id else None


async def _go_on(app: App, tables: Tables, message: SliceMessage, then: Sequence[Slice]) -> list[str]:
    flight = await read_flight(tables.control, message.tenant)
    if flight.send_id != message.send_id:
        return []
    if then and message.may_go_on(app.clock()) and not flight.must_wait(app.clock()):
        sent = await launch(app, tables, flight, then, chain_until=message.chain_until)
        return [sent] if sent else []
    await change_flight(tables.control, flight, send_id="", slice_id="", until=None)
    return []


# --- one slice --------------------------------------------------------------------------------------------------------


async def _read_slice(app: App, tables: Tables, message: SliceMessage, flight: Flight) -> list[Slice]:
    """Read a slice to its end. Returns the slices that stand in its place where it was split."""
    slice_ = message.slice
    mark = await due_mark(tables.control, slice_)
    hold = await Hold.take(app, tables, slice_, flight)
    if hold is None or await _is_given_back(hold):
        return []
    if near_retention_end(slice_, hold.now(), app.retention):
        await hold.write([], replace(hold.head, state=SliceState.IDLE, next_due=None, attempts=0))
    else:
        outcome = await _read_and_write(hold, was_made_due=mark is not None)
        if outcome.put_back:
            return []
        if outcome.halves or not _next_rolls_up(message, hold.now()):
            await hold.roll_up()
        if outcome.halves:
            return [*outcome.halves]
    if mark:
        await clear_due(tables.control, slice_, mark)
    if hold.flight.problem:
        await hold.change_flight(problem="", problem_since=None, refused=False)
    return []


def _next_rolls_up(message: SliceMessage, now: datetime) -> bool:
    """Whether the slice that follows at once is of the same hours of the day, which it adds up then. Where it does not
    come to that the next plan finds the roll-up stale."""
    following = message.rest()[:1] if message.may_go_on(now) else []
    return any(block_starts(slice_.start) == block_starts(message.slice.start) for slice_ in following)


async def _is_given_back(hold: Hold) -> bool:
    """Give a slice back unread that its workers do not survive: it waits, and the tenth time it is parked."""
    attempts = hold.head.attempts
    if attempts > MAX_ATTEMPTS:
        await _park(hold, _CRASHED)
    elif hold.follows_crash and attempts > _CRASHES_IN_A_ROW:
        await _put_back(hold, _CRASHED, attempts=attempts)
    else:
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of a read. `put_back`: it failed, and the slice is tried again later. `halves`: the slices that stand
    in its place now where it was split; else it was written."""

    put_back: bool = False
    halves: Sequence[Slice] = ()


async def _read_and_write(hold: Hold, *, was_made_due: bool) -> _Outcome:
    """Read the slice and replace what it said before, or split it."""
    began = hold.now()
    try:
        loaded = await hold.app.directory()
        found = await _read_pages(hold, loaded.directory)
    except DirectoryMissing as missing:
        await _tenant_waits(hold, f"No roster: {missing}.", _ROSTER_WAITS, refused=True)
        return _Outcome(put_back=True)
    except GraphProblem as problem:
        await _read_failed(hold, problem)
        return _Outcome(put_back=True)
    if isinstance(found, _TooManyPages):
        return _Outcome(halves=await split(hold, found.halves))
    await write_reading(hold, found.reading, ReadOf(began, found.requests, loaded.version, was_made_due))
    return _Outcome()


@dataclass(frozen=True, slots=True)
class _AllPages:
    """All pages of the slice, judged, and how many requests it took."""

    reading: Reading
    requests: int


@dataclass(frozen=True, slots=True)
class _TooManyPages:
    """The slice has more pages than one message may read, and these halves."""

    halves: tuple[Slice, Slice]


async def _read_pages(hold: Hold, directory: Directory) -> _AllPages | _TooManyPages:
    """Read and judge page by page, until all are read or the slice is to be halved. Raises GraphProblem."""
    settings = hold.app.settings
    configured = await hold.app.configured(hold.slice.tenant, hold.slice.start)
    reading = Reading(hold.slice, directory, settings.policy, await hold.app.erased(), configured)
    requests = 0
    async with aclosing(pages(hold.app.graph(hold.slice.tenant), hold.slice)) as coming:
        async for page in hold.while_waiting(coming):
            requests += 1
            reading.add(page)
            if requests >= settings.pages_per_slice and page.next_link and (halves := hold.slice.halves()):
                return _TooManyPages(halves)
            await hold.keep()
    return _AllPages(reading, requests)


# --- a read in vain ---------------------------------------------------------------------------------------------------


async def _read_failed(hold: Hold, problem: GraphProblem) -> None:
    """Note why the read failed and when to try again; the tenth time in vain parks the slice."""
    log_event("slice_put_back", slice=hold.slice.id, problem=type(problem).__name__, attempts=hold.head.attempts)
    if problem.tenant_wide:
        wait = problem.retry_after or _TENANT_WAITS
        await _tenant_waits(hold, str(problem), wait, refused=isinstance(problem, Refused))
    elif hold.head.attempts >= MAX_ATTEMPTS:
        await _park(hold, str(problem))
    else:
        await _put_back(hold, str(problem), attempts=hold.head.attempts, at_least=problem.retry_after)


async def _tenant_waits(hold: Hold, problem: str, wait: timedelta, *, refused: bool) -> None:
    """Leave all of the tenant alone for a while. The slice is not to blame, so that its attempt does not count.
    `refused`: waiting alone does not help."""
    since = hold.flight.problem_since if hold.flight.problem else hold.now()
    await hold.change_flight(not_before=hold.now() + wait, problem=problem, problem_since=since, refused=refused)
    await _put_back(hold, problem, attempts=hold.head.attempts - 1, at_least=wait, at_most=wait)


async def _put_back(
    hold: Hold, problem: str, *, attempts: int, at_least: timedelta | None = None, at_most: timedelta | None = None
) -> None:
    """Have the slice tried again after the back-off of so many attempts."""
    wait = max(at_least or timedelta(0), backoff(attempts))
    due = hold.now() + (min(wait, at_most) if at_most else wait)
    await hold.write([], replace(hold.head, state=SliceState.IDLE, attempts=attempts, next_due=due, problem=problem))
    await hold.roll_up()


async def _park(hold: Hold, why: str) -> None:
    """Give up on the slice until an operator releases it; coverage shows it."""
    await hold.write([], replace(hold.head, state=SliceState.PARKED, next_due=None, problem=f"Parked. {why}"))
    log_event("slice_parked", slice=hold.slice.id, attempts=hold.head.attempts)
    await hold.roll_up()
