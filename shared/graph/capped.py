"""Graph's answers, read up to a limit: also when they come squeezed, and a few bytes would fill the memory."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from typing import Final

import httpx

from shared.graph.problems import BadAnswer

# A page of 1,000 sign-ins has 6 MB; the longest that was ever seen a fifth of this.
MOST_BYTES: Final = 64 * 1024 * 1024
_GZIP: Final = 31  # zlib's number for the gzip format
_PIECE: Final = 1024 * 1024


class CappedTransport(httpx.AsyncBaseTransport):
    """Another transport, whose answers are unpacked here and end at `most` bytes. Reading on raises BadAnswer."""

    def __init__(self, inner: httpx.AsyncBaseTransport, most: int = MOST_BYTES) -> None:
        self._inner = inner
        self._most = most

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Only gzip is asked for and understood."""
        request.headers["Accept-Encoding"] = "gzip"
        answer = await self._inner.handle_async_request(request)
        packed = answer.headers.get("Content-Encoding", "identity").strip().lower()
        stream = answer.stream
        if packed not in ("gzip", "identity", "") or not isinstance(stream, httpx.AsyncByteStream):
            await answer.aclose()
            raise BadAnswer("Graph's answer is packed in a way that was not asked for")
        told = {b"content-encoding", b"content-length"}
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() not in told]
        capped = _Capped(stream, self._most, is_packed=packed == "gzip")
        return httpx.Response(answer.status_code, headers=headers, stream=capped, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Give back the connections."""
        await self._inner.aclose()


class _Capped(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, most: int, *, is_packed: bool) -> None:
        self._inner = inner
        self._left = most
        self._unpacker = zlib.decompressobj(_GZIP) if is_packed else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._inner:
            for piece in self._unpacked(chunk):
                self._left -= len(piece)
                if self._left < 0:
                    raise BadAnswer("Graph's answer is larger than any page of a log; it was not read to its end")
                yield piece

    def _unpacked(self, chunk: bytes) -> list[bytes]:
        if self._unpacker is None:
            return [chunk]
        pieces = []
        try:
            while chunk and not self._unpacker.eof:
                pieces.append(self._unpacker.decompress(chunk, _PIECE))
                chunk = self._unpacker.unconsumed_tail
                if len(pieces) * _PIECE > self._left + _PIECE:
                    break  # more than there is room for: whoever reads finds that out
        except zlib.error as error:
            raise httpx.DecodingError("the answer cannot be unpacked") from error
        return pieces

    async def aclose(self) -> None:
        """End the answer."""
        await self._inner.aclose()
