"""What the tests of the worker host share: its app, queues seen from outside, waiting for what will be."""

import asyncio
import base64
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from local.host.process import HostProcess

APP = Path(__file__).parent / "hostapp"
NEVER = "0 0 0 1 1 *"
_PATIENCE_SECONDS = 40


async def eventually[T](look: Callable[[], Awaitable[T | None]]) -> T:
    """Look until something is there; give up after a time that only a broken host needs."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            found = await look()
            if found:
                return found
            await asyncio.sleep(0.02)


async def nobody_at(port: int) -> bool:
    """Tell whether nothing listens at a port of this machine."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return True
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return False


class HostedApp:
    """The tests' app: its queues (by the last part of their names) and the notes that its functions leave."""

    def __init__(self, storage: str, folder: Path, queues: str, *, ticks: str = NEVER) -> None:
        self.log = folder / "host.log"
        self.notes = folder / "notes"
        self.notes.mkdir(parents=True)
        self.settings = {
            "AzureWebJobsStorage": storage,
            "QUEUES": queues,
            "NOTES": str(self.notes),
            "TICKS": ticks,
        }
        self._queues: dict[str, QueueClient] = {}

    async def __aenter__(self) -> "HostedApp":
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for queue in self._queues.values():
            await queue.close()

    def host(self, *, lease_seconds: int = 600, grace_seconds: float = 5.0) -> HostProcess:
        """Make a host that runs it."""
        return HostProcess(APP, self.settings, lease_seconds=lease_seconds, grace_seconds=grace_seconds, log=self.log)

    async def put(self, queue: str, text: str) -> None:
        """Send a message to one of the app's queues."""
        await self.put_raw(queue, base64.b64encode(text.encode()).decode())

    async def put_raw(self, queue: str, raw: str) -> None:
        """Send a message as it is, without base64."""
        await self._queue(queue).send_message(raw)

    async def take(self, queue: str) -> str:
        """Wait for a message, take it out and decode it."""
        return base64.b64decode(await self.take_raw(queue), validate=True).decode()

    async def take_raw(self, queue: str) -> str:
        """Wait for a message, take it out and give it as it is."""
        client = self._queue(queue)

        async def look() -> QueueMessage | None:
            try:
                return await client.receive_message()
            except ResourceNotFoundError:  # poison queues are made when they are needed
                return None

        message = await eventually(look)
        await client.delete_message(message.id, message.pop_receipt)
        return str(message.content)

    async def count(self, queue: str) -> int:
        """Count the messages of a queue, hidden ones too."""
        return (await self._queue(queue).get_queue_properties()).approximate_message_count or 0

    async def emptied(self, queue: str) -> None:
        """Wait until a queue holds no message, hidden ones counted."""

        async def look() -> bool:
            return await self.count(queue) == 0

        await eventually(look)

    async def noted(self, name: str, lines: int) -> list[str]:
        """Wait until a function has left as many notes."""

        async def look() -> list[str] | None:
            found = self.read(name)
            return found if len(found) >= lines else None

        return await eventually(look)

    def read(self, name: str) -> list[str]:
        """Read the notes of a function."""
        path = self.notes / name
        return path.read_text().splitlines() if path.exists() else []

    def _queue(self, name: str) -> QueueClient:
        if name not in self._queues:
            self._queues[name] = QueueClient.from_connection_string(
                self.settings["AzureWebJobsStorage"], f"{self.settings['QUEUES']}-{name}"
            )
        return self._queues[name]
