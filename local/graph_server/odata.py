"""The query options that `auditLogs/signIns` takes; all others are refused.

Facts: docs/entra-facts.md, "Asking Graph for them".
Times are counted in ticks of 100 ns since 1 January 0001 UTC, the precision of Graph's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .errors import GraphError, bad_request

USER_TYPES = frozenset({"interactiveUser", "nonInteractiveUser"})
APP_TYPES = frozenset({"servicePrincipal", "managedIdentity"})
MOST = 1000
"""Records a page, both the default and the most."""

_LAST_TICK = 10**19
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,7}))?(Z|[+-]\d\d:\d\d))?")
_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\d{4}-\d\d-\d\d[0-9T:.Z+-]*)|([A-Za-z_]\w*)|([():/]))")
_TAKEN = ("$filter", "$orderby", "$top", "$skiptoken")
_BEGAN = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: a closed window in ticks, sign-in types, the order, the page size, and where to go on."""

    first: int = 0
    last: int = _LAST_TICK
    types: frozenset[str] = frozenset({"interactiveUser"})
    ascending: bool = False
    top: int | None = None
    skip_token: str | None = None
    text: str = ""
    """The options as they came, without the skip token: a skip token belongs to them."""


def ticks(text: str) -> int:
    """A time, or a day, as Graph writes it. Raises ValueError on anything else."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a time with a zone")
    day, clock, fraction, zone = match.groups()
    moment = datetime.fromisoformat(f"{day}T{clock or '00:00'}{zone or 'Z'}")
    passed = moment - _BEGAN
    return (passed.days * 86400 + passed.seconds) * 10**7 + int((fraction or "0").ljust(7, "0"))


def parse_query(options: Iterable[tuple[str, str]], *, beta: bool) -> Query:
    """The query that the options of a URL ask for. Raises GraphError (400) on what Graph refuses.

    A name without a dollar is a caller's own, and ignored.
    """
    given: dict[str, str] = {}
    for name, value in options:
        if not name.startswith("$"):
            continue
        if name in given:
            raise bad_request(f"Query option '{name}' was specified more than once, but it must be at most once.")
        if name not in _TAKEN:
            raise bad_request(f"Query option '{name[1:].capitalize()}' is not allowed.")
        given[name] = value
    query = Query(
        ascending=_ascending(given.get("$orderby")),
        top=_top(given.get("$top")),
        skip_token=given.get("$skiptoken"),
        text="&".join(f"{name}={given[name]}" for name in _TAKEN[:3] if name in given),
    )
    return _Filter(given["$filter"], beta).narrow(query) if "$filter" in given else query


def _ascending(text: str | None) -> bool:
    order = (text or "createdDateTime desc").split()
    if order[:1] != ["createdDateTime"] or order[1:] not in ([], ["asc"], ["desc"]):
        raise bad_request("Invalid orderby clause")
    return order[1:] != ["desc"]


def _top(text: str | None) -> int | None:
    if text is None:
        return None
    if re.fullmatch(r"\d{1,9}", text) is None or int(text) == 0:
        raise bad_request(f"Invalid value '{text}' for $top query option found.")
    if int(text) > MOST:
        raise bad_request(
            f"The limit of '{MOST}' for Top query has been exceeded. The value from the incoming request is '{text}'."
        )
    return int(text)


class _Filter:
    """Reads: comparisons of createdDateTime and `signInEventTypes/any(…)`, joined by `and`, in any brackets."""

    def __init__(self, text: str, beta: bool) -> None:
        self.beta = beta
        self.types: frozenset[str] | None = None
        self.tokens: list[str] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if match is None:
                raise self.refusal()
            self.tokens.append(match.group().strip())
            place = match.end()

    @staticmethod
    def refusal() -> GraphError:
        return bad_request("Invalid filter clause")

    def narrow(self, query: Query) -> Query:
        """`query` with the window and, where the filter names any, the types of the filter."""
        query = self._all(query)
        if self.tokens:
            raise self.refusal()
        if self.types is None:
            return query
        if self.types & USER_TYPES and self.types & APP_TYPES:
            raise bad_request("User and application sign-in event types cannot be combined in one filter.")
        return replace(query, types=self.types)

    def _take(self, *expected: str) -> str:
        """The next token, which must be one of `expected` where any are given."""
        if not self.tokens or (expected and self.tokens[0] not in expected):
            raise self.refusal()
        return self.tokens.pop(0)

    def _all(self, query: Query) -> Query:
        query = self._one(query)
        while self.tokens and self.tokens[0] == "and":
            self._take("and")
            query = self._one(query)
        return query

    def _one(self, query: Query) -> Query:
        head = self._take("(", "createdDateTime", "signInEventTypes")
        if head == "(":
            query = self._all(query)
            self._take(")")
            return query
        if head == "signInEventTypes":
            if not self.beta:
                raise self.refusal()
            types = self._types()
            self.types = types if self.types is None else self.types & types
            return query
        operator = self._take("ge", "le", "eq")
        try:
            moment = ticks(self._take())
        except ValueError:
            raise self.refusal() from None
        first = moment if operator != "le" else 0
        last = moment if operator != "ge" else _LAST_TICK
        return replace(query, first=max(query.first, first), last=min(query.last, last))

    def _types(self) -> frozenset[str]:
        for mark in ("/", "any", "("):
            self._take(mark)
        variable = self._take()
        if not variable.isidentifier():
            raise self.refusal()
        self._take(":")
        types = self._either(variable)
        self._take(")")
        return frozenset(types)

    def _either(self, variable: str) -> set[str]:
        types = self._type(variable)
        while self.tokens and self.tokens[0] == "or":
            self._take("or")
            types |= self._type(variable)
        return types

    def _type(self, variable: str) -> set[str]:
        if self._take("(", variable) == "(":
            types = self._either(variable)
            self._take(")")
            return types
        self._take("eq")
        name = self._take()[1:-1]
        if name not in USER_TYPES | APP_TYPES:
            raise self.refusal()
        return {name}
