"""Reading the partner's people and customers anew: resumable, and never worse than what stood before.

Two sources are read side by side, each at its own pace: the roster with the customers, and the registration report. A
source is published only when every question about it was answered; until then its pages are kept, so that a refresh
that was cut off goes on. What Graph does wrong is noted with the source, and the last good lists stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final
from uuid import uuid4

from shared.app.app import App
from shared.basics.events import log_event
from shared.graph.client import GraphClient
from shared.graph.directory import AnyPage, Ask, PageKind, SecurityDefaultsPart, fetch, first_url, of_text, to_text
from shared.graph.problems import BadAnswer, GraphProblem
from shared.people.fetched import Fetched, registration_asks, roster_asks
from shared.people.merge import Shrunk
from shared.people.named_groups import NamedGroups
from shared.people.policies import refresh_policies
from shared.people.pseudonyms import file_under_pseudonyms, text_under_pseudonyms, under_pseudonyms
from shared.people.publish import (
    CompleteSource,
    Read,
    Registrations,
    publish_directory,
    publish_lists,
)
from shared.people.roster import Roster
from shared.posture.policies import Policies
from shared.store.directory import Loaded, erasures_noted, load_directory_if_any
from shared.store.erased import read_erased
from shared.store.refresh import (
    Lease,
    LeaseLost,
    Piece,
    RefreshState,
    keep_pieces,
    kept_pieces,
    read_state,
    remove_pieces,
    write_state,
)
from shared.store.swap import until_settled
from shared.store.tables import Conflict, Tables

ROSTER: Final = "roster"
REGISTRATIONS: Final = "registrations"
_ASKS: Final[dict[str, Callable[[Fetched, Sequence[str]], list[Ask]]]] = {
    ROSTER: roster_asks,
    REGISTRATIONS: registration_asks,
}

# Requests to Graph in flight, a source. Their pace is that of the settings: Graph gives the smallest tenant 3,500 units
# in ten seconds for groups, roles and their holders, of which the dearest read here (transitiveMembers with $select)
# takes 4; and the reports 5 requests, of which the sign-in log takes 4 ("Microsoft Graph service-specific throttling
# limits"). For relationships and PIM no limit is published; a 429 there puts the rest of the refresh off.
_AT_ONCE: Final = 8
_ROUND: Final = 100  # requests between two times that pages are kept
_LONGEST_WORK: Final = timedelta(minutes=25)  # a function may run for 30
_STALE: Final = timedelta(hours=6)  # pages older than that are not gone on with
_AGAIN: Final = timedelta(minutes=5)
_AFTER_NONSENSE: Final = timedelta(hours=1)
_TRIES: Final = 5  # to publish, while people are erased


async def refresh_directory(app: App, *, scheduled: bool) -> None:
    """Read roster, customers and registrations anew.

    `scheduled` begins a refresh. Else one that was cut off is carried on, once its time to wait has passed, and the
    very first one is begun, also where a directory file was loaded, which lacks what the lists show. Returns at once
    while another worker refreshes. What Graph does wrong ends in the state of the source (shared/store/refresh.py).
    Raises only where storage does not answer.
    """
    tables = await app.tables()
    now = app.clock()
    unknown = not scheduled and await load_directory_if_any(tables.directory) is None
    if not await _due(tables, scheduled=scheduled, unknown=unknown, now=now):
        return
    lease = await Lease.take(tables.directory, uuid4().hex, now, app.lease)
    if lease is None:
        return
    try:
        due = await _due(tables, scheduled=scheduled, unknown=unknown, now=now)  # another worker may just have ended
        await _Refresh(app, tables, lease, now).run(due)
        await lease.give_back()
    except LeaseLost:
        log_event("directory_lease_lost")


async def _due(tables: Tables, *, scheduled: bool, unknown: bool, now: datetime) -> list[RefreshState]:
    """The sources to read now. `unknown`: there is no directory, so that nothing can be judged."""
    states = [await read_state(tables.directory, source) for source in (ROSTER, REGISTRATIONS)]
    if scheduled:
        return states
    begun = [s for s in states if s.run or s.began is None or unknown]
    return [s for s in begun if s.not_before is None or s.not_before <= now]


class _Refresh:
    """One piece of work, for as long as it holds the lease."""

    def __init__(self, app: App, tables: Tables, lease: Lease, started: datetime) -> None:
        self._app = app
        self._tables = tables
        self._table = tables.directory
        self._lease = lease
        self._started = started
        self._federated: frozenset[str] | None = None
        self._named: NamedGroups | None = None

    async def run(self, due: Iterable[RefreshState]) -> None:
        """Read what is due and publish what was read to its end."""
        results = await asyncio.gather(*(self._read(state) for state in due), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        complete = {result.state.source: result for result in results if isinstance(result, CompleteSource)}
        try:
            published = await until_settled("who is erased", partial(self._publish, complete), tries=_TRIES)
        except Conflict:
            log_event("directory_refresh_pauses", source="all", requests=0)  # the next tick goes on with it
            return
        for source in published:
            await self._finished(source)

    # --- reading ------------------------------------------------------------------------------------------------------

    async def _read(self, state: RefreshState) -> CompleteSource | None:
        """Read a source to its end; None when it did not get there this time."""
        state = await self._begun(state)
        try:
            fetched, row = await self._replayed(state.run)
        except BadAnswer as bad:
            await self._failed(state, bad)
            return None
        client = self._client(state.source)
        wanted = _ASKS[state.source]
        further = self._app.settings.further_group_ids
        while asks := [*islice(fetched.open_asks(wanted(fetched, further), client.base_url), _ROUND)]:
            if self._app.clock() - self._started > _LONGEST_WORK:
                log_event("directory_refresh_pauses", source=state.source, requests=state.requests)
                return None
            pages, problem = await _ask_all(client, asks)
            pieces, unfit = _taken(fetched, pages)
            problem = unfit or problem
            erased = await read_erased(self._tables.control)
            under = [piece._replace(text=text_under_pseudonyms(piece.text, erased)) for piece in pieces]
            row = await keep_pieces(self._table, state.run, self._lease.owner, row, under)
            await self._lease.renew(self._app.clock())
            state = replace(state, requests=state.requests + len(asks))
            if problem is not None:
                await self._failed(state, problem)
                return None
        return CompleteSource(replace(state, notes=_notes(fetched, further)), fetched)

    async def _begun(self, state: RefreshState) -> RefreshState:
        """The state of the run to go on with: the one under way unless its pages are stale, else a new one."""
        now = self._app.clock()
        if state.run and state.began and now - state.began > _STALE:
            await remove_pieces(self._table, state.run)
            state = replace(state, run="")
        if not state.run:
            state = replace(state, run=uuid4().hex, began=now, requests=0, notes=())
            await write_state(self._table, state)
        return state

    async def _replayed(self, run: str) -> tuple[Fetched, int]:
        """What the kept pages of a run say, and the number of the next row. Raises BadAnswer."""
        fetched = Fetched()
        row = 0
        async for number, pieces in kept_pieces(self._table, run):
            row = number + 1
            for piece in pieces:
                ask = Ask(PageKind(piece.kind), piece.of)
                fetched.add(ask, piece.number, of_text(ask.kind, piece.text))
        return fetched, row

    def _client(self, source: str) -> GraphClient:
        settings = self._app.settings
        budget = (
            settings.directory_requests_per_10_seconds if source == ROSTER else settings.report_requests_per_10_seconds
        )
        return self._app.graph(settings.partner_tenant_id, budget)

    async def _failed(self, state: RefreshState, problem: GraphProblem) -> None:
        """Note why it does not get on and when to try again. After an answer that makes no sense it starts anew."""
        now = self._app.clock()
        await self._troubled(
            replace(state, not_before=now + (problem.retry_after or _AGAIN)),
            str(problem),
            abandon=isinstance(problem, BadAnswer),
        )
        log_event(
            "directory_refresh_failed",
            source=state.source,
            problem=type(problem).__name__,
            requests=state.requests,
        )

    async def _troubled(self, state: RefreshState, problem: str, *, abandon: bool) -> None:
        await self._lease.renew(self._app.clock())
        if abandon:
            await remove_pieces(self._table, state.run)
            state = replace(state, run="")
        since = state.since if state.problem else self._app.clock()
        await write_state(self._table, replace(state, problem=problem, since=since))

    # --- publishing ---------------------------------------------------------------------------------------------------

    async def _publish(self, complete: Mapping[str, CompleteSource]) -> list[CompleteSource]:
        """Publish what was read to its end, with the erased under their pseudonyms. Returns what is done with by that.

        Raises Conflict where somebody was erased meanwhile: whoever erases looks at everything after he noted so, so
        that what was published before that is under the pseudonym, and the rest is published anew.
        """
        loaded = await load_directory_if_any(self._table)
        noted = loaded.erasures if loaded else ""
        erased = await read_erased(self._tables.control)
        if loaded is not None:
            loaded = replace(loaded, file=file_under_pseudonyms(loaded.file, erased))
        for source in complete.values():
            under_pseudonyms(source.fetched, erased)
        registrations, roster = complete.get(REGISTRATIONS), complete.get(ROSTER)
        done, people = [*complete.values()], None
        if roster is not None:
            policies, self._named = await refresh_policies(self._app, erased)
            self._federated = _federated(policies)
            accounts = registrations.fetched.accounts if registrations else {}
            names = {key: a.user_principal_name for key, a in accounts.items() if a.user_principal_name}
            people = await self._publish_roster(roster, loaded, names)
            if people is None:
                done.remove(roster)
        read = Read(people, await self._registrations(registrations), self._named)
        if done and not await publish_lists(self._app, self._lease, read):
            return []
        if await erasures_noted(self._table) != noted:
            raise Conflict("somebody was erased meanwhile")
        return done

    async def _publish_roster(
        self, source: CompleteSource, loaded: Loaded | None, names: dict[str, str]
    ) -> Roster | None:
        """Replace the directory; None where it was not replaced, which is noted with the source. Raises Conflict where
        somebody was erased meanwhile."""
        try:
            return await publish_directory(self._app, self._lease, source, loaded, names, self._federated)
        except Shrunk as shrunk:
            again = replace(source.state, not_before=self._app.clock() + _AFTER_NONSENSE)
            await self._troubled(again, str(shrunk), abandon=True)
            log_event("directory_refresh_failed", source=ROSTER, problem="Shrunk", requests=source.state.requests)
        except Conflict:
            if loaded is None or await erasures_noted(self._table) != loaded.erasures:
                raise
            await self._troubled(source.state, "The directory was loaded from a file meanwhile.", abandon=False)
        return None

    async def _registrations(self, source: CompleteSource | None) -> Registrations | None:
        if source is None:
            return None
        return Registrations(source.fetched.accounts, await self._security_defaults(source))

    async def _security_defaults(self, registrations: CompleteSource) -> bool | None:
        """Whether security defaults are on; None where Graph does not tell, which is noted."""
        client, ask = self._client(REGISTRATIONS), Ask(PageKind.SECURITY_DEFAULTS)
        try:
            page: AnyPage = await fetch(client, ask, first_url(client.base_url, ask))
        except GraphProblem as problem:
            notes = (*registrations.state.notes, str(problem))
            registrations.state = replace(registrations.state, notes=notes)
            return None
        (policy,) = page.value
        return policy.is_enabled if isinstance(policy, SecurityDefaultsPart) else None

    async def _finished(self, source: CompleteSource) -> None:
        state = source.state
        done = replace(
            state,
            run="",
            last_began=state.began,
            last_completed=self._app.clock(),
            problem="",
            since=None,
            not_before=None,
            due_since=None,
        )
        await self._lease.renew(self._app.clock())
        await remove_pieces(self._table, state.run)  # first: a crash behind it must leave nothing that nobody names
        await write_state(self._table, done)


def _federated(policies: Policies | None) -> frozenset[str] | None:
    """The federated domains; None where they could not be read."""
    if policies is None or policies.domains is None:
        return None
    return frozenset(domain.domain for domain in policies.domains if domain.federated)


async def _ask_all(
    client: GraphClient, asks: Iterable[tuple[Ask, str]]
) -> tuple[list[tuple[Ask, AnyPage]], GraphProblem | None]:
    """Ask all, a few at a time. What was answered, and the first problem; after one nothing more is sent."""
    room = asyncio.Semaphore(_AT_ONCE)
    problems: list[GraphProblem] = []

    async def one(ask: Ask, url: str) -> tuple[Ask, AnyPage] | None:
        async with room:
            if problems:
                return None
            try:
                return ask, await fetch(client, ask, url)
            except GraphProblem as problem:
                problems.append(problem)
                return None

    answers = await asyncio.gather(*(one(ask, url) for ask, url in asks))
    return [answer for answer in answers if answer], problems[0] if problems else None


def _taken(fetched: Fetched, pages: Iterable[tuple[Ask, AnyPage]]) -> tuple[list[Piece], BadAnswer | None]:
    """Take in pages. Returns those to keep, and what was wrong with the first that makes no sense."""
    pieces: list[Piece] = []
    for ask, page in pages:
        number = fetched.pages(ask)
        try:
            fetched.add(ask, number, page)
        except BadAnswer as bad:
            return pieces, bad
        pieces.append(Piece(ask.kind, ask.of, number, to_text(page)))
    return pieces, None


def _notes(fetched: Fetched, further: Sequence[str]) -> tuple[str, ...]:
    notes = []
    if gone := sorted({group.lower() for group in further} & fetched.gone_groups):
        notes.append(f"FURTHER_GROUP_IDS names groups that are not there: {', '.join(gone[:10])}.")
    if fetched.without_pim:
        notes.append("The tenant has no licence for PIM (P2 or Governance), so that nobody is eligible for anything.")
    return tuple(notes)
