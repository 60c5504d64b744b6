"""Lists as comma-separated values: RFC 4180, and nothing in them that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

from shared.wire.models import Answer

# What makes a spreadsheet take a cell for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def csv_text(kind: type[Answer], items: Iterable[Answer]) -> str:
    """A header with the members of `kind`, then a line an item; several values in one cell are divided by ";"."""
    names = [field.alias or name for name, field in kind.model_fields.items()]
    text = io.StringIO(newline="")
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(names)
    for item in items:
        members = item.model_dump(mode="json", by_alias=True)
        lines.writerow([_cell(members[name]) for name in names])
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = ";".join(map(str, value)) if isinstance(value, list) else str(value)
    return "'" + text if text.startswith(_FORMULA) else text
