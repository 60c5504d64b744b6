"""The OpenAPI 3.1 document, made from the models that parse the queries and shape the answers.

It is whole enough for a generator: every status with its problem, If-Match and ETag, enums, examples, one name a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from functions.examples import BODIES, EXAMPLES
from functions.http import Endpoint, NoBody, RawBody
from functions.problems import ProblemDocument
from functions.vocabulary import WORDS
from functions.who import Role
from shared.app.settings import AuthMode
from shared.wire.models import Page, Versioned

type Json = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/{model}"
_PATH_PARAMETER: Final = re.compile(r"\{(\w+)[^}]*\}")
_FILTERS: Final = frozenset({"user", "customer", "app", "incident"})  # what they name may be nobody's: 404
_SCHEMES: Final[dict[AuthMode, Json]] = {
    AuthMode.KEY: {"functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
    AuthMode.EASY_AUTH: {"entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
    AuthMode.LOCAL: {},
}
_PROBLEMS: Final = {
    400: "A parameter or the body is wrong; the problem names it.",
    401: "Nobody is signed in.",
    403: "The caller may not do this.",
    404: "There is no such thing: what the address or a filter names is not known.",
    409: "It cannot be done as things stand; the problem says why.",
    412: "Somebody changed it since the version that If-Match names: read it again.",
    413: "The body is too large.",
    415: "The body must be application/json.",
    422: "It is refused for what it says; the problem says why and what to do instead.",
    428: "If-Match is missing.",
    500: "The app failed; its log says why.",
    503: "The app's storage did not answer.",
}
_TAGS: Final = {
    "answers": "What the scan found: summary, findings, rules, coverage.",
    "incidents": "What people deal with.",
    "people": "Technicians, customers, accounts.",
    "alerts": "What channels were told.",
    "exceptions": "Technical exceptions.",
    "inventory": "Applications, and causes: what would be fixed first for the most.",
    "records": "What changed, and who did what.",
    "ops": "What operators do.",
    "preflight": "Whether the installation has what it needs.",
    "self_test": "A made-up violation, to see that it is found and told.",
    "statement": "The statement of a month to print, and signed packs of evidence.",
    "token_check": "Would Partner Center take this token?",
}

# Routes that stand under the tag of others; else a route's tag is the name of its module.
_TAG_OF: Final = {"policies": "people", "portals": "inventory", "changes": "records", "register": "records"}


class _WithoutTitles(GenerateJsonSchema):
    """Titles made of member names say nothing that the names do not."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def document(endpoints: Iterable[Endpoint], mode: AuthMode) -> Json:
    """The document of these routes, with what callers must bring in that mode."""
    known = sorted(endpoints, key=lambda e: (e.route, e.method))
    answers: list[type[BaseModel]] = [ProblemDocument, *(e.answer for e in known)]
    bodies = [body for e in known if (body := body_of(e)) is not None]
    references, definitions = models_json_schema(
        [*((m, "serialization") for m in dict.fromkeys(answers)), *((m, "validation") for m in dict.fromkeys(bodies))],
        ref_template=_REFERENCE,
        schema_generator=_WithoutTitles,
    )
    schema_of: dict[object, Json] = {model: schema for (model, _), schema in references.items()}
    paths: dict[str, Json] = {}
    for route in known:
        template = _PATH_PARAMETER.sub(r"{\1}", f"/api/{route.route}")
        paths.setdefault(template, {})[route.method.lower()] = _operation(route, schema_of, mode)
    used = sorted({_tag(route) for route in known})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Partner MFA Monitor",
            "version": "1",
            "description": "Proof, from Entra sign-in logs, of MFA on every use of a partner's delegated admin rights.",
        },
        "servers": [{"url": "/", "description": "The address this document came from."}],
        "tags": [{"name": tag, "description": _TAGS[tag]} for tag in used if tag in _TAGS],
        "paths": paths,
        "components": {"schemas": _described(definitions["$defs"]), "securitySchemes": _SCHEMES[mode]},
    }


def _described(schemas: Json) -> Json:
    """The schemas, each member with what it means and an example."""
    for schema in schemas.values():
        schema.pop("title", None)  # the name of its Python class; it has a name here
        for name, member in schema.get("properties", {}).items():
            if "description" not in member and name in WORDS:
                member["description"] = WORDS[name]
            if name in EXAMPLES and "$ref" not in member:
                member["examples"] = [EXAMPLES[name]]
    return schemas


