"""`python -m local ops rescan --dry-run` and `accept-quarantine`: what they say, and what they leave behind."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from azure.core.credentials_async import AsyncTokenCredential
from azure.identity.aio import AzureCliCredential
from azure.storage.queue.aio import QueueClient

from local.commands import ops, rescan_forecast
from local.commands.rescan_forecast import NobodyReads, forecast_period, sending, told
from shared.app.settings import load_settings
from shared.ledger.register import ActKind
from shared.rules.rule import PARTNER
from shared.scan.dry_run_job import go_on
from shared.store.register import page_of_acts
from tests.scan.canonical import raw
from tests.scan.harness import Rig, record, rig
from tests.scan.stories import EARLY, MINUTE, RICH, SEVEN, WIDTH, full_log, weak


@pytest.fixture
async def desk(azurite: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """RICH was read, with two records that nobody can read."""
    async with rig(azurite, monkeypatch, now=EARLY, slice_minutes=WIDTH) as made:
        full_log(made)
        await made.work()
        yield made


async def test_the_days_of_a_dry_run_are_put_together_and_nothing_is_written(desk: Rig) -> None:
    desk.correct(record("weak", SEVEN, appId="app-a", sessionId="session-a"))
    desk.log(weak("late", SEVEN, appId="app-d", userPrincipalName="jane\u202e\x1b[2J@partner.example"))
    tables = await desk.tables()
    before = {name: await raw(table) for name, table in tables.by_name.items() if name != "control"}
    heard: list[float] = []

    async def send(message: str) -> None:
        messages = [message]
        while messages:
            messages = await go_on(desk.app, messages[0])

    first = RICH.start - 40 * 60 * MINUTE  # into the second day before
    forecast = await forecast_period(desk.app, (PARTNER,), first, RICH.end, send, heard.append)
    assert {name: await raw(table) for name, table in tables.by_name.items() if name != "control"} == before
    assert (forecast.failed, heard[-1]) == (0, 1.0)
    assert heard == sorted(heard)
    said = told(forecast).splitlines()
    assert said[1] == "Findings: 1 would come, 1 would go, 0 would change."
    assert said[3] == "Evidence: proven +1."
    assert [line.split()[:2] for line in said[4:]] == [["comes", "late"], ["goes", "weak"]]
    assert all(line.isprintable() for line in said), "a log must not write to a terminal"


async def test_an_app_that_reads_nothing_is_told_of(desk: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(_: str) -> None:
        pass  # nobody listens

    monkeypatch.setattr(rescan_forecast, "_PATIENCE", 0.0)
    with pytest.raises(NobodyReads, match=r"does the app run.*GET /api/ops/rescan/[0-9a-f]{32}"):
        await forecast_period(desk.app, (PARTNER,), RICH.start, RICH.end, send)


async def test_the_message_reaches_the_queue_as_the_host_reads_it(azurite: str) -> None:
    name = f"q{uuid4().hex}"
    settings = load_settings(auth_mode="local", partner_tenant_id=PARTNER, AzureWebJobsStorage=azurite)
    credential: AsyncTokenCredential = AzureCliCredential()
    async with QueueClient.from_connection_string(azurite, name) as queue, sending(settings, credential, name) as send:
        await queue.create_queue()
        await send('{"dryRun":"x"}')
        [message] = [m async for m in queue.receive_messages()]
        assert base64.b64decode(message.content) == b'{"dryRun":"x"}'
        await queue.delete_queue()


async def test_records_that_nobody_can_read_are_accepted_with_a_reason(desk: Rig) -> None:
    def asked(*more: str) -> list[str]:
        period = ["--from", RICH.start.isoformat(), "--to", RICH.end.isoformat()]
        return ["accept-quarantine", *period, "--reason", "a damaged export", *more]

    assert (await desk.head(RICH)).quarantined == 2
    said = await ops.act(desk.app, ops.parser().parse_args(asked("--tenant", PARTNER.upper())))
    assert said == "2 records in 1 slices are accepted as unreadable."
    assert (await desk.head(RICH)).accepted_quarantine == 2
    acts = [act for _, act in (await page_of_acts((await desk.tables()).control))[0]]
    [noted] = [act for act in acts if act.kind is ActKind.ACCEPT_QUARANTINE]
    assert (noted.detail["reason"], noted.by.endswith("(command line)")) == ("a damaged export", True)
    with pytest.raises(ValueError, match="3 to 1000"):
        await ops.act(desk.app, ops.parser().parse_args(asked("--reason", " x ")))
    with pytest.raises(ValueError, match=r"--tenant must be one whose log is read"):
        await ops.act(desk.app, ops.parser().parse_args(asked("--tenant", "contoso")))


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["rescan", "--from", "2026-11-02", "--to", "2026-11-01"], "--to must be after --from"),
        (["rescan", "--dry-run", "--from", "2026-11-02", "--to", "2026-11-02"], "--to must be after --from"),
        (["rescan", "--from", "yesterday"], "'yesterday' is no date or time"),
        (["accept-quarantine", "--from", "2026-11-01", "--to", "2026-11-02"], "--reason"),
        (["accept-quarantine", "--reason", "because"], "--from"),
    ],
)
def test_misuse_is_said_and_ends_with_2(
    argv: list[str], says: str, azurite: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("AzureWebJobsStorage", azurite), ("PARTNER_TENANT_ID", PARTNER), ("AUTH_MODE", "local")):
        monkeypatch.setenv(name, value)
    try:
        code = ops.main(argv)
    except SystemExit as left:  # argparse's own
        code = int(str(left.code))
    assert code == 2
    assert says in capsys.readouterr().err


def test_a_dry_run_without_a_queue_service_says_which_setting_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage__tableServiceUri", "https://nobody.table.core.windows.net")
    monkeypatch.setenv("PARTNER_TENANT_ID", PARTNER)
    monkeypatch.setenv("AUTH_MODE", "key")
    assert ops.main(["rescan", "--dry-run"]) == 2
    assert "AzureWebJobsStorage__queueServiceUri is not set" in capsys.readouterr().err
