"""Incidents as a summary counts them: by state and severity, and those still happening. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

from shared.incidents.model import IncidentState

_LATELY: Final = timedelta(hours=24)


class Outline(Protocol):
    """What of an incident is counted."""

    @property
    def state(self) -> str:
        """Where it stands."""

    @property
    def severity(self) -> int:
        """How bad it is."""

    @property
    def scopes(self) -> Collection[str]:
        """The scopes of its findings."""

    @property
    def last(self) -> datetime:
        """When it was seen last, UTC."""


@dataclass(slots=True)
class IncidentCounts:
    """`by_state` counts by state and severity those with findings of the scopes asked for; `open_all` counts the open
    ones of every scope; `still_happening` those not resolved that were seen in the last day of what was read."""

    by_state: dict[str, Counter[int]] = field(default_factory=dict)
    still_happening: Counter[int] = field(default_factory=Counter)
    open_all: int = 0

    def of(self, state: IncidentState) -> Counter[int]:
        """Those of a state, by severity."""
        return self.by_state.get(state, Counter())


def count_incidents(outlines: Iterable[Outline], scopes: Collection[str], until: datetime) -> IncidentCounts:
    """Count them. `until` is how far the log was read."""
    counts = IncidentCounts()
    for outline in outlines:
        counts.open_all += outline.state == IncidentState.OPEN
        if {*outline.scopes}.isdisjoint(scopes):
            continue
        counts.by_state.setdefault(outline.state, Counter())[outline.severity] += 1
        if outline.state != IncidentState.RESOLVED and outline.last > until - _LATELY:
            counts.still_happening[outline.severity] += 1
    return counts
