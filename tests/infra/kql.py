"""What an alert's query says of lines of the log: the few operators of KQL that the templates use.

Whether the queries are KQL at all is for Microsoft's own parser to say (kql_check.js, test_kql.py).
"""

from __future__ import annotations

import json
import operator
import re
from collections.abc import Callable, Iterable
from math import prod

_OPERATORS: dict[str, Callable[[int, int], bool]] = {">=": operator.ge, ">": operator.gt, "<": operator.lt}

type Event = dict[str, object]


def matches(query: str, *messages: str) -> bool:
    """Whether a query on AppTraces gives a row for these Messages. Raises ValueError for an operator unknown here."""
    table, *pipes = [line.strip() for line in query.strip().splitlines()]
    if table != "AppTraces":
        raise ValueError(f"the query asks {table}")
    rows = [(message, _parsed(message)) for message in messages]
    count: int | None = None
    for pipe in pipes:
        if pipe == "| extend Event = parse_json(Message)":
            continue
        if re.fullmatch(r"\| summarize \w+ = count\(\)", pipe):
            count = len(rows)
        elif (found := re.fullmatch(r"\| where \w+ >= (\d+)", pipe)) and count is not None:
            return count >= int(found[1])
        elif found := re.fullmatch(r"\| where (.+)", pipe):
            rows = [row for row in rows if _holds(found[1], *row)]
        else:
            raise ValueError(f"an operator that is not known here: {pipe}")
    return bool(rows)


def _holds(condition: str, message: str, event: Event) -> bool:
    if len(either := _parts(condition, " or ")) > 1:
        return any(_holds(part, message, event) for part in either)
    if len(both := _parts(condition, " and ")) > 1:
        return all(_holds(part, message, event) for part in both)
    if condition.startswith("(") and condition.endswith(")"):
        return _holds(condition[1:-1], message, event)
    if found := re.fullmatch(r'Message has "([^"]+)"', condition):
        return _has(message, found[1])
    if found := re.fullmatch(r"Message has_any \((.+)\)", condition):
        return any(_has(message, term) for term in re.findall(r'"([^"]+)"', found[1]))
    if found := re.fullmatch(r'tostring\(Event\.(\w+)\) == "([^"]*)"', condition):
        return event.get(found[1]) == found[2]
    if found := re.fullmatch(r"(toint\(.+\)) (>=|>|<) ([\d *]+)", condition):
        numbers = [event.get(name) for name in re.findall(r"toint\(Event\.(\w+)\)", found[1])]
        known = [int(number) for number in numbers if isinstance(number, int | float)]
        limit = prod(int(factor) for factor in found[3].split("*"))
        return len(known) == len(numbers) and _OPERATORS[found[2]](sum(known), limit)  # null in a sum makes it null
    raise ValueError(f"a condition that is not known here: {condition}")


def _parts(text: str, glue: str) -> list[str]:
    """The text at the glue that stands outside of brackets."""
    found, depth, begin = [], 0, 0
    for place, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and text.startswith(glue, place):
            found.append(text[begin:place])
            begin = place + len(glue)
    return [*found, text[begin:]]


def _has(text: str, term: str) -> bool:
    """KQL's `has`: without case, and only where no letter or digit goes on."""
    return re.search(rf"(?<![0-9a-z]){re.escape(term)}(?![0-9a-z])", text, re.IGNORECASE) is not None


def _parsed(message: str) -> Event:
    try:
        found = json.loads(message)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def queries_in(text: str, tables: Iterable[str]) -> list[str]:
    """The queries that stand as code in a page of Markdown: those that begin with the name of a table."""
    begin = "|".join(map(re.escape, tables))
    spans = re.findall(rf"`((?:{begin})(?: \\?\| [^`]+)?)`", text)
    return [span.replace("\\|", "|") for span in spans]
