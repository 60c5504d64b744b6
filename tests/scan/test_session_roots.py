"""What an interactive root proved reaches the slices that go by it, whenever and in whichever order they are read."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from local.graph_server.control import Change, Control
from shared.operations.slices import rescan
from shared.rules.rule import PARTNER
from shared.store.tables import delete
from tests.functions.asking import counted_requests
from tests.scan.canonical import canonical, difference, raw
from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss
from tests.scan.harness import Rig, record, rig
from tests.scan.stories import CHILD, EARLY, MINUTE, RICH, SEVEN, WIDTH, silent, weak

CHILD_AT = CHILD.start + MINUTE
LATE = CHILD.end + 16 * MINUTE


async def evidence(desk: Rig) -> dict[str, int]:
    """How many sign-ins into customers are graded how."""
    return (await desk.counts()).scopes["customer"].evidence


async def test_a_root_that_is_read_after_its_child_reaches_it(desk: Rig) -> None:
    desk.set_time(LATE)
    desk.log(record("root", SEVEN, sessionId="s"), silent("child", CHILD_AT, "s"))
    await desk.work()
    assert [s.name for s in desk.reads if s in (RICH, CHILD)] == [CHILD.name, RICH.name, CHILD.name]  # newest first
    assert await evidence(desk) == {"proven": 1, "session": 1}
    assert await desk.findings() == []


async def test_a_root_in_the_same_slice_is_enough_and_read_once(desk: Rig) -> None:
    desk.log(weak("root", SEVEN, sessionId="s"), silent("child", SEVEN + MINUTE, "s"))
    await desk.work()
    assert desk.reads.count(RICH) == 1
    assert await evidence(desk) == {"none": 2}
    desk.correct(record("root", SEVEN, sessionId="s"))
    desk.pass_time(16 * MINUTE)
    desk.reads.clear()
    await desk.work()
    assert desk.reads.count(RICH) == 1  # it knows of its own change without being told
    assert await evidence(desk) == {"proven": 1, "session": 1}


async def test_a_corrected_root_reaches_its_children_and_back(desk: Rig) -> None:
    desk.log(record("root", SEVEN, sessionId="s"), silent("child", CHILD_AT, "s"))
    await desk.work()
    desk.set_time(LATE)
    await desk.work()
    assert await desk.findings() == []
    desk.correct(weak("root", SEVEN, sessionId="s"))
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    assert await desk.findings() == ["root", "child"]
    assert await evidence(desk) == {"none": 2}
    desk.pass_time(MINUTE)
    desk.correct(record("root", SEVEN, sessionId="s"))
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    assert await desk.findings() == []
    assert await desk.events() == ["opened", "withdrawn"]


async def test_a_sealed_slice_is_opened_again_by_its_root(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch, now=LATE, slice_minutes=WIDTH, read_ages_minutes=(0, 15)) as desk:
        desk.log(record("root", SEVEN, sessionId="s"), silent("child", CHILD_AT, "s"))
        await desk.work()
        assert (await desk.head(CHILD)).next_due is None
        desk.correct(weak("root", SEVEN, sessionId="s"))
        await rescan(desk.app, PARTNER, RICH.start, RICH.end)
        await desk.work()
        assert await desk.findings() == ["root", "child"]
        assert (await desk.head(CHILD)).next_due is None


async def test_roots_that_disagree_prove_nothing(desk: Rig) -> None:
    desk.set_time(LATE)
    desk.log(
        record("good", SEVEN, sessionId="s"),
        weak("bad", SEVEN + 10 * MINUTE, sessionId="s"),
        silent("between", SEVEN + 5 * MINUTE, "s", appId="app-between"),
        silent("after", CHILD_AT, "s", appId="app-after"),
    )
    await desk.work()
    rules = {row["id"]: row["rules"] for row in await desk.finding_rows()}
    assert rules == {"bad": "interactive-without-mfa", "after": "mfa-evidence-unknown"}


async def test_a_root_after_the_child_says_nothing_of_it(desk: Rig) -> None:
    desk.log(silent("child", SEVEN, "s"), record("root", SEVEN + MINUTE, sessionId="s"))
    await desk.work()
    assert await evidence(desk) == {"unknown": 1, "proven": 1}


async def test_another_persons_session_of_the_same_id_is_another_session(desk: Rig) -> None:
    other = {"userId": "44444444-4444-4444-4444-444444444444", "userPrincipalName": "other@partner.example"}
    desk.log(record("root", SEVEN, sessionId="s", **other), silent("child", SEVEN + MINUTE, "s"))
    await desk.work()
    assert await evidence(desk) == {"unknown": 1, "proven": 1}


async def test_a_root_that_was_corrected_to_prove_nothing_speaks_no_more(desk: Rig) -> None:
    desk.set_time(LATE)
    desk.log(record("root", SEVEN, sessionId="s"), silent("child", CHILD_AT, "s"))
    await desk.work()
    desk.correct(record("root", SEVEN, sessionId="s", status={"errorCode": 50126}))
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    assert await evidence(desk) == {"not-applicable": 1, "unknown": 1}
    rows = await raw((await desk.tables()).sessions)
    assert [row["proves"] for (_, key), row in rows.items() if "-root-" in key] == [""]


async def test_whoever_is_told_and_dies_is_told_again(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker dies between the root and the word to those who asked; then the root's record vanishes, and is back."""
    async with (
        rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH) as desk,
        CutProxy(azurite) as proxy,
    ):
        desk.set_time(CHILD.end)
        desk.log(silent("child", CHILD_AT, "s"), record("stays", SEVEN))
        await desk.work()
        desk.log(record("root", SEVEN + MINUTE, sessionId="s"))
        await rescan(desk.app, PARTNER, RICH.start, RICH.end)
        victim = desk.worker(proxy.connection, retries=0)
        await victim.directory()
        messages = await desk.plan()
        proxy.begin()
        before = await desk.copy()
        await desk.deliver(messages, victim)
        (wrote,) = [i for i, line in enumerate(proxy.requests, 1) if line.startswith("POST") and "sessions" in line]
        await desk.restore(before)
        proxy.begin(Cut(wrote, Loss.ANSWER, Aftermath.CRASH))
        with suppress(ServiceRequestError, ServiceResponseError):
            await desk.deliver(messages, victim)
        assert "s-root-root" in {key for _, key in await raw((await desk.tables()).sessions)}
        desk.hide("root", "stays")
        desk.pass_time(desk.app.lease)
        await desk.work()
        assert not (await desk.head(RICH)).consistent
        desk.show_all()
        desk.pass_time(timedelta(hours=1))
        await desk.work()
        assert await evidence(desk) == {"proven": 2, "session": 1}


