"""The app's routes behind a real address, in a thread with a loop of its own: for clients that are not asynchronous."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import azure.functions as func
from aiohttp import web

from functions.http import ENDPOINTS
from functions.unknown import refusal
from local.host.routes import decode_path, parse_route
from shared.app.app import App
from tests.functions.asking import app_over

_ROUTES = sorted(((parse_route(f"api/{e.route}"), e) for e in ENDPOINTS), key=lambda entry: entry[0].rank)


@contextmanager
def serving(azurite: str, now: datetime, tenant: str, prepare: Callable[[App], Awaitable[None]]) -> Iterator[str]:
    """Serve an app over tables of its own, which `prepare` fills; gives the address."""
    loop = asyncio.new_event_loop()
    ready, address, stop = threading.Event(), [""], asyncio.Event()
    failed: list[BaseException] = []

    async def run() -> None:
        async with app_over(azurite, now, tenant) as app:
            await prepare(app)
            application = web.Application(client_max_size=10_000_000)
            application.router.add_route("*", r"/{path:[\s\S]*}", _handler(app))
            runner = web.AppRunner(application)
            await runner.setup()
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
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


def _handler(app: App) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def handle(request: web.Request) -> web.Response:
        path = decode_path(request.raw_path.partition("?")[0])
        for route, endpoint in _ROUTES:
            parameters = route.match(path)
            if parameters is not None and endpoint.method == request.method:
                asked = func.HttpRequest(
                    request.method,
                    f"http://{request.host}{request.raw_path}",
                    headers=dict(request.headers),
                    route_params=parameters,
                    body=await request.read(),
                )
                return _answer(await endpoint.serve(app, asked))
        return _answer(refusal(f"http://{request.host}{request.raw_path}").response())

    return handle


def _answer(answer: func.HttpResponse) -> web.Response:
    headers = {**answer.headers, "Content-Type": answer.mimetype}
    return web.Response(status=answer.status_code, headers=headers, body=answer.get_body())
