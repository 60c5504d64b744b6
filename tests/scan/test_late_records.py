"""What a slice says follows its log: details that arrive late, records that vanish, and what nobody may erase."""

from datetime import timedelta

import pytest

from local.graph_server.control import Control, Hide, MalformedFault, RepeatedPageFault
from shared.basics.spelling import id_key
from shared.operations.slices import rescan
from shared.rules.rule import AT_HOME, PARTNER, PLAIN, SILENT
from shared.store.outlines import outline_incidents
from shared.store.tables import Table, Tables
from tests.scan.canonical import canonical, difference, raw
from tests.scan.harness import Rig, record, rig, slice_of
from tests.scan.stories import BROKEN, CHILD, EARLY, MINUTE, RICH, SEVEN, WIDTH, full_log, weak

HOUR = timedelta(hours=1)
CLIENT = id_key(PLAIN["appId"])
QUARTER = 16 * MINUTE  # the second read, with some room


async def verdicts(desk: Rig) -> tuple[int, int]:
    """How many compliant and non-compliant sign-ins into customers the partner's days count."""
    counts = await desk.counts()
    found = counts.scopes["customer"].verdicts if "customer" in counts.scopes else {}
    return found.get("compliant", 0), found.get("non-compliant", 0)


# --- details that arrive late -----------------------------------------------------------------------------------------


async def test_details_that_arrive_late_withdraw_the_finding(desk: Rig) -> None:
    desk.log(weak("a", SEVEN))
    await desk.work()
    assert (await desk.findings(), await verdicts(desk)) == (["a"], (0, 1))
    desk.correct(record("a", SEVEN))
    desk.pass_time(QUARTER)
    await desk.work()
    assert (await desk.findings(), await verdicts(desk)) == ([], (1, 0))
    assert await desk.incidents() == {}
    assert await desk.events() == []  # it was never told, so there is nothing to take back


async def test_details_that_arrive_late_raise_a_finding(desk: Rig) -> None:
    desk.log(record("a", SEVEN))
    await desk.work()
    assert (await desk.findings(), await verdicts(desk)) == ([], (1, 0))
    desk.correct(weak("a", SEVEN))
    desk.pass_time(QUARTER)
    await desk.work()
    assert (await desk.findings(), await verdicts(desk)) == (["a"], (0, 1))
    assert await desk.events() == ["opened"]


async def test_a_finding_that_was_told_is_taken_back_once(desk: Rig) -> None:
    desk.log(weak("a", SEVEN))
    desk.pass_time(QUARTER)
    await desk.work()
    desk.correct(record("a", SEVEN))
    desk.pass_time(HOUR)
    await desk.work()
    assert await desk.events() == ["opened", "withdrawn"]


async def test_a_finding_that_gets_worse_raises_its_incident(desk: Rig) -> None:
    desk.log(weak("a", SEVEN))
    desk.pass_time(QUARTER)
    await desk.work()
    desk.correct(weak("a", SEVEN, authenticationProtocol="ropc"))
    desk.pass_time(HOUR)
    await desk.work()
    (incident,) = (await desk.incidents()).values()
    assert (incident["severity"], incident["rules"]) == (4, "interactive-without-mfa,password-flow")
    assert await desk.events() == ["opened", "raised"]


async def test_an_incident_is_of_the_scopes_of_its_findings_as_they_are_now(desk: Rig) -> None:
    desk.log(
        record("customer", SEVEN, **SILENT),
        record("home", SEVEN, **SILENT, **AT_HOME),
        record("home-of-another-slice", RICH.start - HOUR, **SILENT, **AT_HOME),
    )
    await desk.work()
    (incident,) = (await desk.incidents()).values()
    assert (incident["scopes"], incident["count"]) == ("customer,partner-tenant", 3)
    table = (await desk.tables()).incidents
    assert await _open(table, ["customer"]) == 1
    desk.correct(record("customer", SEVEN))
    desk.pass_time(QUARTER)
    await desk.work()
    (incident,) = (await desk.incidents()).values()
    assert (incident["scopes"], incident["count"]) == ("partner-tenant", 2)
    assert await _open(table, ["customer", "partner-center"]) == 0
    assert await _open(table, ["partner-tenant"]) == 1


async def test_a_finding_that_moves_to_another_scope_takes_its_incident_along(desk: Rig) -> None:
    desk.log(record("a", SEVEN, **SILENT))
    await desk.work()
    desk.correct(record("a", SEVEN, **SILENT, **AT_HOME))
    desk.pass_time(QUARTER)
    await desk.work()
    (incident,) = (await desk.incidents()).values()
    assert (incident["scopes"], incident["count"]) == ("partner-tenant", 1)


