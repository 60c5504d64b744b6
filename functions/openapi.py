"""The OpenAPI 3.1 document, made from the models that parse the queries and shape the answers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.http import Endpoint, NoBody, RawBody
from functions.problems import ProblemDocument
from functions.who import Role
from shared.app.settings import AuthMode

type Json = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/{model}"
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)[^}]*\}")
_SCHEMES: Final[dict[AuthMode, Json]] = {
    AuthMode.KEY: {"functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
    AuthMode.EASY_AUTH: {"entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    AuthMode.LOCAL: {},
}
_PROBLEMS: Final = {
    "400": "A parameter or the body is wrong; the problem names it.",
    "401": "Nobody is signed in.",
    "403": "The caller has not the role that this needs.",
    "500": "The app failed.",
    "503": "The app's storage did not answer.",
}


def document(endpoints: Iterable[Endpoint], mode: AuthMode) -> Json:
    """The document of these routes, with what callers must bring in that mode."""
    known = sorted(endpoints, key=lambda e: (e.route, e.method))
    answers: list[type[BaseModel]] = [ProblemDocument, *(e.answer for e in known)]
    bodies = [e.body for e in known if e.body not in (NoBody, RawBody)]
    references, definitions = models_json_schema(
        [*((m, "serialization") for m in dict.fromkeys(answers)), *((m, "validation") for m in dict.fromkeys(bodies))],
        ref_template=_REFERENCE,
    )
    schema_of: dict[object, Json] = {model: schema for (model, _), schema in references.items()}
    paths: dict[str, Json] = {}
    for route in known:
        template = _PATH_PARAMETER.sub(r"{\1}", f"/api/{route.route}")
        paths.setdefault(template, {})[route.method.lower()] = _operation(route, schema_of, mode)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Partner MFA Monitor",
            "version": "1",
            "description": "Proof, from Entra sign-in logs, of MFA on every use of a partner's delegated admin rights.",
        },
        "paths": paths,
        "components": {"schemas": definitions["$defs"], "securitySchemes": _SCHEMES[mode]},
    }


def _operation(route: Endpoint, schema_of: dict[object, Json], mode: AuthMode) -> Json:
    about = " ".join(route.about.split())
    content: Json = {"application/json": {"schema": schema_of[route.answer]}}
    headers: Json = {}
    if route.item:
        content["text/csv"] = {"schema": {"type": "string"}}
        headers["X-Next-Cursor"] = {
            "schema": {"type": "string"},
            "description": "With csv: the cursor, if there is one.",
        }
    problem = {"application/problem+json": {"schema": schema_of[ProblemDocument]}}
    problems = {code: {"description": text, "content": problem} for code, text in _PROBLEMS.items()}
    operation: Json = {
        "operationId": route.name,
        "summary": about.partition(". ")[0].rstrip("."),
        "description": about,
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": {"200": {"description": "The answer.", "headers": headers, "content": content}, **problems},
        "security": [{name: []} for name in _SCHEMES[mode]] if route.needs else [],
    }
    if route.needs is None:
        del operation["responses"]["401"], operation["responses"]["403"]
    elif mode is AuthMode.EASY_AUTH:
        operation["x-needs-role"] = Role(route.needs).name.capitalize()
    if route.body is RawBody:
        content = {"text/plain": {"schema": {"type": "string"}}, "application/json": {"schema": {"type": "object"}}}
        operation["requestBody"] = {"required": True, "content": content}
    elif route.body is not NoBody:
        body = {"application/json": {"schema": schema_of[route.body]}}
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _path_parameters(route: Endpoint) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PATH_PARAMETER.findall(route.route)
    ]


def _query_parameters(route: Endpoint) -> list[Json]:
    schema = route.query.model_json_schema(mode="validation", ref_template=_REFERENCE)
    definitions: Json = schema.get("$defs", {})
    needed = schema.get("required", [])
    parameters: list[Json] = []
    for name, described in schema.get("properties", {}).items():
        shape = _shape(described, definitions)
        parameter: Json = {"name": name, "in": "query", "required": name in needed, "schema": shape}
        if about := shape.pop("description", None):
            parameter["description"] = about
        if shape.get("type") == "array":
            parameter |= {"style": "form", "explode": False}  # a comma list
        parameters.append(parameter)
    return parameters


def _shape(described: Json, definitions: Json) -> Json:
    """A parameter's schema by itself: without references, without the null that means "not set" and cannot be sent."""
    shape = {key: value for key, value in described.items() if key not in ("title", "anyOf", "default")}
    for choice in described.get("anyOf", []):
        if choice != {"type": "null"}:
            shape |= choice
    if described.get("default") is not None:
        shape["default"] = described["default"]
    if reference := shape.pop("$ref", None):
        shape |= {key: value for key, value in _named(reference, definitions).items() if key != "title"}
    if reference := shape.get("items", {}).get("$ref"):
        shape["items"] = {key: value for key, value in _named(reference, definitions).items() if key != "title"}
    return shape


def _named(reference: str, definitions: Json) -> Json:
    found: Json = definitions[reference.rpartition("/")[2]]
    return found
