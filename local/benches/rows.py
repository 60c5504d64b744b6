"""A row of the bench: ours beside a peer or a limit, measured in one run.

A ratio is that of two things done one after the other on the same bytes, and what is shown is the median of many such
pairs: so a busy machine slows both. The garbage collector stays as it is in production.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

RECORDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. `ours` and `peer` are medians in `unit`; `ratio` is peer / ours (more is better for us) and
    `spread` its lower and upper quartile. `goal` is text such as ">= 1.3", or None where the row only informs."""

    name: str
    ours: float
    peer: float
    unit: str
    ratio: float
    spread: tuple[float, float]
    goal: str | None

    @property
    def holds(self) -> bool | None:
        """Whether the goal is met; None without one."""
        return None if self.goal is None else self.ratio >= float(self.goal.removeprefix(">= "))


def compare(
    name: str,
    ours: Callable[[], object],
    peer: Callable[[], object],
    *,
    runs: int,
    goal: str | None,
    repeats: int = 1,
) -> Row:
    """Time both, each of RECORDS records, in turn, `runs` times after one to warm up. `repeats` is how often ours is
    done in a turn, so that a turn of each lasts about as long."""
    ours(), peer()
    pairs = [(_seconds(ours, repeats), _seconds(peer)) for _ in range(runs)]
    ratios = sorted(theirs / own for own, theirs in pairs)
    lower, _, upper = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else (ratios[0],) * 3
    return Row(
        name,
        ours=round(statistics.median(own for own, _ in pairs) * 1e6 / RECORDS, 2),
        peer=round(statistics.median(theirs for _, theirs in pairs) * 1e6 / RECORDS, 2),
        unit="µs/record",
        ratio=round(statistics.median(ratios), 2),
        spread=(round(lower, 2), round(upper, 2)),
        goal=goal,
    )


def _seconds(work: Callable[[], object], repeats: int = 1) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - started) / repeats


def beside(name: str, ours: float, peer: float, unit: str, *, goal: str | None) -> Row:
    """What was measured once, beside a peer of the same run."""
    ratio = round(peer / max(ours, 0.01), 2)
    return Row(name, ours, peer, unit, ratio, (ratio, ratio), goal)


def at_most(name: str, ours: float, most: float, unit: str, *, is_goal: bool = True) -> Row:
    """What was measured, beside what it may be."""
    return beside(name, ours, most, unit, goal=">= 1" if is_goal else None)
