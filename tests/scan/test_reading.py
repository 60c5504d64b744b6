"""What one read of a slice makes of its pages, whatever they hold twice or beside it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.slices import Slice
from shared.rules.rule import PARTNER, Policy
from shared.scan.reading import Reading
from shared.signin.decoding import decode_page
from shared.signin.evidence import Evidence
from shared.signin.sessions import Proof
from tests.scan.harness import record
from tests.scan.stories import BROKEN, silent, weak
from tests.signin.records import DIRECTORY

NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
SLICE = Slice(PARTNER, NINE, timedelta(hours=1))


def reading(*pages: list[object]) -> Reading:
    made = Reading(SLICE, DIRECTORY, Policy.STANDARD)
    for values in pages:
        made.add(decode_page(json.dumps({"value": values}).encode()))
    return made


def test_of_a_record_that_comes_twice_the_last_counts() -> None:
    first, last = weak("a", NINE), record("a", NINE)
    assert [f.id for f in reading([first], [last]).findings()] == []
    assert [f.id for f in reading([last, first]).findings()] == ["a"]
    assert reading([first, last], [first]).total == 1


@pytest.mark.parametrize(
    ("at", "counted", "quarantined"),
    [
        (NINE, 1, 0),
        (NINE + timedelta(hours=1) - timedelta(seconds=1), 1, 0),
        (NINE + timedelta(hours=1), 0, 0),  # the next slice's
        (NINE + timedelta(hours=1, seconds=1), 0, 1),
        (NINE - timedelta(seconds=1), 0, 1),
    ],
)
def test_the_slice_is_half_open_and_nothing_beside_it_is_lost(at: datetime, counted: int, quarantined: int) -> None:
    made = reading([record("a", at)])
    assert (len(made.ids), len(made.quarantined)) == (counted, quarantined)


@given(st.integers(0, 10**9 - 1), st.integers(7, 9), st.sampled_from(["Z", "+00:00"]))
def test_a_time_is_cut_and_never_rounded_into_the_next_slice(fraction: int, digits: int, zone: str) -> None:
    """A rounded 09:59:59.9999995 would leave its slice and be in no other."""
    written = f"2026-11-02T09:59:59.{f'{fraction:09d}'[:digits]}{zone}"
    made = reading([{**record("a", NINE), "createdDateTime": written}])
    assert (len(made.ids), len(made.quarantined)) == (1, 0)


def test_the_last_instant_of_a_slice_is_in_it() -> None:
    made = reading([{**record("a", NINE), "createdDateTime": "2026-11-02T09:59:59.9999999Z"}])
    assert made.ids == {"a"}


@pytest.mark.parametrize(
    ("time", "kept"),
    [
        ("2026-11-02T10:00:00Z", 0),
        ("2026-11-02T10:00:00.0000000Z", 0),
        ("2026-11-02T11:00:00+01:00", 0),
        ("2026-11-02T10:00:00", 0),
        ("2026-11-02T09:59:59Z", 1),
        ("at ten", 1),
        (10, 1),
        (None, 1),
    ],
)
def test_a_broken_record_of_the_next_slice_is_left_to_it(time: object, kept: int) -> None:
    made = reading([{**record("a", NINE), **BROKEN, "createdDateTime": time}])
    assert len(made.quarantined) == kept


def test_equal_broken_records_are_kept_once() -> None:
    assert reading([42, 42, None]).total == 2


def test_only_who_says_nothing_asks_and_only_interactive_records_are_roots() -> None:
    made = reading(
        [
            record("root", NINE, sessionId="A-1"),
            record("failed", NINE, sessionId="b", status={"errorCode": 50126}),
            silent("child", NINE, "a1"),
            silent("alone", NINE, ""),
            record("told", NINE, sessionId="c", signInEventTypes=["nonInteractiveUser"]),
        ]
    )
    (person,) = {person for person, _ in made.roots()}
    assert made.asking() == {(person, "a1")}
    assert {session: [(r.record, r.own) for r in says] for (_, session), says in made.roots().items()} == {
        "a1": [("root", Evidence.PROVEN)],
        "b": [("failed", Evidence.UNKNOWN)],
    }


def test_a_session_settles_its_children_at_their_own_time() -> None:
    made = reading([silent("before", NINE, "s"), silent("after", NINE + timedelta(minutes=2), "s")])
    proof = Proof()
    proof.add(NINE + timedelta(minutes=1), Evidence.NONE)
    (session,) = made.asking()
    made.settle({session: proof})
    assert sorted((f.id, f.evidence) for f in made.findings()) == [("after", "none"), ("before", "unknown")]
    assert made.counts().scopes["customer"].evidence == {"unknown": 1, "none": 1}
