"""What an alert's query says of one line of the log: the few operators of KQL that the templates use."""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable

_OPERATORS: dict[str, Callable[[float, float], bool]] = {">": operator.gt, "<": operator.lt}


def matches(query: str, message: str) -> bool:
    """Whether a query on AppTraces gives a row for that Message. Raises ValueError for an operator unknown here."""
    table, *pipes = [line.strip() for line in query.strip().splitlines()]
    if table != "AppTraces":
        raise ValueError(f"the query asks {table}")
    event: dict[str, object] = {}
    for pipe in pipes:
        if found := re.fullmatch(r'\| where Message has "([^"]+)"', pipe):
            if not _has(message, found[1]):
                return False
        elif pipe == "| extend Event = parse_json(Message)":
            parsed = _parsed(message)
            event = parsed if isinstance(parsed, dict) else {}
        elif found := re.fullmatch(r'\| where tostring\(Event\.(\w+)\) == "([^"]*)"', pipe):
            if event.get(found[1]) != found[2]:
                return False
        elif found := re.fullmatch(r"\| where toint\(Event\.(\w+)\) ([<>]) ([\d *]+)", pipe):
            limit = 1
            for factor in found[3].split("*"):
                limit *= int(factor)
            value = event.get(found[1])
            if not isinstance(value, int | float) or not _OPERATORS[found[2]](int(value), limit):
                return False
        else:
            raise ValueError(f"an operator that is not known here: {pipe}")
    return True


def _has(text: str, term: str) -> bool:
    """KQL's `has`: without case, and only where no letter or digit goes on."""
    return re.search(rf"(?<![0-9a-z]){re.escape(term)}(?![0-9a-z])", text, re.IGNORECASE) is not None


def _parsed(message: str) -> object:
    try:
        return json.loads(message)
    except ValueError:
        return None
