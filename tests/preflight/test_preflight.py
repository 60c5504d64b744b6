"""What the preflight says of an installation: real storage, real receivers, the local Graph with its faults."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.queue.aio import QueueServiceClient

from functions.answers import coverage, health
from functions.preflight import preflight
from local.graph_server.control import LicenceFault, StatusFault
from shared.app.app import App
from shared.app.settings import load_settings
from shared.basics.queues import Queue
from shared.graph.permissions import PARTS
from shared.preflight.queues import check_queues
from shared.preflight.run import preflight_when_due
from shared.preflight.storage import check_exports, check_storage
from shared.rules import RULES_VERSION
from shared.rules.rule import PARTNER
from shared.store.rollup_rows import PARTNER as PARTNER_DAYS
from shared.store.rollup_rows import totals_key
from shared.store.rollups import roll_up_partner
from shared.store.tables import etag_of, keys, merge
from tests.alerts.harness import rig as alert_rig
from tests.functions.asking import ask
from tests.scan.harness import rig
from tests.settings import settings_for

SIGN_INS = "AuditLog.Read.All: the sign-in log"
LICENCE = "Microsoft Entra ID P1 or P2 (sign-in log)"


def _by_name(said: Any) -> dict[str, Any]:
    return {check["name"]: check for check in said["checks"]}


async def look(at: Any) -> Any:
    """Ask for a preflight that nobody asked for a minute ago."""
    at.set_time(at.now + timedelta(minutes=1))
    return (await ask(preflight, at.app)).json


async def test_queues_are_there_missing_or_refused(storage: str) -> None:
    async def states(connection: str) -> dict[str, str]:
        settings = settings_for(connection)
        return {check.name: check.state for check in await check_queues(settings)}

    assert await states(storage) == dict.fromkeys(Queue, "missing")
    async with QueueServiceClient.from_connection_string(storage) as service:
        await service.create_queue("scan-slices")
        await service.create_queue("alerts-poison")
        await service.get_queue_client("alerts-poison").send_message("crashed")
    found = await states(storage)
    assert [name for name in Queue if found[name] == "ok"] == ["scan-slices", "alerts-poison"]
    settings = settings_for(storage)
    (poison,) = [check for check in await check_queues(settings) if check.name == "alerts-poison"]
    assert "1 messages crashed" in poison.detail

    key = next(part for part in storage.split(";") if part.startswith("AccountKey="))
    assert set((await states(storage.replace(key, "AccountKey=d3Jvbmc="))).values()) == {"missing"}
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}/x"
        lost = f"{storage.rstrip(';')};QueueEndpoint={address}"
        assert set((await states(lost)).values()) == {"unknown"}


async def test_what_graph_refuses_is_missing_with_the_command_that_helps(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch) as at:
        at.fail(StatusFault(kind="status", status=403))
        checks = _by_name(await look(at))
        assert checks[SIGN_INS]["state"] == "missing"
        assert checks[SIGN_INS]["command"] == (
            "infra/scripts/grant-graph-permissions.sh "
            '"$(azd env get-value AZURE_IDENTITY_PRINCIPAL_ID)" AuditLog.Read.All'
        )
        assert checks[LICENCE]["state"] == "unknown"

        at.fail(LicenceFault(kind="licence"))
        checks = _by_name(await look(at))
        assert (checks[SIGN_INS]["state"], checks[LICENCE]["state"]) == ("unknown", "missing")

        at.fail(StatusFault(kind="status", status=500))
        checks = _by_name(await look(at))
        assert (checks[SIGN_INS]["state"], checks[LICENCE]["state"]) == ("unknown", "unknown")

        said = await look(at)
        checks = _by_name(said)
        assert (checks[SIGN_INS]["state"], checks[LICENCE]["state"]) == ("ok", "ok")
        assert checks["the app's managed identity"]["state"] == "ok"
        assert checks["Table Storage"]["state"] == "ok"
        assert checks["Blob Storage, container table-exports"]["state"] == "ok"
        assert checks["the roster and the customers"]["state"] == "ok"
        assert checks["channels"]["state"] == "missing"
        assert said["missing"] == sum(check["state"] == "missing" for check in said["checks"]) > 0
        assert said["ready"] is False
        assert all(check["toDo"] for check in said["checks"] if check["state"] != "ok")

        # What was found last is part of the coverage, without what is ok.
        shown = (await ask(coverage, at.app)).json["preflight"]
        assert shown == {**said, "checks": [check for check in said["checks"] if check["state"] != "ok"]}


async def test_without_an_identity_no_permission_is_called_missing(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch) as at:
        monkeypatch.setenv("IDENTITY_HEADER", "not the one that is expected")
        said = await look(at)
        by_kind: dict[str, set[str]] = {}
        for check in said["checks"]:
            by_kind.setdefault(check["kind"], set()).add(check["state"])
        assert (by_kind["identity"], by_kind["permission"], by_kind["licence"]) == (
            {"missing"},
            {"unknown"},
            {"unknown"},
        )
        assert by_kind["storage"] == {"ok"}, "the emulator asks for no identity"
        assert all(check["toDo"] for check in said["checks"] if check["state"] != "ok")
        assert not [r for r in at.graph.requests() if str(r["path"]).startswith(("/v1.0/", "/beta/"))]


@pytest.mark.filterwarnings("ignore:Testing an element's truth value:DeprecationWarning")  # in the SDK of tables
async def test_storage_that_may_not_be_used_names_the_role(storage: str) -> None:
    key = next(part for part in storage.split(";") if part.startswith("AccountKey="))
    wrong = storage.replace(key, "AccountKey=d3Jvbmc=")
    app = App(settings_for(wrong))
    try:
        tables, blobs = await check_storage(app)
    finally:
        await app.close()
    assert (tables.state, blobs.state) == ("missing", "missing")
    assert "Storage Table Data Contributor" in str(tables.to_do)
    assert "Storage Blob Data Owner" in str(blobs.to_do)


async def test_by_identity_the_blob_service_must_be_named() -> None:
    app = App(load_settings(partner_tenant_id=PARTNER, AzureWebJobsStorage__tableServiceUri="https://127.0.0.1:9/"))
    try:
        check = await check_exports(app)
    finally:
        await app.close()
    assert (check.state, check.command) == ("missing", "azd provision --no-state")
    assert "AzureWebJobsStorage__blobServiceUri" in check.detail


async def test_the_timer_looks_once_an_hour(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with rig(azurite, monkeypatch) as at:
        assert (await ask(coverage, at.app)).json["preflight"] is None
        looked = []
        for minutes in (0, 59, 60):
            at.set_time(at.now.replace(hour=12 + minutes // 60, minute=minutes % 60))
            await preflight_when_due(at.app)
            looked.append((await ask(coverage, at.app)).json["preflight"]["checkedAt"])
        assert looked == ["2026-11-02T12:00:00Z", "2026-11-02T12:00:00Z", "2026-11-02T13:00:00Z"]


async def test_a_webhook_is_judged_by_its_last_message(azurite: str) -> None:
    from functions.alerts import try_channel
    from local.stage.receivers import Fault
    from shared.preflight.run import _check_webhooks

    async with alert_rig(azurite) as at:

        async def state() -> str:
            (check,) = await _check_webhooks(at.app)
            assert check.state == "ok" or '{"channel": "soc"}' in str(check.command)
            return check.state

        async def send() -> None:
            sent = await ask(
                try_channel, at.app, headers={"Content-Type": "application/json"}, body=b'{"channel": "soc"}'
            )
            assert sent.status == 200, sent.text
            await at.tick()

        assert await state() == "unknown"
        await send()
        assert await state() == "ok"
        at.receivers[0].faults.append(Fault.GONE)
        await send()
        assert await state() == "missing"


def test_the_command_says_which_setting_is_wrong() -> None:
    environment = {"PATH": os.environ["PATH"], "PARTNER_TENANT_ID": "nobody"}
    ran = subprocess.run(
        [sys.executable, "-m", "local", "preflight"], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "PARTNER_TENANT_ID" in ran.stderr


async def test_whoever_asks_again_gets_the_last_answer_and_the_scan_waits_for_nobody(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch) as at:
        said = await look(at)
        asked = len(at.graph.requests())
        every = await asyncio.gather(*(ask(preflight, at.app) for _ in range(10)))
        assert [reply.json for reply in every] == [said] * 10
        assert len(at.graph.requests()) == asked, "Graph was asked once"
        assert at.app.graph(PARTNER) is not at.app.graph(PARTNER, 10, use="preflight"), "budgets of their own"
        assert (await look(at))["checkedAt"] != said["checkedAt"]


async def test_a_channel_that_cannot_be_used_is_told_while_the_rest_goes_on(
    azurite: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    reference = "@Microsoft.KeyVault(VaultName=kv;SecretName=channel-soc-url)"
    async with rig(azurite, monkeypatch, channels={"soc": {"kind": "teams", "url": reference}}) as at:
        with caplog.at_level(logging.INFO, "monitor"):
            checks = _by_name(await look(at))
        assert checks["soc"]["state"] == "missing"
        assert "did not resolve" in checks["soc"]["detail"]
        assert "channel-soc-url" not in str(checks), "an address, even of a secret, is nobody's business here"
        assert "channels" not in checks, "there is one, though it cannot be used"
        assert (await ask(health, at.app)).json == {"status": "degraded", "packKeyId": None}
        (told,) = [e for r in caplog.records if (e := json.loads(r.getMessage()))["event"] == "preflight"]
        assert (told["deadChannels"], told["missingPermissions"], told["missingLicences"]) == (1, 0, 0)
        assert at.app.settings.channels == {}


async def test_no_channel_at_all_is_a_choice_and_no_dead_channel(
    azurite: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig(azurite, monkeypatch) as at:
        with caplog.at_level(logging.INFO, "monitor"):
            assert _by_name(await look(at))["channels"]["state"] == "missing"
        assert (await ask(health, at.app)).json == {"status": "ok", "packKeyId": None}
        (told,) = [e for r in caplog.records if (e := json.loads(r.getMessage()))["event"] == "preflight"]
        assert (told["missing"] > 0, told["deadChannels"]) == (True, 0)


async def test_a_missing_permission_is_counted_for_the_alert(
    azurite: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with rig(azurite, monkeypatch) as at:
        with caplog.at_level(logging.INFO, "monitor"):
            at.fail(StatusFault(kind="status", status=403))
            await look(at)
            at.fail(LicenceFault(kind="licence"))
            await look(at)
        refused, unlicensed = [e for r in caplog.records if (e := json.loads(r.getMessage()))["event"] == "preflight"]
        assert refused["missingPermissions"] > 0
        assert unlicensed["missingLicences"] > 0


async def test_every_part_that_is_read_is_asked_for_and_the_optional_ones_only_where_they_are(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(azurite, monkeypatch) as at:
        checks = _by_name((await ask(preflight, at.app)).json)
        named = {name.split(":")[0] for name, check in checks.items() if check["kind"] == "permission"}
        assert named == {part.permission for part in PARTS}
    async with rig(azurite, monkeypatch, read_federation=False) as at:
        checks = _by_name((await ask(preflight, at.app)).json)
        assert not [name for name in checks if name.startswith("Domain")]


async def test_a_period_judged_by_two_versions_of_the_rules_asks_for_a_rescan(
    azurite: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, now = "the rules of the last 30 days", str(RULES_VERSION)
    async with rig(azurite, monkeypatch) as at:
        said = await look(at)
        assert (said["rulesVersions"], _by_name(said)[name]["state"]) == ([], "ok")

        rollups = (await at.tables()).rollups
        for days, versions in ((31, {"1": 5}), (1, {now: 90})):
            day = at.now - timedelta(days=days)
            await roll_up_partner(rollups, day)
            row = {**keys(PARTNER_DAYS, totals_key(day)), "rulesVersions": json.dumps(versions)}
            await rollups.write(merge(row, etag_of(await rollups.get(PARTNER_DAYS, totals_key(day)) or {})))
        said = await look(at)
        assert (said["rulesVersions"], _by_name(said)[name]["state"]) == ([now], "ok")

        row = {**keys(PARTNER_DAYS, totals_key(day)), "rulesVersions": json.dumps({"10": 4, now: 86})}
        await rollups.write(merge(row, etag_of(await rollups.get(PARTNER_DAYS, totals_key(day)) or {})))
        said = await look(at)
        check = _by_name(said)[name]
        assert said["rulesVersions"] == [now, "10"]
        assert (check["kind"], check["state"]) == ("rules", "unknown"), "an upgrade makes no installation look broken"
        assert (check["command"], "rescan" in check["toDo"]) == ("python -m local ops rescan", True)
        assert f"version {now}: 86 slices, version 10: 4 slices" in check["detail"]
        assert (await ask(coverage, at.app)).json["preflight"]["rulesVersions"] == [now, "10"]
