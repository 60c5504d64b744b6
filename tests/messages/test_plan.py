"""Which events become which messages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from shared.incidents.model import Event, EventKind, Facts, Incident, Telling, Who
from shared.messages.delivery import Item
from shared.messages.plan import MOST_IN_GROUP, Moment, Plan, plan

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOMENT = Moment(
    now=NOON, least=0, cycle_over=True, first_scan_over=True, storm_threshold=20, told=frozenset[tuple[str, int]]()
)


def item(
    incident: str,
    kind: str = "opened",
    *,
    severity: int = 3,
    opening: int = 1,
    at: datetime = NOON,
    first_scan: bool = False,
) -> Item:
    facts = Facts(1, NOON, NOON, frozenset({"legacy-auth"}), severity, severity)
    snapshot = Incident(incident, Who("user", "name", "customer", "app", "App"), facts, opening=opening)
    event = Event(f"{incident}-{kind}-{opening}-{severity}", EventKind(kind), incident, severity)
    return Item("soc", Telling(event, snapshot, at, first_scan))


def shape(made: Plan) -> list[tuple[str | None, int]]:
    return [(group.type, len(group.leads)) for group in made.groups]


def test_each_incident_has_its_message() -> None:
    made = plan([item(f"i{n}") for n in range(20)], MOMENT)
    assert shape(made) == [(None, 1)] * 20


def test_more_than_the_threshold_are_one_storm() -> None:
    made = plan([item(f"i{n}") for n in range(21)], MOMENT)
    assert shape(made) == [("incidents.storm", 21)]


def test_a_cycle_that_is_not_over_is_waited_for_but_not_for_long() -> None:
    under_way = replace(MOMENT, cycle_over=False)
    assert plan([item("a")], under_way) == Plan((), ())
    late = [item("a", at=NOON - 5 * MINUTE), item("b")]
    assert shape(plan(late, under_way)) == [(None, 1), (None, 1)]


def test_one_incident_has_one_message_however_many_events_wait() -> None:
    opened, raised = item("a", severity=2, at=NOON - MINUTE), item("a", "raised", severity=4)
    made = plan([opened, raised], MOMENT)
    assert [group.leads for group in made.groups] == [(raised,)]
    assert [group.items for group in made.groups] == [(opened, raised)]


def test_what_nobody_heard_of_is_withdrawn_in_silence() -> None:
    events = [item("a", at=NOON - MINUTE), item("a", "withdrawn")]
    made = plan(events, MOMENT)
    assert made == Plan((), tuple(events))


def test_what_somebody_took_care_of_meanwhile_is_told_to_nobody_and_makes_no_storm() -> None:
    crowd = [item(f"i{n}") for n in range(21)]
    made = plan(crowd, replace(MOMENT, known={"i3"}))
    assert shape(made) == [(None, 1)] * 20
    assert made.dropped == (crowd[3],)
    old = [item(f"i{n}", first_scan=True) for n in range(3)]
    assert shape(plan(old, replace(MOMENT, known={"i0"}))) == [("incidents.first-scan", 2)]


def test_who_was_alerted_hears_of_the_withdrawal() -> None:
    heard = replace(MOMENT, told={("a", 1)})
    assert shape(plan([item("a", "withdrawn")], heard)) == [(None, 1)]
    # Another opening that nobody heard of goes in silence.
    again = [item("a", opening=2), item("a", "withdrawn", opening=2)]
    assert plan(again, heard).dropped == tuple(again)


def test_many_withdrawals_are_one_message_too() -> None:
    gone = [item(f"i{n}", "withdrawn") for n in range(21)]
    heard = replace(MOMENT, told={(f"i{n}", 1) for n in range(21)})
    assert shape(plan(gone, heard)) == [("incidents.withdrawn", 21)]


def test_what_the_first_scan_found_is_one_summary_at_its_end() -> None:
    found = [item(f"i{n}", first_scan=True, at=NOON - 60 * MINUTE) for n in range(300)]
    before = replace(MOMENT, first_scan_over=False)
    assert plan(found, before) == Plan((), ())
    assert shape(plan(found, MOMENT)) == [("incidents.first-scan", 300)]
    assert shape(plan(found[:1], MOMENT)) == [(None, 1)]
    day_old = [item("old", first_scan=True, at=NOON - timedelta(days=1)), *found]
    assert shape(plan(day_old, before)) == [("incidents.first-scan", 301)]


def test_news_beside_the_first_scan_is_told_by_itself() -> None:
    found = [item(f"i{n}", first_scan=True) for n in range(300)]
    made = plan([*found, item("new")], replace(MOMENT, first_scan_over=False))
    assert shape(made) == [(None, 1)]


def test_in_quiet_hours_only_what_is_severe_enough_is_told() -> None:
    events = [item("a", severity=3), item("b", severity=4)]
    made = plan(events, replace(MOMENT, least=4))
    assert [group.leads for group in made.groups] == [(events[1],)]
    assert plan(events, replace(MOMENT, least=5)) == Plan((), ())


def test_the_threshold_counts_what_is_told() -> None:
    events = [item(f"i{n}", severity=4 if n == 0 else 2) for n in range(30)]
    assert shape(plan(events, replace(MOMENT, least=4))) == [(None, 1)]


def test_a_message_settles_no_more_than_a_row_holds() -> None:
    crowd = [item(f"i{n}") for n in range(MOST_IN_GROUP + 5)]
    (storm,) = plan(crowd, MOMENT).groups
    assert storm.items == tuple(crowd[:MOST_IN_GROUP])
