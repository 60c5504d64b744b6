"""A table service that stops, freezes, is slow, or loses its answers: a proxy before the emulator's."""

from __future__ import annotations

import asyncio

from tests.scan.cut_proxy import Aftermath, Cut, CutProxy, Loss


class StorageProxy(CutProxy):
    """Passes requests on, until told otherwise."""

    def __init__(self, connection: str) -> None:
        super().__init__(connection)
        self.going = asyncio.Event()
        self.going.set()
        self.delay = 0.0
        self.lose_every = 0  # of so many writes the answer to one is lost; 0: none
        self._writes = 0

    def heal(self) -> None:
        """Pass everything on again."""
        self.begin()
        self.going.set()
        self.delay = 0.0
        self.lose_every = 0

    async def _pass_one(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        service_reader: asyncio.StreamReader,
        service_writer: asyncio.StreamWriter,
    ) -> bool:
        await self.going.wait()
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.lose_every:
            self._writes += 1
            if self._writes % self.lose_every == 0:
                self.cut = Cut(len(self.requests) + 1, Loss.ANSWER, Aftermath.BLIP)
        return await super()._pass_one(reader, writer, service_reader, service_writer)
