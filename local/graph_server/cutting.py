"""Answers whose connection ends too early."""

from __future__ import annotations

from aiohttp import web


async def cut_off(
    request: web.Request, body: bytes, headers: dict[str, str], *, at: int | None = None, reset: bool = False
) -> web.StreamResponse:
    """An answer whose connection ends at a byte of the body (in the middle if absent), or is reset there."""
    response = web.StreamResponse(headers=headers)
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2 if at is None else min(at, len(body) - 1)])
    if request.transport is not None:
        if reset:
            request.transport.abort()
        else:
            request.transport.close()
    return response
