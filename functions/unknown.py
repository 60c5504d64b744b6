"""What no route answers: a problem document too, which tells a wrong address from a wrong method."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit

import azure.functions as func

from functions.blueprint import Blueprint
from functions.index import read_index
from functions.problems import Problem

bp = Blueprint()

_METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_PARAMETER: Final = re.compile(r"\{[^}]*\}")


@bp.function_name("unknown_route")
@bp.route(route="{*path}", methods=_METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def unknown(req: func.HttpRequest) -> func.HttpResponse:
    """The host comes here where no other route fits. Open to everybody: it looks at nothing but the address."""
    return refusal(req.url).response()


def refusal(url: str) -> Problem:
    """405 with the methods that the address has, else 404."""
    try:
        path = unquote(urlsplit(url).path).strip("/").lower()
    except ValueError:  # a host that is none
        path = ""
    allowed = sorted({method for route, methods in _routes() for method in methods if _pattern(route).fullmatch(path)})
    if allowed:
        methods = ", ".join(allowed)
        headers = {"Allow": methods}
        return Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"This address answers to {methods}.", headers=headers)
    return Problem(HTTPStatus.NOT_FOUND, "There is no such address; GET /api/openapi.json lists all of them.")


def _routes() -> list[tuple[str, list[str]]]:
    """The addresses under /api, each with its methods."""
    triggers = (binding for one in read_index() for binding in one.bindings if binding["type"] == "httpTrigger")
    return [(each["route"], each["methods"]) for each in triggers if each["route"].startswith("api/")]


def _pattern(route: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, _PARAMETER.split(route.lower()))))
