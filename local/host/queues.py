"""Queue triggers and queue outputs over Azurite's (or any account's) Queue service."""

import asyncio
import base64
import binascii
import contextlib
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from local.host.protos import TypedData
from local.host.settings import QueueOptions, StartError, connection_string, resolve
from local.host.worker import Binding, Function, FunctionFailedError, Invoker

log = logging.getLogger(__name__)

_SHORTEST_POLL_SECONDS = 0.1
_LONGEST_NAME = 63
_POISON = "-poison"


def encode(text: str, encoding: str) -> str:
    """Encode a message as host.json's messageEncoding says."""
    return base64.b64encode(text.encode()).decode() if encoding == "base64" else text


def decode(raw: str, encoding: str) -> str:
    """Decode a message. Raises ValueError if it is not base64 of UTF-8 though it should be."""
    if encoding != "base64":
        return raw
    try:
        return base64.b64decode("".join(raw.split()), validate=True).decode()
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def messages_of(value: TypedData) -> list[str]:
    """Split an output into messages as the Functions host does (FunctionBinding.ReadAsEnumerable).

    A list gives a message for each item, and so does a *text* that is a JSON array; any other text is one message. (A
    text that is a JSON object is written anew by Azure, with other spacing; here it stays as it is.)
    Raises ValueError for what is no text.
    """
    text = value.value.decode() if isinstance(value.value, bytes) else str(value.value)
    stripped = text.strip()
    if value.kind not in ("string", "bytes", "json"):
        raise ValueError(f"a queue output must be text, not {value.kind}")
    if value.kind != "json" and not (stripped.startswith("[") and stripped.endswith("]")):
        return [text]
    items = json.loads(text)
    items = items if isinstance(items, list) else [items]
    return [item if isinstance(item, str) else json.dumps(item, ensure_ascii=False) for item in items]


class Queues:
    """The queues that the app's bindings name. Use as an async context manager: it closes its connections."""

    def __init__(self, options: QueueOptions, settings: Mapping[str, str]) -> None:
        self.options = options
        self._settings = settings
        self._services: dict[str, QueueServiceClient] = {}
        self._clients: dict[tuple[str, str], QueueClient] = {}
        self._listeners: list[Listener] = []

    async def __aenter__(self) -> "Queues":
        return self

    async def __aexit__(self, *_: object) -> None:
        for service in self._services.values():
            await service.close()

    async def prepare(self, function: Function, invoke: Invoker, lease_seconds: int) -> "Listener | None":
        """Create the queues of a function's bindings and, for a queue trigger, its listener. Raises StartError."""
        for output in function.outputs:
            await self._create(self._client(output, function.name), function.name)
        if function.trigger.type != "queueTrigger":
            return None
        queue = self._client(function.trigger, function.name)
        await self._create(queue, function.name)
        # As in Azure, a poison queue has no poison queue of its own, nor has one whose name would be too long.
        name = queue.queue_name + _POISON
        poison = None
        if not queue.queue_name.endswith(_POISON) and len(name) <= _LONGEST_NAME:
            poison = self._client(function.trigger.model_copy(update={"queue_name": name}), function.name)
        listener = Listener(function, invoke, queue, poison, self.options, lease_seconds)
        self._listeners.append(listener)
        return listener

    async def send(self, binding: Binding, value: TypedData) -> None:
        """Send an output's messages and wake this host's listener of that queue. Raises FunctionFailedError."""
        queue = self._client(binding, binding.name)
        try:
            for text in messages_of(value):
                await queue.send_message(encode(text, self.options.message_encoding))
        except (AzureError, ValueError) as error:
            log.exception("output %s: could not send to queue %s", binding.name, queue.queue_name)
            raise FunctionFailedError(f"output {binding.name}: {type(error).__name__}") from None
        for listener in self._listeners:
            if listener.queue is queue:
                listener.wake()

    def _client(self, binding: Binding, owner: str) -> QueueClient:
        name = resolve(binding.queue_name, self._settings, f"the queue name of {owner}")
        connection = connection_string(binding.connection, self._settings, f"the connection of {owner}")
        if (connection, name) not in self._clients:
            if connection not in self._services:
                self._services[connection] = QueueServiceClient.from_connection_string(
                    connection,
                    # The default waits a quarter of a minute at first; the emulator is near.
                    initial_backoff=1,
                    increment_base=1,
                    random_jitter_range=0,
                )
            self._clients[connection, name] = self._services[connection].get_queue_client(name)
        return self._clients[connection, name]

    async def _create(self, queue: QueueClient, owner: str) -> None:
        try:
            await _create_if_missing(queue)
        except AzureError as error:
            raise StartError(f"the queue {queue.queue_name} of {owner} cannot be created: {error}") from None


