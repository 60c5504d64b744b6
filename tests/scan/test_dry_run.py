"""A dry run says what a rescan would change, and writes nothing but its own row."""

from __future__ import annotations

from datetime import timedelta

from functions.ops import dry_run, rescan_period
from shared.ledger.slices import DAY
from shared.rules.rule import PARTNER
from shared.scan.dry_run import Fate
from shared.scan.dry_run_job import fail_dry_run, go_on, is_dry_run, read_dry_run, start_dry_run
from tests.functions.asking import ask
from tests.scan.canonical import raw
from tests.scan.harness import Rig, record
from tests.scan.stories import BROKEN, EARLY, MINUTE, RICH, SEVEN, full_log, silent, weak


async def test_it_tells_what_comes_goes_and_changes_and_writes_nothing(desk: Rig) -> None:
    full_log(desk)
    await desk.work()
    desk.correct(
        record("weak", SEVEN, appId="app-a", sessionId="session-a"),
        weak("other-app", SEVEN + 2 * MINUTE, appId="app-b", clientAppUsed="IMAP4"),
    )
    desk.log(weak("late", SEVEN, appId="app-d"), record("broken-late", SEVEN, **BROKEN))
    tables = await desk.tables()
    before = {name: await raw(table) for name, table in tables.by_name.items() if name != "control"}
    run, message = await start_dry_run(desk.app, (PARTNER,), RICH.start, RICH.end)
    messages = [message]
    while messages:
        assert is_dry_run(messages[0])
        messages = await go_on(desk.app, messages[0])
    done = await read_dry_run(desk.app, run.id)
    assert done.is_done
    assert {name: await raw(table) for name, table in tables.by_name.items() if name != "control"} == before
    fates = {example.id: example.fate for example in done.found.examples}
    assert fates["late"] is Fate.COMES
    assert fates["weak"] is Fate.GOES
    assert fates["other-app"] is Fate.CHANGES
    assert len(done.incidents.come) == 1
    assert done.found.evidence == {"proven": 1}  # one without MFA goes and one comes
    assert await go_on(desk.app, message) == []


async def test_it_goes_by_sessions_and_leaves_no_word_that_it_asked(desk: Rig) -> None:
    desk.log(record("root", SEVEN, sessionId="s"), silent("child", SEVEN + MINUTE, "s"))
    await desk.work()
    run, message = await start_dry_run(desk.app, (PARTNER,), RICH.start, RICH.end)
    await go_on(desk.app, message)
    done = await read_dry_run(desk.app, run.id)
    assert (done.found.findings, done.found.evidence) == ({}, {})


async def test_one_whose_message_crashed_its_workers_ends_and_says_so(desk: Rig) -> None:
    full_log(desk)
    desk.set_time(RICH.start + DAY)
    await desk.work()
    run, message = await start_dry_run(desk.app, (PARTNER,), RICH.start, RICH.start + DAY)
    assert len(run.left) > 1
    (message,) = await go_on(desk.app, message)
    await fail_dry_run(desk.app, message)
    ended = await read_dry_run(desk.app, run.id)
    assert (ended.is_done, ended.failed, ended.problem) == (
        True,
        len(run.left) - 1,
        "its workers crashed; the log says why",
    )
    await fail_dry_run(desk.app, message)
    assert await read_dry_run(desk.app, run.id) == ended
    assert await go_on(desk.app, message) == []
    await fail_dry_run(desk.app, '{"dryRun": "none"}')


async def test_over_http_it_answers_202_and_is_of_a_day_at_most(desk: Rig) -> None:
    await desk.work()
    body = f'{{"from": "{RICH.start.isoformat()}", "to": "{EARLY.isoformat()}", "dryRun": true}}'.encode()
    headers = {"Content-Type": "application/json"}
    reply = await ask(rescan_period, desk.app, body=body, headers=headers)
    assert reply.status == 202, reply.text
    shown = await ask(dry_run, desk.app, path={"id": reply.json["dryRun"]})
    assert shown.json["slicesLeft"] == reply.json["slices"] == 1
    assert (await ask(dry_run, desk.app, path={"id": "0" * 32})).status == 404
    long = body.replace(EARLY.isoformat().encode(), (EARLY + timedelta(days=2)).isoformat().encode())
    assert (await ask(rescan_period, desk.app, body=long, headers=headers)).status == 400
