"""Handlers behind a real address, in a thread with a loop of its own: for clients and browsers that are not
asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import NamedTuple

import azure.functions as func
from aiohttp import web

from local.host.routes import decode_path, parse_route

type Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]
type Unknown = Callable[[str], func.HttpResponse]


class Route(NamedTuple):
    """A method and a route as the host writes it, and what answers there."""

    method: str
    path: str
    handler: Handler


@contextmanager
def serving(prepare: AbstractAsyncContextManager[Iterable[Route]], unknown: Unknown) -> Iterator[str]:
    """Serve the routes that `prepare` gives in the server's own loop, and leave it at the end; `unknown` answers any
    other address. Gives the address."""
    loop = asyncio.new_event_loop()
    ready, address, stop = threading.Event(), [""], asyncio.Event()
    failed: list[BaseException] = []

    async def run() -> None:
        async with prepare as routes:
            application = web.Application(client_max_size=10_000_000)
            application.router.add_route("*", r"/{path:[\s\S]*}", _routed(routes, unknown))
            runner = web.AppRunner(application)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            address[0] = f"http://127.0.0.1:{runner.addresses[0][1]}"
            ready.set()
            await stop.wait()
            await runner.cleanup()

    def work() -> None:
        try:
            loop.run_until_complete(run())
        except BaseException as error:  # noqa: BLE001 - told by the test's own thread
            failed.append(error)
        finally:
            ready.set()
            loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait()
    try:
        if failed:
            raise failed[0]
        yield address[0]
    finally:
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)
        thread.join()


def _routed(routes: Iterable[Route], unknown: Unknown) -> Callable[[web.Request], Awaitable[web.Response]]:
    known = sorted(((parse_route(r.path), r) for r in routes), key=lambda entry: entry[0].rank)

    async def handle(request: web.Request) -> web.Response:
        path = decode_path(request.raw_path.partition("?")[0])
        url = f"http://{request.host}{request.raw_path}"
        for parsed, route in known:
            parameters = parsed.match(path)
            if parameters is not None and route.method == request.method:
                asked = func.HttpRequest(
                    request.method,
                    url,
                    headers=dict(request.headers),
                    route_params=parameters,
                    body=await request.read(),
                )
                return _answer(await route.handler(asked))
        return _answer(unknown(url))

    return handle


def _answer(answer: func.HttpResponse) -> web.Response:
    kind = f"{answer.mimetype}; charset={answer.charset}" if answer.mimetype.startswith("text/") else answer.mimetype
    return web.Response(
        status=answer.status_code, headers={**answer.headers, "Content-Type": kind}, body=answer.get_body()
    )
