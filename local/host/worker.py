"""Runs the functions of an app in azure-functions-runtime."""

import logging
import os
import sys
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from local.host.protos import PROTOS, ParameterBinding, TypedData
from local.host.settings import StartError

log = logging.getLogger(__name__)

TRIGGERS = ("httpTrigger", "timerTrigger", "queueTrigger")
_OUTPUTS = ("http", "queue")


class FunctionFailedError(Exception):
    """A function raised, or its output could not be sent. The text is one line; the traceback is in the log."""


class Binding(BaseModel):
    """A binding as the library describes it (function.json's names)."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)

    type: str
    name: str
    route: str = ""
    methods: tuple[str, ...] = ()
    schedule: str = ""
    run_on_startup: bool = False
    use_app: bool = True
    queue_name: str = ""
    connection: str = ""


@dataclass(frozen=True)
class Function:
    """A function of the app. Outputs are its queue outputs; `$return` names the one that takes the returned value."""

    name: str
    id: str
    trigger: Binding
    outputs: tuple[Binding, ...]


type Send = Callable[[Binding, TypedData], Awaitable[None]]


async def index(app: Path) -> tuple[Function, ...]:
    """Import DIR/function_app.py and list its functions. One app per process: the library keeps it in its globals.

    Raises StartError with the library's message if the app is wrong.
    """
    # Imported here so that a wrong option is told at once: the library takes a while.
    from azure_functions_runtime import functions_metadata_request, start_threadpool_executor, worker_init_request

    start_threadpool_executor()
    sys.path.insert(0, str(app))
    os.chdir(app)  # as in Azure, where the app's folder is the working directory
    request = SimpleNamespace(
        request=SimpleNamespace(
            worker_init_request=SimpleNamespace(capabilities={}, function_app_directory=str(app)),
        ),
        properties={"host": "127.0.0.1", "protos": PROTOS},
    )
    started = await worker_init_request(request)
    if started.result.status != PROTOS.StatusResult.Success:
        error = started.result.exception
        raise StartError(f"the app cannot be indexed: {error.message}\n{error.stack_trace}")
    if "HttpUri" in started.capabilities:
        raise StartError("the app uses HTTP streams (azurefunctions-extensions-http), which the local host has not.")
    found = (await functions_metadata_request(SimpleNamespace())).function_metadata_results
    if not found:
        raise StartError(f"there are no functions in {app / 'function_app.py'}.")
    return tuple(_function(function.name, function.function_id, function.raw_bindings) for function in found)


def _function(name: str, function_id: str, raw_bindings: list[str]) -> Function:
    bindings = [Binding.model_validate_json(raw) for raw in raw_bindings]
    unknown = [binding.type for binding in bindings if binding.type not in TRIGGERS + _OUTPUTS]
    if unknown:
        raise StartError(f"function {name} has a binding of type {unknown[0]}, which the local host has not.")
    (trigger,) = (binding for binding in bindings if binding.type in TRIGGERS)
    outputs = tuple(binding for binding in bindings if binding.type == "queue")
    return Function(name, function_id, trigger, outputs)


class Invoker:
    """Runs functions and sends what they output."""

    def __init__(self, send: Send) -> None:
        """send: how a value gets to a queue output; it raises FunctionFailedError."""
        self._send = send

    async def __call__(
        self, function: Function, data: TypedData, metadata: Mapping[str, TypedData] | None = None
    ) -> TypedData | None:
        """Run a function with its trigger's data and send its outputs, only after it succeeded.

        Returns what it returned, if that is not a queue output. Raises FunctionFailedError.
        """
        from azure_functions_runtime import invocation_request

        invocation = str(uuid.uuid4())
        request = SimpleNamespace(
            invocation_id=invocation,
            function_id=function.id,
            input_data=[ParameterBinding(name=function.trigger.name, data=data)],
            trigger_metadata=metadata or {},
            trace_context=SimpleNamespace(trace_parent="", trace_state="", attributes={}),
            retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
        )
        response = await invocation_request(SimpleNamespace(request=SimpleNamespace(invocation_request=request)))
        if response.result.status != PROTOS.StatusResult.Success:
            error = response.result.exception
            log.error("function %s failed (invocation %s)\n%s", function.name, invocation, error.stack_trace.rstrip())
            raise FunctionFailedError(f"{function.name}: {error.message}")
        values: dict[str, TypedData | None] = {output.name: output.data for output in response.output_data}
        values["$return"] = response.return_value
        for binding in function.outputs:
            value = values.pop(binding.name, None)
            if value is not None:
                await self._send(binding, value)
        return values.get("$return")
