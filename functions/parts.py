"""All parts of the app, and what they declare: `make index` writes it to functions/index.json."""

import json
from collections.abc import Sequence
from typing import Any, Final

import azure.functions as func

from functions import (
    alerts,
    answers,
    changes,
    exceptions,
    incidents,
    inventory,
    maintenance,
    ops,
    page,
    people,
    policies,
    portals,
    preflight,
    register,
    scan,
    self_test,
    statement,
    token_check,
    unknown,
)
from functions.index import INDEX

PARTS: Final = (
    *(alerts, answers, exceptions, incidents, maintenance, ops, page, people, preflight, scan, self_test),
    *(inventory, policies, portals, changes, register, statement, token_check, unknown),
)


def declared() -> list[dict[str, Any]]:
    """Each function that the parts declare, as the index has it (functions/index.py)."""
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
    modules: dict[str, str] = {}
    for part in PARTS:
        app.register_functions(part.bp)
        modules |= dict.fromkeys(part.bp.functions, part.__name__)
    found = [(str(function.get_function_name()), function.get_raw_bindings()) for function in app.get_functions()]
    return [
        {"name": name, "module": modules[name], "bindings": [_shape(json.loads(raw)) for raw in bindings]}
        for name, bindings in found
    ]


def index_text(functions: Sequence[dict[str, Any]]) -> str:
    """The index as it stands in its file, a function a line."""
    return "[\n" + ",\n".join(json.dumps(function) for function in functions) + "\n]\n"


def _shape(binding: dict[str, Any]) -> dict[str, Any]:
    """Without what follows from the type, and without the level that no route names itself: that is the app's."""
    left_out = {"direction", "runOnStartup"} | ({"authLevel"} if binding.get("authLevel") == "FUNCTION" else set())
    return {key: value for key, value in binding.items() if key not in left_out}


if __name__ == "__main__":
    INDEX.write_text(index_text(declared()), encoding="utf-8")
