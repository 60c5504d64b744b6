"""Which events become which messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.incidents.model import Event, EventKind, Facts, Incident, IncidentState, Telling, Who
from shared.messages.delivery import Item, Word
from shared.messages.plan import MOST_IN_GROUP, Circumstances, Lead, Matter, Plan, matters
from shared.messages.plan import plan as plan_matters

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MOMENT = Circumstances(now=NOON, least=0, minimum=1, cycle_over=True, first_scan_over=True, storm_threshold=20)
EVIDENCE = frozenset({"interactive-without-mfa"})
CERTAIN = frozenset({"legacy-auth"})


def incident(
    key: str,
    severity: int = 3,
    *,
    opening: int = 1,
    count: int = 1,
    rules: frozenset[str] = EVIDENCE,
    tellings: int = 1,
) -> Incident:
    facts = Facts(count, NOON, NOON, rules, severity, severity)
    return Incident(key, Who("user", "name", "customer", "app", "App"), facts, opening=opening, tellings=tellings)


def item(
    key: str,
    kind: str = "opened",
    *,
    severity: int = 3,
    opening: int = 1,
    at: datetime = NOON,
    first_scan: bool = False,
    rules: frozenset[str] = EVIDENCE,
    tellings: int = 1,
) -> Item:
    snapshot = incident(key, severity, opening=opening, rules=rules, tellings=tellings)
    event = Event(f"{key}-{kind}-{opening}-{severity}", EventKind(kind), key, severity)
    return Item("soc", Telling(event, snapshot, at, first_scan))


def plan(items: Sequence[Item], around: Circumstances, *, now: Sequence[Incident] = (), **members: Any) -> Plan:
    """Plan about these items; incidents stand as their newest item says, where `now` does not say otherwise."""
    stands = {one.key: one for one in now}
    words = {word.incident: word for word in members.pop("words", ())}
    unread = members.pop("unread", {})
    waiting = [
        Matter(mine, stands.get(key, mine[-1].telling.incident), words.get(key), unread.get(key, 0))
        for key, mine in matters(items).items()
    ]
    return plan_matters(waiting, replace(around, **members))


def told(made: Plan) -> list[tuple[str, str, int]]:
    events = [lead.telling.event for group in made.groups for lead in group.leads]
    return [(event.incident, str(event.kind), event.severity) for event in events]


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
    opened, raised = item("a", severity=2, at=NOON - MINUTE), item("a", "raised", severity=4, tellings=2)
    made = plan([raised, opened], MOMENT)
    assert told(made) == [("a", "raised", 4)]
    assert made.groups[0].items == (opened, raised)


def test_what_nobody_heard_of_is_withdrawn_in_silence() -> None:
    events = [item("a", at=NOON - MINUTE), item("a", "withdrawn", tellings=2)]
    made = plan(events, MOMENT, now=[incident("a", count=0)])
    assert made == Plan((), tuple(events))


def test_what_somebody_took_care_of_meanwhile_is_told_to_nobody_and_makes_no_storm() -> None:
    crowd = [item(f"i{n}") for n in range(21)]
    in_hand = replace(incident("i3"), state=IncidentState.ACKNOWLEDGED)
    made = plan(crowd, MOMENT, now=[in_hand])
    assert shape(made) == [(None, 1)] * 20
    assert made.dropped == (crowd[3],)
    old = [item(f"i{n}", first_scan=True) for n in range(4)]
    assert shape(plan(old, MOMENT, now=[in_hand])) == [("incidents.first-scan", 3)]


# --- the last word of a channel ---------------------------------------------------------------------------------------


def test_who_was_alerted_hears_of_the_withdrawal_whatever_came_between() -> None:
    heard = [Word("a", 1, 3, withdrawn=False)]
    gone = incident("a", count=0, opening=2)
    assert told(plan([item("a", "withdrawn")], MOMENT, now=[incident("a", count=0)], words=heard)) == [
        ("a", "withdrawn", 3)
    ]
    between = [
        item("a", "withdrawn", tellings=2),
        item("a", opening=2),
        item("a", "withdrawn", opening=2, tellings=2),
    ]
    assert told(plan(between, MOMENT, now=[gone], words=heard)) == [("a", "withdrawn", 3)]
    taken_back = [Word("a", 1, 3, withdrawn=True)]
    assert plan(between, MOMENT, now=[gone], words=taken_back).dropped == tuple(between)


def test_the_order_is_that_of_the_incident_and_not_of_the_clocks() -> None:
    ahead, behind = item("a", "withdrawn", tellings=2, at=NOON), item("a", opening=2, at=NOON - MINUTE)
    made = plan([behind, ahead], MOMENT, now=[incident("a", opening=2)], words=[Word("a", 1, 3, withdrawn=False)])
    assert told(made) == [("a", "opened", 3)]
    assert made.groups[0].items == (ahead, behind)


def test_a_withdrawal_of_what_is_open_again_is_not_told() -> None:
    made = plan(
        [item("a", "withdrawn", tellings=2)],
        MOMENT,
        now=[incident("a", opening=2)],
        words=[Word("a", 1, 3, withdrawn=False)],
    )
    assert told(made) == [("a", "opened", 3)]


def test_an_opening_of_what_is_withdrawn_by_now_is_not_told() -> None:
    opened = item("a")
    assert plan([opened], MOMENT, now=[incident("a", count=0)]).dropped == (opened,)


def test_the_severity_told_is_the_one_that_stands() -> None:
    heard = [Word("a", 1, 2, withdrawn=False)]
    raised = item("a", "raised", severity=4, tellings=2)
    assert told(plan([raised], MOMENT, words=heard)) == [("a", "raised", 4)]
    assert told(plan([raised], MOMENT, now=[incident("a", 3)], words=heard)) == [("a", "raised", 3)]
    assert plan([raised], MOMENT, now=[incident("a", 2)], words=heard).dropped == (raised,)
    assert told(plan([raised], MOMENT, now=[incident("a", 1)], words=heard)) == [("a", "lowered", 1)]


def test_a_fall_is_told_to_those_alone_who_heard_of_more() -> None:
    lowered = item("a", "lowered", severity=2, tellings=3)
    assert told(plan([lowered], MOMENT, words=[Word("a", 1, 4, withdrawn=False)], minimum=4)) == [("a", "lowered", 2)]
    assert plan([lowered], MOMENT, minimum=4).dropped == (lowered,)


def test_what_a_channel_knows_already_is_not_told_again() -> None:
    again = item("a", "opened", tellings=2)
    assert plan([again], MOMENT, words=[Word("a", 1, 3, withdrawn=False)]).dropped == (again,)
    assert told(plan([again], MOMENT)) == [("a", "opened", 3)]
    on = item("a", "ongoing", tellings=2)
    assert told(plan([on], MOMENT, words=[Word("a", 1, 3, withdrawn=False)])) == [("a", "ongoing", 3)]


def test_many_withdrawals_are_one_message_too() -> None:
    gone = [item(f"i{n}", "withdrawn") for n in range(21)]
    now = [incident(f"i{n}", count=0) for n in range(21)]
    heard = [Word(f"i{n}", 1, 3, withdrawn=False) for n in range(21)]
    assert shape(plan(gone, MOMENT, now=now, words=heard)) == [("incidents.withdrawn", 21)]


# --- waiting ----------------------------------------------------------------------------------------------------------


def test_what_rests_on_slices_that_are_unread_waits_for_an_hour_and_then_says_so() -> None:
    waiting = [item("a", at=NOON - 59 * MINUTE), item("b", at=NOON - 59 * MINUTE)]
    assert told(plan(waiting, MOMENT, unread={"a": 3})) == [("b", "opened", 3)]
    (group,) = plan([item("a", at=NOON - 60 * MINUTE)], MOMENT, unread={"a": 3}).groups
    assert group.leads[0].telling.unread == 3


def test_what_is_certain_at_once_waits_for_nothing() -> None:
    certain = item("a", rules=CERTAIN)
    assert told(plan([certain], MOMENT, unread={"a": 3}, cycle_over=False)) == [("a", "opened", 3)]


def test_what_is_certain_is_told_ahead_of_the_first_scans_summary_once_an_hour() -> None:
    found = [item(f"c{n}", first_scan=True, rules=CERTAIN) for n in range(3)]
    found += [item(f"e{n}", first_scan=True) for n in range(30)]
    under_way = replace(MOMENT, first_scan_over=False, cycle_over=False)
    assert shape(plan(found, under_way)) == [("incidents.ahead", 3)]
    assert shape(plan(found[:1], under_way)) == [("incidents.ahead", 1)]
    assert plan(found, under_way, ahead_at=NOON - 59 * MINUTE) == Plan((), ())
    assert shape(plan(found, under_way, ahead_at=NOON - 60 * MINUTE)) == [("incidents.ahead", 3)]


def test_the_first_scans_summary_is_about_what_was_told_ahead_too() -> None:
    found = [item(f"e{n}", first_scan=True) for n in range(30)]
    ahead = Lead(item("c", first_scan=True).telling, Word("c", 1, 3, withdrawn=False), ())
    (summary,) = plan(found, MOMENT, told_ahead=(ahead,)).groups
    assert (summary.type, len(summary.leads), summary.told_before) == ("incidents.first-scan", 31, 1)
    assert plan([], MOMENT, told_ahead=(ahead,)) == Plan((), ())


# --- severity first ---------------------------------------------------------------------------------------------------


def test_a_flood_of_low_ones_never_delays_a_critical_one() -> None:
    flood = [item(f"i{n}", severity=1, at=NOON - MINUTE) for n in range(3 * MOST_IN_GROUP)]
    (storm,) = plan([*flood, item("bad", severity=4)], MOMENT).groups
    assert storm.leads[0].telling.event.incident == "bad"
    few = plan([*flood[:5], item("bad", severity=4)], MOMENT)
    assert told(few)[0] == ("bad", "opened", 4)


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
    assert told(made) == [("b", "opened", 4)]
    assert plan(events, replace(MOMENT, least=5)) == Plan((), ())


def test_the_threshold_counts_what_is_told() -> None:
    events = [item(f"i{n}", severity=4 if n == 0 else 2) for n in range(30)]
    assert shape(plan(events, replace(MOMENT, least=4))) == [(None, 1)]


def test_a_message_settles_no_more_than_a_row_holds() -> None:
    crowd = [item(f"i{n}") for n in range(MOST_IN_GROUP + 5)]
    (storm,) = plan(crowd, MOMENT).groups
    assert storm.items == tuple(crowd[:MOST_IN_GROUP])
    assert storm.to_follow == 5, "and says how many it leaves to the next"
    found = [item(f"i{n}", first_scan=True) for n in range(MOST_IN_GROUP + 5)]
    (summary,) = plan(found, MOMENT).groups
    assert (summary.type, len(summary.leads), summary.to_follow) == ("incidents.first-scan", MOST_IN_GROUP, 5)
