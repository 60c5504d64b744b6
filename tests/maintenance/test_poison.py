"""Messages that came to a poison queue, in the real worker: what they park, what is logged, and which alerts fire."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.storage.queue.aio import QueueServiceClient

from local.host.process import HostProcess
from local.stage.stack import CHECKOUT, default_schedules
from shared.app.app import App
from shared.app.settings import load_settings
from shared.ledger.head import SliceState
from shared.rules.rule import PARTNER
from shared.scan.plan import plan_scans
from shared.signin.directory import DirectoryFile
from shared.store.directory import save_directory
from shared.store.tables import Tables
from tests.infra.kql import matches
from tests.infra.test_alerts import BY_NAME, EVENTS, query_of
from tests.local.hosting import NEVER, eventually
from tests.scan.harness import slice_of

pytestmark = pytest.mark.e2e


async def test_a_poison_message_parks_its_own_slice_and_fires_its_alerts(storage: str, tmp_path: Path) -> None:
    settings = {
        **dict.fromkeys(default_schedules(), NEVER),
        "AUTH_MODE": "local",
        "PARTNER_TENANT_ID": PARTNER,
        "AzureWebJobsStorage": storage,
    }
    log = tmp_path / "host.log"
    tables = Tables.connect(storage)
    app = App(load_settings(**{name.lower(): value for name, value in settings.items()}), tables=tables)
    try:
        await tables.create()
        await save_directory(tables.directory, DirectoryFile(partner_tenant_id=PARTNER), datetime.now(UTC))
        (message,) = await plan_scans(app)
        poison = {"scan-slices-poison": ["junk", message], "alerts-poison": ["junk", '{"delivery": "none"}']}
        async with QueueServiceClient.from_connection_string(storage) as service:
            queues = [await service.create_queue(name) for name in poison]
            for queue, texts in zip(queues, poison.values(), strict=True):
                for text in texts:
                    await queue.send_message(base64.b64encode(text.encode()).decode())

            async def all_gone() -> bool:
                counts = [(await queue.get_queue_properties()).approximate_message_count for queue in queues]
                return not any(counts)

            async with HostProcess(CHECKOUT, settings, log=log):
                await eventually(all_gone)
        heads = [row async for row in tables.slices.everything() if str(row["RowKey"]).startswith("head-")]
        assert [(row["RowKey"], row["state"]) for row in heads] == [
            (f"head-{slice_of(message).name}", SliceState.PARKED)
        ]
    finally:
        await app.close()
    lines = [line.partition(" INFO monitor: ")[2] for line in log.read_text("utf-8").splitlines()]
    fired = {name: sum(matches(query_of(BY_NAME[name]), line) for line in lines) for name in EVENTS}
    assert {name: times for name, times in fired.items() if times} == {"poison-message": 4, "slice-parked": 1}
    assert "failed" not in log.read_text("utf-8").lower()
