"""The risk of relationships with customers."""

from datetime import UTC, datetime, timedelta

from shared.basics.well_known import GLOBAL_ADMINISTRATOR
from shared.posture.gdap import Access, AccessGroup, Risk, risks_of

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OLD = NOW - timedelta(days=100)
GROUPS = {
    "all": AccessGroup("All", 2, everybody=True, pim=False),
    "some": AccessGroup("Some", 1, everybody=False, pim=True),
    "empty": AccessGroup("Empty", 0, everybody=False, pim=False),
}


def flags(access: Access, *, since: datetime | None = OLD) -> dict[Risk, bool | None]:
    return risks_of(access, GROUPS, watched_since=since, now=NOW)


def test_nothing_to_say_against() -> None:
    told = flags(
        Access(groups=frozenset({"some", "empty"}), ends=NOW + timedelta(days=31), last_seen=NOW - timedelta(days=90))
    )
    assert set(told.values()) == {False}


def test_each_flag() -> None:
    told = flags(Access(frozenset({GLOBAL_ADMINISTRATOR.upper()}), frozenset({"all"}), NOW + timedelta(days=30), OLD))
    assert set(told.values()) == {True}


def test_one_group_without_pim_is_enough() -> None:
    assert flags(Access(groups=frozenset({"all", "some"})))[Risk.NO_PIM] is True


def test_what_cannot_be_said_is_not_said() -> None:
    unknown = flags(Access(groups=frozenset({"elsewhere"})), since=NOW - timedelta(days=89))
    assert {risk for risk, value in unknown.items() if value is None} == {
        Risk.EVERYBODY_IN_ONE_GROUP,
        Risk.NO_PIM,
        Risk.UNUSED,
    }
    assert flags(Access(), since=None)[Risk.UNUSED] is None
    assert flags(Access(last_seen=NOW), since=NOW)[Risk.UNUSED] is False
    assert flags(Access(ends=NOW))[Risk.ENDS_SOON] is False
