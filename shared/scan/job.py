"""Reading one slice and replacing what it said before.

The order is the contract (design.md, "What the first review of this design settled"): claim; read; roots, asks and
answers of sessions; the incidents that will be touched; findings, with the counts in their last batch; incidents;
done. A crash anywhere leaves a head that is not whole, which the plan starts again, and everything that is written is
the same however often it is written. Every write into the slice's own partition carries the head with If-Match.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from shared.app.app import App
from shared.basics.events import log_event
from shared.exceptions.model import accepting
from shared.graph.problems import GraphProblem, Refused
from shared.graph.signins import pages
from shared.incidents.findings import Finding
from shared.incidents.life import Accepts
from shared.incidents.model import Facts, Who, contributions
from shared.ledger.counts_json import mark_of
from shared.ledger.flight import Flight
from shared.ledger.head import MAX_ATTEMPTS, Head, SliceState
from shared.ledger.slices import Slice, near_retention_end
from shared.rules import RULES_VERSION
from shared.scan.messages import SliceMessage, read_message
from shared.scan.plan import launch
from shared.scan.reading import Reading
from shared.signin.decoding import DECODER_VERSION
from shared.signin.directory import Directory
from shared.store import sessions
from shared.store.directory import DirectoryMissing
from shared.store.exceptions import read_exceptions
from shared.store.findings import finding_row, findings_of, quarantined_of, quarantined_row
from shared.store.flights import change_flight, read_flight
from shared.store.incidents import Contributor, contribute
from shared.store.ledger import FENCED_CHANGES, Claim, Lost, clear_due, due_mark, make_due, new_head
from shared.store.rollups import roll_up
from shared.store.tables import SCHEMA, Operation, Tables, delete, keys, upsert

_AT_ONCE: Final = 16  # requests to Table Storage in flight
_FIRST_BACKOFF: Final = timedelta(seconds=30)
_LONGEST_BACKOFF: Final = timedelta(hours=1)
_INCONSISTENT_AGAIN: Final = timedelta(hours=1)


async def scan_slice(app: App, body: str) -> list[str]:
    """Work on one message; gives the message of the tenant's next slice, or nothing.

    What Graph does wrong ends in the ledger and not here. Raises only what makes the queue try again: storage that
    does not answer.
    """
    message = read_message(body)
    if message is None:
        return []
    tables = await app.tables()
    flight = await read_flight(tables.control, message.tenant)
    if flight.send_id != message.send_id:
        return []  # the plan gave this one up and sent another
    work = _Work(app, tables, message.slice, flight)
    try:
        follow = await work.run()
    except Lost:
        log_event("claim_lost", slice=message.slice.id)
        return []
    return await _go_on(app, tables, message, [*follow, *message.rest()])


async def park_poisoned(app: App, body: str) -> None:
    """Give up on a slice whose message crashed its workers too often; only its own flight is ended."""
    message = read_message(body)
    if message is None:
        return
    tables = await app.tables()
    flight = await read_flight(tables.control, message.tenant)
    if flight.send_id != message.send_id:
        return
    work = _Work(app, tables, message.slice, flight)
    claim = await work.claim()
    if claim:
        await work.park(claim, "Its workers crashed too often.")
    await _go_on(app, tables, message, [])


async def _go_on(app: App, tables: Tables, message: SliceMessage, then: Sequence[Slice]) -> list[str]:
    flight = await read_flight(tables.control, message.tenant)
    if flight.send_id != message.send_id:
        return []
    if then and not flight.must_wait(app.clock()):
        sent = await launch(app, tables, flight, then)
        return [sent] if sent else []
    await change_flight(tables.control, flight, send_id="", slice_id="", until=None)
    return []


@dataclass(frozen=True, slots=True)
class _Change:
    """What a read changes in the slice's findings, by row key."""

    final: dict[str, Finding]  # what stands afterwards
    written: dict[str, Finding]
    removed: list[str]
    incidents: set[str]  # touched by any of it
    missing: bool  # a finding's record was not served this time


