"""Webhook receivers on this machine: what a customer's endpoint, a Teams workflow and a Slack app would get.

They check the signature with the Standard Webhooks library, keep what came, show it, and misbehave on request.
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NamedTuple, Self

from aiohttp import web
from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from standardwebhooks import Webhook, WebhookVerificationError

from local.stage.receivers_page import HEADERS, LIBRARY, SCRIPT, card_text, page, slack_text

_LARGEST: Final = 1_000_000
_MOST_LINES: Final = 60
_FOREVER: Final = 3600.0

type Verify = Callable[[str, bytes, Mapping[str, str]], bool]


class Fault(Enum):
    """What a receiver does in place of an answer that says yes."""

    FAIL = "answers 500"
    REFUSE = "answers 400 and repeats the URL"
    HANG = "takes the request and never answers"
    HANG_IN_ANSWER = "answers 200 and never ends"
    REDIRECT = "answers 302 to another of its addresses"
    LIE_SHORT = "answers 200, says a length and ends before it"
    LIE_LONG = "answers 500, says a length and sends far more"
    TAKE_AND_LIE_LONG = "answers 200, says a length and sends far more"
    FAIL_AND_LIE_SHORT = "answers 500, says a length and ends before it"
    ENDLESS = "answers 500 with text that never ends"
    SLOW_DOWN = "answers 429 with Retry-After"
    GONE = "answers 410"
    DROP = "takes the request and closes the connection"
    TAKE_AND_DROP = "takes the message and closes the connection without an answer"


TAKES: Final = (Fault.TAKE_AND_DROP, Fault.LIE_SHORT, Fault.TAKE_AND_LIE_LONG, Fault.HANG_IN_ANSWER)


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came. `verified`: its signature was right. `fault`: what was done to it, if anything."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    verified: bool
    fault: Fault | None

    @property
    def taken(self) -> bool:
        """Whether the receiver has it, whatever it answered."""
        return self.fault in (None, *TAKES)

    @property
    def id(self) -> str:
        """The webhook-id."""
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


def verified_by_library(secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the Standard Webhooks library takes the signature; it also refuses what is more than five minutes old."""
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except WebhookVerificationError:
        return False
    return True


class _Lie(NamedTuple):
    """An answer whose Content-Length is not that of what is sent."""

    status: int
    length: int
    send: int
    then_hang: bool = False


_LIES: Final = {
    Fault.LIE_SHORT: _Lie(200, length=1000, send=10),
    Fault.LIE_LONG: _Lie(500, length=10, send=1_000_000),
    Fault.TAKE_AND_LIE_LONG: _Lie(200, length=10, send=1_000_000),
    Fault.FAIL_AND_LIE_SHORT: _Lie(500, length=1000, send=10),
    Fault.HANG_IN_ANSWER: _Lie(200, length=1000, send=10, then_hang=True),
}