async def test_a_record_that_arrives_late_is_counted_by_the_next_read(desk: Rig) -> None:
    desk.log(record("a", SEVEN))
    desk.log(weak("late", SEVEN), at=EARLY + 10 * MINUTE)
    await desk.work()
    assert await verdicts(desk) == (1, 0)
    desk.pass_time(QUARTER)
    await desk.work()
    assert await verdicts(desk) == (1, 1)


async def test_a_broken_record_that_was_mended_leaves_the_quarantine(desk: Rig) -> None:
    desk.log(record("a", SEVEN, **BROKEN), record("b", SEVEN, **BROKEN))
    await desk.work()
    assert (await desk.head(RICH)).quarantined == 2
    desk.correct(record("a", SEVEN))
    desk.pass_time(QUARTER)
    await desk.work()
    head = await desk.head(RICH)
    assert (head.quarantined, head.records, head.consistent) == (1, 2, True)
    rows = await raw((await desk.tables()).slices)
    assert [row["reason"] for (_, key), row in rows.items() if key.startswith("quar-")] == [
        "isInteractive: expected `bool | null`, got `str`"
    ]


# --- a log that shrinks -----------------------------------------------------------------------------------------------


async def test_a_broken_record_that_is_gone_stays_in_quarantine(desk: Rig) -> None:
    desk.log(record("a", SEVEN), record("b", SEVEN, **BROKEN))
    await desk.work()
    desk.hide("b")
    desk.pass_time(QUARTER)
    await desk.work()
    head = await desk.head(RICH)
    assert (head.quarantined, head.records, head.consistent) == (1, 2, True)
    rows = await raw((await desk.tables()).slices)
    assert len([key for _, key in rows if key.startswith("quar-")]) == 1


async def test_a_finding_whose_record_is_gone_stays_and_the_slice_is_incomplete(desk: Rig) -> None:
    desk.log(weak("a", SEVEN), record("b", SEVEN))
    await desk.work()
    assert await desk.coverage() == 1
    desk.hide("a")
    desk.log(record("c", SEVEN), record("d", SEVEN))  # so that the number alone says nothing
    desk.pass_time(QUARTER)
    await desk.work()
    head = await desk.head(RICH)
    assert (await desk.findings(), await verdicts(desk)) == (["a"], (1, 1))
    assert not head.consistent
    assert head.next_due == desk.now + HOUR
    assert await desk.coverage() == 0.5
    desk.show_all()
    desk.pass_time(HOUR)
    await desk.work()
    assert (await desk.head(RICH)).consistent
    assert (await desk.findings(), await verdicts(desk)) == (["a"], (3, 1))
    assert await desk.coverage() == 1


async def test_a_log_that_shrank_still_adds_and_judges_what_is_there(desk: Rig) -> None:
    desk.log(weak("gone", SEVEN), weak("mended", SEVEN, appId="app-m"), record("worse", SEVEN, appId="app-w"))
    desk.log(*(record(f"more-{i}", SEVEN) for i in range(3)))
    await desk.work()
    desk.hide("gone", "more-0", "more-1", "more-2")
    desk.correct(record("mended", SEVEN, appId="app-m"), weak("worse", SEVEN, appId="app-w"))
    desk.log(weak("new", SEVEN, appId="app-n"))
    desk.pass_time(QUARTER)
    await desk.work()
    assert sorted(await desk.findings()) == ["gone", "new", "worse"]
    assert sorted(i["app"] for i in (await desk.incidents()).values()) == ["appn", "appw", CLIENT]
    assert await verdicts(desk) == (4, 2)  # the counts of the last read that saw everything


async def test_fewer_records_than_before_keep_the_old_counts(desk: Rig) -> None:
    desk.log(record("a", SEVEN), record("b", SEVEN))
    await desk.work()
    desk.hide("a", "b")
    desk.pass_time(QUARTER)
    await desk.work()
    head = await desk.head(RICH)
    assert (head.records, head.consistent, await verdicts(desk)) == (2, False, (2, 0))


async def test_a_log_that_never_comes_back_seals_as_inconsistent(desk: Rig) -> None:
    desk.log(weak("a", SEVEN))
    await desk.work()
    desk.hide("a")
    desk.set_time(RICH.end + timedelta(days=7))
    await desk.work()
    head = await desk.head(RICH)
    assert (head.consistent, head.next_due, await desk.findings()) == (False, None, ["a"])
    assert not any(r.is_complete(desk.now) for r in await desk.reach(RICH))
    desk.show_all()
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    assert (await desk.head(RICH)).consistent
    assert all(r.is_complete(desk.now) for r in await desk.reach(RICH))


