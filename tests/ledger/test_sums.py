"""What the sum of some days and the other days say together is what all the days say one by one."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.json import decode, encode

from shared.compliance.figures import figures_of_customer, figures_of_user
from shared.ledger import sums
from shared.ledger.counts import Counts, Seen
from shared.ledger.counts_json import PairColumns
from shared.ledger.days import DayCustomers, DayPairs, DayUsers
from shared.ledger.slices import DAY
from shared.ledger.sums import (
    Adder,
    Summed,
    SummedCustomer,
    SummedUser,
    SumOfCustomers,
    SumOfPairs,
    SumOfTurns,
    SumOfUsers,
    TurnsOfPeople,
)
from shared.ledger.tallies import Verdicts
from shared.people.activity import Activity
from shared.rules.assess import Assessment, Verdict
from shared.signin.evidence import Evidence, Strength
from shared.signin.outcome import Outcome
from shared.signin.traits import WATCHED, Identity, Scope
from shared.store.rollup_rows import CUSTOMER_VERDICTS, CUSTOMERS, PAIRS, USERS, LineKind

FIRST = datetime(2026, 10, 4, tzinfo=UTC)
PEOPLE = [f"user {n}" for n in range(9)]
TENANTS = [f"tenant {n}" for n in range(7)]
# Some days have too many lines for this room.
SMALL = (replace(USERS, room=330), replace(CUSTOMERS, room=330), replace(PAIRS, room=260))
WIDE = (USERS, CUSTOMERS, PAIRS)


def drawing(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - no secret hangs on it


def some_day(draw: random.Random) -> Counts:
    counts = Counts()
    for _ in range(draw.randrange(30)):
        verdict = draw.choice([*Verdict])
        strength = draw.choice([*Strength]) if verdict is Verdict.COMPLIANT else None
        scope = draw.choice([*WATCHED, Scope.CUSTOMER])
        assessment = Assessment(Identity.USER, scope, Outcome.SUCCESS, Evidence.NONE, verdict, strength=strength)
        user, tenant = draw.choice(PEOPLE), draw.choice(TENANTS)
        counts.add(Seen(assessment, user, f"{user}@x", tenant, "app", "App", draw.choice(["interactive", "silent"])))
    return counts


def lines_of(kind: LineKind[Any], days: Iterable[tuple[datetime, Counts]]) -> list[Any]:
    """The days as they are read."""
    read = CUSTOMER_VERDICTS if kind.prefix == CUSTOMERS.prefix else kind
    return [read.lines_of({"RowKey": kind.row_key(day), **kind.columns(counts)}) for day, counts in days]


def added_up(adder: Adder[Any], days: Sequence[Any], form: Any, parts: int) -> list[Summed[Any]]:
    """A sum as it is read, in so many parts."""
    taken = [adder.add(day) for day in days]
    assert all(taken)
    trimmed = sum(day.trimmed for day in days)
    last = FIRST + 5 * DAY
    return [
        Summed(FIRST, last, decode(encode(adder.part(n, parts)), type=form), 0 if n else trimmed) for n in range(parts)
    ]


def activity_of(
    users: Sequence[Any], customers: Sequence[Any], pairs: Sequence[Any], scopes: Sequence[str]
) -> list[Activity]:
    """What they say of everybody, and of each person."""
    made = []
    for user in (None, *PEOPLE):
        activity = Activity()
        for of_users in users:
            activity.add_users(of_users, scopes)
        for of_customers in customers:
            activity.add_customers(of_customers, scopes)
        for of_pairs in pairs:
            activity.add_pairs(of_pairs)
        if user is not None:
            activity.narrow_to(user, pairs)
        made.append(activity)
    return made


@pytest.mark.parametrize("kinds", [WIDE, SMALL], ids=["whole", "trimmed"])
@pytest.mark.parametrize("seed", range(40))
def test_a_sum_and_the_days_beside_it_say_what_all_days_say(seed: int, kinds: Sequence[LineKind[Any]]) -> None:
    draw = drawing(seed)
    parts = draw.choice([1, 2, 3])
    # Before the days that are added up, within them (some were never read), and after them.
    place = {n: some_day(draw) for n in range(-2, 9) if draw.random() < 0.9}
    dated = [(FIRST + n * DAY, counts) for n, counts in place.items()]
    users, customers, pairs = (lines_of(kind, dated) for kind in kinds)

    def summed(days: Sequence[Any], adder: Adder[Any], form: Any) -> list[Any]:
        within = [day for day in days if FIRST <= day.day <= FIRST + 5 * DAY]
        return [*added_up(adder, within, form, parts), *(day for day in days if day not in within)]

    some_users: list[DayUsers | Summed[Any]] = summed(users, SumOfUsers(FIRST), dict[str, dict[str, SummedUser]])
    some_customers: list[DayCustomers | Summed[Any]] = summed(
        customers, SumOfCustomers(FIRST), dict[str, dict[str, SummedCustomer]]
    )
    some_pairs: list[DayPairs | Summed[Any]] = summed(pairs, SumOfPairs(), PairColumns)
    for scopes in ([Scope.CUSTOMER], [*WATCHED]):
        assert activity_of(some_users, some_customers, some_pairs, scopes) == activity_of(
            users, customers, pairs, scopes
        )
    for customer in (*TENANTS, "nobody"):
        assert figures_of_customer([], some_pairs, customer) == figures_of_customer([], pairs, customer)
    turns = summed(users, SumOfTurns(FIRST), TurnsOfPeople)
    for user in (*PEOPLE, "nobody"):
        of_parts = [part for part in turns if isinstance(part, Summed)]
        mine = next((part for part in of_parts if user in part.lines.users), of_parts[0])
        theirs = [*mine.lines.of_user(user, FIRST), *(day for day in turns if not isinstance(day, Summed))]
        assert figures_of_user(theirs, user) == figures_of_user(users, user)


def test_pairs_without_a_number_are_not_added_up() -> None:
    counts = Counts(pairs={"u": {"one": Verdicts(1), "two": None}})
    (day,) = lines_of(PAIRS, [(FIRST, counts)])
    assert not SumOfPairs().add(day)


def test_pairs_are_added_up_as_far_as_memory_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "MOST_PAIRS", 2)
    pairs = SumOfPairs()
    taken = []
    for number in range(3):
        taken += [pairs.add(day) for day in lines_of(PAIRS, [(FIRST, Counts(pairs={"u": {str(number): Verdicts(1)}}))])]
    assert taken == [True, True, False]


def test_nobody_is_in_two_parts_or_in_none() -> None:
    users = SumOfUsers(FIRST)
    for day in lines_of(USERS, [(FIRST, some_day(drawing(1)))]):
        users.add(day)
    make: Callable[[int, int], Any] = users.part
    for of in (1, 2, 3):
        shown = [(scope, user) for n in range(of) for scope, lines in make(n, of).items() for user in lines]
        assert sorted(shown) == sorted((scope, user) for scope, lines in users.lines.items() for user in lines)
