"""The index that the worker reads is what the parts declare, and a start imports none of them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any, get_type_hints

import azure.functions as func

from functions.index import INDEX, import_parts, read_index, register
from functions.parts import PARTS, declared, index_text


def _functions(app: func.FunctionApp) -> dict[str, tuple[list[Any], Callable[..., Any]]]:
    return {
        str(one.get_function_name()): ([*map(json.loads, one.get_raw_bindings())], one.get_user_function())
        for one in app.get_functions()
    }


def test_the_worker_sees_what_the_parts_declare() -> None:
    indexed, parts = func.FunctionApp(), func.FunctionApp()
    register(indexed)
    for part in PARTS:
        parts.register_functions(part.bp)
    seen, meant = _functions(indexed), _functions(parts)
    assert [*seen] == [*meant]
    for name, (bindings, function) in meant.items():
        found, stand_in = seen[name]
        assert sorted(found, key=str) == sorted(bindings, key=str), name
        assert {*inspect.signature(stand_in).parameters} == {*inspect.signature(function).parameters}, name
        hints = get_type_hints(function)
        if hints["return"] is type(None):
            del hints["return"]  # a function that answers nothing says so, or nothing
        assert get_type_hints(stand_in) == hints, name


def test_a_route_without_a_level_has_the_apps() -> None:
    keyed, open_to_all = func.FunctionApp(), func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
    register(keyed)
    register(open_to_all)
    levels = {name: bindings for name, (bindings, _) in _functions(keyed).items() if "ANONYMOUS" in str(bindings)}
    assert {"health", "unknown_route", "page", "style"} <= {*levels}
    assert "summary" not in levels
    assert "FUNCTION" not in str([bindings for bindings, _ in _functions(open_to_all).values()])


def test_the_file_is_up_to_date() -> None:
    assert index_text(declared()) == INDEX.read_text(encoding="utf-8"), "run `make index`"


def test_each_function_is_found_where_the_index_says() -> None:
    import_parts()
    by_module = {part.__name__: part.bp.functions for part in PARTS}
    assert all(one.name in by_module[one.module] for one in read_index())
