"""What a read changes: findings, quarantined records, and the incidents that both belong to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from itertools import batched, chain
from typing import Final, Protocol

from shared.exceptions.model import accepting
from shared.incidents.findings import Finding
from shared.incidents.life import Accepts
from shared.incidents.model import Facts, Who
from shared.ledger.head import Head
from shared.ledger.slices import Slice
from shared.scan.hold import Hold
from shared.scan.reading import Reading
from shared.scan.shelf import PARTS, Parted
from shared.store.contributions import Contributor, contribute_together
from shared.store.exceptions import read_exceptions
from shared.store.findings import InQuarantine, finding_key, finding_row, findings_of, quarantined_row
from shared.store.tables import Operation, Table, delete, keys, upsert
from shared.store.touched import Touched, no_longer, notes_of, touched_of

# How many incidents are changed before the hold is looked at again.
_INCIDENTS_AT_ONCE: Final = 500

type Contributions = Mapping[str, Mapping[Slice, tuple[Who, Facts] | None]]


@dataclass(slots=True)
class Standing:
    """The findings of a slice as they stand, each with its row key: many of them wait on shelves. `foreign` are those
    that a newer version of the app wrote, by row key with the ids of their records: they are left alone."""

    findings: Parted[tuple[str, Finding]] = field(default_factory=Parted[tuple[str, Finding]])
    foreign: dict[str, str] = field(default_factory=dict)
    is_empty: bool = True


async def standing_of(table: Table, slice_: Slice) -> Standing:
    """What stands of a slice's findings."""
    standing = Standing()
    async for key, record, finding in findings_of(table, slice_):
        standing.is_empty = False
        if finding is None:
            standing.foreign[key] = record
        else:
            standing.findings.put(record, (key, finding))
    return standing


class Found(Protocol):
    """The findings of a read, in no order, as often as they are gone through."""

    def __iter__(self) -> Iterator[Finding]:
        """All of them."""
        ...

    def part(self, part: int) -> Iterator[Finding]:
        """Those whose records are of that part."""
        ...


@dataclass(frozen=True, slots=True)
class FindingChanges:
    """What a read changes in a slice's findings.

    `found` are those of the read; of them those with the keys of `news` have to be written, or all where that is None.
    `missing` stand too, by row key: their records were not served this time. `incidents` are those that any change
    touches. `lacks`: a record was not served this time, so that the read cannot be the whole log.
    """

    standing: Standing
    found: Iterable[Finding]
    news: Set[str] | None
    missing: Set[str]
    removed: Sequence[str]
    incidents: Set[str]
    lacks: bool
    writes: bool

    def final(self) -> Iterator[Finding]:
        """What stands afterwards."""
        if self.missing:
            yield from (finding for _, (key, finding) in self.standing.findings if key in self.missing)
        yield from self.found

    def written(self) -> Iterator[Finding]:
        """What has to be written."""
        news = self.news
        return (finding for finding in self.found if news is None or finding_key(finding) in news)

    def operations(self, partition: str) -> Iterator[Operation]:
        """The writes, each made when it is asked for: a row takes several times the room of its finding."""
        for key in self.removed:
            yield delete(keys(partition, key))
        if self.news is None or self.news:
            for finding in self.written():
                yield upsert(finding_row(partition, finding))


def compare_findings(standing: Standing, found: Found, served: Set[str], *, every_incident: bool) -> FindingChanges:
    """Compare what a read found with what stands, part by part. Pure.

    A finding is withdrawn only when its record is among the `served` ids and assesses otherwise now. `every_incident`:
    also those of which nothing changed are to be told again. `found` is gone through more than once.
    """
    if standing.is_empty:
        incidents = {key for finding in found for key in finding.incidents()}
        return FindingChanges(standing, found, None, set(), (), incidents, lacks=False, writes=bool(incidents))
    news, missing, incidents, removed = set[str](), set[str](), set[str](), list[str]()
    for part in range(PARTS):
        stood = dict(entry for _, entry in standing.findings.part(part))
        if every_incident:
            incidents.update(key for finding in stood.values() for key in finding.incidents())
        for finding in found.part(part):
            key = finding_key(finding)
            before = stood.pop(key, None)
            if before != finding and key not in standing.foreign:
                news.add(key)
                incidents.update(finding.incidents(), before.incidents() if before else ())
            elif every_incident:
                incidents.update(finding.incidents())
        gone = [key for key, finding in stood.items() if finding.id in served]
        removed += gone
        missing.update(stood.keys() - gone)
        incidents.update(incident for key in gone for incident in stood[key].incidents())
    return FindingChanges(
        standing=standing if missing else Standing(),  # what need not be told again need not be held
        found=found,
        news=news,
        missing=missing,
        removed=removed,
        incidents=incidents,
        lacks=bool(missing) or not all(record in served for record in standing.foreign.values()),
        writes=bool(news or removed),
    )


