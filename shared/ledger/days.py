"""TODO."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from shared.ledger.counts import Counts
from shared.ledger.head import Head


@dataclass(frozen=True, slots=True)
class Reach:
    """How far one slice was read. Times are UTC. `due` is when its next read is due (None: sealed); `consistent` that
    the log did not shrink since; `quarantined` how many of its records could not be read."""

    tenant: str
    start: datetime
    end: datetime
    whole: bool
    due: datetime | None
    parked: bool
    problem: str
    consistent: bool = True
    quarantined: int = 0

    def is_complete(self, now: datetime) -> bool:
        """Whether what was read is all that the log is known to say, at that time."""
        return self.whole and (self.due is None or now <= self.due)


@dataclass(frozen=True, slots=True)
class Day:
    """One day's roll-up: what was counted, how far each slice was read, and how many records are quarantined."""

    day: datetime
    counts: Counts
    reach: list[Reach]
    quarantined: int


def fingerprint(heads: Iterable[Head]) -> str:
    """What a day's roll-up depends on."""
    parts = "\n".join(f"{h.slice.name} {h.generation} {h.state} {h.batch}" for h in heads)
    return sha256(parts.encode()).hexdigest()[:32]


def partner_fingerprint(of_tenants: Mapping[str, str]) -> str:
    """What the partner's day depends on: the fingerprints of its tenants' days, by tenant key."""
    parts = "\n".join(f"{tenant} {mark}" for tenant, mark in sorted(of_tenants.items()))
    return sha256(parts.encode()).hexdigest()[:32]
