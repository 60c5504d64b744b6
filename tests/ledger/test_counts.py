"""Counts: the sums stay whatever is trimmed, the order of counting changes nothing, and JSON gives them back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.counts import Counts, Protocol, Seen, total
from shared.ledger.counts_json import mark_of
from shared.ledger.tallies import NOT_RECORDED, UserLine, Verdicts, with_remainder
from shared.ledger.tops import Tops, tops_of
from shared.ledger.trimming import REST
from shared.rules.assess import Assessment, Verdict
from shared.rules.rule import Severity
from shared.signin.evidence import Evidence, Strength, Why
from shared.signin.outcome import Outcome
from shared.signin.traits import WATCHED, Identity, Scope

_KEYS = ("a" * 32, "b" * 32, "c" * 32, "x|y", "=1+1", "", "\u202eevil")


@st.composite
def _assessments(draw: st.DrawFn) -> Assessment:
    scope = draw(st.sampled_from([*WATCHED, Scope.NONE]))
    verdict = draw(st.sampled_from((Verdict.COMPLIANT, Verdict.NON_COMPLIANT, Verdict.UNKNOWN, Verdict.NOT_APPLICABLE)))
    evidence = {
        Verdict.COMPLIANT: draw(st.sampled_from((Evidence.PROVEN, Evidence.CLAIM, Evidence.SESSION))),
        Verdict.NON_COMPLIANT: draw(st.sampled_from((Evidence.NONE, Evidence.SKIPPED))),
        Verdict.UNKNOWN: Evidence.UNKNOWN,
        Verdict.NOT_APPLICABLE: Evidence.NOT_APPLICABLE,
    }[verdict]
    attempt = verdict is Verdict.NOT_APPLICABLE
    outcomes = (Outcome.BLOCKED, Outcome.FAILED, Outcome.INTERRUPTED) if attempt else (Outcome.SUCCESS,)
    rules = draw(st.lists(st.sampled_from(("legacy-auth", "mfa-skipped")), unique=True, max_size=2))
    return Assessment(
        identity=draw(st.sampled_from((Identity.USER, Identity.USER, Identity.USER, Identity.APP))),
        scope=scope,
        outcome=draw(st.sampled_from(outcomes)),
        evidence=evidence,
        verdict=verdict,
        fits=tuple((rule, Severity.HIGH) for rule in rules),
        why=draw(st.sampled_from([*Why])) if verdict is Verdict.UNKNOWN else None,
        strength=draw(st.sampled_from([*Strength])) if verdict is Verdict.COMPLIANT else None,
    )


_SEEN = st.builds(
    Seen,
    _assessments(),
    st.sampled_from(_KEYS[:-2]),
    st.sampled_from(("", "Ann", "Zoë")),
    st.sampled_from(_KEYS),
    st.sampled_from(_KEYS),
    st.sampled_from(("", "Portal")),
    st.sampled_from([*Protocol]),
)


def counted(seen: Sequence[Seen]) -> Counts:
    counts = Counts()
    for one in seen:
        counts.add(one)
    return counts


def again(counts: Counts, **how: Any) -> Counts:
    """The counts written and read."""
    return Counts.of_json(json.loads(json.dumps(counts.to_json(**how))))


def verdict_sums(counts: Counts) -> dict[str, dict[str, Counter[str]]]:
    """By kind of line and scope: how many sign-ins of each verdict all lines hold together."""

    def of(lines: Sequence[Verdicts]) -> Counter[str]:
        whole = Verdicts()
        for line in lines:
            whole.merge(line)
        return Counter(good=whole.compliant, bad=whole.non_compliant, unknown=whole.unknown)

    return {
        "scopes": {scope: of([c.by_verdict]) for scope, c in counts.scopes.items()},
        "users": {scope: of([*lines.values()]) for scope, lines in counts.users.items()},
        "customers": {scope: of([c.by_verdict for c in lines.values()]) for scope, lines in counts.customers.items()},
        "apps": {
            scope: of([line for protocols in lines.values() for line in protocols.values()])
            for scope, lines in counts.apps.items()
        },
        "portals": {"home": of([v for users in counts.portals.values() for v in users.values()])},
        "pairs": {"customer": of([v for of_user in counts.pairs.values() for v in of_user.values() if v])},
    }


@given(st.lists(_SEEN, max_size=40), st.integers(1, 6))
def test_the_sums_are_exact_however_few_lines_are_kept(seen: list[Seen], most: int) -> None:
    whole = counted(seen)
    trimmed = again(whole, most=most)
    assert verdict_sums(trimmed) == verdict_sums(whole)
    assert (trimmed.scopes, trimmed.apart) == (whole.scopes, whole.apart)
    assert _group_sums(trimmed) == _group_sums(whole)
    kinds = (trimmed.users, trimmed.customers, trimmed.apps)
    assert all(len(lines) <= most for kind in kinds for lines in kind.values())
    attempts = sum(line.attempts for lines in trimmed.apps.values() for p in lines.values() for line in p.values())
    assert attempts == sum(n for counts in whole.scopes.values() for n in counts.attempts.values())


def _group_sums(counts: Counts) -> Counter[tuple[str, str]]:
    sums: Counter[tuple[str, str]] = Counter()
    for group, n in counts.groups.items():
        sums[group.scope, group.verdict] += n
    return sums


@given(st.lists(_SEEN, max_size=40))
def test_what_is_written_is_read_again(seen: list[Seen]) -> None:
    whole = counted(seen)
    read = again(whole)
    assert read == Counts(**{**{name: getattr(whole, name) for name in whole.__slots__}, "names": read.names})
    assert read.names.items() <= whole.names.items()
    assert mark_of(read.to_json()) == mark_of(whole.to_json())


@given(st.lists(_SEEN, max_size=40))
def test_counts_of_an_older_format_name_nobody_at_portals(seen: list[Seen]) -> None:
    whole = counted(seen)
    kept = json.loads(json.dumps(whole.to_json()))
    del kept["portals"]
    read = Counts.of_json({**kept, "format": 2})
    assert verdict_sums(read) == verdict_sums(whole)
    assert all(users.keys() == {NOT_RECORDED} for users in read.portals.values())
    assert {app for app, users in whole.portals.items()} == {*read.portals}
    again_read = again(total([read, whole]))
    assert verdict_sums(again_read)["portals"] == verdict_sums(total([whole, whole]))["portals"]


@given(st.lists(st.lists(_SEEN, max_size=15), max_size=5), st.randoms(use_true_random=False), st.integers(1, 50))
def test_the_order_of_counting_and_adding_changes_nothing(parts: list[list[Seen]], random: Any, most: int) -> None:
    straight = total(counted(part) for part in parts)
    for part in parts:
        random.shuffle(part)
    random.shuffle(parts)
    mixed = total(counted(part) for part in parts)
    assert mixed == straight
    assert mixed.to_json(most) == straight.to_json(most)
    assert tops_of(mixed).to_json(most) == tops_of(straight).to_json(most)


@given(st.lists(_SEEN, max_size=30))
def test_the_parts_add_up(seen: list[Seen]) -> None:
    counts = counted(seen)
    for scope in counts.scopes.values():
        verdicts = scope.by_verdict
        assert sum(scope.why.values()) == verdicts.unknown
        assert sum(scope.strength.values()) == verdicts.compliant
        graded = {key: n for key, n in scope.evidence.items() if key != Evidence.NOT_APPLICABLE}
        assert sum(graded.values()) == verdicts.total
        assert sum(scope.attempts.values()) == scope.evidence.get(Evidence.NOT_APPLICABLE, 0)


def test_added_counts_are_left_as_they_were() -> None:
    one = counted([_seen(1)])
    before = json.dumps(one.to_json())
    whole = total([one, one, one])
    whole.merge(one)
    assert json.dumps(one.to_json()) == before
    assert whole.scopes["customer"].verdicts == {"compliant": 4}


def _seen(number: int, verdict: Verdict = Verdict.COMPLIANT) -> Seen:
    bad = verdict is Verdict.NON_COMPLIANT
    evidence = Evidence.NONE if bad else Evidence.PROVEN
    fits = (("legacy-auth", Severity.HIGH),) if bad else ()
    assessment = Assessment(Identity.USER, Scope.CUSTOMER, Outcome.SUCCESS, evidence, verdict, fits)
    return Seen(assessment, f"u{number:03d}", "", f"c{number:03d}", f"a{number:03d}", "")


@pytest.mark.parametrize("most", [2, 10, 50])
def test_at_the_limit_every_line_stands_and_one_beyond_the_last_two_are_one(most: int) -> None:
    full = again(counted([_seen(n) for n in range(most)]), most=most)
    for lines in (full.users["customer"], full.customers["customer"], full.apps["customer"]):
        assert REST not in lines
        assert len(lines) == most
    assert len(full.pairs) == most
    beyond = again(counted([_seen(n) for n in range(most + 1)]), most=most)
    assert beyond.users["customer"][REST].compliant == 2
    assert len(beyond.users["customer"]) == most
    assert beyond.pairs[REST] == {REST: Verdicts(1)}


def test_the_worst_are_kept() -> None:
    seen = [_seen(n) for n in range(50)] + [_seen(7, Verdict.NON_COMPLIANT), _seen(49, Verdict.NON_COMPLIANT)]
    kept = again(counted(seen), most=3)
    assert [*kept.users["customer"]] == ["u007", "u049", REST]
    tops = Tops.of_json(tops_of(counted(seen)).to_json(2))
    assert [*tops.users] == ["u007", "u049"]
    assert tops.left_out == {"users": 48, "customers": 48, "apps": 48}


def test_tops_of_days_add_up_and_say_what_was_left_out() -> None:
    whole = Tops()
    for _ in range(3):
        whole.merge(Tops.of_json(tops_of(counted([_seen(1), _seen(2, Verdict.NON_COMPLIANT)])).to_json(1)))
    assert whole.users["u002"].of_scopes(["customer"]) == Verdicts(0, 3)
    assert whole.left_out["users"] == 3


def test_a_persons_weakest_strength_is_the_weakest_that_was_told() -> None:
    assert UserLine(3, strength={"phishing-resistant": 2, "phone": 1}).weakest == "phone"
    assert UserLine(3, strength={"phishing-resistant": 2, "untold": 1}).weakest == "phishing-resistant"
    assert UserLine(1, strength={"untold": 1}).weakest is None
    assert with_remainder({"phone": 1}, 1) == {"phone": 1}


# --- what version 1 wrote ---------------------------------------------------------------------------------------------


def test_counts_of_version_1_are_read_and_what_they_never_held_is_absent() -> None:
    old = Counts.of_json(
        {
            "scopes": {
                "customer": {
                    "verdicts": {"compliant": 2, "non-compliant": 1},
                    "evidence": {"proven": 2, "none": 1},
                    "rules": {"legacy-auth": 1},
                    "users": {"u": [2, 1, 0]},
                    "customers": {"c": [2, 1, 0]},
                    "apps": {"a": [2, 1, 0]},
                }
            },
            "apart": {"app": 4},
            "lacking": {"customer|u|c|a|legacy-auth,mfa-skipped": 1, "": 5, "customer|u|x|y|c|a|r": 1},
            "reached": {"customers": ["c"], "users": {"u": [0], "": []}},
            "names": {"u": "Ann"},
        }
    )
    assert old.scopes["customer"].partial
    assert old.users["customer"]["u"] == UserLine(2, 1, 0)
    assert old.customers["customer"]["c"].by_verdict == Verdicts(2, 1, 0)
    assert [*old.apps["customer"]["a"]] == [Protocol.NOT_RECORDED]
    assert old.pairs == {"u": {"c": None}, REST: {REST: None}}
    assert {group.rules: n for group, n in old.groups.items()} == {("legacy-auth", "mfa-skipped"): 1, (): 6}
    assert again(old) == old

    new = counted([_seen(0)])
    both = total([old, Counts(pairs={"u": {"c": Verdicts(4)}}), new])
    assert both.pairs["u"]["c"] is None  # a part of the number is no number
    assert both.scopes["customer"].partial
    assert Counts.of_json({}) == Counts()
