"""The local Graph: a server on this machine that behaves as Graph beta and v1.0 do for what the product asks.

Documented behaviour is in docs/entra-facts.md. To serve more of Graph, register a handler with `LocalGraph.get`.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
import socket
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Self, cast
from urllib.parse import quote

from aiohttp import web
from pydantic import ValidationError

from local.sample import JsonObject, LogRecord, iso

from .control import (
    BodyFault,
    Change,
    Clock,
    Control,
    Fault,
    Faults,
    Gate,
    HangFault,
    LicenceFault,
    MalformedFault,
    NextLinkFault,
    RepeatedPageFault,
    ResetFault,
    SkipTokenFault,
    StatusFault,
    TruncatedFault,
)
from .cutting import cut_off
from .errors import GraphError, bad_request, no_licence, of_status
from .identity import IdentityEndpoint
from .odata import MOST, Query, parse_query, ticks
from .shapes import malformed
from .signin_log import Place, TenantLog, load

GRAPH_AUDIENCE = "https://graph.microsoft.com"
SIGN_INS = "/auditLogs/signIns"
# What shares the limit of 5 requests in 10 seconds; the rest of Graph allows hundreds a second.
_REPORTS = ("/beta/auditLogs/", "/v1.0/auditLogs/", "/beta/reports/", "/v1.0/reports/")


@dataclass(frozen=True, slots=True)
class Call:
    """One accepted request to Graph. `now` is the server's time; `fault` is one that the handler must act out."""

    request: web.Request
    version: str
    tenant_id: str
    now: datetime
    fault: Fault | None = None

    @property
    def base_url(self) -> str:
        """The URL of the API version, as the caller wrote the host."""
        return f"{self.request.url.origin()}/{self.version}"

    @property
    def beta(self) -> bool:
        """Whether beta was asked."""
        return self.version == "beta"


type Handler = Callable[[Call], Awaitable[web.StreamResponse]]


