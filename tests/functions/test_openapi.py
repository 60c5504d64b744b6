"""The OpenAPI document: sound in itself, whole, and true of what the app answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import azure.functions as func
import jsonschema
import pytest
from pydantic import BaseModel

from functions.examples import BODIES
from functions.http import ENDPOINTS, Call, NoQuery, describe
from functions.openapi import body_of, document
from functions.parts import PARTS
from functions.who import Role
from shared.app.settings import AuthMode
from shared.wire.models import Answer
from tests.functions.asking import app_over, ask

DOCUMENT = document(ENDPOINTS, AuthMode.KEY)


def _operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, o) for path, methods in DOCUMENT["paths"].items() for method, o in methods.items()]


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _schema(name: str) -> dict[str, Any]:
    """A component with those it refers to, as a schema of its own."""
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def _routes() -> set[tuple[str, str]]:
    app = func.FunctionApp()
    for part in PARTS:
        app.register_functions(part.bp)
    found = set()
    for function in app.get_functions():
        trigger = function.get_trigger()
        assert trigger is not None
        binding = trigger.get_dict_repr()
        if binding["type"] != "httpTrigger":
            continue
        if not binding["route"].startswith("api/"):
            continue  # the page, and what no route answers (functions/unknown.py)
        found |= {(f"/{binding['route']}", str(method.value).lower()) for method in binding["methods"]}
    return found


def test_every_route_of_the_blueprint_is_in_it_and_no_other() -> None:
    assert {(path, method) for path, method, _ in _operations()} == _routes()
    assert {path for path, _ in _routes()} >= {
        f"/api/{name}" for name in ("summary", "findings", "incidents", "coverage", "health", "openapi.json")
    }


def test_it_is_sound() -> None:
    assert re.fullmatch(r"3\.1\.\d", DOCUMENT["openapi"])
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    names = set(DOCUMENT["components"]["schemas"])
    assert {r.removeprefix("#/components/schemas/") for r in _references(DOCUMENT)} <= names
    ids = [operation["operationId"] for _, _, operation in _operations()]
    assert len(ids) == len(set(ids)) > 0
    for _, _, operation in _operations():
        assert operation["summary"]
        expected = {"requestException": "201", "requestEvidencePack": "202"}.get(operation["operationId"], "200")
        assert set(operation["responses"]) >= {expected, "400", "500"}
        assert all(r["description"] for r in operation["responses"].values())
        for scheme in operation["security"]:
            assert set(scheme) <= set(DOCUMENT["components"]["securitySchemes"])
        for parameter in operation["parameters"]:
            assert parameter.keys() >= {"name", "in", "required", "schema"}
            assert not [*_references(parameter)]
            jsonschema.Draft202012Validator.check_schema(parameter["schema"])
            if "default" in parameter["schema"]:
                jsonschema.validate(parameter["schema"]["default"], parameter["schema"])


def test_parameters_are_those_that_are_parsed() -> None:
    by_name = {p["name"]: p for p in DOCUMENT["paths"]["/api/summary"]["get"]["parameters"]}
    assert by_name.keys() == {"days", "from", "to", "scope", "customer", "user", "app"}
    assert by_name["days"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 3650}
    assert by_name["scope"] | {"description": ""} == {
        "name": "scope",
        "in": "query",
        "required": False,
        "description": "",
        "schema": {
            "type": "array",
            "items": {"type": "string", "enum": ["customer", "partner-center", "partner-tenant", "guest"]},
            "default": ["customer", "partner-center"],
        },
        "style": "form",
        "explode": False,
    }
    names = {p["name"] for p in DOCUMENT["paths"]["/api/findings"]["get"]["parameters"]}
    assert names == {
        *(
            "from",
            "to",
            "user",
            "customer",
            "app",
            "incident",
            "cause",
            "rule",
            "severity",
            "scope",
            "verdict",
            "evidence",
        ),
        *("limit", "cursor", "format"),
    }


@pytest.mark.parametrize(
    ("mode", "schemes"), [(AuthMode.KEY, {"functionKey"}), (AuthMode.EASY_AUTH, {"entra"}), (AuthMode.LOCAL, set())]
)
def test_it_says_what_callers_must_bring(mode: AuthMode, schemes: set[str]) -> None:
    made = document(ENDPOINTS, mode)
    assert set(made["components"]["securitySchemes"]) == schemes
    assert made["paths"]["/api/summary"]["get"]["security"] == [{name: []} for name in schemes]
    health = made["paths"]["/api/health"]["get"]
    assert health["security"] == []
    assert "401" not in health["responses"]


def test_every_member_and_parameter_says_what_it_is() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for member, described in schema.get("properties", {}).items():
            assert described.get("description"), f"{name}.{member}: add it to functions/vocabulary.py"
    for path, method, operation in _operations():
        assert operation["tags"][0] in {tag["name"] for tag in DOCUMENT["tags"]}, path
        assert all(parameter["description"] for parameter in operation["parameters"]), (path, method)
    names = [operation["operationId"] for _, _, operation in _operations()]
    assert len(set(names)) == len(names)
    assert not [name for name in DOCUMENT["components"]["schemas"] if "__" in name or "-" in name]


def test_what_takes_a_version_says_so() -> None:
    for path, method in (("/api/incidents/{id}", "patch"), ("/api/exceptions/{id}", "delete")):
        operation = DOCUMENT["paths"][path][method]
        assert [p["name"] for p in operation["parameters"] if p["in"] == "header"] == ["If-Match"]
        assert {"404", "409", "412", "428"} <= set(operation["responses"])
        assert "ETag" in DOCUMENT["paths"][path]["get"]["responses"]["200"]["headers"]


class _Changed(BaseModel):
    state: str


class _Thing(Answer):
    thing_id: str


async def _change(call: Call[NoQuery, _Changed]) -> _Thing:
    """Change a thing. It stays changed."""
    return _Thing(thing_id=call.path["id"])


def test_a_body_and_a_path_are_described_too() -> None:
    made = document([describe(_change, "PATCH", "things/{id:guid}", Role.OPERATOR)], AuthMode.EASY_AUTH)
    operation = made["paths"]["/api/things/{id}"]["patch"]
    assert operation["summary"] == "Change a thing"
    assert operation["x-needs-role"] == "Operator"
    (parameter,) = operation["parameters"]
    assert (parameter["name"], parameter["in"], parameter["required"]) == ("id", "path", True)
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/_Changed"}
    assert made["components"]["schemas"]["_Changed"]["required"] == ["state"]


def test_a_name_in_a_body_may_be_nobodys_and_that_is_described() -> None:
    assert "404" in DOCUMENT["paths"]["/api/evidence-packs"]["post"]["responses"]


def test_the_example_of_each_body_is_one_that_is_taken() -> None:
    models = {model.__name__: model for e in ENDPOINTS if (model := body_of(e)) is not None}
    assert {*BODIES} == {*models}
    for name, model in models.items():
        model.model_validate_json(json.dumps(BODIES[name]))
        jsonschema.validate(BODIES[name], _schema(name))
    for path, _, operation in _operations():
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["example"] == BODIES[content["schema"]["$ref"].rpartition("/")[2]], path


async def test_answers_are_as_described(azurite: str) -> None:
    checked = 0
    async with app_over(azurite, datetime(2026, 11, 2, 12, tzinfo=UTC)) as app:
        plain = [e for e in ENDPOINTS if e.method == "GET" and "{" not in e.route]
        for endpoint in plain:
            reply = await ask(endpoint, app)
            described = DOCUMENT["paths"][f"/api/{endpoint.route}"]["get"]["responses"]["200"]
            reference = described["content"]["application/json"]["schema"].get("$ref", "")
            jsonschema.validate(reply.json, _schema(reference.rpartition("/")[2]))
            problem = (await ask(endpoint, app, "nothing=1")).json
            jsonschema.validate(problem, _schema("ProblemDocument"))
            checked += 1
    assert checked == len(plain) > 0