@dataclass(slots=True)
class Receiver:
    """One endpoint. Requests use up its faults one by one; then it takes what comes. Without a secret nothing can be
    verified, as with Teams and Slack, whose URL is the secret."""

    kind: str
    secret: str | None
    path: str
    verify: Verify = verified_by_library
    retry_after: str = "120"
    faults: list[Fault] = field(default_factory=list)
    tries: list[Received] = field(default_factory=list)
    url: str = ""
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def taken(self) -> list[Received]:
        """What it took, repetitions too."""
        return [received for received in self.tries if received.taken]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer a request, or misbehave."""
        body = await request.read()
        headers = {name.lower(): value for name, value in request.headers.items()}
        verified = self.secret is not None and self.verify(self.secret, body, headers)
        fault = self.faults.pop(0) if self.faults else None
        if fault is None and self.secret is not None and not verified:
            return web.Response(status=401, text="the signature is wrong")
        self.tries.append(Received(request.path, headers, body, verified, fault))
        if self.tries[-1].taken:
            self.came.set()
        if fault is None:
            return web.Response(text="ok")
        return await self._misbehave(request, fault)

    async def _misbehave(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        plain = {
            Fault.FAIL: (500, "no", {}),
            Fault.REFUSE: (400, f"no such workflow: {self.url}", {}),
            Fault.REDIRECT: (302, "", {"Location": "/elsewhere"}),
            Fault.SLOW_DOWN: (429, "", {"Retry-After": self.retry_after}),
            Fault.GONE: (410, "gone", {}),
        }
        if fault in plain:
            status, text, headers = plain[fault]
            return web.Response(status=status, text=text, headers=headers)
        if fault in _LIES:
            return await self._stream(request, _LIES[fault])
        if fault is Fault.ENDLESS:
            return await self._endless(request)
        if fault is Fault.HANG:
            await asyncio.sleep(_FOREVER)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _stream(self, request: web.Request, lie: _Lie) -> web.StreamResponse:
        """Write the answer past aiohttp, which would not let a length be wrong."""
        transport = request.transport
        if isinstance(transport, asyncio.WriteTransport):
            head = f"HTTP/1.1 {lie.status} said\r\nContent-Type: text/plain\r\nContent-Length: {lie.length}\r\n\r\n"
            transport.write(head.encode() + b"x" * lie.send)
            if lie.then_hang:
                await asyncio.sleep(_FOREVER)
            transport.close()
        return web.Response()

    async def _endless(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        while True:
            await response.write(b"and so on " * 1000)


class Receivers:
    """A server with some receivers, and a page at `url` that shows what came. Use it as an async context manager."""

    def __init__(self, *receivers: Receiver) -> None:
        self.all = receivers or (
            Receiver("generic", new_secret(), "/hooks/" + secrets.token_urlsafe(16)),
            Receiver("teams", None, "/workflows/" + secrets.token_urlsafe(16)),
            Receiver("slack", None, "/services/" + secrets.token_urlsafe(16)),
        )
        self.redirected = 0
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=_LARGEST)
        for receiver in self.all:
            app.router.add_post(receiver.path, receiver.handle)
        app.router.add_route("*", "/elsewhere", self._elsewhere)
        app.router.add_get("/", self._page)
        app.router.add_get("/cards.js", self._script)
        if LIBRARY.exists():
            app.router.add_get("/adaptivecards.js", self._library)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        for receiver in self.all:
            receiver.url = f"{self.url}{receiver.path}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _elsewhere(self, _: web.Request) -> web.Response:
        self.redirected += 1
        return web.Response(text="nobody should come here")

    async def _page(self, _: web.Request) -> web.Response:
        messages = [(r.kind, f"{m.id}, {_said(m)}", m.json) for r in self.all for m in r.taken]
        return web.Response(text=page(messages), content_type="text/html", headers=HEADERS)

    async def _script(self, _: web.Request) -> web.Response:
        return web.Response(text=SCRIPT, content_type="text/javascript", headers=HEADERS)

    async def _library(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(LIBRARY, headers={**HEADERS, "Content-Type": "text/javascript"})

    @property
    def received(self) -> list[Received]:
        """What all of them took."""
        return [received for receiver in self.all for received in receiver.taken]

    async def first(self) -> Received:
        """The first message, once there is one."""
        waits = [asyncio.ensure_future(receiver.came.wait()) for receiver in self.all]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        return self.received[0]

    def settings(self) -> dict[str, str]:
        """The app's settings that send to them."""
        settings: dict[str, str] = {}
        for receiver in self.all:
            name = f"CHANNELS__{receiver.kind.upper()}"
            settings |= {f"{name}__KIND": receiver.kind, f"{name}__URL": receiver.url}
            if receiver.secret:
                settings[f"{name}__SECRET"] = receiver.secret
        return settings

    def show(self, console: Console) -> None:
        """Print the first message of each receiver, as the app behind it would show it."""
        for receiver in self.all:
            if receiver.taken:
                first = receiver.taken[0]
                title = f"{receiver.kind}: {first.id}, {_said(first)}"
                console.print(Panel(_shown(receiver.kind, first.json), title=title))


def _said(message: Received) -> str:
    return "signature verified" if message.verified else "unsigned: the URL is the secret"


def _shown(kind: str, body: Any) -> str:
    if kind == "teams":
        return escape("\n".join(card_text(body["attachments"][0]["content"])))
    if kind == "slack":
        return escape("\n".join(blocks_text(body["blocks"])))
    lines = json.dumps(body, indent=2, ensure_ascii=False).splitlines()
    rest = [f"… and {len(lines) - _MOST_LINES} lines more"] if len(lines) > _MOST_LINES else []
    return escape("\n".join([*lines[:_MOST_LINES], *rest]))


def blocks_text(blocks: Any) -> list[str]:
    """The texts of Slack blocks from top to bottom, unescaped as Slack does."""
    texts = []
    for block in blocks:
        objects = [block["text"]] if "text" in block else block.get("fields", []) or block.get("elements", [])
        texts += [text["text"].replace("\n", ": ") for text in objects]
    return [slack_text(text) for text in texts]


def new_secret() -> str:
    """A key as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
