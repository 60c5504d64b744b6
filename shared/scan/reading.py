"""What one read of a slice found: each record judged once, as its version served last. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from shared.incidents.causes import with_cause
from shared.incidents.erased import NOBODY, ErasedPeople, without_traces
from shared.incidents.findings import Finding, finding_of, person_of
from shared.ledger.counts import Counts
from shared.ledger.slices import Slice
from shared.rules.assess import Assessment
from shared.rules.cause import Configured
from shared.rules.rule import Policy
from shared.scan.kinds import Kinds
from shared.scan.shelf import Parted, part_of
from shared.scan.sightings import Sighting, Sightings
from shared.signin.careful import Quarantined
from shared.signin.decoding import SignInPage, source_bytes
from shared.signin.directory import Directory
from shared.signin.evidence import Evidence
from shared.signin.model import SignIn
from shared.signin.sessions import Proof, Session, SessionKey, root_of, session_it_may_root, session_of
from shared.signin.traits import WATCHED


class SaysOfSession(NamedTuple):
    """What an interactive record says of its session; UNKNOWN says nothing, or no more what it once said."""

    session: SessionKey
    record: str
    at: datetime
    own: Evidence


class Found:
    """The findings of a reading, in no order, as often as they are asked for: not all are ever held at once."""

    __slots__ = ("_reading",)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __iter__(self) -> Iterator[Finding]:
        return self._reading.each_finding()

    def part(self, part: int) -> Iterator[Finding]:
        """Those whose records are of that part (shared/scan/shelf.py)."""
        return self._reading.each_finding(part)


@dataclass(slots=True)
class Reading:
    """The records of a slice, judged. Call `add` for each page, then `settle` with what the sessions proved.

    Of a record no more is held than its id and three numbers, unless it breaks a rule or has to do with a session. Of
    many findings most wait on shelves; what a record makes that is served anew is held beside them, and what they have
    of the record counts no more.
    """

    slice: Slice
    directory: Directory
    policy: Policy
    erased: ErasedPeople = NOBODY
    configured: Configured | None = None  # the tenant's policies: why a sign-in was possible
    quarantined: dict[str, Quarantined] = field(default_factory=dict)
    _ids: dict[str, None] = field(default_factory=dict)  # in the order of their places among the sightings
    _places: dict[str, int] = field(default_factory=dict)  # as far as anybody asked for one
    _kinds: Kinds = field(init=False)
    _sightings: Sightings = field(init=False)
    _roots: dict[str, SaysOfSession] = field(default_factory=dict)  # by record, as the rest
    _asks: dict[str, tuple[SignIn, SessionKey]] = field(default_factory=dict)
    _findings: Parted[Finding] = field(default_factory=Parted[Finding])
    _late: dict[str, Finding] = field(default_factory=dict)  # of records that asked, or were served again
    _outdated: set[str] = field(default_factory=set)  # ids of which only what is late counts
    _erased_keys: dict[str, str] = field(default_factory=dict)  # by record: who it was of

    def __post_init__(self) -> None:
        self._kinds = Kinds(self.directory, self.policy)
        self._sightings = Sightings(self.slice.start)

    def add(self, page: SignInPage) -> None:
        """Judge a page. A record at the slice's end belongs to the next slice; one outside the window that was asked
        for is quarantined, because nobody else would ever see it."""
        for record in page.records:
            if isinstance(record, Quarantined):
                if _time_in(record.raw) != self.slice.end:  # else the next slice has it too
                    self._quarantine(record)
            elif self.slice.start <= record.at < self.slice.end:
                self._judge(self._without_person(record) if self.erased.erasures else record)
            elif record.at != self.slice.end:
                raw = source_bytes(record)
                self._quarantine(Quarantined("createdDateTime lies outside the period that was asked for", raw, -1))

    def _quarantine(self, record: Quarantined) -> None:
        kept = self.erased.without_raw(record)
        self.quarantined[kept.key] = kept

    def _without_person(self, sign_in: SignIn) -> SignIn:
        """The record under a pseudonym where it is of somebody erased, judged as before."""
        self._erased_keys.pop(sign_in.id, None)
        known = self.erased.known_in(sign_in)
        if known is None:
            return sign_in
        under = self.erased.without_names(sign_in, known.erasure)
        person = person_of(under, self.directory)
        if person != known.erasure.pseudonym:  # a masked name of somebody not on the roster: the user id names another
            self._erased_keys[sign_in.id] = person
            return under
        self._erased_keys[sign_in.id] = known.user_key
        return self.erased.without_session(under)

    def asking(self) -> set[SessionKey]:
        """The sessions that records go by which say nothing of MFA themselves."""
        return {session for _, session in self._asks.values()}

    def roots(self) -> dict[SessionKey, list[SaysOfSession]]:
        """What interactive records of partner users say of their sessions."""
        by_session: dict[SessionKey, list[SaysOfSession]] = {}
        for root in self._roots.values():
            by_session.setdefault(root.session, []).append(root)
        return by_session

    def settle(self, proofs: Mapping[SessionKey, Proof]) -> None:
        """Judge the records that asked by what their sessions proved at their time."""
        for sign_in, session in [*self._asks.values()]:
            if proof := proofs.get(session):
                self._judge(sign_in, proof.at(sign_in.at))

    @property
    def ids(self) -> Set[str]:
        """The ids of all records that could be read."""
        return self._ids.keys()

    @property
    def total(self) -> int:
        """How many records there are, those in quarantine included."""
        return len(self._ids) + len(self.quarantined)

    def findings(self) -> Found:
        """The findings, in no order; they can be gone through as often as it takes."""
        return Found(self)

    def each_finding(self, part: int | None = None) -> Iterator[Finding]:
        """The findings, or those of a part, once."""
        of_part = self._findings if part is None else self._findings.part(part)
        yield from (finding for record, finding in of_part if record not in self._outdated)
        yield from (finding for record, finding in self._late.items() if part is None or part_of(record) == part)

    def counts(self) -> Counts:
        """What is counted of the slice."""
        return self._sightings.counts(self._kinds, self._ids)

    def _judge(self, sign_in: SignIn, session: Session = Session.UNSEEN) -> None:
        """Judge a record; of one that was judged before what was found then counts no more."""
        number, what = self._kinds.what(sign_in, session)
        finding = self._finding(sign_in, what.assessment) if what.assessment.fits else None
        if finding and finding.cause:
            number = self._kinds.caused(what, finding.cause)
        sighting = Sighting(self._kinds.who(sign_in), number, sign_in.at)
        record = sign_in.id
        again = record in self._ids
        if again:
            self._forget(record)
            self._sightings.change(self._place_of(record), sighting)
        else:
            self._ids[record] = None
            self._sightings.put(sighting)
        if root := self._root(sign_in):
            self._roots[record] = root
        asks = self._asks_of(sign_in, what.assessment)
        if asks:
            self._asks[record] = asks
        if finding and (asks or again):
            self._late[record] = finding
        elif finding:
            self._findings.put(record, finding)

    def _forget(self, record: str) -> None:
        self._late.pop(record, None)
        self._roots.pop(record, None)
        self._asks.pop(record, None)
        self._outdated.add(record)

    def _place_of(self, record: str) -> int:
        for known in islice(self._ids, len(self._places), None):
            self._places[known] = len(self._places)
        return self._places[record]

    def _finding(self, sign_in: SignIn, assessment: Assessment) -> Finding | None:
        found = finding_of(sign_in, assessment, self.directory)
        finding = found and with_cause(found, self.configured)
        erased_key = self._erased_keys.get(sign_in.id)
        return without_traces(finding, erased_key, finding.user) if finding and erased_key else finding

    def _asks_of(self, sign_in: SignIn, assessment: Assessment) -> tuple[SignIn, SessionKey] | None:
        if not assessment.asks_session or assessment.scope not in WATCHED:
            return None
        session = session_of(sign_in, self.directory)
        if session is None:
            return None
        sign_in.forget_source()  # or all pages stay in memory until the sessions are known
        return sign_in, session

    def _root(self, sign_in: SignIn) -> SaysOfSession | None:
        session = session_it_may_root(sign_in, self.directory)
        if session is None:
            return None
        root = root_of(sign_in, self.directory)
        return SaysOfSession(session, sign_in.id, sign_in.at, root.own if root else Evidence.UNKNOWN)


def _time_in(raw: bytes) -> datetime | None:
    """The createdDateTime of a record that cannot be read otherwise; None where that is broken as well."""
    try:
        record = json.loads(raw)
        at = datetime.fromisoformat(record["createdDateTime"]) if isinstance(record, dict) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
