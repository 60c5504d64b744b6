"""A large slice's records wait on shelves, and are judged, counted and told as those of a small one are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.incidents.model import contributions
from shared.scan import reading as room
from shared.scan.reading import Reading
from shared.scan.shelf import Shelf
from shared.signin.evidence import Evidence
from shared.signin.sessions import Proof
from tests.scan.harness import record
from tests.scan.stories import silent, weak
from tests.scan.test_reading import NINE, reading

_IDS = ("a", "b", "c", "d", "e")
_PAGES = st.lists(
    st.lists(st.tuples(st.sampled_from(_IDS), st.sampled_from(["ok", "weak", "asks", "root"]))), max_size=6
)


def test_what_is_put_on_a_shelf_comes_back_each_time() -> None:
    shelf = Shelf[tuple[str, int]]()
    shelf.put([])
    shelf.put([("a", 1), ("lone surrogate \ud83d", 2)])
    shelf.put([("c", 3)])
    assert [*shelf] == [*shelf] == [("a", 1), ("lone surrogate \ud83d", 2), ("c", 3)]


def _record(id_: str, kind: str) -> object:
    at = NINE + timedelta(minutes=_IDS.index(id_))
    made = {
        "ok": lambda: record(id_, at),
        "weak": lambda: weak(id_, at),
        "asks": lambda: silent(id_, at, "s"),
        "root": lambda: record(id_, at, sessionId="s"),
    }
    return made[kind]()


def _all_of(made: Reading) -> object:
    proof = Proof()
    proof.add(NINE, Evidence.NONE)
    asked, roots = made.asking(), made.roots()
    made.settle(dict.fromkeys(asked, proof))
    findings = sorted(made.findings(), key=lambda finding: finding.id)
    assert findings == sorted(made.findings(), key=lambda finding: finding.id)
    said = {session: sorted(says) for session, says in roots.items()}
    return made.ids, made.total, asked, said, findings, made.counts().to_json()


@given(_PAGES)
def test_whatever_is_served_twice_shelves_change_nothing(pages: list[list[tuple[str, str]]]) -> None:
    served = [[_record(id_, kind) for id_, kind in page] for page in pages]
    plain = _all_of(reading(*served))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_MANY", 1)
        assert _all_of(reading(*served)) == plain


def test_incidents_are_the_same_added_up_some_at_a_time() -> None:
    made = reading([weak(id_, NINE, userId=f"user-{n % 3}") for n, id_ in enumerate(_IDS)])
    whole = contributions(made.findings(), settled=True)
    parts = [contributions(made.findings(), settled=True, among={key}) for key in whole]
    assert len(whole) > 1
    assert {key: of for part in parts for key, of in part.items()} == whole
