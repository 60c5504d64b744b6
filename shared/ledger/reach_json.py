"""How far a day's slices were read, as JSON for a row with little room: neighbours of the same state are one run.

Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any, Final

from shared.ledger.days import Reach


def reach_json(reaches: Iterable[Reach]) -> dict[str, Any]:
    """Runs of slices by tenant. `at`, `width` and `slices` of a run are seconds of the day, seconds, and a number;
    `state` names the place of its state, whose `overdueAfter` are seconds after the end of a slice (null: sealed)."""
    states: dict[tuple[Any, ...], int] = {}
    tenants: dict[str, dict[str, list[int]]] = {}
    for reach in sorted(reaches, key=lambda r: (r.tenant, r.start, r.end)):
        runs = tenants.setdefault(reach.tenant, {name: [] for name in ("at", "width", "slices", "state")})
        state = states.setdefault(_state(reach), len(states))
        at, width = _second(reach.start), int((reach.end - reach.start).total_seconds())
        if runs["at"] and _goes_on(runs, at, width, state) and not reach.quarantined:
            runs["slices"][-1] += 1
            continue
        for name, value in (("at", at), ("width", width), ("slices", 1), ("state", state)):
            runs[name].append(value)
    return {"states": [_state_json(state) for state in states], "tenants": tenants}


def reach_shapes(reaches: Sequence[Reach]) -> Iterator[dict[str, Any]]:
    """The reach in fewer and fewer words: with the problems, without, and an hour at a time, where one slice that is
    not complete takes the whole hour with it: too little is claimed rather than too much."""
    yield reach_json(reaches)
    yield reach_json([replace(reach, problem="") for reach in reaches])
    yield reach_json(_by_hour(reaches))


def reach_of_json(value: Mapping[str, Any], day: datetime) -> list[Reach]:
    """The reach that reach_json gave, slice by slice."""
    reaches = []
    for tenant, runs in value.get("tenants", {}).items():
        for at, width, slices, state in zip(*(runs[n] for n in ("at", "width", "slices", "state")), strict=True):
            of_state = value["states"][state]
            for number in range(slices):
                start = day + timedelta(seconds=at + number * width)
                reaches.append(_reach(tenant, start, timedelta(seconds=width), of_state))
    return reaches


def is_sealed(value: Mapping[str, Any], tenants: Collection[str]) -> bool:
    """Whether the reach that reach_json gave says of each tenant, by key, that the whole day was read to its end and
    that nothing is left to do: without making a Reach of each slice."""
    return all(_is_sealed(value["tenants"][t], value["states"]) if t in value["tenants"] else False for t in tenants)


def _is_sealed(runs: Mapping[str, list[int]], states: Sequence[Mapping[str, Any]]) -> bool:
    reached = 0
    for at, width, slices, state in zip(*(runs[n] for n in ("at", "width", "slices", "state")), strict=True):
        if at != reached or states[state] != {"overdueAfter": None}:
            return False
        reached = at + width * slices
    return reached == _DAY


def reach_of_v1(columns: Iterable[Sequence[Any]]) -> list[Reach]:
    """The reach that version 1 of the app wrote, by the order of members."""

    def time(seconds: int) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)

    return [
        Reach(tenant, time(start), time(end), whole, None if due is None else time(due), *rest)
        for tenant, start, end, whole, due, *rest in columns
    ]


def _second(at: datetime) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def _goes_on(runs: Mapping[str, list[int]], at: int, width: int, state: int) -> bool:
    """Whether a slice is the next of the last run."""
    next_at = runs["at"][-1] + runs["width"][-1] * runs["slices"][-1]
    return (next_at, runs["width"][-1], runs["state"][-1]) == (at, width, state)


def _state(reach: Reach) -> tuple[Any, ...]:
    overdue_after = None if reach.due is None else int((reach.due - reach.end).total_seconds())
    return (
        *(reach.whole, overdue_after, reach.parked, reach.problem, reach.consistent),
        *(reach.quarantined, reach.accepted),
    )


_DAY: Final = 86_400  # seconds
_USUAL: Final = {"whole": True, "parked": False, "problem": "", "consistent": True, "quarantined": 0, "accepted": 0}


def _state_json(state: tuple[Any, ...]) -> dict[str, Any]:
    whole, overdue_after, parked, problem, consistent, quarantined, accepted = state
    members = {
        "whole": whole,
        "parked": parked,
        "problem": problem,
        "consistent": consistent,
        "quarantined": quarantined,
        "accepted": accepted,
    }
    unusual = {name: value for name, value in members.items() if value != _USUAL[name]}
    return {"overdueAfter": overdue_after, **unusual}


def _reach(tenant: str, start: datetime, width: timedelta, state: Mapping[str, Any]) -> Reach:
    end = start + width
    members = {**_USUAL, **state}
    after = members.pop("overdueAfter")
    due = None if after is None else end + timedelta(seconds=after)
    return Reach(tenant, start, end, due=due, **members)


def _by_hour(reaches: Sequence[Reach]) -> Iterator[Reach]:
    ordered = sorted(reaches, key=lambda r: (r.tenant, r.start, r.end))
    for _, of_hour in groupby(ordered, key=lambda r: (r.tenant, r.start.replace(minute=0, second=0))):
        group = [*of_hour]
        sealed = all(r.due is None for r in group)
        widest = max(r.end for r in group)
        dues = [r.due for r in group if r.due is not None]
        yield Reach(
            tenant=group[0].tenant,
            start=group[0].start,
            end=widest,
            whole=all(r.whole for r in group) and _touch(group),
            due=None if sealed else min(dues),
            parked=any(r.parked for r in group),
            problem="",
            consistent=all(r.consistent for r in group),
            quarantined=sum(r.quarantined for r in group),
            accepted=sum(r.accepted for r in group) if not any(r.lacks_quarantined for r in group) else 0,
        )


def _touch(group: Sequence[Reach]) -> bool:
    """Whether slices in order of time leave no gap between them."""
    return all(first.end >= second.start for first, second in pairwise(group))
