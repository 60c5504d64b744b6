"""The page: HTML for people, at addresses without /api. Everything it shows comes from shared/page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlencode, urlsplit

import azure.functions as func
from pydantic import BaseModel, ValidationError

from functions.blueprint import Blueprint
from functions.http import refusal_of
from functions.messages import Messages
from functions.parsing import parse_query
from functions.problems import Problem
from functions.who import Caller, Role, caller_of, refuse_foreign_pages
from shared.answers.cause_acts import ChangedCause, UnknownCause
from shared.answers.exceptions import UnknownException
from shared.answers.incident_detail import ChangedIncident, UnknownIncident
from shared.app.app import App, running_app
from shared.app.pack_key import PackKeyProblem
from shared.app.settings import AuthMode
from shared.incidents.acts import NotNow
from shared.operations.register import Actor
from shared.page import FORMS, HEADERS, PAGES, STYLE, FormAt, PageAt, PageQuery, Visit, error_page
from shared.statement.packs import UnknownPack

bp = Blueprint()

# The host matches an address without anything behind the slash only by a parameter that may be empty.
_ROOT: Final = "{ignored:maxlength(0)?}"
_LARGEST_FORM: Final = 80_000  # the largest token that is taken, as a form sends it
_MOST_FIELDS: Final = 20
_NO_BROWSER: Final = (
    "This app answers to function keys, which a browser cannot send safely: ask its API at /api, or deploy it with "
    "AUTH_MODE easyauth to have the page."
)
_CHANGED: Final = (
    "Somebody changed it while you looked at it. Go back, read it again, and act on what stands there now."
)
_ERRORS: Final = {
    UnknownIncident: (HTTPStatus.NOT_FOUND, "There is no such incident."),
    UnknownCause: (HTTPStatus.NOT_FOUND, "There is no such cause in this period: it may be mended."),
    UnknownException: (HTTPStatus.NOT_FOUND, "There is no such exception."),
    ChangedIncident: (HTTPStatus.CONFLICT, _CHANGED),
    ChangedCause: (HTTPStatus.CONFLICT, _CHANGED),
    NotNow: (HTTPStatus.CONFLICT, None),
    UnknownPack: (HTTPStatus.NOT_FOUND, "There is no such evidence pack."),
    PackKeyProblem: (HTTPStatus.CONFLICT, None),
}

type Work = Callable[[App, Caller], Awaitable[func.HttpResponse]]
type Handler = Callable[[func.HttpRequest], Awaitable[func.HttpResponse]]


class FormHandler(Protocol):
    """What takes a form; `messages` go to its queue, where it has one."""

    async def __call__(
        self, req: func.HttpRequest, messages: func.Out[list[str]] | None = None
    ) -> func.HttpResponse: ...


async def _serve(app: App, request: func.HttpRequest, work: Work, *, needs: Role = Role.READER) -> func.HttpResponse:
    """Answer with a page, whatever happens."""
    try:
        if app.settings.auth_mode is AuthMode.KEY:
            return func.HttpResponse(_NO_BROWSER, status_code=200, mimetype="text/plain", headers=HEADERS)
        return await work(app, _let_in(app, request, needs))
    except Exception as error:  # noqa: BLE001 - the last resort: logged there, told to nobody
        problem = refusal_of(error, "page", _ERRORS)
        page = error_page(HTTPStatus(problem.status), str(problem))
        return func.HttpResponse(page, status_code=problem.status, mimetype="text/html", headers=HEADERS)


def _let_in(app: App, request: func.HttpRequest, needs: Role) -> Caller:
    """Who asks. Raises Problem (401, 403)."""
    if request.method != "GET":
        refuse_foreign_pages(request)
    caller = caller_of(request, app.settings)
    if caller.role < needs:
        raise Problem(HTTPStatus.FORBIDDEN, "This needs the app role Operator.")
    return caller


def _html(page: str) -> func.HttpResponse:
    return func.HttpResponse(page, mimetype="text/html", headers=HEADERS)


def _visit(app: App, caller: Caller, request: func.HttpRequest, query: type[PageQuery], here: str) -> Visit[Any]:
    """The visit that a request is. A form of the page sends empty fields too: they say nothing."""
    parts = urlsplit(request.url)
    said = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if value.strip()]
    asked = parse_query(parts._replace(query=urlencode(said)).geturl(), query)
    for name, value in request.route_params.items():
        here = here.replace(f"{{{name}}}", value)
    return Visit(app, asked, request.route_params, f"/{here}", caller.role >= Role.OPERATOR)


def page_handler(page: PageAt, app_of: Callable[[], App] = running_app) -> Handler:
    """What answers a page's address."""

    async def handle(req: func.HttpRequest) -> func.HttpResponse:
        async def work(app: App, caller: Caller) -> func.HttpResponse:
            return _html(await page.show(_visit(app, caller, req, page.query, page.route)))

        return await _serve(app_of(), req, work)

    return handle