class _Work:
    """One slice in the hands of one worker."""

    def __init__(self, app: App, tables: Tables, slice_: Slice, flight: Flight) -> None:
        self._app = app
        self._tables = tables
        self._slice = slice_
        self._flight = flight
        self._ages = app.settings.read_ages

    async def claim(self) -> Claim | None:
        """Claim the slice; None when it is not to be read now."""
        return await Claim.take(
            self._tables.slices,
            self._slice,
            owner=uuid4().hex,
            send_id=self._flight.send_id,
            now=self._app.clock(),
            lease=self._app.lease,
        )

    async def run(self) -> list[Slice]:
        """Read the slice to its end; gives the slices that stand in its place when it was split."""
        mark = await due_mark(self._tables.slices, self._slice)
        claim = await self.claim()
        if claim is None:
            return []
        now = self._app.clock()
        if near_retention_end(self._slice, now, self._app.retention):
            await claim.write([], now, replace(claim.head, state=SliceState.IDLE, next_due=None, attempts=0))
            return []
        if claim.head.attempts > MAX_ATTEMPTS:
            await self.park(claim, "Its workers crashed too often.")
            return []
        try:
            loaded = await self._app.directory()
            reading, requests = await self._read(claim, loaded.directory)
        except DirectoryMissing as missing:
            await self._put_back(claim, Refused(f"No roster: {missing}.", timedelta(minutes=5)))
            return []
        except GraphProblem as problem:
            await self._put_back(claim, problem)
            return []
        if reading is None:
            halves = await self._split(claim)
            await self._roll_up()
            return halves
        await self._write(claim, reading, now, requests, loaded.version)
        if mark:
            await clear_due(self._tables.slices, self._slice, mark)
        await self._roll_up()
        if self._flight.problem:
            await self._update_flight(problem="", problem_since=None, refused=False)
        return []

    # --- reading ------------------------------------------------------------------------------------------------------

    async def _read(self, claim: Claim, directory: Directory) -> tuple[Reading | None, int]:
        """All pages judged, and how many requests it took; None when there are too many and the slice can be halved."""
        reading = Reading(self._slice, directory, self._app.settings.policy, await self._app.erased())
        graph = self._app.graph(self._slice.tenant)
        requests = 0
        async with aclosing(pages(graph, self._slice)) as coming:
            async for page in coming:
                requests += 1
                reading.add(page)
                if requests >= self._app.settings.pages_per_slice and page.next_link and self._slice.halves():
                    return None, requests
                if page.next_link:  # a long read shows that it lives
                    await claim.write([], self._app.clock())
                    await self._update_flight(until=self._app.clock() + self._app.lease)
        return reading, requests

    async def _update_flight(self, **columns: Any) -> None:
        changed = await change_flight(self._tables.control, self._flight, **columns)
        if changed is None:
            raise Lost(f"the flight of tenant {self._slice.tenant} was given to another slice")
        self._flight = changed

    async def _put_back(self, claim: Claim, problem: GraphProblem) -> None:
        """Note why the read failed and when to try again; the tenth time in vain parks the slice."""
        now = self._app.clock()
        head = claim.head
        attempts = head.attempts if problem.counts else head.attempts - 1
        if problem.tenant_wide:
            wait = problem.retry_after or _FIRST_BACKOFF
            since = self._flight.problem_since if self._flight.problem else now
            await self._update_flight(
                not_before=now + wait, problem=str(problem), problem_since=since, refused=isinstance(problem, Refused)
            )
        else:
            backoff = min(_FIRST_BACKOFF * 2 ** min(attempts, 10), _LONGEST_BACKOFF)
            wait = max(problem.retry_after or timedelta(0), backoff)
        log_event("slice_put_back", slice=self._slice.id, problem=type(problem).__name__, attempts=attempts)
        if attempts >= MAX_ATTEMPTS:
            await self.park(claim, str(problem))
            return
        put_back = replace(head, state=SliceState.IDLE, attempts=attempts, next_due=now + wait, problem=str(problem))
        await claim.write([], now, put_back)
        await self._roll_up()

    async def park(self, claim: Claim, why: str) -> None:
        """Give up on the slice until an operator releases it; coverage shows it."""
        await claim.write(
            [], self._app.clock(), replace(claim.head, state=SliceState.PARKED, next_due=None, problem=f"Parked. {why}")
        )
        log_event("slice_parked", slice=self._slice.id, attempts=claim.head.attempts)
        await self._roll_up()

    async def _roll_up(self) -> None:
        tables = self._tables
        await roll_up(tables.slices, tables.rollups, self._slice.tenant, self._slice.start, self._ages)

    # --- writing ------------------------------------------------------------------------------------------------------

    async def _write(
        self, claim: Claim, reading: Reading, now: datetime, requests: int, directory_version: str
    ) -> None:
        """Replace what the slice said before. `now` is when the read began: it settles the ages that had passed."""
        sure = claim.head.whole
        await self._sessions(claim, reading)
        head = claim.head
        age = now - self._slice.end
        settled = len(self._ages) < 2 or age >= self._ages[1]
        was_settled = head.settled is not None and (len(self._ages) < 2 or head.settled >= self._ages[1])
        change = await self._compare(claim, reading, announce_all=settled and not was_settled)
        inconsistent = change.missing or reading.total < head.records
        touched = await self._touch(claim, change)
        counted = head
        if not inconsistent:
            counts = reading.counts().to_json()
            counted = replace(
                head,
                counts=counts,
                counts_mark=mark_of(counts),
                records=reading.total,
                quarantined=len(reading.quarantined),
            )
        operations = await self._operations(reading, change, keep_quarantined=inconsistent)
        if operations:
            await claim.write_all(operations, self._app.clock(), replace(counted, whole=False))
        parts = contributions(change.final.values(), settled=settled)
        await self._contribute(claim, {key: {self._slice: parts.get(key)} for key in touched})
        done = self._done(counted, age, inconsistent=inconsistent)
        if inconsistent and not sure:
            # A worker that died may have written a root whose record is missing now, and not have told those who ask:
            # whoever sees the record again tells them.
            done = replace(done, whole=False)
        done = replace(
            done,
            requests=head.requests + requests,
            versions=f"rules {RULES_VERSION}, decoder {DECODER_VERSION}, directory {directory_version}, "
            f"policy {self._app.settings.policy}",
        )
        await self._finish(claim, touched, done)

    def _done(self, head: Head, age: timedelta, *, inconsistent: bool) -> Head:
        """The head after a read that was written to its end, with its next due time."""
        done = replace(head, state=SliceState.IDLE, attempts=0, whole=True, problem="", consistent=not inconsistent)
        if inconsistent:
            last = age >= self._ages[-1]
            again = self._app.clock() + _INCONSISTENT_AGAIN
            why = "The log served less than before; what it had shown stands."
            return replace(done, problem=why, settled=age if last else head.settled, next_due=None if last else again)
        done = replace(done, settled=age if head.settled is None else max(age, head.settled))
        next_age = done.next_age(self._ages)
        return replace(done, next_due=None if next_age is None else self._slice.end + next_age)

    async def _sessions(self, claim: Claim, reading: Reading) -> None:
        """Write what this slice proves for sessions, tell who went by them, then ask for those this slice goes by."""
        table, slice_ = self._tables.sessions, self._slice
        unsure = not claim.head.whole  # an older worker may be half-way: write and tell all again
        changes = await _all(
            sessions.roots_to_change(
                table,
                session,
                slice_,
                claim.head.generation,
                [sessions.Root(said.record, said.at, said.own) for said in says],
                rewrite=unsure,
            )
            for session, says in reading.roots().items()
        )
        changes = [change for change in changes if change.writes]
        if changes and claim.head.whole:
            await claim.write([], self._app.clock(), replace(claim.head, whole=False))
        await _all(sessions.change_roots(table, change) for change in changes)
        told = [change.session for change in changes if unsure or change.changes_proof]
        asked = await _all(sessions.askers(table, session) for session in told)
        for asker in {asker.id: asker for of_session in asked for asker in of_session}.values():
            if asker.id != slice_.id:  # by id, since an ask row spells the tenant without hyphens
                await make_due(self._tables.slices, asker, claim.head.generation)
        by_person: dict[str, set[str]] = {}
        for person, session_id in reading.asking():
            by_person.setdefault(person, set()).add(session_id)
        answers = await _all(sessions.ask(table, person, asked, slice_) for person, asked in by_person.items())
        reading.settle({session: proof for answer in answers for session, proof in answer.items()})

    async def _compare(self, claim: Claim, reading: Reading, *, announce_all: bool) -> _Change:
        """What the read changes. A finding is withdrawn only when its record is there and assesses otherwise now."""
        stored = await findings_of(self._tables.slices, self._slice)
        old = stored.findings
        rows = ((finding_row(self._slice.partition, finding)["RowKey"], finding) for finding in reading.findings())
        new = dict(rows)
        served = reading.ids
        removed = [key for key, finding in old.items() if key not in new and finding.id in served]
        missing = {key: f for key, f in old.items() if key not in new and f.id not in served}
        written = {key: f for key, f in new.items() if old.get(key) != f and key not in stored.foreign}
        final = {**missing, **new}
        concerned: Iterable[Finding] = [*written.values(), *(old[key] for key in (*written, *removed) if key in old)]
        if announce_all or not claim.head.whole:
            concerned = [*final.values(), *old.values()]
        lacks = bool(missing) or not served.issuperset(stored.foreign.values())
        return _Change(final, written, removed, {key for f in concerned for key in f.incidents()}, lacks)

    async def _touch(self, claim: Claim, change: _Change) -> set[str]:
        """Note the incidents that will change before the first finding does; gives them with those that a crashed
        worker had noted."""
        prefix = f"touch-{self._slice.name}-"
        table, partition = self._tables.slices, self._slice.partition
        noted = {str(row["RowKey"]).removeprefix(prefix) async for row in table.prefixed(partition, prefix, ["RowKey"])}
        rows: list[Operation] = [
            upsert({**keys(partition, prefix + key), "v": SCHEMA}) for key in sorted(change.incidents - noted)
        ]
        if rows and claim.head.whole:
            await claim.write(rows[:FENCED_CHANGES], self._app.clock(), replace(claim.head, whole=False))
            rows = rows[FENCED_CHANGES:]
        await claim.write_all(rows, self._app.clock())
        return noted | change.incidents

    async def _operations(self, reading: Reading, change: _Change, *, keep_quarantined: bool) -> list[Operation]:
        table, partition = self._tables.slices, self._slice.partition
        operations: list[Operation] = [delete(keys(partition, key)) for key in change.removed]
        operations += [upsert(finding_row(partition, finding)) for finding in change.written.values()]
        old = await quarantined_of(table, self._slice)
        new = {row["RowKey"]: row for row in (quarantined_row(self._slice, q) for q in reading.quarantined.values())}
        fresh = [row for key, row in new.items() if key not in old]
        if fresh:
            log_event("records_quarantined", slice=self._slice.id, records=len(fresh))
        operations += [upsert(row) for row in fresh]
        if not keep_quarantined:
            operations += [delete(keys(partition, key)) for key, ours in old.items() if ours and key not in new]
        return operations

    async def _contribute(self, claim: Claim, changes: Mapping[str, Mapping[Slice, tuple[Who, Facts] | None]]) -> None:
        if not changes:
            return
        first_seen = self._flight.first_seen
        first_scan = first_seen is not None and self._slice.end <= first_seen
        by = Contributor(
            claim.head.generation,
            self._app.clock(),
            first_scan,
            self._app.settings.life,
            await self._accepts(),
            self._accepts,
        )
        await _all(contribute(self._tables.incidents, key, dict(change), by) for key, change in changes.items())

    async def _accepts(self) -> Accepts:
        """What the exceptions silence that hold now."""
        exceptions = [stored.exception for stored in await read_exceptions(self._tables.control)]
        return accepting(exceptions, self._app.clock())

    async def _finish(
        self,
        claim: Claim,
        touched: set[str],
        head: Head,
        *,
        removed: Iterable[str] = (),
        last: Sequence[Operation] = (),
    ) -> None:
        """The last fenced write; the notes on touched incidents go with it, and the rows of those keys before it."""
        prefix = f"touch-{self._slice.name}-"
        gone = [*removed, *(prefix + key for key in sorted(touched))]
        removals = (delete(keys(self._slice.partition, key)) for key in gone)
        await claim.write_all(removals, self._app.clock(), head, last=last)

    async def _split(self, claim: Claim) -> list[Slice]:
        """Put two halves in the place of a slice that is too long; what it contributed moves to them."""
        halves = self._slice.halves()
        if halves is None:
            raise ValueError(f"slice {self._slice.id} cannot be halved")
        old = (await findings_of(self._tables.slices, self._slice)).findings
        every = {key for finding in old.values() for key in finding.incidents()}
        touched = await self._touch(claim, _Change(old, {}, [], every, missing=False))
        settled = claim.head.settled is not None and claim.head.settled >= self._ages[min(1, len(self._ages) - 1)]
        parts = [
            contributions((f for f in old.values() if half.start <= f.at < half.end), settled=settled)
            for half in halves
        ]
        await self._contribute(
            claim,
            {
                key: {self._slice: None, **{half: part.get(key) for half, part in zip(halves, parts, strict=True)}}
                for key in touched
            },
        )
        quarantined = await quarantined_of(self._tables.slices, self._slice)
        # In one batch with the head that says so: nobody may read a half while the whole still counts.
        heads = [new_head(half, self._app.clock(), claim.head.generation) for half in halves]
        why = "It held too many pages and was split into halves."
        head = replace(
            claim.head,
            state=SliceState.SPLIT,
            next_due=None,
            counts={},
            counts_mark="",
            records=0,
            quarantined=0,
            whole=True,
            problem=why,
        )
        log_event("slice_split", slice=self._slice.id)
        await self._finish(claim, touched, head, removed=[key for key, ours in quarantined.items() if ours], last=heads)
        return [*halves]


async def _all[T](work: Iterable[Awaitable[T]]) -> list[T]:
    """Everything at once, a few requests at a time; the first failure is raised after all have ended."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(task: Awaitable[T]) -> T:
        async with room:
            return await task

    results = await asyncio.gather(*(one(task) for task in work), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
