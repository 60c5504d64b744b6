"""The queues that the functions read and write are the app's, and each is read by one function."""

from __future__ import annotations

import azure.functions as func

from functions.parts import PARTS
from shared.basics.queues import Queue


def test_each_queue_is_read_by_one_function_and_only_the_apps_are_written() -> None:
    app = func.FunctionApp()
    for part in PARTS:
        app.register_functions(part.bp)
    read: list[str] = []
    written: set[str] = set()
    for function in app.get_functions():
        for binding in function.get_bindings():
            shape = binding.get_dict_repr()
            if shape["type"] == "queueTrigger":
                read.append(shape["queueName"])
            elif shape["type"] == "queue":
                written.add(shape["queueName"])
    assert sorted(read) == sorted(Queue)
    assert written == {queue for queue in Queue if not queue.is_poison}
