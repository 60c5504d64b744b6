"""What one read of a slice found: each record judged once, as its version served last. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from shared.incidents.causes import with_cause
from shared.incidents.erased import NOBODY, ErasedPeople, without_traces
from shared.incidents.findings import Finding, customer_of, finding_of, name_of, person_of
from shared.ledger.counts import Counts, Protocol, Seen
from shared.ledger.slices import Slice
from shared.rules.assess import Assessment, assess
from shared.rules.cause import Configured
from shared.rules.rule import Policy
from shared.scan.shelf import Shelf
from shared.signin.careful import Quarantined
from shared.signin.decoding import SignInPage, source_bytes
from shared.signin.directory import Directory
from shared.signin.evidence import Evidence
from shared.signin.model import SignIn
from shared.signin.protocol import way_of
from shared.signin.sessions import Proof, Session, SessionKey, root_of, session_it_may_root, session_of
from shared.signin.traits import WATCHED, is_interactive

_MANY: Final = 6_000  # records; of more, what is judged waits on shelves
_LONGEST_KEY: Final = 1024  # as a finding has them; only a broken record has more


class SaysOfSession(NamedTuple):
    """What an interactive record says of its session; UNKNOWN says nothing, or no more what it once said."""

    session: SessionKey
    record: str
    at: datetime
    own: Evidence


class _Judged(NamedTuple):
    seen: Seen
    finding: Finding | None
    root: SaysOfSession | None
    asks: tuple[SignIn, SessionKey] | None


class _Found:
    """The findings of a reading, in no order, as often as they are asked for: not all are ever held at once."""

    __slots__ = ("_reading",)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def __iter__(self) -> Iterator[Finding]:
        return self._reading.each_finding()


@dataclass(slots=True)
class Reading:
    """The records of a slice, judged. Call `add` for each page, then `settle` with what the sessions proved.

    Of a large slice what is judged waits on shelves; a record that is served anew after that is held beside them, and
    what the shelf has of it counts no more.
    """

    slice: Slice
    directory: Directory
    policy: Policy
    erased: ErasedPeople = NOBODY
    configured: Configured | None = None  # the tenant's policies: why a sign-in was possible
    quarantined: dict[str, Quarantined] = field(default_factory=dict)
    # By id; of one that is on the shelves only what it says of its session.
    _records: dict[str, _Judged | SaysOfSession | None] = field(default_factory=dict)
    _fresh: list[str] = field(default_factory=list)  # ids that no shelf was made of yet
    _outdated: set[str] = field(default_factory=set)  # ids of which the shelves have an older version
    _seen: Shelf[tuple[str, Seen]] = field(default_factory=Shelf[tuple[str, Seen]])
    _findings: Shelf[tuple[str, Finding]] = field(default_factory=Shelf[tuple[str, Finding]])
    _erased_keys: dict[str, str] = field(default_factory=dict)  # by record: who it was of

    def add(self, page: SignInPage) -> None:
        """Judge a page. A record at the slice's end belongs to the next slice; one outside the window that was asked
        for is quarantined, because nobody else would ever see it."""
        for record in page.records:
            if isinstance(record, Quarantined):
                if _time_in(record.raw) != self.slice.end:  # else the next slice has it too
                    self._quarantine(record)
            elif self.slice.start <= record.at < self.slice.end:
                self._hold(record.id, self._judge(self._without_person(record), Session.UNSEEN))
            elif record.at != self.slice.end:
                raw = source_bytes(record)
                self._quarantine(Quarantined("createdDateTime lies outside the period that was asked for", raw, -1))

        if len(self._records) > _MANY:
            self._shelve()

    def _hold(self, record: str, judged: _Judged) -> None:
        if record in self._records and not isinstance(self._records[record], _Judged):
            self._outdated.add(record)
        elif record not in self._outdated:
            self._fresh.append(record)
        self._records[record] = judged

    def _shelve(self) -> None:
        """Put on the shelves what is judged for good."""
        done = {r: j for r in self._fresh if isinstance(j := self._records[r], _Judged) and not j.asks}
        self._fresh.clear()
        self._seen.put([(record, judged.seen) for record, judged in done.items()])
        self._findings.put([(record, judged.finding) for record, judged in done.items() if judged.finding])
        self._records.update((record, judged.root) for record, judged in done.items())

    def _held(self) -> Iterator[_Judged]:
        return (judged for judged in self._records.values() if isinstance(judged, _Judged))

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
        return {judged.asks[1] for judged in self._held() if judged.asks}

    def roots(self) -> dict[SessionKey, list[SaysOfSession]]:
        """What interactive records of partner users say of their sessions."""
        by_session: dict[SessionKey, list[SaysOfSession]] = {}
        for judged in self._records.values():
            root = judged.root if isinstance(judged, _Judged) else judged
            if root:
                by_session.setdefault(root.session, []).append(root)
        return by_session

    def settle(self, proofs: Mapping[SessionKey, Proof]) -> None:
        """Judge the records that asked by what their sessions proved at their time."""
        for record_id, judged in self._records.items():
            if isinstance(judged, _Judged) and judged.asks and (proof := proofs.get(judged.asks[1])):
                sign_in = judged.asks[0]
                self._records[record_id] = self._judge(sign_in, proof.at(sign_in.at))

    @property
    def ids(self) -> Set[str]:
        """The ids of all records that could be read."""
        return self._records.keys()

    @property
    def total(self) -> int:
        """How many records there are, those in quarantine included."""
        return len(self._records) + len(self.quarantined)

    def findings(self) -> Iterable[Finding]:
        """The findings, in no order; they can be gone through as often as it takes."""
        return _Found(self)

    def each_finding(self) -> Iterator[Finding]:
        """The findings, once."""
        yield from (finding for record, finding in self._findings if record not in self._outdated)
        yield from (judged.finding for judged in self._held() if judged.finding)

    def counts(self) -> Counts:
        """What is counted of the slice."""
        counts = Counts()
        for record, seen in self._seen:
            if record not in self._outdated:
                counts.add(seen)
        for judged in self._held():
            counts.add(judged.seen)
        return counts

    def _judge(self, sign_in: SignIn, session: Session) -> _Judged:
        assessment = assess(sign_in, self.directory, self.policy, session)
        name = name_of(sign_in, self.directory) or sign_in.user_display_name or ""
        user = person_of(sign_in, self.directory)[:_LONGEST_KEY]
        customer = customer_of(sign_in, assessment.scope, self.directory)[:_LONGEST_KEY]
        app = sign_in.app_key[:_LONGEST_KEY]
        finding = self._finding(sign_in, assessment)
        cause = finding.cause if finding else None
        return _Judged(
            Seen(
                *(assessment, user, name, customer, app, sign_in.app_display_name or ""),
                *(_protocol_of(sign_in), cause, sign_in.id, sign_in.at),
            ),
            finding,
            self._root(sign_in),
            self._asks(sign_in, assessment),
        )

    def _finding(self, sign_in: SignIn, assessment: Assessment) -> Finding | None:
        found = finding_of(sign_in, assessment, self.directory)
        finding = found and with_cause(found, self.configured)
        erased_key = self._erased_keys.get(sign_in.id)
        return without_traces(finding, erased_key, finding.user) if finding and erased_key else finding

    def _asks(self, sign_in: SignIn, assessment: Assessment) -> tuple[SignIn, SessionKey] | None:
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


def _protocol_of(sign_in: SignIn) -> Protocol:
    way = way_of(sign_in)
    if way.password_flow:
        return Protocol.ROPC
    if way.legacy:
        return Protocol.LEGACY
    if way.device_code:
        return Protocol.DEVICE_CODE
    return Protocol.INTERACTIVE if is_interactive(sign_in) else Protocol.SILENT


def _time_in(raw: bytes) -> datetime | None:
    """The createdDateTime of a record that cannot be read otherwise; None where that is broken as well."""
    try:
        record = json.loads(raw)
        at = datetime.fromisoformat(record["createdDateTime"]) if isinstance(record, dict) else None
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
