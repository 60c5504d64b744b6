"""What a read changes: findings, quarantined records, and the incidents that both belong to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Final

from shared.exceptions.model import accepting
from shared.incidents.findings import Finding
from shared.incidents.life import Accepts
from shared.incidents.model import Facts, Who
from shared.ledger.head import Head
from shared.ledger.slices import Slice
from shared.scan.hold import Hold
from shared.scan.reading import Reading
from shared.store.contributions import Contributor, contribute_together
from shared.store.exceptions import read_exceptions
from shared.store.findings import InQuarantine, Stored, finding_key, finding_row, quarantined_row
from shared.store.ledger import FENCED_CHANGES, touch_prefix
from shared.store.tables import SCHEMA, Operation, delete, keys, upsert

# How many incidents are changed before the hold is looked at again.
_INCIDENTS_AT_ONCE: Final = 500

type Contributions = Mapping[str, Mapping[Slice, tuple[Who, Facts] | None]]


@dataclass(frozen=True, slots=True)
class FindingChanges:
    """What a read changes in a slice's findings, by row key.

    `final` is what stands afterwards. `incidents` are those that any of it touches. `lacks`: a finding's record was not
    served this time, so that the read cannot be the whole log.
    """

    final: Mapping[str, Finding]
    written: Mapping[str, Finding]
    removed: Sequence[str]
    incidents: frozenset[str]
    lacks: bool

    @property
    def writes(self) -> bool:
        """Whether there is anything to write."""
        return bool(self.written or self.removed)

    def operations(self, partition: str) -> Iterator[Operation]:
        """The writes, each made when it is asked for: a row takes several times the room of its finding."""
        for key in self.removed:
            yield delete(keys(partition, key))
        for finding in self.written.values():
            yield upsert(finding_row(partition, finding))


def compare_findings(
    stored: Stored, found: Iterable[Finding], served: Collection[str], *, every_incident: bool
) -> FindingChanges:
    """Compare what a read found with what stands. Pure.

    A finding is withdrawn only when its record is among the `served` ids and assesses otherwise now. `every_incident`:
    also those of which nothing changed are to be told again.
    """
    ids = set(served)
    new = {finding_key(finding): finding for finding in found}
    gone = {key: finding for key, finding in stored.findings.items() if key not in new}
    missing = {key: finding for key, finding in gone.items() if finding.id not in ids}
    removed = [key for key in gone if key not in missing]
    written = {
        key: finding
        for key, finding in new.items()
        if stored.findings.get(key) != finding and key not in stored.foreign
    }
    final = {**missing, **new}
    before = [stored.findings[key] for key in (*written, *removed) if key in stored.findings]
    concerned: Iterable[Finding] = [*written.values(), *before]
    if every_incident:
        concerned = [*final.values(), *stored.findings.values()]
    return FindingChanges(
        final=final,
        written=written,
        removed=removed,
        incidents=frozenset(key for finding in concerned for key in finding.incidents()),
        lacks=bool(missing) or not ids.issuperset(stored.foreign.values()),
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
    served = reading.ids | {str(row["record"]) for row in new.values()}
    kept = {
        key: known
        for key, known in stood.items()
        if key in new or keep_all or not known.ours or (known.record and known.record not in served)
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


async def note_touched(hold: Hold, incidents: Collection[str]) -> set[str]:
    """Note the incidents that will change before the first finding does. Returns them with those that a worker which
    died had noted."""
    prefix = touch_prefix(hold.slice)
    rows = hold.tables.slices.prefixed(hold.slice.partition, prefix, ["RowKey"])
    noted = {str(row["RowKey"]).removeprefix(prefix) async for row in rows}
    notes: list[Operation] = [
        upsert({**keys(hold.slice.partition, prefix + key), "v": SCHEMA}) for key in sorted(set(incidents) - noted)
    ]
    if notes and hold.head.whole:
        await hold.write(notes[:FENCED_CHANGES], replace(hold.head, whole=False))
        notes = notes[FENCED_CHANGES:]
    await hold.write_all(notes)
    return noted.union(incidents)


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
    hold: Hold, touched: Iterable[str], head: Head, *, removed: Iterable[str] = (), last: Sequence[Operation] = ()
) -> None:
    """The last fenced write; the notes on touched incidents go with it, and the rows of the `removed` keys before."""
    prefix = touch_prefix(hold.slice)
    gone = [*removed, *(prefix + key for key in sorted(touched))]
    await hold.write_all((delete(keys(hold.slice.partition, key)) for key in gone), head, last=last)
