"""Whatever answers in Graph's name, the client gives the bytes or one of its own problems, and its token goes nowhere
else."""

from __future__ import annotations

import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from azure.core.credentials import AccessToken
from azure.core.credentials_async import AsyncTokenCredential

from shared.graph.capped import MOST_BYTES
from shared.graph.client import GraphClient
from shared.graph.problems import BadAnswer, GraphProblem, NotFound, Refused, Throttled, Unavailable, Unlicensed

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
PATH = "/beta/auditLogs/signIns?$filter=a%20eq%20'b'"


class Token(AsyncTokenCredential):
    """One token."""

    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("the-token", int(time.time()) + 3600)

    async def close(self) -> None:
        pass

    async def __aexit__(self, *_: object) -> None:
        pass


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server on this machine; gives its address."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def client_of(address: str) -> AsyncIterator[GraphClient]:
    client = GraphClient(address, Token(), requests_per_10_seconds=1000, timeout_seconds=5)
    try:
        yield client
    finally:
        await client.close()


async def asked(answer: web.Response) -> bytes:
    """What the client makes of that answer."""

    async def handler(_: web.Request) -> web.Response:
        return answer

    async with serving(handler) as address, client_of(address) as client:
        return await client.get(address + PATH)


def error(status: int, code: str = "", message: str = "", **headers: str) -> web.Response:
    body = {"error": {"code": code, "message": message}}
    return web.json_response(body, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


async def test_the_body_comes_as_it_was_sent_and_the_address_goes_out_as_it_is() -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append((request.raw_path, request.headers.get("Authorization"), request.headers.get("Prefer")))
        return web.Response(body=b'{"value" : [ ]}', content_type="application/json")

    async with serving(handler) as address, client_of(address) as client:
        assert await client.get(address + PATH) == b'{"value" : [ ]}'
    assert seen == [(PATH, "Bearer the-token", "include-unknown-enum-members")]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (lambda: error(400, "BadRequest", "Skip token is null."), BadAnswer),
        (lambda: error(400, "BadRequest", "no such filter"), BadAnswer),
        (lambda: error(401, "InvalidAuthenticationToken"), Refused),
        (lambda: error(403, "Authorization_RequestDenied", "Insufficient privileges"), Refused),
        (lambda: error(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant"), Unlicensed),
        (lambda: error(404, "Request_ResourceNotFound"), NotFound),
        (lambda: error(429, "TooManyRequests"), Throttled),
        (lambda: error(500, "UnknownError"), Unavailable),
        (lambda: error(503, "ServiceUnavailable"), Unavailable),
        (lambda: error(503, "ServiceUnavailable", Retry_After="7"), Throttled),
        # What stands between us and Graph may answer in its place.
        (lambda: web.Response(status=502, body=b"<html>Bad Gateway</html>", content_type="text/html"), Unavailable),
        (lambda: web.Response(status=504, body=b"<html>", content_type="application/json"), Unavailable),
        (lambda: web.Response(status=503, body=b""), Unavailable),
        (lambda: web.Response(status=500, body=b"oops", content_type="text/plain"), Unavailable),
        (lambda: web.Response(status=500, body=b"[1, 2]", content_type="application/json"), Unavailable),
        (lambda: web.Response(status=500, body=b'{"error": "text"}', content_type="application/json"), Unavailable),
        (lambda: web.Response(status=403, body=b"<html>", content_type="text/html"), Refused),
        (lambda: web.Response(status=429, body=b"slow down", content_type="text/plain"), Throttled),
        (lambda: web.Response(status=418, body=b"teapot", content_type="text/plain"), BadAnswer),
        # Answers that are none.
        (lambda: web.Response(status=204), BadAnswer),
        (lambda: web.Response(status=200, body=b""), BadAnswer),
        (lambda: web.Response(status=304), BadAnswer),
        (
            lambda: web.Response(
                body=b"no gzip at all", headers={"Content-Encoding": "gzip"}, content_type="application/json"
            ),
            Unavailable,
        ),
    ],
)
async def test_an_answer_that_is_no_page_is_a_problem_of_its_kind(
    answer: Callable[[], web.Response], problem: type[GraphProblem]
) -> None:
    with pytest.raises(GraphProblem) as caught:
        await asked(answer())
    assert type(caught.value) is problem
    assert str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_the_token_does_not_follow_to_another_host(status: int) -> None:
    strangers: list[str | None] = []

    async def stranger(request: web.Request) -> web.Response:
        strangers.append(request.headers.get("Authorization"))
        return web.json_response({"value": []})

    async with serving(stranger) as elsewhere:

        async def handler(_: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": elsewhere.replace("127.0.0.1", "localhost")})

        async with serving(handler) as address, client_of(address) as client:
            with pytest.raises(GraphProblem):
                await client.get(address + PATH)
    assert strangers in ([], [None])


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/beta", "https://graph.microsoft.com.evil.example/beta", "", "/beta", "http://[", "\x00"]
)
async def test_an_address_elsewhere_is_not_asked(url: str) -> None:
    async with client_of("http://127.0.0.1:1") as client:
        with pytest.raises(BadAnswer):
            await client.get(url)
        assert client.requests == 0


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(seconds=120)),
        (" 5 ", timedelta(seconds=5)),
        ("999999999", timedelta(days=1)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", timedelta(minutes=1)),  # in the past: as if it were absent
        ("0", timedelta(minutes=1)),
        ("-1", timedelta(minutes=1)),
        ("1.5", timedelta(minutes=1)),
        ("soon", timedelta(minutes=1)),
        ("\u00b2", timedelta(minutes=1)),
        ("Wed, 99 Oct 2015 99:99:99 GMT", timedelta(minutes=1)),
        ("1e9", timedelta(minutes=1)),
    ],
)
async def test_how_long_to_wait_is_read_in_all_its_forms(header: str, wait: timedelta) -> None:
    with pytest.raises(Throttled) as caught:
        await asked(error(429, "TooManyRequests", Retry_After=header))
    assert caught.value.retry_after == wait


