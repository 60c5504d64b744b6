"""A proxy before the table service that loses requests or answers at a number one names, or holds one back.

It speaks HTTP/1.1 just far enough to know where a message ends; what passes is passed byte for byte.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self
from urllib.parse import urlsplit

_TABLE_ENDPOINT: Final = re.compile(r"TableEndpoint=([^;]+)")
_OPERATION: Final = re.compile(rb"^(POST|PUT|MERGE|PATCH|DELETE) \S+ HTTP/1\.1\r?$", re.MULTILINE)


class Loss(Enum):
    """What is lost: the request, before the service saw it, or the service's answer to it."""

    REQUEST = "request"
    ANSWER = "answer"


class Aftermath(Enum):
    """What follows: the connection is there again at once, or the process behind it died and asks nothing more."""

    BLIP = "blip"
    CRASH = "crash"


@dataclass(frozen=True, slots=True)
class Cut:
    """At which request (from 1) what is lost."""

    number: int
    loss: Loss
    aftermath: Aftermath


class CutProxy:
    """Passes requests on to the table service of a connection string. Use it as an async context manager."""

    def __init__(self, connection: str) -> None:
        found = _TABLE_ENDPOINT.search(connection)
        if found is None:
            raise ValueError("the connection string names no table endpoint")
        endpoint = urlsplit(found[1])
        self._service = (endpoint.hostname or "", endpoint.port or 80)
        self._given = connection
        self._endpoint = found[1]
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._hold = 0
        self._free = asyncio.Event()
        self.connection = ""
        self.requests: list[str] = []
        self.sizes: list[int] = []  # of the requests' bodies, in bytes
        self.cut: Cut | None = None
        self.down = False
        self.held = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        path = urlsplit(self._endpoint).path
        self.connection = self._given.replace(self._endpoint, f"http://127.0.0.1:{port}{path}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def begin(self, cut: Cut | None = None) -> None:
        """Count from 1 again, and cut there."""
        self.requests.clear()
        self.sizes.clear()
        self.cut = cut
        self.down = False

    def hold(self, number: int) -> None:
        """Count from 1 again, and hold that request back until `release`; `held` is set when it has come."""
        self.begin()
        self._hold = number
        self._free.clear()
        self.held.clear()

    def release(self) -> None:
        """Let the request that was held go on."""
        self._hold = 0
        self._free.set()

    @property
    def writes(self) -> list[int]:
        """The numbers of the requests that changed something, from 1."""
        return [i for i, request in enumerate(self.requests, 1) if not request.startswith("GET ")]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        service: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        try:
            service = await asyncio.open_connection(*self._service)
            while await self._pass_one(reader, writer, *service):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # either side is gone: so is the other
        finally:
            self._connections.discard(task)
            writer.transport.abort()
            if service is not None:
                service[1].transport.abort()

    async def _pass_one(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        service_reader: asyncio.StreamReader,
        service_writer: asyncio.StreamWriter,
    ) -> bool:
        """One request and its answer; False when the connection has to end."""
        head, body = await _message(reader)
        if self.down:
            return False
        self.requests.append(_told(head, body))
        self.sizes.append(len(body))
        number = len(self.requests)
        if number == self._hold:
            self.held.set()
            await self._free.wait()
        cut = self.cut if self.cut is not None and self.cut.number == number else None
        if cut is not None and cut.aftermath is Aftermath.CRASH:
            self.down = True
        if cut is not None and cut.loss is Loss.REQUEST:
            return False
        service_writer.write(head + body)
        await service_writer.drain()
        answer = await _message(service_reader)
        if cut is not None or self.down:  # a process that died reads no answer, whichever request died it at
            return False
        writer.write(b"".join(answer))
        await writer.drain()
        return True


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The head and the body of the next message, as they came."""
    head = await reader.readuntil(b"\r\n\r\n")
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return head, await _chunks(reader)
    return head, await reader.readexactly(int(fields.get(b"content-length", b"0")))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        line = await reader.readuntil(b"\r\n")
        size = int(line.split(b";")[0], 16)
        body += line + await reader.readexactly(size + 2)
        if size == 0:
            return body


def _told(head: bytes, body: bytes) -> str:
    """The request in a line: its method and path; for a batch the operations inside."""
    method, path, _ = head.split(b" ", 2)
    inside = [match[0].split()[:2] for match in _OPERATION.finditer(body)] if path.endswith(b"$batch") else []
    lines = [(method, path)] if not inside else [(verb, target) for verb, target in inside]
    return "; ".join(f"{verb.decode()} {target.decode().rpartition('/')[2]}" for verb, target in lines)