def _operation(route: Endpoint, schema_of: dict[object, Json], mode: AuthMode) -> Json:
    about = " ".join(route.about.split())
    operation: Json = {
        "operationId": operation_id(route),
        "tags": [_tag(route)],
        "summary": about.partition(". ")[0].rstrip("."),
        "description": about,
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_version_parameter(route)],
        "responses": {**_answers(route, schema_of), **_problems(route, schema_of)},
        "security": [{name: []} for name in _SCHEMES[mode]] if route.needs else [],
    }
    if route.needs is not None and mode is AuthMode.EASY_AUTH:
        operation["x-needs-role"] = Role(route.needs).name.capitalize()
    if (body := body_of(route)) is not None:
        content = {"application/json": {"schema": schema_of[body], **_example(body)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _tag(route: Endpoint) -> str:
    return _TAG_OF.get(route.module, route.module)


def body_of(route: Endpoint) -> type[BaseModel] | None:
    """The model of a route's JSON body; None where it reads none."""
    if issubclass(route.body, RawBody):
        return route.body.described_by
    return None if route.body is NoBody else route.body


def operation_id(route: Endpoint) -> str:
    """A verb and a noun, for a generated client: listFindings, getIncident, updateIncident."""
    words = route.name.split("_")
    if route.method == "GET":
        words.insert(0, "list" if issubclass(route.answer, Page) else "get")
    return words[0] + "".join(word.capitalize() for word in words[1:])


def _example(body: type[BaseModel]) -> Json:
    return {"example": BODIES[body.__name__]} if body.__name__ in BODIES else {}


def _answers(route: Endpoint, schema_of: dict[object, Json]) -> Json:
    statuses = [route.status, *([route.ways.sometimes] if route.ways.sometimes else [])]
    return {str(int(status)): _answer(route, schema_of) for status in statuses}


def _answer(route: Endpoint, schema_of: dict[object, Json]) -> Json:
    content: Json = {"application/json": {"schema": schema_of[route.answer]}}
    headers: Json = {}
    for media_type in route.ways.also:
        binary = {"format": "binary"} if not media_type.startswith("text/") else {}
        content[media_type] = {"schema": {"type": "string", **binary}}
    if route.item:
        content["text/csv"] = {"schema": {"type": "string"}}
        headers["X-Next-Cursor"] = _text_header("With csv: the cursor, if there is one.")
    if issubclass(route.answer, Versioned):
        headers["ETag"] = _text_header("Its version; send it as If-Match to change what you saw.")
    if route.status in (HTTPStatus.CREATED, HTTPStatus.ACCEPTED):
        headers["Location"] = _text_header("Its address.")
    return {"description": "The answer.", "headers": headers, "content": content}


def _text_header(description: str) -> Json:
    return {"schema": {"type": "string"}, "description": description}


def _problems(route: Endpoint, schema_of: dict[object, Json]) -> Json:
    content = {"application/problem+json": {"schema": schema_of[ProblemDocument]}}
    return {str(code): {"description": _PROBLEMS[code], "content": content} for code in sorted(set(_codes(route)))}


def _codes(route: Endpoint) -> Iterator[int]:
    yield from (400, 500, 503)
    if route.needs is not None:
        yield from (401, 403)
    if route.method != "GET" and not issubclass(route.body, RawBody):
        yield from (413, 415)
    if route.needs_version:
        yield 428
    if not _FILTERS.isdisjoint(route.query.model_fields):
        yield 404
    yield from (int(status) for status, _ in route.errors.values())


def _version_parameter(route: Endpoint) -> list[Json]:
    if not route.needs_version:
        return []
    about = "The ETag of the version that you saw, or * for whatever it is."
    return [{"name": "If-Match", "in": "header", "required": True, "description": about, "schema": {"type": "string"}}]


def _path_parameters(route: Endpoint) -> list[Json]:
    noun = route.route.partition("/")[0]
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": f"The {name} of one of {noun}.",
            "schema": {"type": "string", "minLength": 1},
        }
        for name in _PATH_PARAMETER.findall(route.route)
    ]


def _query_parameters(route: Endpoint) -> list[Json]:
    schema = route.query.model_json_schema(mode="validation", ref_template=_REFERENCE, schema_generator=_WithoutTitles)
    definitions: Json = schema.get("$defs", {})
    needed = schema.get("required", [])
    parameters: list[Json] = []
    for name, described in schema.get("properties", {}).items():
        shape = _shape(described, definitions)
        about = shape.pop("description", None) or WORDS.get(name) or f"Only those with this {name}."
        parameter: Json = {"name": name, "in": "query", "required": name in needed, "schema": shape}
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
