"""What `Get-MgBetaAuditLogSignIn | ConvertTo-Json` writes, in PowerShell 7 and in Windows PowerShell 5.1.

5.1 writes dates as `/Date(…)/`, or as objects around one, and some lists as `{"value": […], "Count": 2}`. Members that
the module does not know yet stand in AdditionalProperties. What lies deeper than -Depth is cut off to text.
"""

from __future__ import annotations

import re
from typing import Any, Final

from local.commands.shapes.times import iso_time

# The members that are objects or lists of them, which -Depth cuts off.
_NESTED: Final = ("status", "authenticationDetails", "agent", "authenticationProcessingDetails")
# What a cut-off object looks like: the name of its type, or a hash table's own text.
_CUT: Final = re.compile(r"\s*(?:(?:Microsoft\.|System\.|Deserialized\.|System\.Collections\.)[\w.`\[\]+]+|@\{)")


def unfolded(record: dict[str, Any]) -> dict[str, Any]:
    """The record with its dates and lists as PowerShell 7 would have written them."""
    more = record.get("additionalProperties")
    if isinstance(more, dict):
        record = {**more, **record}
    return {name: _plain(value) for name, value in record.items() if name != "additionalProperties"}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return iso_time(value) if value.startswith(("/Date(", "\\/Date(")) else value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    names = set(value)
    if names == {"value", "count"} and isinstance(value["value"], list):
        return _plain(value["value"])
    if "value" in names and names <= {"value", "displayHint", "dateTime"} and isinstance(value["value"], str):
        return iso_time(value["value"])
    return unfolded(value)


def cut_member(record: dict[str, Any]) -> str | None:
    """The first member that -Depth cut off; None where none is."""
    for name in _NESTED:
        value = record.get(name)
        if any(isinstance(one, str) and _CUT.match(one) for one in (value if isinstance(value, list) else [value])):
            return name
    return None


def cut_reason(member: str) -> str:
    """Why such a record is quarantined, and how to get a whole one."""
    return f"{member}: cut off by ConvertTo-Json -Depth; export again with ConvertTo-Json -Depth 10"
