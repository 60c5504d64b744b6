"""A random sample of a day's compliant sign-ins, which are otherwise kept as numbers alone. Pure.

Of a slice, of some hours and of a day those are kept whose ids have the lowest hash: whoever reads the same log keeps
the same ones, each compliant sign-in of the day has the same chance, and adding up slices gives what the whole day
would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple

MOST_SAMPLES: Final = 20
_LONGEST: Final = 200  # an id is an id; only a broken record has more


class Sample(NamedTuple):
    """One compliant sign-in. `at` is UTC; user, customer and app are keys. Nothing in it says where from or with what,
    so that an erasure has only the person to replace."""

    id: str
    at: datetime
    scope: str
    user: str
    customer: str
    app: str
    protocol: str
    evidence: str
    strength: str


type Samples = dict[str, Sample]  # by digest of their ids


def digest_of(record: str) -> str:
    """What a sign-in's place in the order is made of."""
    return sha256(record.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def is_wanted(samples: Samples, record: str) -> bool:
    """Whether a sign-in of that id is one of those to keep: most are not, and need not be made a sample of."""
    return len(samples) < MOST_SAMPLES or digest_of(record) <= max(samples)


def add_sample(samples: Samples, sample: Sample) -> None:
    """Take in a sign-in where it is one of those to keep; of two with one id always the same, whichever comes first."""
    digest = digest_of(sample.id)
    if len(samples) < MOST_SAMPLES or digest in samples:
        samples[digest] = min(sample, samples.get(digest, sample))
        return
    last = max(samples)
    if digest < last:
        del samples[last]
        samples[digest] = sample


def merge_samples(mine: Samples, theirs: Mapping[str, Sample]) -> None:
    """Add another's: those to keep of both."""
    for sample in theirs.values():
        add_sample(mine, sample)


def samples_json(samples: Mapping[str, Sample], most: int = MOST_SAMPLES) -> list[dict[str, Any]]:
    """At most so many of them as JSON."""
    kept = [samples[digest] for digest in sorted(samples)[:most]]
    return [{**sample._asdict(), "id": sample.id[:_LONGEST], "at": sample.at.isoformat()} for sample in kept]


def samples_of_json(value: Iterable[Mapping[str, Any]]) -> Samples:
    """The samples that samples_json gave."""
    made = (Sample(**{**each, "at": datetime.fromisoformat(each["at"])}) for each in value)
    return {digest_of(sample.id): sample for sample in made}
