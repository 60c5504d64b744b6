"""The rows of a day stay within their room, at their limits and beyond; what finds no room is said to be left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.counts import FORMAT, Counts
from shared.ledger.days import Noted, Reach
from shared.ledger.finding_groups import FindingGroup
from shared.ledger.reach_json import reach_json, reach_of_json, reach_shapes
from shared.ledger.tallies import AppLine, ScopeCounts, UserLine, Verdicts
from shared.ledger.trimming import REST
from shared.rules import RULE
from shared.rules.assess import Verdict
from shared.signin.evidence import Evidence, Strength, Why
from shared.signin.outcome import Outcome
from shared.signin.traits import WATCHED
from shared.store.packing import TooLong, pack
from shared.store.rollup_rows import (
    APPS,
    CUSTOMERS,
    GROUPS,
    KINDS,
    PAIRS,
    PORTALS,
    SAMPLES,
    USERS,
    counts_columns,
    day_of,
    noted_columns,
    reach_columns,
    totals_key,
)
from shared.store.tables import insert, keys

DAY = datetime(2026, 11, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOM_OF_TOTALS = 8_192


def key(number: int) -> str:
    """32 hex digits that nothing squeezes."""
    return f"{number * 2654435761 % 2**64:016x}{number * 0x9E3779B97F4A7C15 % 2**64:016x}"


def full(users: int, customers: int, apps: int = 10, groups: int = 10) -> Counts:
    """A day with every member of every tally, and so many lines."""
    scope = ScopeCounts(
        verdicts={str(v): 123_456 + i for i, v in enumerate(Verdict)},
        evidence={str(e): 234_567 + i for i, e in enumerate(Evidence)},
        rules={rule: 345_678 + i for i, rule in enumerate(RULE)},
        why={str(w): 4_567 + i for i, w in enumerate(Why)},
        strength={str(s): 567_890 + i for i, s in enumerate(Strength)},
        attempts={str(o): 678_901 + i for i, o in enumerate(Outcome)},
    )
    names = {key(n): f"person.number{n}@partner.example" for n in range(users)}
    names |= {key(10**7 + n): f"Application {n} of many" for n in range(apps)}
    return Counts(
        scopes={str(s): scope for s in WATCHED},
        apart={"app": 10**6, "agent": 10**6, "device": 10**6, "on-premises": 10**6, "none": 10**6},
        users={str(s): {key(n): UserLine(n, n % 7, 1, strength={"app": n}) for n in range(users)} for s in WATCHED},
        customers={"customer": {key(10**6 + n): _customer(n) for n in range(customers)}},
        apps={
            str(s): {key(10**7 + n): {"ropc": AppLine(n, 1), "silent": AppLine(n)} for n in range(apps)}
            for s in WATCHED
        },
        pairs={key(n): {key(10**6 + (n * 7 + i) % customers): Verdicts(1) for i in range(7)} for n in range(users)},
        portals={key(10**7 + n): {key(i): Verdicts(n + 1, i % 3) for i in range(users)} for n in range(apps)},
        groups={
            FindingGroup("customer", key(n), key(10**6 + n), key(10**7), ("legacy-auth",), "non-compliant"): n + 1
            for n in range(groups)
        },
        names=names,
    )


def _app(n: int) -> dict[str, AppLine]:
    return {"ropc": AppLine(n, 1), "silent": AppLine(n)}


def _customer(n: int) -> ScopeCounts:
    return ScopeCounts({"compliant": n, "unknown": n % 5}, {"claim": n, "unknown": n % 5}, {}, {"no-session": n % 5})


def ragged(minutes: int = 1, problem: int = 1000) -> list[Reach]:
    """A day in which each slice stands otherwise than its neighbours."""
    reaches = []
    for n in range(1440 // minutes):
        start, end = DAY + n * minutes * MINUTE, DAY + (n + 1) * minutes * MINUTE
        due = None if n % 3 else end + timedelta(seconds=n * 977 % 86_400)
        text = f"{n * 2654435761 % 2**64:016x}" * (problem // 16)
        reaches.append(Reach(key(0), start, end, n % 2 == 0, due, n % 5 == 0, text, n % 7 > 0, n % 11, n % 4))
    return reaches


def totals_row(counts: Counts, reach: list[Reach]) -> dict[str, Any]:
    noted = Noted(posture={f"figure{n}": 10_000 + n for n in range(20)}, roster=3000, policies="f" * 16)
    marks = {f"{key(0)}-{n:02d}": f"{n * 2654435761 % 2**64:016x}" for n in range(8)}
    return {
        **keys("partner", totals_key(DAY)),
        "v": 1,
        "format": FORMAT,
        "mark": "a" * 16,
        "countsMark": "b" * 16,
        "quartersMark": "c" * 16,
        "trimmed": ",".join(kind.name for kind in KINDS),
        **pack("blocks", marks),
        **counts_columns(counts),
        **reach_columns(reach, {"1": 50, "2": 46}),
        **noted_columns(noted),
    }


def stored(row: dict[str, Any]) -> int:
    """How many bytes of a row Table Storage counts, from above."""

    def of(value: object) -> int:
        if isinstance(value, str):
            return 2 * len(value) + 4
        return len(value) + 4 if isinstance(value, bytes) else 8

    return 4 + sum(8 + 2 * len(name) + of(value) for name, value in row.items())


@pytest.mark.parametrize("size", [0, 10, 60, 3000])
@pytest.mark.parametrize(
    "reach", [[], ragged(15, 0), ragged(15), ragged(1)], ids=["none", "plain", "problems", "minutes"]
)
def test_the_totals_of_any_day_fit_8_kb(size: int, reach: list[Reach]) -> None:
    counts = full(size, max(1, size))
    row = totals_row(counts, reach)
    assert stored(row) <= ROOM_OF_TOTALS
    day = day_of(row)
    assert (day.counts.scopes, day.counts.apart) == (counts.scopes, counts.apart)
    for kind, lines in (("users", day.tops.users), ("customers", day.tops.customers), ("apps", day.tops.apps)):
        most = {"users": size, "customers": max(1, size), "apps": 10}[kind]
        assert len(lines) + day.tops.left_out.get(kind, 0) >= most - 1  # a customer without any sign-in is no line
    assert sum(r.quarantined for r in day.reach) == sum(r.quarantined for r in reach)


def test_a_small_partners_tops_are_all_there() -> None:
    """45 people, 60 customers and 10 applications: what a summary adds up from days is then exact."""
    day = day_of(totals_row(full(25, 40), ragged(15, 0)))
    assert day.tops.left_out == {}


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
@pytest.mark.parametrize("size", [100, 3_000, 30_000])
def test_lines_of_any_number_fit_their_row(kind: Any, size: int) -> None:
    counts = full(size if kind in (USERS, PAIRS, PORTALS) else 10, size if kind in (CUSTOMERS, PAIRS) else 10,
                  size if kind is APPS else 10, size if kind is GROUPS else 10)  # fmt: skip
    columns = kind.columns(counts)
    insert({**keys("partner", kind.row_key(DAY)), "v": 1, **columns})  # checks what the service would refuse
    packed = [value for value in columns.values() if isinstance(value, bytes)]
    assert sum(map(len, packed)) <= kind.room
    assert max(map(len, packed)) <= 64 * 1024
    lines = kind.lines_of({**keys("partner", kind.row_key(DAY)), **columns})
    assert lines.day == DAY
    assert lines.trimmed == columns["trimmed"]
    assert lines.trimmed or size < 30_000 or kind is SAMPLES
    if kind in (USERS, CUSTOMERS):
        assert all(REST in of_scope for of_scope in lines.lines.values()) == lines.trimmed


def test_3000_people_and_5000_customers_are_all_kept() -> None:
    """Version 1 kept 3,000 of a kind and read the others as 0."""
    counts = full(3_000, 5_000)
    for kind in (USERS, CUSTOMERS):
        assert not kind.columns(counts)["trimmed"]


def test_what_the_night_notes_has_its_room_too() -> None:
    with pytest.raises(TooLong):
        noted_columns(Noted(posture={key(n): n for n in range(100)}))
    assert noted_columns(Noted()) == {}


# --- how far a day was read -------------------------------------------------------------------------------------------


@st.composite
def _reaches(draw: st.DrawFn) -> list[Reach]:
    reaches = []
    for tenant in ("a", "b"):
        at = 0
        while at < 1440 and draw(st.booleans()):
            minutes = draw(st.sampled_from((5, 15, 60)))
            start, end = DAY + at * MINUTE, DAY + (at + minutes) * MINUTE
            due = draw(st.sampled_from((None, 0, 900)))
            reaches.append(
                Reach(
                    tenant,
                    start,
                    end,
                    whole=draw(st.booleans()),
                    due=None if due is None else end + timedelta(seconds=due),
                    parked=draw(st.booleans()),
                    problem=draw(st.sampled_from(("", "why"))),
                    consistent=draw(st.booleans()),
                    quarantined=draw(st.integers(0, 2)),
                    accepted=draw(st.integers(0, 2)),
                )
            )
            at += minutes + draw(st.sampled_from((0, 0, 15)))
    return reaches


@given(_reaches())
def test_how_far_a_day_was_read_is_written_and_read_again(reaches: list[Reach]) -> None:
    assert reach_of_json(json.loads(json.dumps(reach_json(reaches))), DAY) == sorted(
        reaches, key=lambda r: (r.tenant, r.start)
    )


@given(_reaches(), st.integers(0, 1500))
def test_the_shortest_form_claims_less_and_never_more(reaches: list[Reach], minute: int) -> None:
    now = DAY + minute * MINUTE
    *_, shortest = reach_shapes(reaches)
    read = reach_of_json(shortest, DAY)

    def covered(given: list[Reach]) -> set[tuple[str, datetime]]:
        return {
            (r.tenant, r.start + n * 5 * MINUTE)
            for r in given
            if r.is_complete(now)
            for n in range(int((r.end - r.start) / (5 * MINUTE)))
        }

    assert covered(read) <= covered(reaches)
    assert sum(r.quarantined for r in read) == sum(r.quarantined for r in reaches)


def test_a_quiet_day_takes_a_few_bytes() -> None:
    reaches = [Reach("a", DAY + n * 15 * MINUTE, DAY + (n + 1) * 15 * MINUTE, True, None, False, "") for n in range(96)]
    assert reach_json(reaches)["tenants"]["a"] == {"at": [0], "width": [900], "slices": [96], "state": [0]}
