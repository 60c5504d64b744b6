"""The dating of roster and customers, as a pure function: by example, and by any history of refreshes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.basics.spelling import id_key
from shared.people.merge import Known, Merged, Shrunk, merge
from shared.people.roster import Roster, RosterPerson, Span, Tenant
from shared.signin.directory import Customer, DelegatedAdmin, Directory, DirectoryFile
from tests.people.harness import tenant, user

T0 = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
PARTNER = "11111111-1111-1111-1111-111111111111"


def roster(
    *people: int, customers: Sequence[int] = (1,), since: datetime | None = None, ended: Sequence[Span] = ()
) -> Roster:
    return Roster(
        [RosterPerson(user(n), ("AdminAgents",), (), since, 0) for n in people],
        [Tenant(tenant(n), f"Customer {n}", (), since, None, False) for n in customers],
        ended,
    )


def merged(known: DirectoryFile | None, found: Roster, *, began: datetime = T0, now: datetime = T0 + HOUR) -> Merged:
    return merge(
        Known(known, began) if known else None,
        found,
        partner_tenant=PARTNER,
        names={},
        federated_domains=(),
        now=now,
    )


def file(*admins: DelegatedAdmin, customers: Sequence[Customer] = ()) -> DirectoryFile:
    return DirectoryFile(partner_tenant_id=PARTNER, delegated_admins=[*admins], customers=[*customers])


def test_whoever_comes_back_before_the_end_of_the_refresh_that_missed_them_has_no_overlap() -> None:
    """Missed by the refresh from T0 to T0+1, seen by the next: the second period begins where the first one ended."""
    one = [Customer(tenant_id=tenant(1))]
    known = file(DelegatedAdmin(user_id=user(1), to=T0 + HOUR), DelegatedAdmin(user_id=user(2)), customers=one)
    found = merged(known, roster(1, 2), began=T0, now=T0 + 7 * HOUR)
    assert [(a.from_, a.to) for a in found.file.delegated_admins] == [
        (None, T0 + HOUR),
        (T0 + HOUR, None),
        (None, None),
    ]
    assert found.since == T0 + HOUR


def test_the_sources_date_counts_only_where_it_is_earlier() -> None:
    known = file(DelegatedAdmin(user_id=user(1)), customers=[Customer(tenant_id=tenant(1))])
    early = merged(known, roster(1, 2, since=T0 - 5 * HOUR), began=T0)
    late = merged(known, roster(1, 2, since=T0 + HOUR / 2), began=T0)
    assert (early.since, late.since) == (T0 - 5 * HOUR, T0)
    assert [a.from_ for a in early.file.delegated_admins] == [None, T0 - 5 * HOUR]


def test_nothing_new_makes_nothing_due() -> None:
    known = file(DelegatedAdmin(user_id=user(1)), customers=[Customer(tenant_id=tenant(1))])
    found = merged(known, roster(1))
    assert (found.since, found.joined, found.left) == (None, 0, 0)
    assert merged(found.file, roster(1)).file == found.file


def test_ids_are_one_in_any_spelling() -> None:
    known = file(
        DelegatedAdmin(user_id=user(1).upper()),
        customers=[Customer(tenant_id=tenant(1).replace("-", ""), display_name="Kept")],
    )
    found = merged(known, roster(1))
    assert len(found.file.delegated_admins) == len(found.file.customers) == 1


def test_names_stay_where_nobody_tells_them_anew() -> None:
    known = file(
        DelegatedAdmin(user_id=user(1), user_principal_name="one@partner.example"),
        customers=[Customer(tenant_id=tenant(1), display_name="One")],
    )
    nameless = Roster(roster(1).people, [Tenant(tenant(1), None, (), None, None, False)], ())
    found = merged(known, nameless).file
    assert found.delegated_admins[0].user_principal_name == "one@partner.example"
    assert found.customers[0].display_name == "One"


@pytest.mark.parametrize(
    ("known", "found"),
    [
        (None, roster()),
        (file(DelegatedAdmin(user_id=user(1))), roster()),
        (file(DelegatedAdmin(user_id=user(1)), customers=[Customer(tenant_id=tenant(1))]), roster(1, customers=())),
    ],
    ids=["nobody at first", "nobody any more", "no customer any more"],
)
def test_nobody_is_no_roster(known: DirectoryFile | None, found: Roster) -> None:
    with pytest.raises(Shrunk):
        merged(known, found)


def test_a_new_partner_may_have_no_customer_yet() -> None:
    assert merged(None, roster(1, customers=())).file.customers == []


def test_a_relationship_between_two_refreshes_leaves_its_period() -> None:
    known = file(DelegatedAdmin(user_id=user(1)), customers=[Customer(tenant_id=tenant(1))])
    span = Span(tenant(2), "Two", T0 + HOUR, T0 + 2 * HOUR)
    old = Span(tenant(3), "Three", T0 - 9 * HOUR, T0 - 8 * HOUR)
    inside = Span(tenant(1), "One", T0 - HOUR, T0 + HOUR)
    found = merged(known, roster(1, ended=[span, old, inside]), now=T0 + 6 * HOUR)
    assert [(c.tenant_id, c.from_, c.to) for c in found.file.customers] == [
        (tenant(1), None, None),
        (tenant(2), T0 + HOUR, T0 + 2 * HOUR),
    ]
    assert found.since == T0 + HOUR
    again = merged(found.file, roster(1, ended=[span, old, inside]), began=T0 + 6 * HOUR, now=T0 + 12 * HOUR)
    assert again.file.customers == found.file.customers
    assert again.since is None


# A history: which of three people each refresh sees; refreshes are six hours apart and take one.
HISTORIES = st.lists(st.sets(st.integers(2, 4)), min_size=1, max_size=7)


@given(HISTORIES)
def test_any_history_of_refreshes(history: list[set[int]]) -> None:
    """Whoever two refreshes in a row see counts all the time between them; whoever both miss counts at no time between
    them; periods never overlap; and what a refresh makes due covers everything that it changed of the past."""
    known: DirectoryFile | None = None
    before: Directory | None = None
    began = T0
    for place, seen in enumerate(history):
        now = T0 + place * 6 * HOUR
        found = merged(known, roster(1, *seen), began=began, now=now + HOUR)
        directory = Directory.of(found.file)
        changed = found.since or now + HOUR
        for n in (2, 3, 4):
            key = id_key(user(n))
            periods = [(a.from_, a.to) for a in found.file.delegated_admins if a.user_id == user(n)]
            for (_, end), (start, _) in pairwise(periods):
                assert end is not None
                assert start is not None
                assert end <= start
            assert directory.is_admin(key, now + HOUR) is (n in seen)
            if before is not None:
                for at in (now - 6 * HOUR + timedelta(minutes=m) for m in range(0, 420, 30)):
                    if at < changed:
                        assert directory.is_admin(key, at) is before.is_admin(key, at), "changed and not made due"
                    if at >= now - 5 * HOUR and n in seen and n in history[place - 1]:
                        assert directory.is_admin(key, at)
                    if now - 5 * HOUR <= at < now and n not in seen and n not in history[place - 1]:
                        assert not directory.is_admin(key, at)
        known, before, began = found.file, directory, now
