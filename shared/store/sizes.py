"""How much room rows take, as stored and on the wire, and what of it the service has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

# docs/platform-facts.md, "Table Storage".
_MAX_ROW_BYTES: Final = 1_000_000  # of 1 MiB as stored
_MAX_TEXT: Final = 32_000  # UTF-16 units; the service takes 64 KiB
_MAX_BINARY: Final = 65_536
_MAX_PROPERTIES: Final = 252


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


def fitting_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without empty columns. Raises ValueError for what the service would refuse."""
    kept = {name: value for name, value in row.items() if value is not None}
    if len(kept) > _MAX_PROPERTIES:
        raise ValueError(f"row {row['RowKey']} has {len(kept)} columns, the service takes {_MAX_PROPERTIES}")
    for name, value in kept.items():
        if isinstance(value, str) and len(value.encode("utf-16-le", "surrogatepass")) > 2 * _MAX_TEXT:
            raise ValueError(f"column {name} of row {row['RowKey']} is too long")
        if isinstance(value, bytes) and len(value) > _MAX_BINARY:
            raise ValueError(f"column {name} of row {row['RowKey']} is too long")
        if isinstance(value, int) and not -(2**31) <= value < 2**31:
            raise ValueError(f"column {name} of row {row['RowKey']} does not fit 32 bits")
    if sum(2 * len(name) + stored_bytes(value) for name, value in kept.items()) > _MAX_ROW_BYTES:
        raise ValueError(f"row {row['RowKey']} is larger than the service takes")
    return kept