OTHER = {"userId": "44444444-4444-4444-4444-444444444444", "userPrincipalName": "other@partner.example"}
ELSEWHERE = [
    pytest.param(OTHER, id="person"),
    pytest.param({"sessionId": "t"}, id="session"),
    pytest.param({"sessionId": None}, id="no-session"),
    pytest.param({"isInteractive": False, "signInEventTypes": ["nonInteractiveUser"]}, id="no-root"),
]


@pytest.mark.parametrize("elsewhere", ELSEWHERE)
async def test_a_record_that_turns_out_to_be_of_another_session_takes_its_root_back(
    desk: Rig, elsewhere: dict[str, object]
) -> None:
    desk.set_time(LATE)
    desk.log(record("root", SEVEN, sessionId="s"), silent("child", CHILD_AT, "s"))
    await desk.work()
    assert (await evidence(desk))["session"] == 1
    desk.correct(record("root", SEVEN, **{"sessionId": "s", **elsewhere}))
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    graded = await evidence(desk)
    assert graded["unknown"] == 1
    assert "session" not in graded
    assert "child" in await desk.findings()
    desk.pass_time(MINUTE)
    desk.correct(record("root", SEVEN, sessionId="s"))
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    assert (await evidence(desk))["session"] == 1
    assert await desk.findings() == []


async def test_the_halves_of_a_split_slice_know_what_the_whole_wrote(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch, now=LATE, slice_minutes=WIDTH, page_size=2, pages_per_slice=1) as desk:
        desk.log(record("root", SEVEN, sessionId="s"), silent("child", CHILD_AT, "s"))
        await desk.work()
        desk.correct(record("root", SEVEN, sessionId="s", **OTHER))
        desk.log(*(record(f"more-{n}", SEVEN + n * MINUTE, sessionId="u") for n in range(1, 4)))
        await rescan(desk.app, PARTNER, RICH.start, RICH.end)
        await desk.work()
        assert (await desk.head(RICH)).state == "split"
        assert "child" in await desk.findings()


def questions(sent: Sequence[str]) -> int:
    """How often sessions were asked for; a batch of writes does not name its table."""
    return sum("sessions()" in address for address in sent)


async def test_a_read_that_says_and_asks_the_same_asks_nobody_again(desk: Rig) -> None:
    desk.log(record("root", SEVEN, sessionId="s"), silent("child", SEVEN + MINUTE, "s"))
    with counted_requests() as sent:
        await desk.work()
    assert questions(sent) == 1  # behind what was written at once: nothing of a first read can stand
    desk.pass_time(16 * MINUTE)
    with counted_requests() as sent:
        assert await desk.work() > 0
    assert questions(sent) == 0
    assert await evidence(desk) == {"proven": 1, "session": 1}
    desk.log(silent("other", SEVEN + 2 * MINUTE, "t"))
    desk.pass_time(timedelta(hours=1))
    with counted_requests() as sent:
        await desk.work()
    assert questions(sent) == 2  # before word is left of the other session, and behind it
    assert await evidence(desk) == {"proven": 1, "session": 1, "unknown": 1}