@dataclass(frozen=True, slots=True)
class QuarantineChanges:
    """What a read changes in a slice's quarantine, and how many records stand in it afterwards."""

    operations: Sequence[Operation]
    stands: int
    accepted: int
    is_new: int


def compare_quarantine(
    slice_: Slice, stood: Mapping[str, InQuarantine], reading: Reading, *, keep_all: bool
) -> QuarantineChanges:
    """Compare the records that could not be read with those in quarantine. Pure.

    A record that is named there and was not served this time stays: perhaps nobody will ever know what it said. What
    names no record was a flaw of one answer, and goes with it. `keep_all`: the read was not the whole log.
    """
    new = {str(row["RowKey"]): row for row in (quarantined_row(slice_, q) for q in reading.quarantined.values())}
    named = {str(row["record"]) for row in new.values()}

    def is_lost(record: str) -> bool:
        return bool(record) and record not in named and record not in reading.ids

    kept = {
        key: known for key, known in stood.items() if key in new or keep_all or not known.ours or is_lost(known.record)
    }
    fresh = [key for key in new if key not in stood]
    gone = [delete(keys(slice_.partition, key)) for key in stood if key not in kept]
    return QuarantineChanges(
        operations=[upsert(new[key]) for key in fresh] + gone,
        stands=len(kept) + len(fresh),
        accepted=sum(known.accepted for known in kept.values()),
        is_new=len(fresh),
    )


# --- incidents --------------------------------------------------------------------------------------------------------


async def note_touched(hold: Hold, incidents: Set[str]) -> Touched:
    """Note the incidents that will change before the first finding does. Returns them with those that a worker which
    died had noted."""
    before = await touched_of(hold.tables.slices, hold.slice)
    new = incidents - before.incidents if before.incidents else incidents
    notes = notes_of(hold.slice, new, hold.head.generation)
    rows = [*before.rows]
    for note in notes:
        rows.append(str(note[1]["RowKey"]))
        await hold.write([note], replace(hold.head, whole=False))
    return Touched(incidents | before.incidents if before.incidents else incidents, rows)


async def contribute_all(hold: Hold, changes: Contributions) -> None:
    """Replace what slices contribute to incidents."""
    if not changes:
        return
    first_seen = hold.flight.first_seen

    async def accepts() -> Accepts:
        """What the exceptions silence that hold now."""
        exceptions = [stored.exception for stored in await read_exceptions(hold.tables.control)]
        return accepting(exceptions, hold.now())

    by = Contributor(
        hold.head.generation,
        hold.now(),
        first_seen is not None and hold.slice.end <= first_seen,
        hold.app.settings.life,
        await accepts(),
        accepts,
        is_first=hold.is_first_read,
    )
    for some in batched(changes.items(), _INCIDENTS_AT_ONCE, strict=False):
        await contribute_together(hold.tables.incidents, {key: dict(change) for key, change in some}, by)
        await hold.keep()


async def finish(
    hold: Hold, touched: Touched, head: Head, *, removed: Iterable[str] = (), last: Sequence[Operation] = ()
) -> None:
    """The last fenced write; the notes on touched incidents go with it, and the rows of the `removed` keys before."""
    gone = (delete(keys(hold.slice.partition, key)) for key in removed)
    await hold.write_all(chain(gone, no_longer(hold.slice, touched)), head, last=last)
