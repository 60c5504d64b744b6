"""The risk of relationships with customers."""

from datetime import UTC, datetime, timedelta

from shared.posture.gdap import GLOBAL_ADMINISTRATOR, Access, BlastRadius, Groups, Risk, blast_radius, risks_of

NOW = datetime(2026, 11, 20, tzinfo=UTC)
OLD = NOW - timedelta(days=100)
GROUPS = Groups({"all": frozenset({"a", "b"}), "some": frozenset({"a"})}, with_pim=frozenset({"some"}))


def flags(access: Access, *, installed: datetime = OLD, groups: Groups = GROUPS) -> dict[Risk, bool | None]:
    return risks_of(access, groups, installed=installed, now=NOW)


def test_nothing_to_say_against() -> None:
    told = flags(
        Access("c", groups=frozenset({"some"}), ends=NOW + timedelta(days=31), last_seen=NOW - timedelta(days=90))
    )
    assert set(told.values()) == {False}


def test_each_flag() -> None:
    told = flags(Access("c", frozenset({GLOBAL_ADMINISTRATOR}), frozenset({"all"}), NOW + timedelta(days=30), OLD))
    assert set(told.values()) == {True}


def test_what_cannot_be_said_is_not_said() -> None:
    unknown = flags(Access("c", groups=frozenset({"elsewhere"})), installed=NOW - timedelta(days=89))
    assert {risk for risk, value in unknown.items() if value is None} == {
        Risk.EVERYBODY_IN_ONE_GROUP,
        Risk.NO_PIM,
        Risk.UNUSED,
    }
    assert flags(Access("c", last_seen=NOW), installed=NOW)[Risk.UNUSED] is False
    assert flags(Access("c", ends=NOW))[Risk.ENDS_SOON] is False


def test_one_person_alone_is_no_crowd() -> None:
    alone = Groups({"all": frozenset({"a"})})
    assert flags(Access("c", groups=frozenset({"all"})), groups=alone)[Risk.EVERYBODY_IN_ONE_GROUP] is False


def test_blast_radius() -> None:
    accesses = [Access("1", groups=frozenset({"all"})), Access("2", groups=frozenset({"all", "some"}))]
    assert blast_radius(accesses, GROUPS, {"a": ["1", "1"], "left": ["2"]}) == {
        "a": BlastRadius(2, 1),
        "b": BlastRadius(2, 0),
        "left": BlastRadius(0, 1),
    }
