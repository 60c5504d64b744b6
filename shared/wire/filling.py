"""A page of a list that is read row by row, where only some rows are asked for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

# Asks for the rows behind that one (None: from the beginning), each with its name; and whether there may be more.
type AskRows[T] = Callable[[str | None], Awaitable[tuple[Sequence[tuple[str, T]], bool]]]


async def filled[T](
    ask: AskRows[T], after: str | None, *, fits: Callable[[T], bool], limit: int, requests: int
) -> tuple[list[T], str | None]:
    """Ask until `limit` rows fit, or as often as `requests`. Returns those rows, and behind which row the list goes on:
    None at its end. A row more than the limit is looked at, so that a full last page knows that it is the last.
    """
    found: list[T] = []
    for _ in range(requests):
        rows, more = await ask(after)
        for name, row in rows:
            if len(found) == limit:
                return found, after
            after = name
            if fits(row):
                found.append(row)
        if not more:
            return found, None
    return found, after
