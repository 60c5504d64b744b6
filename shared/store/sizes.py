"""How much room rows take: as stored, and on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def stored_bytes(value: object) -> int:
    """How much of a row's 1 MiB a value takes, from above."""
    if isinstance(value, str):
        return len(value.encode("utf-16-le", "surrogatepass")) + 8
    return len(value) + 8 if isinstance(value, bytes) else 16


def wire_bytes(operation: Sequence[Any]) -> int:
    """How many of a batch's bytes an operation takes, from above: the SDK writes text as ASCII JSON and bytes as
    base64, each column may name its type, and each operation has headers of its own."""

    def of(value: object) -> int:
        if isinstance(value, str):
            return (
                len(value)
                if value.isascii() and value.isprintable()
                else 3 * len(value.encode("utf-16-le", "surrogatepass"))
            )
        return 4 * len(value) // 3 + 4 if isinstance(value, bytes) else 40

    return 1_000 + sum(2 * len(name) + 40 + of(value) for name, value in operation[1].items())
