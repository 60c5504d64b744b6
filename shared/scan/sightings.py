"""What is counted of a slice's records, in little room: who, what and when as three numbers a record. Pure."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from heapq import nsmallest
from typing import NamedTuple

from shared.basics.times import MICROSECOND
from shared.ledger.counts import Counts, Seen
from shared.ledger.samples import MOST_SAMPLES, digest_of
from shared.rules.assess import Verdict
from shared.scan.kinds import Kinds, What, Who


class Sighting(NamedTuple):
    """A sign-in by the numbers of its person and of its kind, at a time (UTC)."""

    who: int
    what: int
    at: datetime


class Sightings:
    """The sign-ins of a slice that begins at a time (UTC), each at the place that it was given."""

    __slots__ = ("_at", "_start", "_what", "_who")

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._who = array("L")
        self._what = array("L")
        self._at = array("q")  # microseconds since the start

    def put(self, sighting: Sighting) -> int:
        """Put a sign-in behind the others. Returns its place."""
        self._who.append(sighting.who)
        self._what.append(sighting.what)
        self._at.append((sighting.at - self._start) // MICROSECOND)
        return len(self._at) - 1

    def change(self, place: int, sighting: Sighting) -> None:
        """Put another sign-in in the place of one."""
        self._who[place], self._what[place] = sighting.who, sighting.what
        self._at[place] = (sighting.at - self._start) // MICROSECOND

    def counts(self, kinds: Kinds, ids: Iterable[str]) -> Counts:
        """What is counted of them; `ids` are those of the records, in the order of their places."""
        counts = Counts()
        whos, whats = kinds.people, kinds.kinds
        for what, n in Counter(self._what).items():
            counts.add_place(_seen(_NOBODY, whats[what]), n)
        for (who, what), n in Counter(zip(self._who, self._what, strict=True)).items():
            counts.add_person(_seen(whos[who], whats[what]), n)
        sampled = {n for n, what in enumerate(whats) if what.assessment.verdict is Verdict.COMPLIANT}
        digests = (
            (digest_of(record), place, record) for place, record in enumerate(ids) if self._what[place] in sampled
        )
        for _, place, record in nsmallest(MOST_SAMPLES, digests):
            seen = _seen(whos[self._who[place]], whats[self._what[place]])
            counts.add_sample(seen._replace(id=record, at=self._start + self._at[place] * MICROSECOND))
        return counts


_NOBODY = Who("", "")


def _seen(who: Who, what: What) -> Seen:
    return Seen(what.assessment, who.user, who.name, what.customer, what.app, what.app_name, what.protocol, what.cause)
