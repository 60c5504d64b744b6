"""A line of a history as a row: what happened to an incident or to an exception, and who did it. Never changed."""

from __future__ import annotations

from typing import Any, Final

from shared.incidents.history import Line
from shared.store.codec import Codec
from shared.store.tables import SCHEMA, Row, keys

_CODEC: Final = Codec(Line, leaves=("number",))


def line_row(partition: str, prefix: str, line: Line) -> dict[str, Any]:
    """A line as a row; the prefix of its key says whose it is, its number follows."""
    return {**keys(partition, f"{prefix}{line.number:08d}"), "v": SCHEMA, **_CODEC.columns(line)}


def line_of(row: Row) -> Line:
    """The line that a row holds."""
    return _CODEC.value(row, number=int(str(row["RowKey"]).rpartition("-")[2]))
