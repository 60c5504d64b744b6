"""A sample of findings: all are known by where they lie and whose they are, and no others than those drawn are read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from shared.answers.directories import tenant_names
from shared.answers.findings import FindingItem, FindingsQuery, finding_item, walk_through
from shared.answers.period import read_standing, times_of
from shared.app.app import App
from shared.incidents.findings import Finding
from shared.ledger.slices import partition_of
from shared.store.findings import finding_key, findings_at

_SAMPLE: Final = 25


class Dated(Protocol):
    """What a sample is drawn from: a time and an id."""

    @property
    def at(self) -> datetime:
        """When."""

    @property
    def id(self) -> str:
        """Which."""


class _Placed(NamedTuple):
    """A finding and the tenant whose log it is of."""

    finding: Finding
    tenant: str

    @property
    def at(self) -> datetime:
        """When it was signed in."""
        return self.finding.at

    @property
    def id(self) -> str:
        """The id of its sign-in."""
        return self.finding.id

    @property
    def place(self) -> tuple[str, str]:
        """Partition and key of its row."""
        return partition_of(self.tenant, self.at), finding_key(self.finding)


@dataclass(frozen=True, slots=True)
class FindingSample:
    """A sample, the newest first, of so many findings; `are_newest`: there are older ones too."""

    items: Sequence[FindingItem]
    drawn_from: int
    are_newest: bool


async def read_finding_sample(app: App, query: FindingsQuery, seed: int) -> FindingSample:
    """At most 25 of the findings that the query has on its page, chosen by the seed. Raises what read_findings
    raises."""
    standing = await read_standing(app, await times_of(app, query.from_, query.to))
    directory = await app.known_directory()
    walk = await walk_through(app, query, standing, directory, outlines=True)
    placed = [_Placed(*each) for each in zip(walk.found, walk.of_tenant, strict=True)]
    places = [drawn.place for drawn in sample(placed, seed)]
    found = await findings_at((await app.tables()).slices, places)
    names = tenant_names(directory)
    return FindingSample(
        items=[finding_item(found[place], names) for place in places if place in found],
        drawn_from=len(walk.found),
        are_newest=walk.place is not None,
    )


def sample[T: Dated](found: Sequence[T], seed: int) -> list[T]:
    """At most 25 of them, chosen by the seed alone, the newest first."""
    ordered = sorted(found, key=lambda each: (each.at, each.id))
    chosen = random.Random(seed).sample(ordered, min(_SAMPLE, len(ordered)))  # noqa: S311 - no secret hangs on it
    return sorted(chosen, key=lambda each: (each.at, each.id), reverse=True)
