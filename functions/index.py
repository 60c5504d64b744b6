"""What the host and the worker must know of every function before one runs: functions/index.json.

The worker indexes the app from this file alone, so that a start imports no part of it; the module of a function is
imported at its first call. `make index` writes the file from what the parts declare (functions/parts.py), and a test
says when it was forgotten.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import azure.functions as func

from functions.messages import Messages

if TYPE_CHECKING:
    from functions.blueprint import Blueprint

INDEX: Final = Path(__file__).with_name("index.json")

type Binding = Mapping[str, Any]
type Handler = Callable[..., Awaitable[Any]]

# What the worker checks a function's parameters against.
_GIVEN: Final[Mapping[str, Any]] = {
    "httpTrigger": func.HttpRequest,
    "timerTrigger": func.TimerRequest,
    "queueTrigger": func.QueueMessage,
    "queue": Messages,
}


@dataclass(frozen=True, slots=True)
class Indexed:
    """A function: the module that declares it, and its bindings as the host knows them (function.json's names). A
    trigger over HTTP without `authLevel` has the app's."""

    name: str
    module: str
    bindings: tuple[Binding, ...]

    def handler(self) -> Handler:
        """What the worker calls; it has the parameters of the function that it stands for."""

        async def handle(**given: object) -> object:
            return await _part(self.module).functions[self.name](**given)

        kinds = {binding["name"]: _GIVEN[binding["type"]] for binding in self.bindings if binding["type"] in _GIVEN}
        named = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY) for name in kinds]
        answers = {"return": func.HttpResponse} if any(b["type"] == "http" for b in self.bindings) else {}
        handle.__name__ = self.name
        handle.__annotations__ = kinds | answers
        handle.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
        return handle


@cache
def read_index() -> tuple[Indexed, ...]:
    """Every function of the app."""
    found = json.loads(INDEX.read_text(encoding="utf-8"))
    return tuple(Indexed(one["name"], one["module"], tuple(one["bindings"])) for one in found)


def register(app: func.FunctionApp) -> None:
    """Make every function of the index one of the app's."""
    for one in read_index():
        function = one.handler()
        for binding in one.bindings:
            if bound := _bound(app, binding):
                function = bound(function)
        app.function_name(one.name)(function)


def import_parts() -> None:
    """Import whatever declares a function, for those who ask what all of them are."""
    for module in {one.module for one in read_index()}:
        import_module(module)


def _part(module: str) -> Blueprint:
    part: Blueprint = import_module(module).bp
    return part


def _bound(app: func.FunctionApp, binding: Binding) -> Callable[[Any], Any] | None:
    """The library's decorator of a binding; None of what an answer goes out by, which comes with its trigger."""
    name = binding["name"]
    match binding["type"]:
        case "http":
            return None
        case "httpTrigger":
            level = func.AuthLevel[binding["authLevel"]] if "authLevel" in binding else None
            return app.route(route=binding["route"], methods=binding["methods"], auth_level=level)
        case "timerTrigger":
            return app.timer_trigger(arg_name=name, schedule=binding["schedule"], run_on_startup=False)
        case "queueTrigger":
            return app.queue_trigger(name, binding["queueName"], binding["connection"])
        case "queue":
            return app.queue_output(name, binding["queueName"], binding["connection"])
    raise ValueError(f"the index knows no binding of type {binding['type']}")