class Listener:
    """Fetches messages of one queue and runs its function for each."""

    def __init__(
        self,
        function: Function,
        invoke: Invoker,
        queue: QueueClient,
        poison: QueueClient | None,
        options: QueueOptions,
        lease_seconds: int,
    ) -> None:
        self.queue = queue
        self._function = function
        self._invoke = invoke
        self._poison = poison
        self._options = options
        self._lease = lease_seconds
        self._in_work = 0
        self._stopping = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look for messages now."""
        self._woken.set()

    def stop(self) -> None:
        """Fetch no more messages; run() ends when those in work have."""
        self._stopping = True
        self.wake()

    async def run(self) -> None:
        """Work until stop(). An empty queue is asked less and less often, up to maxPollingInterval."""
        pause = _SHORTEST_POLL_SECONDS
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                room = self._in_work <= self._options.threshold
                batch = await self._fetch() if room else []
                for message in batch:
                    self._in_work += 1
                    group.create_task(self._work_on(message))
                if batch:
                    pause = _SHORTEST_POLL_SECONDS
                    continue
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause if room else None):
                        await self._woken.wait()
                self._woken.clear()
                pause = min(pause * 2, self._options.max_polling_interval.total_seconds())

    async def _fetch(self) -> list[QueueMessage]:
        pages = self.queue.receive_messages(
            messages_per_page=self._options.batch_size, visibility_timeout=self._lease
        ).by_page()
        try:
            async for page in pages:
                return [message async for message in page]
        except AzureError as error:
            log.warning("queue %s cannot be read: %s", self.queue.queue_name, error)
        return []

    async def _work_on(self, message: QueueMessage) -> None:
        try:
            await self._handle(message)
        except AzureError as error:
            # The message shows again when its lease ends.
            log.warning("queue %s: message %s was left: %s", self.queue.queue_name, message.id, error)
        finally:
            self._in_work -= 1
            self.wake()

    async def _handle(self, message: QueueMessage) -> None:
        # After kills, the count can pass the limit though the function never failed.
        if (message.dequeue_count or 0) > self._options.max_dequeue_count:
            await self._give_up(message, "it was tried too often")
            return
        try:
            body = decode(message.content, self._options.message_encoding)
        except ValueError as error:
            await self._give_up(message, f"it is not {self._options.message_encoding}: {error}")
            return
        finished = asyncio.Event()
        renewal = asyncio.create_task(self._renew(message, finished))
        try:
            await self._invoke(self._function, TypedData(string=body), _metadata(message))
        except FunctionFailedError as error:
            failure = str(error)
        else:
            failure = ""
        finally:
            # Not cancelled: a renewal on its way changes the receipt that is needed below.
            finished.set()
            await renewal
        if not failure:
            await self.queue.delete_message(message.id, message.pop_receipt)
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._give_up(message, failure)
        elif self._poison is not None:
            delay = int(self._options.visibility_timeout.total_seconds())
            await self.queue.update_message(message.id, message.pop_receipt, visibility_timeout=delay)

    async def _renew(self, message: QueueMessage, finished: asyncio.Event) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._lease / 2):
                    await finished.wait()
                    return
            try:
                renewed = await self.queue.update_message(
                    message.id, message.pop_receipt, visibility_timeout=self._lease
                )
                message.pop_receipt = renewed.pop_receipt
            except AzureError as error:
                log.warning("queue %s: lease of message %s: %s", self.queue.queue_name, message.id, error)
                if isinstance(error, HttpResponseError) and (error.status_code or 0) < 500:
                    return  # refused, so it is no longer ours

    async def _give_up(self, message: QueueMessage, why: str) -> None:
        """Move a message to the poison queue, its text as it came. Without one it stays hidden until its lease ends."""
        log.error("queue %s: giving up on message %s: %s", self.queue.queue_name, message.id, why)
        if self._poison is not None:
            await _create_if_missing(self._poison)
            await self._poison.send_message(message.content)
            await self.queue.delete_message(message.id, message.pop_receipt)


def _metadata(message: QueueMessage) -> dict[str, TypedData]:
    def time(moment: datetime | None) -> str:
        return moment.astimezone(UTC).isoformat() if moment else ""

    values = {
        "Id": message.id,
        "DequeueCount": str(message.dequeue_count),
        "InsertionTime": time(message.inserted_on),
        "ExpirationTime": time(message.expires_on),
        "NextVisibleTime": time(message.next_visible_on),
        "PopReceipt": message.pop_receipt or "",
    }
    return {name: TypedData(string=value) for name, value in values.items()}


async def _create_if_missing(queue: QueueClient) -> None:
    with contextlib.suppress(ResourceExistsError):
        await queue.create_queue()