class LocalGraph:
    """Serves `entries` on 127.0.0.1. Use it as an async context manager; `url` is known inside.

    `tenant_id` is the tenant that the identity endpoint's tokens are for; `identity` is one with a header of its own.
    `page_size` (at most 1,000) shrinks pages.
    `now` stops the clock there; absent, the clock is real. `port` 0 takes a free one.
    """

    def __init__(
        self,
        entries: Iterable[LogRecord],
        *,
        tenant_id: str,
        page_size: int = MOST,
        now: datetime | None = None,
        port: int = 0,
        identity: IdentityEndpoint | None = None,
    ) -> None:
        if not 1 <= page_size <= MOST:
            raise ValueError(f"A page holds 1 to {MOST} records.")
        self.logs: dict[str, TenantLog] = load(entries)
        self.identity = identity or IdentityEndpoint(secrets.token_urlsafe(24), tenant_id)
        self.clock = Clock(now)
        self.url = ""
        self._page_size = page_size
        self._port = port
        self._faults = Faults()
        self._gate = Gate()
        self._requests: list[JsonObject] = []
        self._key = secrets.token_bytes(32)
        self._stopping = asyncio.Event()
        self._app = web.Application(middlewares=[self._note])
        self._app.router.add_get("/_control", self._report)
        self._app.router.add_post("/_control", self._accept_control)
        self._app.router.add_get("/msi/token", self._token)
        self._runner: web.AppRunner | None = None
        self.get(SIGN_INS, self._sign_ins)

    @property
    def identity_url(self) -> str:
        """What IDENTITY_ENDPOINT has to be."""
        return f"{self.url}/msi/token"

    def get(self, path: str, handler: Handler, versions: Iterable[str] = ("beta", "v1.0")) -> None:
        """Serve `path` (below the API version; aiohttp's pattern) by `handler`, behind token check and faults."""

        def route(version: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
            async def answer(request: web.Request) -> web.StreamResponse:
                return await self._graph(request, version, handler)

            return answer

        for version in versions:
            self._app.router.add_get(f"/{version}{path}", route(version))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Begin to serve. Raises OSError when the port is taken."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._runner = web.AppRunner(self._app, handler_cancellation=True, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.SockSite(self._runner, listener).start()
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    async def stop(self) -> None:
        """Stop serving; requests that hang are let go."""
        self._stopping.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def requests(self) -> list[JsonObject]:
        """What was asked so far: method, path, query and status of each request."""
        return [*self._requests]

    def control(self, control: Control) -> None:
        """Apply changes, as `POST /_control` does. Raises ValueError on one that does not fit the log."""
        if control.clock is not None:
            self.clock.change(control.clock)
        if "throttling" in control.model_fields_set:
            self._gate.throttling = control.throttling
        if control.clear_faults:
            self._faults.clear()
        for fault in control.faults:
            self._faults.add(fault)
        self._show_and_hide(control)
        for change in control.add:
            self._log_of(change).add_version(
                cast("JsonObject", change.record), change.at or self.clock.now(), beside=change.beside
            )
        for change in control.correct:
            self._log_of(change).correct(cast("JsonObject", change.record), change.at or self.clock.now())
        if control.clear_requests:
            self._requests.clear()

    def _show_and_hide(self, control: Control) -> None:
        for log in self.logs.values():
            if control.show_all:
                log.hidden.clear()
                log.hidden_before = 0
            if control.hide is not None:
                log.hidden.update(control.hide.ids)
                if control.hide.older_than is not None:
                    log.hidden_before = ticks(iso(control.hide.older_than))

    def _log_of(self, change: Change) -> TenantLog:
        return self.logs.setdefault(change.tenant_id or self.identity.tenant_id, TenantLog())

    @web.middleware
    async def _note(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Keep method, path, query and status of a request: never a header, so never a token."""
        entry: JsonObject = {"method": request.method, "path": request.path, "query": request.query_string}
        if request.path != "/_control":
            self._requests.append(entry)
        try:
            response = await handler(request)
        except web.HTTPException as error:
            entry["status"] = error.status
            raise
        entry["status"] = response.status
        return response

    async def _report(self, _: web.Request) -> web.Response:
        paths = Counter(str(entry["path"]) for entry in self._requests)
        return web.json_response(
            {
                "now": iso(self.clock.now()),
                "requests": len(self._requests),
                "byPath": dict(paths),
                "throttled": self._gate.refused,
                "tokensIssued": self.identity.issued,
                "faultsLeft": len(self._faults),
                "log": self._requests,
            }
        )

    async def _accept_control(self, request: web.Request) -> web.Response:
        try:
            self.control(Control.model_validate_json(await request.read()))
        except ValidationError as error:
            return web.json_response({"error": json.loads(error.json(include_url=False))}, status=400)
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.Response(status=204)

    async def _token(self, request: web.Request) -> web.StreamResponse:
        try:
            await self._meet(request)
        except GraphError as error:
            return error.response(self.clock.now(), None)
        return await self.identity.token(request)

    async def _graph(self, request: web.Request, version: str, handler: Handler) -> web.StreamResponse:
        """Everything that all of Graph does before a handler's own work: faults, token, throttling, errors."""
        now = self.clock.now()
        try:
            fault = await self._meet(request)
            audiences = (str(request.url.origin()), GRAPH_AUDIENCE)
            tenant_id = self.identity.tenant_of(request.headers.get("Authorization"), audiences)
            if request.path.startswith(_REPORTS):
                self._gate.enter(tenant_id, now)
            return await handler(Call(request, version, tenant_id, now, fault))
        except GraphError as error:
            return error.response(now, request.headers.get("client-request-id"))

    async def _meet(self, request: web.Request) -> Fault | None:
        """Act out the fault that stands before the handler; return one that the handler must act out."""
        fault = self._faults.take(request.path, next_page="$skiptoken" in request.query)
        match fault:
            case StatusFault(status=status, retry_after=wait):
                raise of_status(status, None if wait is None else {"Retry-After": _retry_after(wait)})
            case LicenceFault():
                raise no_licence()
            case SkipTokenFault():
                raise bad_request("Skip token is null.")
            case HangFault():
                await self._stopping.wait()
                raise of_status(503)
        return fault

    async def _sign_ins(self, call: Call) -> web.StreamResponse:
        query = parse_query(call.request.query.items(), beta=call.beta)
        after = self._place_of(query, call)
        log = self.logs.get(call.tenant_id, TenantLog())
        versions, last = log.page(query, after, min(query.top or MOST, self._page_size), call.now)
        newer_values = "include-unknown-enum-members" in call.request.headers.get("Prefer", "")
        records = [v.beta(newer_values=newer_values) if call.beta else v.v1() for v in versions]
        link = None if last is None else self._next_link(query, call, last)
        match call.fault:
            case RepeatedPageFault():
                link = self._next_link(query, call, after)
            case NextLinkFault(url=url):
                link = url
            case MalformedFault() as fault:
                records.insert(fault.index, malformed(fault, records[0] if records else None))
        head: JsonObject = {"@odata.context": f"{call.base_url}/$metadata#auditLogs/signIns"}
        if link is not None:
            head["@odata.nextLink"] = link
        body = json.dumps(head)[:-1].encode() + b',"value":[' + b",".join(records) + b"]}"
        headers = {
            "Content-Type": "application/json;odata.metadata=minimal;odata.streaming=true;charset=utf-8",
            "request-id": str(uuid.uuid4()),
        }
        if newer_values:
            headers["Preference-Applied"] = "include-unknown-enum-members"
        return await _sent(call, body, headers)

    def _next_link(self, query: Query, call: Call, after: Place | None) -> str:
        """The link to what follows `after` (None: the first page): the caller's own options and a skip token."""
        where = json.dumps([after, secrets.token_hex(4)]).encode()
        token = base64.urlsafe_b64encode(self._seal(where, query, call) + where).decode().rstrip("=")
        options = [(n, v) for n, v in call.request.query.items() if n != "$skiptoken"]
        text = "&".join(f"{quote(n, safe='$')}={quote(v, safe='')}" for n, v in (*options, ("$skiptoken", token)))
        return f"{call.base_url}{SIGN_INS}?{text}"

    def _place_of(self, query: Query, call: Call) -> Place | None:
        """Where the query's skip token says to go on. Raises GraphError (400) on one that this server did not give."""
        if query.skip_token is None:
            return None
        try:
            raw = base64.urlsafe_b64decode(query.skip_token + "==")
        except ValueError:
            raw = b""
        seal, where = raw[:16], raw[16:]
        if not hmac.compare_digest(seal, self._seal(where, query, call)):
            raise bad_request("Skip token is null.")
        place = json.loads(where)[0]
        return None if place is None else (place[0], place[1])

    def _seal(self, where: bytes, query: Query, call: Call) -> bytes:
        """A skip token belongs to one query of one tenant: another query with it is refused."""
        content = b"\0".join((where, query.text.encode(), call.version.encode(), call.tenant_id.encode()))
        return hmac.digest(self._key, content, hashlib.sha256)[:16]


async def _sent(call: Call, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
    match call.fault:
        case TruncatedFault():
            return await cut_off(call.request, body, headers)
        case ResetFault(at=at):
            return await cut_off(call.request, body, headers, at=at, reset=True)
        case BodyFault(body=instead):
            return web.Response(body=instead.encode(), headers=headers)
    return web.Response(body=body, headers=headers)


def _retry_after(wait: int | str) -> str:
    """The header's value: seconds, or a date a little ahead of the real time, which is the caller's."""
    return format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True) if wait == "date" else str(wait)
