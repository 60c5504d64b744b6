"""The blob container of statements and evidence packs (infra/modules/storage.bicep), and the months that are final.

A month's statement is one blob that is written once and never changed. The names of the people in it are another blob,
which the statement names, so that erasing somebody changes the names and not the statement. Which months are final
stands in the table `control` too, a row each: that is what others look at.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

from azure.core import MatchConditions
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobServiceClient

from shared.store.tables import SCHEMA, Conflict, Row, Table, insert, is_newer, keys, utc

CONTAINER: Final = "statements"
_BLOCK: Final = 4 * 1024 * 1024  # what a pack keeps in memory, however large it is
NAMES: Final = "names/"  # what the tables of names begin with
PACKS: Final = "packs/"  # and the evidence packs
_PARTITION: Final = "statements"
_MONTH: Final = "month-"


class Statements:
    """The container. `folder` lets several installations live in one account, as the prefix of tables does."""

    def __init__(self, service: BlobServiceClient, folder: str = "") -> None:
        self._service = service
        self._container = service.get_container_client(CONTAINER)
        self._folder = f"{folder}/" if folder else ""

    @classmethod
    def connect(
        cls,
        connection_string: str | None,
        uri: str | None = None,
        credential: AsyncTokenCredential | None = None,
        *,
        folder: str = "",
    ) -> Self:
        """By identity, or by connection string where there is one (this machine's emulator)."""
        sizes: dict[str, Any] = {"max_block_size": _BLOCK, "max_single_put_size": _BLOCK}
        if connection_string:
            return cls(BlobServiceClient.from_connection_string(connection_string, **sizes), folder)
        if uri is None or credential is None:
            raise ValueError("AzureWebJobsStorage__blobServiceUri is missing: statements have nowhere to go")
        return cls(BlobServiceClient(uri, credential=credential, **sizes), folder)

    async def create(self) -> None:
        """Make the container where it is not there: in Azure infra/ has made it."""
        try:
            await self._container.create_container()
        except ResourceExistsError:
            return

    async def get(self, name: str) -> bytes | None:
        """A blob; None when there is none of that name."""
        found = await self.get_tagged(name)
        return found[0] if found else None

    async def get_tagged(self, name: str) -> tuple[bytes, str] | None:
        """A blob and its etag; None when there is none of that name."""
        try:
            stream = await self._container.download_blob(self._folder + name)
        except ResourceNotFoundError:
            return None
        return await stream.readall(), str(stream.properties.etag)

    async def put_new(self, name: str, content: bytes | AsyncIterator[bytes]) -> bool:
        """Write a blob, all of it or nothing. False when there is one of that name, which stays."""
        try:
            await self._container.upload_blob(self._folder + name, content, overwrite=False)
        except ResourceExistsError:
            return False
        return True

    async def holds(self, name: str) -> bool:
        """Whether there is a blob of that name."""
        return bool(await self._container.get_blob_client(self._folder + name).exists())

    async def replace(self, name: str, content: bytes, etag: str) -> None:
        """Write a blob anew that is still the one with that etag. Raises Conflict."""
        try:
            await self._container.upload_blob(
                self._folder + name,
                content,
                overwrite=True,
                etag=etag,
                match_condition=MatchConditions.IfNotModified,
            )
        except HttpResponseError as error:
            if error.status_code in (404, 409, 412):
                raise Conflict(str(error.error_code if hasattr(error, "error_code") else error.status_code)) from error
            raise

    async def delete(self, name: str) -> None:
        """Remove a blob; none is fine."""
        try:
            await self._container.delete_blob(self._folder + name)
        except ResourceNotFoundError:
            return

    async def names(self, prefix: str) -> list[str]:
        """The names of the blobs that begin so."""
        begins = self._folder + prefix
        try:
            return [
                n.removeprefix(self._folder) async for n in self._container.list_blob_names(name_starts_with=begins)
            ]
        except ResourceNotFoundError:
            return []  # no container yet

    async def close(self) -> None:
        """Give back the connections."""
        await self._service.close()


# --- which months are final -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FinalMonth:
    """A month (its first midnight, UTC) whose statement stands, since when, and the SHA-256 of its blob in hex."""

    month: datetime
    at: datetime
    sha256: str


async def note_final(control: Table, final: FinalMonth) -> None:
    """Note that a month is final; what was noted before stays."""
    row = {**keys(_PARTITION, f"{_MONTH}{final.month:%Y%m}"), "v": SCHEMA, "at": final.at, "sha256": final.sha256}
    try:
        await control.write(insert(row))
    except Conflict:
        return


async def final_months(control: Table) -> list[FinalMonth]:
    """The months that are final, the oldest first: one request."""
    return [_final(row) async for row in control.prefixed(_PARTITION, _MONTH) if not is_newer(row)]


def _final(row: Row) -> FinalMonth:
    month = datetime.strptime(str(row["RowKey"]).removeprefix(_MONTH), "%Y%m").replace(tzinfo=UTC)
    return FinalMonth(month, utc(row["at"]), row["sha256"])
