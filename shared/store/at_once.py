"""Many requests to Table Storage, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from typing import Final

_AT_ONCE: Final = 16  # requests in flight


async def all_of[T](work: Iterable[Awaitable[T]]) -> list[T]:
    """The results in order; the first failure is raised after all have ended."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(task: Awaitable[T]) -> T:
        async with room:
            return await task

    results = await asyncio.gather(*(one(task) for task in work), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
