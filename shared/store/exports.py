"""The blob container of the tables' exports. What is there is never changed: infra/ makes it immutable."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final, Self

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

CONTAINER: Final = "table-exports"  # infra/modules/storage.bicep
_BLOCK: Final = 4 * 1024 * 1024  # what an export keeps in memory, however long it is


class Exports:
    """The container."""

    def __init__(self, service: BlobServiceClient) -> None:
        self._service = service
        self._container = service.get_container_client(CONTAINER)

    @classmethod
    def connect(
        cls, connection_string: str | None, uri: str | None = None, credential: AsyncTokenCredential | None = None
    ) -> Self:
        """By identity, or by connection string where there is one (this machine's emulator)."""
        if connection_string:
            return cls(
                BlobServiceClient.from_connection_string(
                    connection_string, max_block_size=_BLOCK, max_single_put_size=_BLOCK
                )
            )
        if uri is None or credential is None:
            raise ValueError("AzureWebJobsStorage__blobServiceUri is missing: exports have nowhere to go")
        return cls(BlobServiceClient(uri, credential=credential, max_block_size=_BLOCK, max_single_put_size=_BLOCK))

    async def exists(self) -> bool:
        """Whether the container is there."""
        return bool(await self._container.exists())

    async def create(self) -> None:
        """Make the container where it is not there: in Azure infra/ has made it, with its policy."""
        if not await self.exists():
            try:
                await self._container.create_container()
            except ResourceExistsError:
                return  # another instance made it just now

    async def holds(self, name: str) -> bool:
        """Whether there is a blob of that name."""
        return bool(await self._container.get_blob_client(name).exists())

    async def put(self, name: str, chunks: AsyncIterator[bytes]) -> bool:
        """Write a blob; all of it appears at once or nothing. False when there is one of that name, which stays."""
        try:
            await self._container.upload_blob(name, chunks, overwrite=False)
        except ResourceExistsError:
            return False
        return True

    async def get(self, name: str) -> AsyncIterator[bytes]:
        """A blob's bytes. Raises LookupError when there is none of that name."""
        try:
            stream = await self._container.download_blob(name)
        except ResourceNotFoundError:
            raise LookupError(f"there is no export {name} in the container {CONTAINER}") from None
        async for chunk in stream.chunks():
            yield chunk

    async def close(self) -> None:
        """Give back the connections."""
        await self._service.close()
