"""The page behind a real address, in a thread with a loop of its own: for browsers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import azure.functions as func
from aiohttp import web

from functions.page import form_handler, page_handler, style
from local.host.routes import decode_path, parse_route
from shared.app.app import App
from shared.page import FORMS, PAGES

type Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]
type Make = Callable[[], Awaitable[Callable[[], App]]]


def application(app_of: Callable[[], App]) -> web.Application:
    """Every page and form, and the stylesheet, as the host would route to them."""
    routes: list[tuple[str, str, Handler]] = [("GET", "style.css", style)]
    routes += [("GET", page.route, page_handler(page, app_of)) for page in PAGES]
    routes += [("POST", form.route, form_handler(form, app_of)) for form in FORMS]
    parsed = sorted(((parse_route(route), method, work) for method, route, work in routes), key=lambda r: r[0].rank)

    async def handle(request: web.Request) -> web.Response:
        path = decode_path(request.raw_path.partition("?")[0])
        for route, method, work in parsed:
            parameters = route.match(path)
            if parameters is not None and method == request.method:
                asked = func.HttpRequest(
                    request.method,
                    f"http://{request.host}{request.raw_path}",
                    headers=dict(request.headers),
                    route_params=parameters,
                    body=await request.read(),
                )
                answer = await work(asked)
                headers = {**answer.headers, "Content-Type": answer.mimetype + "; charset=utf-8"}
                return web.Response(status=answer.status_code, headers=headers, body=answer.get_body())
        return web.Response(status=404, text="no such address")

    made = web.Application(client_max_size=10_000_000)
    made.router.add_route("*", r"/{path:[\s\S]*}", handle)
    return made


@contextmanager
def serving_pages(make: Make, close: Callable[[], Awaitable[None]]) -> Iterator[str]:
    """Serve the pages of whatever app is current; `make` prepares it in the server's own loop. Gives the address."""
    loop = asyncio.new_event_loop()
    ready, address, stop = threading.Event(), [""], asyncio.Event()
    failed: list[BaseException] = []

    async def run() -> None:
        try:
            runner = web.AppRunner(application(await make()))
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            address[0] = f"http://127.0.0.1:{runner.addresses[0][1]}"
            ready.set()
            await stop.wait()
            await runner.cleanup()
        finally:
            await close()

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
