"""What is kept of groups of findings where there are too many: what a gap explains stays exact."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.answers.cause_groups import grouped, sentence_of
from shared.ledger.days import DayGroups, DayLines
from shared.ledger.finding_groups import FindingGroup, Groups
from shared.ledger.trimming import trim_groups
from shared.rules.cause import Cause

DAY = datetime(2026, 11, 2, tzinfo=UTC)
GAP = Cause("excluded", "p", "MFA for all", "groupId")


def group(user: int, customer: int, cause: Cause | None = GAP) -> FindingGroup:
    rules = ("interactive-without-mfa",)
    return FindingGroup("customer", f"u{user}", f"c{customer}", "a", rules, "non-compliant", None, cause)


def day(groups: Groups, most: int) -> DayGroups:
    return DayLines(DAY, trim_groups(groups, most))


_GROUPS = st.builds(
    FindingGroup,
    st.sampled_from(("customer", "guest")),
    st.sampled_from("uvw"),
    st.sampled_from("cde"),
    st.sampled_from(("", "a", "b")),
    st.sampled_from(((), ("legacy-auth",))),
    st.sampled_from(("non-compliant", "unknown")),
    st.sampled_from((None, "no-session")),
    st.one_of(st.none(), st.builds(Cause, st.sampled_from(("excluded", "remembered")), st.sampled_from("pq"))),
)


@given(st.dictionaries(_GROUPS, st.integers(1, 50), max_size=60), st.integers(1, 30), st.integers(1, 30))
def test_what_each_gap_explains_stays_exact(groups: Groups, most: int, again: int) -> None:
    def sums(of: Groups) -> Counter[object]:
        return Counter({key: sum(n for g, n in of.items() if (g.scope, g.verdict, g.cause) == key) for key in keys})

    keys = {(g.scope, g.verdict, g.cause) for g in groups}
    kept = trim_groups(groups, most)
    assert sums(kept) == sums(groups)
    assert len(kept) <= max(len(groups) if len(groups) <= most else 0, most + len(keys))
    twice = trim_groups(kept, again)  # a day is added up of what was trimmed before
    assert sums(twice) == sums(groups)
    assert len({g.user for g in groups if g.user}) <= most or any(not g.is_whole for g in kept) or not groups


def test_a_day_too_long_for_each_still_says_what_one_gap_explains() -> None:
    groups = {group(n % 100, n): 1 for n in range(6_000)}
    groups |= {group(1_000 + n, n, Cause("remembered")): 1 for n in range(60)}
    found = grouped([day(groups, 1_000)], ("customer",), "non-compliant")
    assert found.not_listed == 0
    first, second = sorted(found.groups, key=lambda each: -each.sign_ins)
    assert (first.sign_ins, len(first.users), first.truncated) == (6_000, 100, True)
    assert second.sign_ins == 60
    told = sentence_of(found.groups, 6_060, "non-compliant")
    assert told == "1 gap explains 99 % of 6,060 sign-ins without MFA; at least 100 people share the first."


def test_where_nobody_can_be_named_the_gap_still_is() -> None:
    groups = {group(n, n): 1 for n in range(5_000)}
    found = grouped([day(groups, 1)], ("customer",), "non-compliant")
    (only,) = found.groups
    assert (only.sign_ins, found.not_listed, only.truncated) == (5_000, 0, True)


@pytest.mark.parametrize("names", [60, 5_000])
def test_more_policies_than_there_can_be_are_bounded(names: int) -> None:
    """Whoever writes the log could name a policy a sign-in."""
    groups = {group(n, n, Cause("excluded", str(n))): names - n for n in range(names)}
    kept = trim_groups(groups, 20)
    assert len(kept) <= 20 + 50 + 1
    found = grouped([DayLines(DAY, kept)], ("customer",), "non-compliant")
    assert sum(each.sign_ins for each in found.groups) + found.not_listed == sum(groups.values())
