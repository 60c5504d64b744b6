"""Collectors put a record into a member of their own, often as JSON text: what is inside counts.

`{"eventHubsAzureRecord": {…}}`, Splunk's `{"result": {"_raw": "…"}}`, Elastic's `event.original`, the body of an Event
Hubs message. A text may hold a whole batch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from shared.signin.careful import NotJson, load

# In this order: what is nearer to the original comes first.
_WRAPPERS: Final = (
    "eventhubsazurerecord", "_raw", "event.original", "original", "event", "_source", "result", "body", "data",
    "record", "message",
)  # fmt: skip
LISTS: Final = frozenset({"value", "records", "results", "signins", "events", "items", "hits", "responses", "tables"})
_DEEPEST: Final = 8


def opened(value: dict[str, Any], depth: int = _DEEPEST) -> Iterator[Any]:
    """The records in an object, itself if it wraps none."""
    inner = _inside(value) if depth else None
    if inner is None:
        yield value
        return
    for one in inner if isinstance(inner, list) else [inner]:
        if isinstance(one, dict):
            yield from opened(one, depth - 1)
        else:
            yield one


def _inside(value: dict[str, Any]) -> dict[str, Any] | list[Any] | None:
    names = {name.lower(): name for name in value}
    if "createddatetime" in names or "properties" in names:
        return None
    for wrapper in _WRAPPERS:
        if wrapper in names and (inner := parsed(value[names[wrapper]])) and _holds_more(wrapper, inner):
            return inner
    return next((parsed(value[own]) for name, own in names.items() if name in LISTS), None)


def _holds_more(wrapper: str, inner: dict[str, Any] | list[Any]) -> bool:
    """Elastic's `event` says many things of a document; only the original is a record."""
    return wrapper != "event" or "original" in inner


def parsed(member: Any) -> dict[str, Any] | list[Any] | None:
    """An object or a list, also one that is JSON text; None for anything else, and for an empty one."""
    if isinstance(member, str) and member.lstrip()[:1] in ("{", "["):
        try:
            member = load(member.encode("utf-8", "surrogateescape"))
        except (NotJson, UnicodeEncodeError):
            return None
    return member if isinstance(member, dict | list) and member else None
