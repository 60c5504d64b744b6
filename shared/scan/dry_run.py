"""What a rescan would change: a slice is read and judged by today's rules and directory, and nothing is written.

The findings and incidents that would come, go or change, and what would be counted otherwise by evidence.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from shared.app.app import App
from shared.basics.spelling import key_part
from shared.graph.signins import pages
from shared.incidents.findings import Finding
from shared.ledger.counts import Counts
from shared.ledger.slices import Slice
from shared.scan.changes import FindingChanges, compare_findings, standing_of
from shared.scan.reading import Reading
from shared.signin.sessions import Proof, SessionKey
from shared.store.at_once import all_of
from shared.store.findings import finding_key
from shared.store.incidents import read_incident
from shared.store.ledger import read_head
from shared.store.sessions import SessionRows, read_person
from shared.store.tables import Table, Tables

MOST_EXAMPLES: Final = 20  # of each fate


class Fate(StrEnum):
    """What would become of a finding."""

    COMES = "comes"
    GOES = "goes"
    CHANGES = "changes"


@dataclass(frozen=True, slots=True)
class Example:
    """A finding that would come, go or change: its record, the rules it breaks now, and those it would break."""

    fate: Fate
    id: str
    user_name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a rescan of some slices would change. `findings` counts them by fate; `evidence` is the difference of the
    counts by evidence over all scopes; `incidents` says by key how many findings each would have more or less."""

    slices: int = 0
    findings: dict[str, int] = field(default_factory=dict)
    evidence: dict[str, int] = field(default_factory=dict)
    incidents: dict[str, int] = field(default_factory=dict)
    examples: tuple[Example, ...] = ()

    def plus(self, other: Forecast) -> Forecast:
        """With what other slices would change; a few examples of each fate are kept, those with other rules first: an
        upgrade changes every finding that says more than it did."""
        every = sorted((*self.examples, *other.examples), key=lambda example: example.before == example.after)
        kept = [example for fate in Fate for example in [e for e in every if e.fate is fate][:MOST_EXAMPLES]]
        return Forecast(
            self.slices + other.slices,
            _sum(self.findings, other.findings),
            _sum(self.evidence, other.evidence),
            _sum(self.incidents, other.incidents),
            tuple(kept),
        )


def _sum(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in sorted(one.keys() | other.keys())}


@dataclass(frozen=True, slots=True)
class IncidentForecast:
    """Which incidents would come, go and change, by key."""

    come: tuple[str, ...] = ()
    go: tuple[str, ...] = ()
    change: tuple[str, ...] = ()


async def forecast_slice(app: App, tables: Tables, slice_: Slice) -> Forecast:
    """Read a slice and compare. Raises GraphProblem, DirectoryMissing."""
    loaded = await app.directory()
    configured = await app.configured(slice_.tenant, slice_.start)
    reading = Reading(slice_, loaded.directory, app.settings.policy, await app.erased(), configured)
    async with aclosing(pages(app.graph(slice_.tenant), slice_)) as coming:
        async for page in coming:
            reading.add(page)
    reading.settle(await _proofs(tables.sessions, reading))
    standing = await standing_of(tables.slices, slice_)
    change = compare_findings(standing, reading.findings(), reading.ids, every_incident=False)
    head = await read_head(tables.slices, slice_)
    counted = _evidence(reading.counts())
    counted.subtract(_evidence(Counts.of_json(head.counts)) if head else Counter())
    return forecast(
        change, dict(entry for _, entry in standing.findings), {name: n for name, n in counted.items() if n}
    )


def forecast(change: FindingChanges, before: Mapping[str, Finding], evidence: dict[str, int]) -> Forecast:
    """What the changes of a slice come to. Pure."""
    examples = [_example(finding, before.get(finding_key(finding))) for finding in change.written()]
    examples += [Example(Fate.GOES, f.id, f.user_name, f.rules, ()) for f in (before[key] for key in change.removed)]
    counts = Counter(key for finding in change.final() for key in finding.incidents())
    counts.subtract(Counter(key for finding in before.values() for key in finding.incidents()))
    return Forecast(
        slices=1,
        findings=dict(Counter(example.fate.value for example in examples)),
        evidence=evidence,
        incidents={key: counts[key] for key in sorted(change.incidents)},
        examples=tuple(examples),
    )


def _example(finding: Finding, old: Finding | None) -> Example:
    fate = Fate.CHANGES if old else Fate.COMES
    return Example(fate, finding.id, finding.user_name, old.rules if old else (), finding.rules)


async def forecast_incidents(table: Table, changes: Mapping[str, int]) -> IncidentForecast:
    """Which incidents would come, go or change, by what their slices would contribute more or less."""
    come: list[str] = []
    go: list[str] = []
    change: list[str] = []
    for key, difference in sorted(changes.items()):
        known = await read_incident(table, key)
        count = known[0].facts.count if known else 0
        if count == 0 and difference > 0:
            come.append(key)
        elif count and count + difference <= 0:
            go.append(key)
        elif count:
            change.append(key)
    return IncidentForecast(tuple(come), tuple(go), tuple(change))


async def _proofs(table: Table, reading: Reading) -> dict[SessionKey, Proof]:
    """What sessions prove: the roots that stand, with those of this read in their place. No word is left."""
    roots, asked = reading.roots(), reading.asking()
    people: dict[str, set[str]] = {}
    for person, session in asked:
        people.setdefault(person, set()).add(session)
    found = await all_of(read_person(table, person, sorted(of)) for person, of in people.items())
    stands: dict[SessionKey, SessionRows] = {key: rows for of in found for key, rows in of.items()}
    proofs: dict[SessionKey, Proof] = {}
    for key in asked:
        said = roots.get(key, ())
        ours = {key_part(one.record) for one in said}
        others = {name: row for name, row in stands[key].roots.items() if name.rpartition("-")[2] not in ours}
        proof = SessionRows(others).proof
        for one in said:
            proof.add(one.at, one.own)
        proofs[key] = proof
    return proofs


def _evidence(counts: Counts) -> Counter[str]:
    total: Counter[str] = Counter()
    for scope in counts.scopes.values():
        total.update(scope.evidence)
    return total
