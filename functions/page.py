"""The page: HTML for people, at addresses without /api. Everything it shows comes from shared/page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

import azure.functions as func
from pydantic import ValidationError

from functions.http import refusal_of
from functions.parsing import parse_query
from functions.problems import Problem
from functions.who import Caller, Role, caller_of, refuse_foreign_pages
from shared.answers.incident_detail import ChangedIncident, UnknownIncident
from shared.app.app import App, running_app
from shared.app.settings import AuthMode
from shared.incidents.acts import NotNow
from shared.page.front import FrontQuery, front_page
from shared.page.incident import IncidentForm, act_on_incident, incident_page
from shared.page.render import HEADERS, STYLE, error_page

bp = func.Blueprint()  # type: ignore[no-untyped-call]

# The host matches an address without anything behind the slash only by a parameter that may be empty.
_ROOT: Final = "{ignored:maxlength(0)?}"
_LARGEST_FORM: Final = 20_000
_NO_BROWSER: Final = (
    "This app answers to function keys, which a browser cannot send safely: ask its API at /api, or deploy it with "
    "AUTH_MODE easyauth to have the page."
)
_ERRORS: Final = {
    UnknownIncident: (HTTPStatus.NOT_FOUND, "There is no such incident."),
    ChangedIncident: (
        HTTPStatus.CONFLICT,
        "Somebody changed it while you looked at it. Go back, read it again, and act on what stands there now.",
    ),
    NotNow: (HTTPStatus.CONFLICT, None),
}

type Work = Callable[[App, Caller, func.HttpRequest], Awaitable[func.HttpResponse]]


async def _serve(request: func.HttpRequest, work: Work, *, needs: Role = Role.READER) -> func.HttpResponse:
    """Answer with a page, whatever happens."""
    app = running_app()
    try:
        if app.settings.auth_mode is AuthMode.KEY:
            return func.HttpResponse(_NO_BROWSER, status_code=200, mimetype="text/plain", headers=HEADERS)
        return await work(app, _let_in(app, request, needs), request)
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


@bp.function_name("page")
@bp.route(route=_ROOT, methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def page(req: func.HttpRequest) -> func.HttpResponse:
    """The overview."""

    async def work(app: App, _caller: Caller, request: func.HttpRequest) -> func.HttpResponse:
        return _html(await front_page(app, parse_query(request.url, FrontQuery)))

    return await _serve(req, work)


@bp.function_name("style")
@bp.route(route="style.css", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def style(req: func.HttpRequest) -> func.HttpResponse:
    """The one stylesheet. Open to everybody: it holds no data."""
    headers = {**HEADERS, "Cache-Control": "max-age=300"}
    return func.HttpResponse(STYLE, mimetype="text/css", headers=headers)


@bp.function_name("page_incident")
@bp.route(route="incidents/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def page_incident(req: func.HttpRequest) -> func.HttpResponse:
    """One incident: its story, its sign-ins, who was told, and what to do about it."""

    async def work(app: App, caller: Caller, request: func.HttpRequest) -> func.HttpResponse:
        may_act = caller.role >= Role.OPERATOR
        return _html(await incident_page(app, request.route_params["id"], may_act=may_act))

    return await _serve(req, work)


@bp.function_name("page_act")
@bp.route(route="incidents/{id}/act", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
async def page_act(req: func.HttpRequest) -> func.HttpResponse:
    """Do what the form of an incident's page says, and show the incident again."""

    async def work(app: App, caller: Caller, request: func.HttpRequest) -> func.HttpResponse:
        key = request.route_params["id"]
        await act_on_incident(app, key, _form(request), by=caller.name)
        return func.HttpResponse(status_code=303, headers={**HEADERS, "Location": f"/incidents/{key}"})

    return await _serve(req, work, needs=Role.OPERATOR)


def _form(request: func.HttpRequest) -> IncidentForm:
    """The form that was sent. Raises Problem (400, 413, 415)."""
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "This address takes the form of the incident's page.")
    body = request.get_body()
    if len(body) > _LARGEST_FORM:
        raise Problem(HTTPStatus.CONTENT_TOO_LARGE, f"A form holds at most {_LARGEST_FORM} bytes.")
    try:
        sent = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=20))
        return IncidentForm.model_validate(sent)
    except (ValidationError, ValueError):
        raise Problem(HTTPStatus.BAD_REQUEST, "The form is not one of this page: open the incident again.") from None
