"""Lists as comma-separated values: RFC 4180, and nothing in them that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from typing import Final

from shared.wire.models import Answer

# What makes a spreadsheet take a cell for a formula, at the beginning of the text or behind a character that some
# spreadsheets (";" in much of Europe, the tab) take for the end of a cell. Blanks, quotes and what nobody sees (control
# characters, a byte-order mark, marks of direction) before it do not help.
_UNSEEN: Final = (
    r"\s\"\'\x00-\x1f\x7f-\xa0\xad\u061c"
    r"\u115f\u1160\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\u2800\u3164\ufeff\uffa0"
)
_ENDS: Final = r";,|\t\r\n\x0b\x0c\x85\u2028\u2029\uff0c\uff1b"
_BEGINS: Final = r"=+\-@\u2212\uff1d\uff0b\uff0d\uff20\ufe62\ufe63\ufe66\ufe6b\t\r\n"
_FORMULA: Final = re.compile(rf"(^|[{_ENDS}])(?=[{_UNSEEN}]*[{_BEGINS}])")


def csv_text(kind: type[Answer], items: Iterable[Answer]) -> str:
    """A header with the members of `kind`, then a line an item.

    Several values in one cell are divided by ";"; a member with members of its own is JSON.
    """
    names = [field.serialization_alias or field.alias or name for name, field in kind.model_fields.items()]
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
    if isinstance(value, bool | int | float):
        return str(value)
    return _FORMULA.sub(r"\1'", _plain(value))


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ";".join(map(_plain, value))
    return json.dumps(value) if isinstance(value, dict) else str(value)
