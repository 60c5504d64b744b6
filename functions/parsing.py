"""Queries and bodies as models: strict, and every refusal names what is wrong without repeating what was sent."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func
from pydantic import BaseModel, ValidationError

from functions.problems import FieldError, Problem
from shared.wire.models import Query

_MOST_PARAMETERS: Final = 50
_LONGEST_NAME: Final = 100
_LARGEST_BODY: Final = 100_000


def parse_query[Q: Query](url: str, model: type[Q], *, ignored: tuple[str, ...] = ()) -> Q:
    """Parse the query of a URL. Reads the URL itself: the host joins repeated parameters and drops empty ones.

    Raises Problem (400) that names each parameter that is unknown, repeated, empty or wrong.
    """
    text = urlsplit(url).query
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise Problem(HTTPStatus.BAD_REQUEST, f"There are more than {_MOST_PARAMETERS} parameters.") from None
    values: dict[str, str] = {}
    errors: list[FieldError] = []
    for full_name, value in pairs:
        if full_name in ignored:
            continue
        name = full_name[:_LONGEST_NAME]
        if name in values:
            errors.append(FieldError(field=name, detail="is there more than once"))
        elif not value:
            errors.append(FieldError(field=name, detail="must not be empty"))
        values[name] = value
    if errors:
        raise Problem.of_fields(errors)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise Problem.of_fields(_wrong_fields(error, "is not a parameter of this address")) from None


def parse_body[B: BaseModel](request: func.HttpRequest, model: type[B]) -> B:
    """Parse a JSON body. None at all counts as `{}` where every member is optional. Raises Problem (400, 413, 415)."""
    body = request.get_body()
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if not body and not kind and not any(field.is_required() for field in model.model_fields.values()):
        return model()
    if kind != "application/json":  # a page elsewhere cannot have a browser send this without asking us first
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body must be application/json; {} where it is empty.")
    if len(body) > _LARGEST_BODY:
        raise Problem(HTTPStatus.CONTENT_TOO_LARGE, f"A body holds at most {_LARGEST_BODY} bytes.")
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise Problem.of_fields(_wrong_fields(error, "is not a member that this body may have")) from None


def _wrong_fields(error: ValidationError, unknown: str) -> list[FieldError]:
    """One sentence a field, none of which repeats a value. A member of a member is named with its path."""
    found: dict[str, str] = {}
    for wrong in error.errors(include_url=False, include_input=False, include_context=False):
        path = ".".join(part for part in wrong["loc"] if isinstance(part, str))
        field = path[:_LONGEST_NAME] or "body"
        found.setdefault(field, unknown if wrong["type"] == "extra_forbidden" else _plain(wrong["msg"]))
    return [FieldError(field=field, detail=detail) for field, detail in found.items()]


def _plain(message: str) -> str:
    message = re.sub(r"^(Value error, |Input )", "", message)
    return message[:1].lower() + message[1:]