async def test_what_is_near_the_end_of_retention_is_left_as_it_is(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, retention_days=1) as desk:
        desk.log(weak("a", SEVEN))
        desk.pass_time(QUARTER)
        await desk.work()
        before = await desk.copy()
        desk.set_time(RICH.start + timedelta(days=1) - 59 * MINUTE)
        desk.graph.control(Control(hide=Hide(older_than=desk.now)))
        assert await rescan(desk.app, PARTNER, RICH.start, RICH.end) == 0
        await desk.work()
        rows = [row for row in (await desk.copy())["slices"] if row["RowKey"].startswith(("head-000000", "find"))]
        assert rows == [row for row in before["slices"] if row["RowKey"].startswith(("head-000000", "find"))]
        assert await desk.findings() == ["a"]


async def test_a_slice_that_came_near_the_end_of_retention_on_its_way_is_left_as_it_is(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, retention_days=1) as desk:
        desk.log(weak("a", SEVEN))
        desk.pass_time(QUARTER)
        await desk.work()
        await rescan(desk.app, PARTNER, RICH.start, RICH.end)
        messages = await desk.plan()
        assert slice_of(messages[0]) == RICH
        desk.hide("a")
        desk.set_time(RICH.start + timedelta(days=1))
        await desk.deliver(messages)
        assert await desk.findings() == ["a"]
        assert (await desk.head(RICH)).next_due is None


# --- pages and boundaries ---------------------------------------------------------------------------------------------


async def test_a_record_on_the_boundary_belongs_to_the_later_slice_alone(desk: Rig) -> None:
    desk.log(
        weak("on-it", RICH.end), record("broken", RICH.end, **BROKEN), weak("before", RICH.end - timedelta(seconds=1))
    )
    desk.set_time(CHILD.end)
    await desk.work()
    first, second = await desk.head(RICH), await desk.head(CHILD)
    assert (first.records, first.quarantined) == (1, 0)
    assert (second.records, second.quarantined) == (2, 1)
    desk.correct(record("broken", RICH.end))
    desk.pass_time(HOUR)
    await desk.work()
    assert (await desk.head(RICH)).consistent
    assert (await desk.head(CHILD)).quarantined == 0


async def test_a_record_from_outside_the_period_is_quarantined_and_not_lost(desk: Rig) -> None:
    outside = record("stray", SEVEN - timedelta(days=1))
    desk.log(record("a", SEVEN))
    desk.fail(MalformedFault(kind="malformed", record=outside))
    await desk.work()
    head = await desk.head(RICH)
    assert (head.records, head.quarantined) == (2, 1)


async def test_a_page_that_comes_twice_counts_once(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, page_size=2) as desk:
        desk.log(*(weak(f"r{i}", SEVEN + i * MINUTE) for i in range(5)))
        desk.fail(RepeatedPageFault(kind="repeated-page"))
        await desk.work()
        assert (await desk.head(RICH)).records == 5
        assert await verdicts(desk) == (0, 5)


async def test_an_idle_slice_is_read_again_at_every_second_age_only(desk: Rig) -> None:
    desk.log(record("a", SEVEN))
    desk.set_time(CHILD.end)
    await desk.work()
    assert (await desk.head(CHILD)).next_due == CHILD.end + HOUR
    desk.log(record("late", CHILD.start))
    desk.pass_time(HOUR)
    await desk.work()
    assert (await desk.head(CHILD)).next_due == CHILD.end + timedelta(hours=6)


async def test_reading_again_and_again_changes_nothing(desk: Rig) -> None:
    full_log(desk)
    desk.set_time(CHILD.end + QUARTER)
    await desk.work()
    tables: Tables = await desk.tables()
    once = await canonical(tables)
    events = await desk.events()
    for _ in range(2):
        await rescan(desk.app, PARTNER, RICH.start, CHILD.end)
        assert await desk.work() == 2
        assert difference(once, await canonical(tables)) == []
        assert await desk.events() == events


async def _open(table: Table, scopes: list[str]) -> int:
    """How many incidents with findings of these scopes are open."""
    found = await outline_incidents(table)
    return sum(incident.state == "open" and not incident.scopes.isdisjoint(scopes) for incident in found)
