"""The one place for HTTP habits: who may, what is asked, how an answer or a refusal looks.

A route is an async function from a Call to an answer; its signature says which models parse the query and the body and
which describes the answer, and so does the OpenAPI document (functions/openapi.py).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import ClassVar, Final, Literal, get_args, get_origin, get_type_hints

import azure.functions as func
from azure.core.exceptions import AzureError
from pydantic import BaseModel, ConfigDict

from functions.messages import Messages
from functions.parsing import parse_body, parse_query
from functions.problems import HEADERS, FieldError, Problem
from functions.who import Caller, Role, caller_of, refuse_foreign_pages
from shared.app.app import App, running_app
from shared.app.settings import AuthMode
from shared.operations.register import Actor
from shared.wire.csv_text import csv_text
from shared.wire.models import Answer, BadParameter, ListQuery, NotKnown, Page, Query, Versioned

_log: Final = logging.getLogger("monitor.http")

type Method = Literal["GET", "POST", "PATCH", "DELETE"]
# Which status an exception of the work becomes, and the sentence; None: the exception's own text.
type Errors = Mapping[type[Exception], tuple[HTTPStatus, str | None]]

CHANGED: Final = (HTTPStatus.PRECONDITION_FAILED, "Somebody changed it meanwhile; read it again.")


class NoQuery(Query):
    """No parameters."""


class NoBody(BaseModel):
    """There is no body: nothing, null or an empty object."""

    model_config = ConfigDict(extra="forbid")


class RawBody(BaseModel):
    """The body as it came, of any content type: the route reads it itself, within a limit of its own. `described_by`
    is the model of its JSON, for those who read the document."""

    described_by: ClassVar[type[BaseModel]]

    content: bytes


@dataclass(frozen=True, slots=True)
class Call[Q: Query, B: BaseModel = NoBody]:
    """One request, let in and parsed. `caller` is None on a route that is open to everybody."""

    app: App
    caller: Caller | None
    query: Q
    body: B
    path: Mapping[str, str]
    if_match: str | None = None

    @property
    def by(self) -> str:
        """The caller's name, as it is recorded with what they do."""
        return self.caller.name if self.caller else "unnamed"

    @property
    def actor(self) -> Actor:
        """The caller, as the register notes them."""
        return Actor(self.by, self.caller.id if self.caller else "")

    @property
    def etag(self) -> str:
        """The version that the caller saw: the header If-Match. Raises Problem (428) without one."""
        if self.if_match is None:
            raise Problem(
                HTTPStatus.PRECONDITION_REQUIRED, "Say which version you saw: the header If-Match with its ETag."
            )
        return self.if_match.strip()


@dataclass(frozen=True, slots=True)
class Sends[A: BaseModel]:
    """An answer, and the messages that go to the route's queue with it."""

    answer: A
    messages: Sequence[str]
    status: HTTPStatus | None = None  # None: that of the route


@dataclass(frozen=True, slots=True)
class Written:
    """An answer in another form than JSON: its content, its media type (one of the route's `also`), and headers beside
    those that every answer has."""

    content: str | bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ways:
    """What more a route does. `queue` is where the messages go of a function that gives an answer and messages (Sends).
    `also` names the media types that its answer may have beside JSON (Written). `begins`: it answers 202, with the
    address at which the work can be looked at. `sometimes` is a second status of its answer (Sends)."""

    queue: str | None = None
    also: Sequence[str] = ()
    begins: bool = False
    sometimes: HTTPStatus | None = None


