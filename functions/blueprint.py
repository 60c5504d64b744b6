"""What a part of the app declares its functions with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import azure.functions as func


class Blueprint(func.Blueprint):
    """The library's, which also gives a function by its name: where it is served from the index (functions/index.py)
    its module is imported when it is first called."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.functions: Final[dict[str, Callable[..., Any]]] = {}

    def function_name(self, name: str, setting_extra_fields: dict[str, Any] | None = None) -> Callable[..., Any]:
        """Name a function, as the library does."""
        named = super().function_name(name, setting_extra_fields)

        def note(function: Callable[..., Any]) -> Any:
            self.functions[name] = made = named(function)
            return made

        return note