async def test_a_root_of_another_slice_is_heard_by_one_that_asks_nobody(desk: Rig) -> None:
    desk.set_time(LATE)
    desk.log(silent("child", CHILD_AT, "s"))
    await desk.work()
    desk.pass_time(16 * MINUTE)
    await desk.work()
    assert await evidence(desk) == {"unknown": 1}
    desk.log(record("root", SEVEN, sessionId="s"))
    await rescan(desk.app, PARTNER, RICH.start, RICH.end)
    await desk.work()
    assert await evidence(desk) == {"proven": 1, "session": 1}


@pytest.mark.parametrize("shrinks", [False, True], ids=["whole", "shrunk"])
async def test_what_a_read_went_by_is_forgotten_once_the_slice_is_sealed(
    azurite: str, monkeypatch: pytest.MonkeyPatch, *, shrinks: bool
) -> None:
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH, read_ages_minutes=(0, 15)) as desk:

        async def kept() -> list[str]:
            rows = (await desk.tables()).slices.everything()
            return [row["RowKey"] async for row in rows if row["RowKey"] == f"went-{RICH.name}"]

        desk.log(record("root", SEVEN, sessionId="s"), silent("child", SEVEN + MINUTE, "s"))
        await desk.work()
        assert await kept() == [f"went-{RICH.name}"]
        if shrinks:
            desk.hide("child")
        desk.pass_time(16 * MINUTE)
        await desk.work()
        assert await kept() == []


async def test_a_first_read_whose_roots_stand_already_writes_them_anew(desk: Rig) -> None:
    desk.log(record("root", SEVEN, sessionId="s"), silent("child", SEVEN + MINUTE, "s"))
    await desk.work()
    tables = await desk.tables()
    lost = [row async for row in tables.slices.everything() if row["RowKey"] == f"head-{RICH.name}"]
    await tables.slices.write(delete(lost[0]))  # the ledger's row is lost, what it stood for is not
    await desk.wake()
    desk.correct(weak("root", SEVEN, sessionId="s"))
    await desk.work()
    assert await evidence(desk) == {"none": 2}


async def test_two_records_of_one_id_in_two_slices_are_two_roots_and_end_the_scan(desk: Rig) -> None:
    """Each slice took the other's root for an older version of its own: they made each other due for ever."""
    desk.log(
        record("twin", SEVEN, sessionId="s"),
        silent("before", SEVEN + MINUTE, "s"),
        silent("after", RICH.end + 3 * MINUTE, "s"),
    )
    other = weak("twin", RICH.end + 2 * MINUTE, sessionId="s")
    desk.graph.control(Control(add=[Change(record=other, at=desk.now, beside=True)]))
    desk.set_time(LATE)
    assert await desk.work(most=10) <= 5
    clean = await canonical(await desk.tables())
    rules = {row["id"]: row["rules"] for row in await desk.finding_rows()}
    assert rules == {"twin": "interactive-without-mfa", "after": "mfa-evidence-unknown"}, "its roots disagree"
    for again in (RICH, CHILD, RICH):
        await rescan(desk.app, PARTNER, again.start, again.end)
        assert await desk.work(most=10) == 1
    assert difference(clean, await canonical(await desk.tables())) == []


def _of(number: int) -> dict[str, object]:
    """One of several people, in a session of their own."""
    user = f"{number:08x}-4444-4444-4444-444444444444"
    return {"userId": user, "userPrincipalName": f"p{number}@partner.example", "sessionId": f"s{number}"}


_ROOTS = [record(f"root-{n}", SEVEN, **_of(n)) for n in range(8)]
_CHILDREN = [{**silent(f"child-{n}", CHILD_AT, f"s{n}"), **_of(n)} for n in range(8)]


async def test_a_first_read_does_not_look_where_nobody_can_have_asked(desk: Rig) -> None:
    desk.log(*_ROOTS)
    with counted_requests() as sent:
        await desk.work()
    assert questions(sent) == 0
    desk.log(*_CHILDREN)
    desk.set_time(LATE)
    await desk.work()
    assert await evidence(desk) == {"proven": 8, "session": 8}


async def test_a_first_read_looks_where_a_later_slice_was_read_before(desk: Rig) -> None:
    desk.set_time(LATE)
    desk.log(*_ROOTS, *_CHILDREN)
    with counted_requests() as sent:
        await desk.work()
    assert questions(sent) == 8 + 8 + 8  # the children's, the roots', and the children's that were made due
    assert [s.name for s in desk.reads if s in (RICH, CHILD)] == [CHILD.name, RICH.name, CHILD.name]
    assert await evidence(desk) == {"proven": 8, "session": 8}
