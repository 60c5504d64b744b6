"""Messages that are none, in the queues of the scan: the real worker notes each and goes on."""

import base64
from pathlib import Path

import pytest
from azure.storage.queue.aio import QueueServiceClient

from local.host.process import HostProcess
from local.stage.stack import CHECKOUT, default_schedules
from shared.basics.queues import Queue
from shared.rules.rule import PARTNER
from tests.local.hosting import NEVER, eventually

pytestmark = pytest.mark.e2e

JUNK = (
    b"junk",
    b"",
    b"[]",
    b'{"tenant": "a/b#", "start": "2026-11-02T09:00:00Z", "seconds": 900, "sendId": "x"}',
    b'{"tenant": "0", "start": "2026-11-02T09:00:00Z", "seconds": 900',
)


async def test_a_message_that_is_none_is_noted_and_gone(storage: str, tmp_path: Path) -> None:
    settings = {
        **dict.fromkeys(default_schedules(), NEVER),
        "AUTH_MODE": "local",
        "PARTNER_TENANT_ID": PARTNER,
        "AzureWebJobsStorage": storage,
    }
    log = tmp_path / "host.log"
    async with QueueServiceClient.from_connection_string(storage) as service:
        queues = [await service.create_queue(name) for name in Queue]
        for queue in queues:
            for junk in JUNK:
                await queue.send_message(base64.b64encode(junk).decode())

        async def all_noted() -> bool:
            noted = log.read_text().count("queue_message_unreadable") == len(queues) * len(JUNK)
            left = [(await queue.get_queue_properties()).approximate_message_count for queue in queues]
            return noted and not any(left)

        async with HostProcess(CHECKOUT, settings, log=log):
            await eventually(all_noted)
        assert "failed" not in log.read_text().lower()