_ONE_WAY: Final = Ways()


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route of the app."""

    name: str
    method: Method
    route: str
    needs: Role | None
    query: type[Query]
    body: type[BaseModel]
    answer: type[BaseModel]
    about: str
    work: Callable[[Call[Query, BaseModel]], Awaitable[BaseModel | Sends[BaseModel] | Written]]
    errors: Errors = field(default_factory=dict)
    module: str = ""
    ways: Ways = _ONE_WAY

    @property
    def status(self) -> HTTPStatus:
        """Of its answer: 201 where it makes something that can be changed later, 202 where it begins something."""
        if self.ways.begins:
            return HTTPStatus.ACCEPTED
        makes = self.method == "POST" and "{" not in self.route and issubclass(self.answer, Versioned)
        return HTTPStatus.CREATED if makes else HTTPStatus.OK

    @property
    def needs_version(self) -> bool:
        """Whether callers must say which version they saw (If-Match): its work can be refused for that."""
        return any(status is HTTPStatus.PRECONDITION_FAILED for status, _ in self.errors.values())

    @property
    def item(self) -> type[Answer] | None:
        """What the items of a list are, which can be had as csv too."""
        if not issubclass(self.answer, Page):
            return None
        (item,) = get_args(self.answer.model_fields["items"].annotation)
        return item  # type: ignore[no-any-return]

    async def serve(
        self, app: App, request: func.HttpRequest, queue: func.Out[list[str]] | None = None
    ) -> func.HttpResponse:
        """Answer a request, whatever happens. `queue` takes the messages of a route that sends some."""
        try:
            call = self._call(app, request)
            answer = await self.work(call)
            if isinstance(answer, Written):
                headers = {**HEADERS, **answer.headers}
                return func.HttpResponse(answer.content, mimetype=answer.media_type, headers=headers)
            if isinstance(answer, Sends):
                if queue is not None:
                    queue.set([*answer.messages])
                return self._response(call.query, answer.answer, answer.status or self.status)
            return self._response(call.query, answer, self.status)
        except Exception as error:  # noqa: BLE001 - the last resort: logged here, told to nobody
            return refusal_of(error, self.name, self.errors).response()

    def _call(self, app: App, request: func.HttpRequest) -> Call[Query, BaseModel]:
        mode = app.settings.auth_mode
        if self.method != "GET":
            refuse_foreign_pages(request)
        caller = caller_of(request, app.settings) if self.needs else None
        if caller and self.needs and caller.role < self.needs:
            raise Problem(HTTPStatus.FORBIDDEN, "This needs the app role Operator.")
        # A function key may come as the query parameter code; it is the host's business and never looked at here.
        query = parse_query(request.url, self.query, ignored=("code",) if mode is AuthMode.KEY else ())
        body: BaseModel
        if issubclass(self.body, RawBody):
            body = self.body(content=request.get_body())
        else:
            nothing = self.body is NoBody and (self.method == "GET" or request.get_body().strip() in (b"", b"null"))
            body = NoBody() if nothing else parse_body(request, self.body)
        return Call(app, caller, query, body, request.route_params, request.headers.get("If-Match"))

    def _response(self, query: Query, answer: BaseModel, status: HTTPStatus) -> func.HttpResponse:
        if self.item and isinstance(answer, Page) and isinstance(query, ListQuery) and query.format == "csv":
            headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{self.name}.csv"'}
            if answer.cursor:
                headers["X-Next-Cursor"] = answer.cursor  # base64url: nothing in it can end a header
            return func.HttpResponse(csv_text(self.item, answer.items), mimetype="text/csv", headers=headers)
        body = answer.model_dump_json(by_alias=True)
        headers = {**HEADERS, "ETag": answer.etag} if isinstance(answer, Versioned) else {**HEADERS}
        if self.status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
            headers["Location"] = f"/api/{self.route}/{answer.model_dump()['id']}"
        return func.HttpResponse(body, status_code=status, mimetype="application/json", headers=headers)


def refusal_of(error: Exception, name: str, errors: Errors) -> Problem:
    """What an exception of the route's work is to the caller; one that is no refusal is logged with its traceback."""
    match error:
        case Problem():
            return error
        case BadParameter():
            return Problem.of_fields([FieldError(field=error.field, detail=error.detail)])
        case NotKnown():
            return Problem(HTTPStatus.NOT_FOUND, str(error))
    if told := next((told for kind, told in errors.items() if isinstance(error, kind)), None):
        status, sentence = told
        return Problem(status, sentence or str(error))
    _log.error("%s failed", name, exc_info=error)
    if isinstance(error, AzureError):
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "The app's storage did not answer.")
    return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The app failed; its log says why.")


ENDPOINTS: Final[list[Endpoint]] = []


def endpoint[Q: Query, B: BaseModel, A: BaseModel](
    bp: func.Blueprint,
    method: Method,
    route: str,
    *,
    needs: Role | None,
    errors: Errors | None = None,
    ways: Ways = _ONE_WAY,
) -> Callable[[Callable[[Call[Q, B]], Awaitable[A | Sends[A] | Written]]], Endpoint]:
    """Make a function a route of the blueprint, named as the function is and described by its docstring.

    `needs` None opens it to everybody, without a key; other routes have the app's own auth level (function_app.py).
    `errors` says which of the work's exceptions are answers, as problem documents.
    """

    def register(work: Callable[[Call[Q, B]], Awaitable[A | Sends[A] | Written]]) -> Endpoint:
        made = replace(describe(work, method, route, needs, errors=errors), ways=ways)

        async def handle(req: func.HttpRequest) -> func.HttpResponse:
            return await made.serve(running_app(), req)

        async def handle_and_send(req: func.HttpRequest, messages: Messages) -> func.HttpResponse:
            return await made.serve(running_app(), req, messages)

        handle.__name__ = handle_and_send.__name__ = made.name
        level = func.AuthLevel.ANONYMOUS if needs is None else None
        routed = bp.route(route=f"api/{route}", methods=[method], auth_level=level)
        if ways.queue is None:
            bp.function_name(made.name)(routed(handle))
        else:
            sent = bp.queue_output(arg_name="messages", queue_name=ways.queue, connection="AzureWebJobsStorage")
            bp.function_name(made.name)(routed(sent(handle_and_send)))
        ENDPOINTS.append(made)
        return made

    return register


def describe[Q: Query, B: BaseModel, A: BaseModel](
    work: Callable[[Call[Q, B]], Awaitable[A | Sends[A] | Written]],
    method: Method,
    route: str,
    needs: Role | None,
    *,
    errors: Errors | None = None,
) -> Endpoint:
    """What a function's signature and docstring say of its route."""
    hints = get_type_hints(work)
    query, body = (*get_args(hints["call"]), NoBody)[:2]
    answer = hints["return"]
    if Written in get_args(answer):
        (answer,) = (each for each in get_args(answer) if each is not Written)
    return Endpoint(
        name=work.__name__,
        method=method,
        route=route,
        needs=needs,
        query=query,
        body=body,
        answer=get_args(answer)[0] if get_origin(answer) is Sends else answer,
        about=work.__doc__ or "",
        work=work,  # type: ignore[arg-type]
        errors=errors or {},
        module=work.__module__.rpartition(".")[2],
    )