def form_handler(form: FormAt[Any], app_of: Callable[[], App] = running_app) -> FormHandler:
    """What takes a form: who acts is sent on to the page that shows it."""

    async def handle(req: func.HttpRequest, messages: func.Out[list[str]] | None = None) -> func.HttpResponse:
        async def work(app: App, caller: Caller) -> func.HttpResponse:
            visit = _visit(app, caller, req, PageQuery, form.route)
            filled = _form(req, form.form)
            if form.make is not None:
                return _html(await form.make(visit, filled))
            if form.send is not None:
                then, message = await form.send(visit, filled, Actor(caller.name, caller.id))
                if messages is not None:
                    messages.set([message])
                return _gone_to(then)
            if form.act is None:
                raise TypeError(f"the form {form.name} does nothing")
            return _gone_to(await form.act(visit, filled, by=caller.name))

        return await _serve(app_of(), req, work, needs=Role.OPERATOR if form.act else Role.READER)

    return handle


def _gone_to(address: str) -> func.HttpResponse:
    return func.HttpResponse(status_code=303, headers={**HEADERS, "Location": address})


def _form[F: BaseModel](request: func.HttpRequest, form: type[F]) -> F:
    """The form that was sent. Raises Problem (400, 413, 415)."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This address takes the form of its page.")
    body = request.get_body()
    if len(body) > _LARGEST_FORM:
        raise Problem(HTTPStatus.CONTENT_TOO_LARGE, f"A form holds at most {_LARGEST_FORM} bytes.")
    try:
        text = body.decode("utf-8", "replace")
        return form.model_validate(dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)))
    except (ValidationError, ValueError):
        problem = "The form is not one of this page, or a field of it is too long: open the page again."
    raise Problem(HTTPStatus.BAD_REQUEST, problem)


def _register(name: str, route: str, method: str, handler: Handler) -> None:
    handler.__name__ = name
    routed = bp.route(route=route or _ROOT, methods=[method], auth_level=func.AuthLevel.ANONYMOUS)
    bp.function_name(name)(routed(handler))


def _register_form(form: FormAt[Any]) -> None:
    take = form_handler(form)

    async def handle(req: func.HttpRequest) -> func.HttpResponse:
        return await take(req)

    async def handle_and_send(req: func.HttpRequest, messages: Messages) -> func.HttpResponse:
        return await take(req, messages)

    if form.queue:
        handle_and_send.__name__ = form.name
        sends = bp.queue_output(arg_name="messages", queue_name=form.queue, connection="AzureWebJobsStorage")
        routed = bp.route(route=form.route, methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
        bp.function_name(form.name)(routed(sends(handle_and_send)))
    else:
        _register(form.name, form.route, "POST", handle)


@bp.function_name("style")
@bp.route(route="style.css", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def style(req: func.HttpRequest) -> func.HttpResponse:
    """The one stylesheet. Open to everybody: it holds no data."""
    headers = {**HEADERS, "Cache-Control": "max-age=300"}
    return func.HttpResponse(STYLE, mimetype="text/css", headers=headers)


for _page in PAGES:
    _register(_page.name, _page.route, "GET", page_handler(_page))
for _form_at in FORMS:
    _register_form(_form_at)
