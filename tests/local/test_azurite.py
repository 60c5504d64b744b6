"""The launcher of Azurite."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableServiceClient
from azure.storage.queue.aio import QueueServiceClient

from local.stage.azurite import azurite as azurite_process
from tests.local.hosting import eventually, nobody_at

pytestmark = pytest.mark.e2e


async def test_every_service_answers_and_nothing_is_left_after_an_error() -> None:
    connections: list[str] = []
    with pytest.raises(RuntimeError, match="in the block"):
        await _use_and_fail(connections)
    for port in _ports(connections[0]):
        assert await nobody_at(port)


async def _use_and_fail(connections: list[str]) -> None:
    async with azurite_process() as connection:
        connections.append(connection)
        async with TableServiceClient.from_connection_string(connection) as tables:
            await tables.create_table("answers")
        async with QueueServiceClient.from_connection_string(connection) as queues:
            await queues.create_queue("answers")
        raise RuntimeError("in the block")


async def test_a_location_keeps_what_was_written(tmp_path: Path) -> None:
    async with (
        azurite_process(tmp_path) as connection,
        TableServiceClient.from_connection_string(connection) as tables,
    ):
        await tables.create_table("kept")
    async with (
        azurite_process(tmp_path) as connection,
        TableServiceClient.from_connection_string(connection) as tables,
    ):
        with pytest.raises(ResourceExistsError):
            await tables.create_table("kept")


async def test_it_ends_with_its_parent_even_when_that_is_killed() -> None:
    program = """
import asyncio
from local.stage.azurite import azurite
async def main():
    async with azurite() as connection:
        print(connection, flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    ports = _ports((await parent.stdout.readline()).decode())
    assert len(ports) == 3
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    for port in ports:
        await eventually(lambda port=port: nobody_at(port))  # type: ignore[misc]


async def test_a_cancelled_start_leaves_nothing(tmp_path: Path) -> None:
    async def enter() -> None:
        async with azurite_process(tmp_path):
            pass

    starting = asyncio.create_task(enter())
    await eventually(lambda: _is_running(tmp_path))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not await _is_running(tmp_path)


async def _is_running(location: Path) -> bool:
    listing = await asyncio.create_subprocess_exec("ps", "-A", "-ww", "-o", "args", stdout=asyncio.subprocess.PIPE)
    output, _ = await listing.communicate()
    return str(location) in output.decode()


def _ports(connection: str) -> list[int]:
    endpoints = [part for part in connection.split(";") if "Endpoint=" in part]
    return [int(endpoint.split(":")[2].split("/")[0]) for endpoint in endpoints]
