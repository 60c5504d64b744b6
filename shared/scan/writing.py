"""Replacing what a slice said before by what a read found.

The order is the contract (docs/architecture.md, "A slice and its ledger"): roots, asks and answers of sessions; the
incidents that will be touched; findings, with the counts in their last batch; incidents; done. A crash anywhere leaves
a head that is not whole, which the plan starts again, and everything that is written is the same however often it is
written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import batched, chain
from typing import Final

from shared.basics.events import log_event
from shared.incidents.model import contributions
from shared.ledger.counts_json import mark_of
from shared.ledger.head import Head, SliceState
from shared.rules import RULES_VERSION
from shared.scan.changes import (
    QuarantineChanges,
    compare_findings,
    compare_quarantine,
    contribute_all,
    finish,
    note_touched,
    standing_of,
)
from shared.scan.hold import Hold
from shared.scan.reading import Reading
from shared.scan.sessions import settle_sessions
from shared.signin.decoding import DECODER_VERSION
from shared.store.findings import quarantine_of

_INCONSISTENT_AGAIN: Final = timedelta(hours=1)
_INCIDENTS_AT_ONCE: Final = 10_000  # that are added up: for more, the findings are gone through again
_SHRANK: Final = "The log served less than before; what it had shown stands."


@dataclass(frozen=True, slots=True)
class ReadOf:
    """How a read went: when it began (UTC; it settles the ages that had passed then), how many requests it took, the
    version of the directory that it judged by, and whether somebody had made the slice due."""

    began: datetime
    requests: int
    directory: str
    was_made_due: bool


async def write_reading(hold: Hold, reading: Reading, read: ReadOf) -> None:
    """Replace what the slice said before."""
    sure = hold.head.whole  # no worker that died can have left something half-way
    before = hold.head
    went = await settle_sessions(hold, reading, sure=sure, was_made_due=read.was_made_due)
    age = read.began - hold.slice.end
    settled = age >= hold.first_reread
    was_settled = before.settled is not None and before.settled >= hold.first_reread
    change = compare_findings(
        await standing_of(hold.tables.slices, hold.slice),
        reading.findings(),
        reading.ids,
        every_incident=not sure or (settled and not was_settled),
    )
    shrank = change.lacks or len(reading.ids) < before.good_records
    stood = await quarantine_of(hold.tables.slices, hold.slice)
    quarantine = compare_quarantine(hold.slice, stood, reading, keep_all=shrank)
    touched = await note_touched(hold, change.incidents)
    counted = _counted(hold.head, reading, quarantine, shrank=shrank)
    if change.writes or quarantine.operations:
        operations = chain(change.operations(hold.slice.partition), quarantine.operations)
        await hold.write_all(operations, replace(counted, whole=False))
    _tell(hold, quarantine, shrank=shrank)
    for some in batched(sorted(touched.incidents), _INCIDENTS_AT_ONCE, strict=False):
        parts = contributions(change.final(), settled=settled, among=frozenset(some))
        await contribute_all(hold, {key: {hold.slice: parts.get(key)} for key in some})
    done = done_head(counted, age, hold.ages, again=hold.now() + _INCONSISTENT_AGAIN, shrank=shrank)
    if shrank and not sure:
        # A worker that died may have written a root whose record is missing now, and not have told those who ask:
        # whoever sees the record again tells them.
        done = replace(done, whole=False)
    versions = f"rules {RULES_VERSION}, decoder {DECODER_VERSION}, directory {read.directory}, "
    versions += f"policy {hold.app.settings.policy}"
    done = replace(done, requests=before.requests + read.requests, versions=versions)
    await finish(hold, touched, done, last=went.note(done))


def _counted(head: Head, reading: Reading, quarantine: QuarantineChanges, *, shrank: bool) -> Head:
    """The head with what is counted of the slice. Where the log shrank the old counts stand."""
    good = head.good_records if shrank else len(reading.ids)
    counted = replace(
        head,
        records=good + quarantine.stands,
        quarantined=quarantine.stands,
        accepted_quarantine=quarantine.accepted,
    )
    if shrank:
        return counted
    counts = reading.counts().to_json()
    return replace(counted, counts=counts, counts_mark=mark_of(counts))


def _tell(hold: Hold, quarantine: QuarantineChanges, *, shrank: bool) -> None:
    if quarantine.is_new:
        log_event("records_quarantined", slice=hold.slice.id, records=quarantine.is_new)
    if shrank:
        log_event("slice_shrank", slice=hold.slice.id, counts="kept")


def done_head(head: Head, age: timedelta, ages: Sequence[timedelta], *, again: datetime, shrank: bool) -> Head:
    """The head after a read at that age that was written to its end, with its next due time. Pure.

    `again` is when a log that shrank is asked once more.
    """
    done = replace(head, state=SliceState.IDLE, attempts=0, whole=True, problem="", consistent=not shrank)
    if shrank:
        last = age >= ages[-1]
        return replace(done, problem=_SHRANK, settled=age if last else head.settled, next_due=None if last else again)
    done = replace(done, settled=age if head.settled is None else max(age, head.settled))
    next_age = done.next_age(ages)
    return replace(done, next_due=None if next_age is None else head.slice.end + next_age)
