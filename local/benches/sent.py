"""Counts what this process asks of storage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import aiohttp


@contextmanager
def counted_requests() -> Iterator[Counter[str]]:
    """The requests that are sent meanwhile, by verb; a batch is one. Tries that the SDK repeats count each time."""
    sent: Counter[str] = Counter()
    real = aiohttp.ClientSession._request  # noqa: SLF001 - the SDK gives no place to count at

    async def counted(self: Any, method: str, *args: Any, **named: Any) -> Any:
        sent[method] += 1
        return await real(self, method, *args, **named)

    aiohttp.ClientSession._request = counted  # type: ignore[method-assign]  # noqa: SLF001
    try:
        yield sent
    finally:
        aiohttp.ClientSession._request = real  # type: ignore[method-assign]  # noqa: SLF001
