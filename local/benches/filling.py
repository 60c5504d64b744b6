"""Rows into Azurite, a million in minutes: transactions as the SDK writes them, made of bytes at once.

The SDK makes a message of e-mail of every row, which takes four times as long as Azurite takes to keep it; the product
keeps to the SDK (docs/architecture.md, "What a scan takes, and what was tried"), and what fills an emulator need not.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from shared.store.batches import BATCH_BYTES
from shared.store.tables import MAX_BATCH, Row

_HEADERS: Final = {
    "x-ms-version": "2019-02-02",
    "DataServiceVersion": "3.0",
    "MaxDataServiceVersion": "3.0;NetFx",
    "Content-Type": "multipart/mixed; boundary=batch_b",
    "Accept": "application/json",
}
_BEGIN: Final = "--batch_b\r\nContent-Type: multipart/mixed; boundary=changeset_c\r\n\r\n"
_END: Final = "--changeset_c--\r\n\r\n--batch_b--\r\n"
_ROW: Final = (
    "--changeset_c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    "PATCH {table}(PartitionKey='{partition}',RowKey='{row}') HTTP/1.1\r\nContent-Type: application/json\r\n"
    "Content-Length: {length}\r\nx-ms-version: 2019-02-02\r\nDataServiceVersion: 3.0\r\n"
    "Accept: application/json\r\n\r\n"
    "{body}\r\n"
)


class Filling:
    """Puts rows into the tables behind a connection string; what stands is merged. Use it as a context."""

    def __init__(self, connection: str) -> None:
        parts = dict(part.partition("=")[::2] for part in connection.split(";") if part)
        self._endpoint, self._account = parts["TableEndpoint"], parts["AccountName"]
        self._key = base64.b64decode(parts["AccountKey"])
        self._session = aiohttp.ClientSession(auto_decompress=False)

    async def __aenter__(self) -> Filling:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def write(self, table: str, rows: Iterable[Row]) -> None:
        """Put rows into a table. Raises RuntimeError where Azurite refuses one."""
        waiting: dict[str, list[str]] = {}
        for row in rows:
            of_partition = waiting.setdefault(row["PartitionKey"], [])
            text = self._text(table, row)
            if len(of_partition) == MAX_BATCH or sum(map(len, of_partition)) + len(text) > BATCH_BYTES:
                await self._send(of_partition)
                of_partition.clear()
            of_partition.append(text)
        for of_partition in waiting.values():
            await self._send(of_partition)

    def _text(self, table: str, row: Row) -> str:
        body = json.dumps(_typed(row))
        place = {"partition": row["PartitionKey"], "row": row["RowKey"]}
        return _ROW.format(table=f"{self._endpoint}/{table}", length=len(body), body=body, **place)

    async def _send(self, rows: Sequence[str]) -> None:
        date = format_datetime(datetime.now(UTC), usegmt=True)
        path = f"{urlsplit(self._endpoint).path}/$batch"
        said = f"POST\n\n{_HEADERS['Content-Type']}\n{date}\n/{self._account}{path}"
        signed = base64.b64encode(hmac.new(self._key, said.encode(), hashlib.sha256).digest()).decode()
        headers = {**_HEADERS, "x-ms-date": date, "Authorization": f"SharedKey {self._account}:{signed}"}
        whole = "".join((_BEGIN, *rows, _END)).encode()
        async with self._session.post(f"{self._endpoint}/$batch", data=whole, headers=headers) as answer:
            text = await answer.text()
            if answer.status != 202 or text.count("HTTP/1.1 204") != len(rows):
                raise RuntimeError(f"Azurite refused a row: {answer.status} {text[:300]}")


def _typed(row: Row) -> dict[str, Any]:
    """The row as JSON, times and bytes with their types."""
    made: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            made |= {name: f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}", f"{name}@odata.type": "Edm.DateTime"}
        elif isinstance(value, bytes):
            made |= {name: base64.b64encode(value).decode(), f"{name}@odata.type": "Edm.Binary"}
        elif value is not None:
            made[name] = value
    return made
