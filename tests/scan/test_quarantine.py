"""Records that cannot be read: they are kept, they make a slice incomplete, and an operator may accept that."""

from __future__ import annotations

from datetime import timedelta

import pytest

from local.graph_server.control import MalformedFault
from shared.operations.slices import accept, replay
from shared.rules.rule import PARTNER
from shared.store.findings import quarantine_of
from tests.scan.harness import Rig, record
from tests.scan.stories import BROKEN, EARLY, MINUTE, RICH, SEVEN, weak

QUARTER = 16 * MINUTE


async def test_an_unreadable_entry_of_one_answer_freezes_nothing(desk: Rig) -> None:
    """It stood in one page only. The next read is not taken for a log that shrank, and its counts stand."""
    desk.log(weak("a", SEVEN), record("b", SEVEN))
    desk.fail(MalformedFault(kind="malformed", shape="null"))
    await desk.work()
    assert (await desk.head(RICH)).quarantined == 1
    desk.correct(record("a", SEVEN))
    desk.pass_time(QUARTER)
    await desk.work()
    head = await desk.head(RICH)
    assert (head.quarantined, head.records, head.consistent) == (0, 2, True)
    assert (await desk.counts()).scopes["customer"].verdicts == {"compliant": 2}
    assert await desk.findings() == []
    assert await desk.coverage() == 1


async def test_a_record_of_an_id_stays_until_it_can_be_read_and_counts_go_on(desk: Rig) -> None:
    desk.log(weak("a", SEVEN), record("b", SEVEN, **BROKEN))
    await desk.work()
    desk.hide("b")
    desk.correct(record("a", SEVEN))
    desk.pass_time(QUARTER)
    await desk.work()
    head = await desk.head(RICH)
    assert (head.quarantined, head.records) == (1, 2)
    assert (await desk.counts()).scopes["customer"].verdicts == {"compliant": 1}
    desk.show_all()
    desk.correct(record("b", SEVEN))
    desk.pass_time(timedelta(hours=1))
    await desk.work()
    assert (await desk.head(RICH)).quarantined == 0


async def test_what_an_operator_accepts_is_kept_with_the_head_through_every_later_read(desk: Rig) -> None:
    desk.log(weak("a", SEVEN), record("b", SEVEN, **BROKEN))
    await desk.work()
    done = await accept(desk.app, PARTNER, RICH.start, RICH.end)
    assert (done.slices, done.records, done.busy) == (1, 1, 0)
    assert (await desk.head(RICH)).accepted_quarantine == 1
    assert (await accept(desk.app, PARTNER, RICH.start, RICH.end)).slices == 0
    assert await replay(desk.app, PARTNER, RICH.start, RICH.end) == 1
    desk.log(record("c", SEVEN, **BROKEN))
    await desk.work()
    head = await desk.head(RICH)
    assert (head.quarantined, head.accepted_quarantine) == (2, 1)  # the new one was accepted by nobody
    stands = await quarantine_of((await desk.tables()).slices, RICH)
    assert sorted((q.record, q.accepted) for q in stands.values()) == [("b", True), ("c", False)]


@pytest.mark.parametrize("is_read", [True, False])
async def test_a_slice_that_is_being_read_is_not_accepted_over_its_reader(desk: Rig, is_read: bool) -> None:
    desk.log(record("b", SEVEN, **BROKEN))
    await desk.work()
    await replay(desk.app, PARTNER, RICH.start, RICH.end)
    messages = await desk.plan()
    if is_read:
        from shared.store.ledger import Claim
        from tests.scan.harness import slice_of

        tables = await desk.tables()
        claim = await Claim.take(
            tables.slices, slice_of(messages[0]), owner="o", send_id="s", now=EARLY, lease=desk.app.lease
        )
        assert claim is not None
    done = await accept(desk.app, PARTNER, RICH.start, RICH.end)
    assert (done.slices, done.busy) == ((0, 1) if is_read else (1, 0))
