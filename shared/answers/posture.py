"""The summary's posture: the tenant-wide requirement as it was last measured, and what keeps it from being measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from shared.compliance.beside import Posture
from shared.store.people import ACCOUNTS, list_facts
from shared.store.refresh import RefreshState, all_states
from shared.store.tables import Table
from shared.wire.models import Answer

_REGISTRATIONS = "registrations"


class SourceState(Answer):
    """How a source of the directory stands: `roster` (with the customers) or `registrations`. `refreshed_at` is when it
    was last read to its end; `problem` why it is not getting on, `problem_since` since when; `notes` are what the last
    complete refresh could not find out."""

    source: str
    refreshed_at: datetime | None
    problem: str | None
    problem_since: datetime | None
    notes: list[str]


async def read_sources(directory: Table) -> list[SourceState]:
    """How every source stands that a refresh ever began with: one request."""
    return [
        SourceState(
            source=state.source,
            refreshed_at=state.last_completed,
            problem=state.problem or None,
            problem_since=state.since,
            notes=[*state.notes],
        )
        for state in await all_states(directory)
    ]


async def read_posture(directory: Table, now: datetime) -> Posture:
    """The summary's `posture`: two requests."""
    facts = await list_facts(directory, ACCOUNTS)
    return posture(facts, await all_states(directory), now)


def posture(facts: tuple[datetime, Mapping[str, Any]] | None, states: Sequence[RefreshState], now: datetime) -> Posture:
    """The figures as last measured (shared/people/lists.py), their age in seconds and the problem, if any. Pure."""
    problem = next((state.problem for state in states if state.source == _REGISTRATIONS and state.problem), None)
    if facts is None:
        return Posture(problem=problem)
    at, figures = facts
    age = int((now - at) / timedelta(seconds=1))
    return Posture.model_validate({**figures, "ageSeconds": age, "problem": problem})
