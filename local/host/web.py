"""The HTTP side: calls HTTP functions by their routes, and timer functions by the admin address."""

import logging
from collections.abc import Iterable
from email.utils import formatdate
from types import SimpleNamespace

from aiohttp import web

from local.host.protos import TypedData
from local.host.routes import Route, decode_path, parse_route
from local.host.settings import StartError
from local.host.timers import Timer
from local.host.worker import Function, FunctionFailedError, Invoker

log = logging.getLogger(__name__)

_ADMIN = "admin/functions/"
_LARGEST_BODY = 210 * 1024 * 1024  # Azure's limit of a request, in bytes
# They belong to the connection, which is not the function's.
_HOP_BY_HOP = ("connection", "content-length", "keep-alive", "transfer-encoding")


class Site:
    """The addresses of an app."""

    def __init__(
        self, functions: Iterable[Function], timers: Iterable[Timer], invoke: Invoker, route_prefix: str
    ) -> None:
        """Read the routes. Raises StartError if one is wrong."""
        self._invoke = invoke
        self._functions = {function.name.lower(): function for function in functions}
        self._timers = {timer.function.name.lower(): timer for timer in timers}
        self._routes: list[tuple[Route, Function]] = []
        for function in self._functions.values():
            if function.trigger.type == "httpTrigger":
                template = f"{route_prefix.strip('/')}/{function.trigger.route.strip('/')}".strip("/")
                try:
                    self._routes.append((parse_route(template), function))
                except ValueError as error:
                    raise StartError(f"function {function.name}: {error}.") from None
        self._routes.sort(key=lambda entry: entry[0].rank)

    def application(self) -> web.Application:
        """Make the aiohttp application that serves them."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        application.router.add_route("*", r"/{path:[\s\S]*}", self._answer)
        return application

    def addresses(self) -> list[str]:
        """List the routes and their methods, for the log."""
        return [f"{'|'.join(function.trigger.methods) or '*'} /{route.template}" for route, function in self._routes]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = decode_path(request.raw_path.partition("?")[0])
        if path.lower().startswith(_ADMIN):
            return await self._run_timer(request.method, path[len(_ADMIN) :].lower())
        allowed: set[str] = set()
        for route, function in self._routes:
            parameters = route.match(path)
            if parameters is None:
                continue
            methods = {method.upper() for method in function.trigger.methods}
            if not methods or request.method in methods:
                return await self._call(function, request, parameters)
            allowed |= methods
        return web.Response(status=405, headers={"Allow": ", ".join(sorted(allowed))}) if allowed else _empty(404)

    async def _call(self, function: Function, request: web.Request, parameters: dict[str, str]) -> web.Response:
        query = {name: ",".join(request.query.getall(name)) for name in request.query}
        http = SimpleNamespace(
            method=request.method,
            url=str(request.url),
            # As the Functions host hands them on: header names in lower case, repeated names joined, empty query
            # values left out.
            headers={name.lower(): ",".join(request.headers.getall(name)) for name in request.headers},
            query={name: value for name, value in query.items() if value},
            params=parameters,
            body=TypedData(bytes=await request.read()),
        )
        try:
            returned = await self._invoke(function, TypedData(http=http))
        except FunctionFailedError:
            return _empty(500)
        return _response(returned)

    async def _run_timer(self, method: str, name: str) -> web.Response:
        if name not in self._functions:
            return _empty(404)
        if name not in self._timers:
            return web.Response(status=400, text="Only timer functions can be run from here.\n")
        if method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        try:
            await self._timers[name].fire()
        except FunctionFailedError:
            return _empty(500)
        return _empty(202)


def _empty(status: int) -> web.Response:
    return web.Response(status=status)


def _response(returned: TypedData | None) -> web.Response:
    if returned is None:
        return _empty(204)
    if not isinstance(returned.value, SimpleNamespace):
        return web.Response(text=str(returned.value))
    http = returned.value
    response = web.Response(status=int(http.status_code), body=http.body.value)
    response.headers.clear()
    for name, value in http.headers.items():
        if name.lower() not in _HOP_BY_HOP:
            response.headers[name] = value
    for cookie in http.cookies or ():
        response.headers.add("Set-Cookie", _cookie(cookie))
    return response


def _cookie(cookie: SimpleNamespace) -> str:
    parts = [f"{cookie.name}={cookie.value}"]
    if cookie.domain and cookie.domain.value:
        parts.append(f"Domain={cookie.domain.value}")
    if cookie.path and cookie.path.value:
        parts.append(f"Path={cookie.path.value}")
    if cookie.expires:
        parts.append(f"Expires={formatdate(cookie.expires.value.seconds, usegmt=True)}")
    if cookie.max_age:
        parts.append(f"Max-Age={cookie.max_age.value:.0f}")
    if cookie.secure and cookie.secure.value:
        parts.append("Secure")
    if cookie.http_only and cookie.http_only.value:
        parts.append("HttpOnly")
    if cookie.same_site:
        parts.append(f"SameSite={cookie.same_site}")
    return "; ".join(parts)
