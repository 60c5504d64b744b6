"""A large slice's records wait on shelves, and are judged, counted and told as those of a small one are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.incidents.model import contributions
from shared.scan import shelf as room
from shared.scan.changes import Standing, compare_findings
from shared.scan.reading import Reading
from shared.scan.shelf import PARTS, Parted, Shelf, part_of
from shared.signin.evidence import Evidence
from shared.signin.sessions import Proof
from shared.store.findings import finding_key
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


def test_everything_of_a_record_is_in_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MANY", 10)
    parted = Parted[int]()
    for n in range(95):
        parted.put(f"id-{n % 40}", n)
    assert sorted(parted) == sorted((f"id-{n % 40}", n) for n in range(95))
    parts = [[*parted.part(part)] for part in range(PARTS)]
    assert sorted(entry for part in parts for entry in part) == sorted(parted)
    assert all(part_of(record) == number for number, part in enumerate(parts) for record, _ in part)


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
        patch.setattr(room, "MANY", 1)
        assert _all_of(reading(*served)) == plain


def test_incidents_are_the_same_added_up_some_at_a_time() -> None:
    made = reading([weak(id_, NINE, userId=f"user-{n % 3}") for n, id_ in enumerate(_IDS)])
    whole = contributions(made.findings(), settled=True)
    parts = [contributions(made.findings(), settled=True, among={key}) for key in whole]
    assert len(whole) > 1
    assert {key: of for part in parts for key, of in part.items()} == whole


_KINDS = st.lists(st.tuples(st.sampled_from(_IDS), st.sampled_from(["ok", "weak", "other"])), max_size=5)


@given(_KINDS, _KINDS, st.booleans(), st.sets(st.sampled_from(_IDS)))
def test_what_changes_is_the_same_from_shelves(
    before: list[tuple[str, str]], after: list[tuple[str, str]], every: bool, foreign: set[str]
) -> None:
    def compared() -> object:
        standing = Standing()
        for finding in _read(before).findings():
            standing.is_empty = False
            if finding.id in foreign:
                standing.foreign[finding_key(finding)] = finding.id
            else:
                standing.findings.put(finding.id, (finding_key(finding), finding))
        made = _read(after)
        change = compare_findings(standing, made.findings(), made.ids, every_incident=every)
        final = sorted((finding_key(f), f.app_name) for f in change.final())
        told = sorted(finding_key(f) for f in change.written()), sorted(change.removed), sorted(change.missing)
        return final, told, sorted(change.incidents), change.lacks, change.writes

    plain = compared()
    assert plain == _by_hand(before, after, foreign, every=every)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "MANY", 1)
        assert compared() == plain


def _read(kinds: list[tuple[str, str]]) -> Reading:
    def of(id_: str, kind: str) -> object:
        at = NINE + timedelta(minutes=_IDS.index(id_))
        if kind == "ok":
            return record(id_, at)
        return weak(id_, at, userId=f"user-{_IDS.index(id_) % 2}", appDisplayName=kind)

    return reading([of(id_, kind) for id_, kind in kinds])


def _by_hand(before: list[tuple[str, str]], after: list[tuple[str, str]], foreign: set[str], *, every: bool) -> object:
    """The same, as plainly as it can be said."""
    old, made = ({finding_key(f): f for f in _read(kinds).findings()} for kinds in (before, after))
    served = {id_ for id_, _ in after}
    theirs = {key: f for key, f in old.items() if f.id in foreign}
    ours = {key: f for key, f in old.items() if key not in theirs}
    news = {key for key, f in made.items() if ours.get(key) != f and key not in theirs}
    gone = {key: f for key, f in ours.items() if key not in made}
    removed = {key for key, f in gone.items() if f.id in served}
    missing = gone.keys() - removed
    touched = [made[key] for key in news] + [ours[key] for key in (news & ours.keys()) | removed]
    touched += [*made.values(), *ours.values()] if every else []
    final = sorted((key, f.app_name) for key, f in {**{key: ours[key] for key in missing}, **made}.items())
    lacks = bool(missing) or any(f.id not in served for f in theirs.values())
    incidents = sorted({key for f in touched for key in f.incidents()})
    return final, (sorted(news), sorted(removed), sorted(missing)), incidents, lacks, bool(news or removed)