async def test_a_date_to_wait_for_is_waited_for() -> None:
    until = datetime.now(UTC) + timedelta(minutes=10)
    with pytest.raises(Throttled) as caught:
        await asked(error(429, "TooManyRequests", Retry_After=f"{until:%a, %d %b %Y %H:%M:%S} GMT"))
    assert caught.value.retry_after is not None
    assert timedelta(minutes=8) < caught.value.retry_after <= timedelta(minutes=10)


async def test_nobody_there_is_unavailable() -> None:
    async with client_of("http://127.0.0.1:9") as client:
        with pytest.raises(Unavailable):
            await client.get("http://127.0.0.1:9" + PATH)


async def test_neither_token_nor_body_stands_in_a_problem() -> None:
    with pytest.raises(GraphProblem) as caught:
        await asked(web.Response(status=500, body=b"the-token is bad", content_type="text/plain"))
    assert "the-token" not in str(caught.value)


# --- answers without end, and addresses that are none ----------------------------------------------------------------


@pytest.mark.parametrize("is_packed", [True, False])
async def test_an_answer_is_read_up_to_a_limit_also_when_it_is_packed(is_packed: bool) -> None:
    """400 KB of gzip were 400 MB of memory."""
    body = b"0" * (MOST_BYTES + 1)
    packed = gzip.compress(body) if is_packed else body
    with pytest.raises(BadAnswer, match="larger than any page"):
        await asked(web.Response(body=packed, headers={"Content-Encoding": "gzip"} if is_packed else {}))


async def test_an_answer_that_is_packed_is_unpacked() -> None:
    body = b'{"value":[]}' * 100_000
    assert await asked(web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})) == body


async def test_what_is_packed_otherwise_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswer, match="packed"):
        await asked(web.Response(body=b"no gzip", headers={"Content-Encoding": "br"}))


@pytest.mark.parametrize("path", ["/beta/\x00x", "/beta/\x7f", "/beta/" + "x" * 70_000])
async def test_an_address_of_graph_that_is_none_is_a_bad_answer(path: str) -> None:
    async with client_of("http://127.0.0.1:1") as client:
        with pytest.raises(BadAnswer, match="no address"):
            await client.get("http://127.0.0.1:1" + path)
