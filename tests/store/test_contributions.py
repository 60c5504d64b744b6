"""What a slice contributes to many incidents at once: few transactions, and the same end whoever is in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.incidents.findings import incident_key
from shared.incidents.life import Accepts, accept_nothing
from shared.incidents.model import Facts, Who
from shared.ledger.slices import Slice
from shared.store.contributions import Change, Contributor, contribute, contribute_together
from shared.store.incidents import read_incident
from shared.store.tables import Table, Tables
from tests.functions.asking import counted_requests

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
SLICE = Slice("a" * 32, NOON - QUARTER, QUARTER)
OTHER = Slice("a" * 32, NOON - 2 * QUARTER, QUARTER)
KEYS = [incident_key("access", f"user{n}", "customer", "app") for n in range(120)]


@pytest.fixture
def table(tables: Tables) -> Table:
    return tables.incidents


def by(generation: int, *, is_first: bool = False) -> Contributor:
    return Contributor(f"{generation:020d}", NOON, first_scan=False, is_first=is_first)


def says(slice_: Slice, count: int) -> Change:
    who = Who("user", "user@partner.example", "customer", "app", "An app")
    facts = Facts(count, slice_.start, slice_.start, frozenset({"interactive-without-mfa"}), 4, 4)
    return {slice_: (who, facts) if count else None}


async def counts(table: Table) -> dict[str, int]:
    found = {key: await read_incident(table, key) for key in KEYS}
    return {key: stands[0].facts.count if stands else 0 for key, stands in found.items()}


async def test_many_incidents_take_a_read_each_and_a_few_transactions(table: Table) -> None:
    with counted_requests() as sent:
        await contribute_together(table, {key: says(SLICE, 2) for key in KEYS}, by(1, is_first=True))
    assert len(KEYS) < len(sent) <= len(KEYS) + 8  # each once; its rows are four, in four shards
    assert set((await counts(table)).values()) == {2}


async def test_the_same_read_again_counts_once(table: Table) -> None:
    for generation, is_first in ((1, True), (1, True), (2, False)):
        await contribute_together(table, {key: says(SLICE, 2) for key in KEYS}, by(generation, is_first=is_first))
    assert set((await counts(table)).values()) == {2}


async def test_a_slice_whose_head_was_lost_replaces_what_stands_of_it(table: Table) -> None:
    """To its ledger it is a first read: the contribution that stands is met by its insertion."""
    await contribute_together(table, {key: says(SLICE, 5) for key in KEYS}, by(1, is_first=True))
    await contribute_together(table, {key: says(SLICE, 3) for key in KEYS}, by(2, is_first=True))
    assert set((await counts(table)).values()) == {3}


async def test_who_comes_in_between_is_counted_too(table: Table) -> None:
    """Another slice contributes to one of the incidents between their reading and their writing."""
    came: list[str] = []

    async def in_between() -> Accepts:
        if not came:
            came.append(KEYS[7])
            await contribute(table, KEYS[7], says(OTHER, 4), by(9))
        return accept_nothing

    disturbed = replace(by(1, is_first=True), accepts_now=in_between)
    await contribute_together(table, {key: says(SLICE, 2) for key in KEYS}, disturbed)
    expected = dict.fromkeys(KEYS, 2) | {KEYS[7]: 6}
    assert came
    assert await counts(table) == expected


async def test_what_is_taken_away_goes_from_all(table: Table) -> None:
    for slice_, generation in ((OTHER, 1), (SLICE, 2)):
        await contribute_together(table, {key: says(slice_, 2) for key in KEYS}, by(generation, is_first=True))
    await contribute_together(table, {key: says(SLICE, 0) for key in KEYS}, by(3))
    assert set((await counts(table)).values()) == {2}
