"""Pages of lists of which only some rows are asked for: every row once, the last page knows that it is the last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.wire.filling import filled

_COUNT = 23
_REQUESTS = 3


def _name(number: int) -> str:
    return f"{number:02d}"


@given(step=st.integers(1, 30), limit=st.integers(1, 25), keep=st.integers(1, 7))
async def test_pages_hold_each_row_that_fits_once_and_in_order(step: int, limit: int, keep: int) -> None:
    asked = 0

    async def ask(after: str | None) -> tuple[list[tuple[str, int]], bool]:
        nonlocal asked
        asked += 1
        first = 0 if after is None else int(after) + 1
        rows = range(first, min(first + step, _COUNT))
        return [(_name(row), row) for row in rows], first + step < _COUNT

    found: list[int] = []
    after: str | None = None
    while True:
        asked = 0
        rows, after = await filled(ask, after, fits=lambda row: row % keep == 0, limit=limit, requests=_REQUESTS)
        assert len(rows) <= limit
        assert asked <= _REQUESTS
        found += rows
        if after is None:
            break
    assert found == [row for row in range(_COUNT) if row % keep == 0]


async def test_a_full_page_without_more_rows_is_the_last() -> None:
    async def ask(after: str | None) -> tuple[list[tuple[str, int]], bool]:
        return ([] if after else [(_name(row), row) for row in range(2)]), False

    assert await filled(ask, None, fits=lambda row: True, limit=2, requests=_REQUESTS) == ([0, 1], None)
    assert await filled(ask, None, fits=lambda row: True, limit=1, requests=_REQUESTS) == ([0], _name(0))
